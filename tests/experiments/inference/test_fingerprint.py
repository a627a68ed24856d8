"""Fingerprints recover the probabilities of memory-one strategies; measures agree with the definitions and Axelrod."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded_runs import record

from dilemmas.agents.engines.chains import play_chains
from dilemmas.agents.engines.cycles import play_cycle
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.strategies.finite_state import memory_one
from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.inference.fingerprint import (
    character,
    cooperation_matrix,
    eigenjesus,
    eigenmoses,
    labels,
    memory_one_fingerprint,
    moves,
    vengeful_cooperation,
)
from dilemmas.experiments.inference.likelihoods import InferenceError
from dilemmas.experiments.inference.recorded_play import PlayerHistory, read_play


def seats(path: Path, **how: Any) -> list[list[PlayerHistory]]:
    """Histories of each player."""
    plays = read_play([path], **how)
    return [[one for one in plays if one.seat == seat] for seat in range(plays[0].players)]


def game(own: str, other: str) -> PlayerHistory:
    """One match from its actions as letters."""
    mine, theirs = (np.array(["CD".index(move) for move in found]) for found in (own, other))
    return PlayerHistory("f", "0", 0, "a", ("b",), mine, theirs, mine)


def value(found: Any) -> float | None:
    return None if found is None else found.value


def test_the_fingerprint_recovers_memory_one_probabilities(tmp_path: Path) -> None:
    chances = (0.9, 0.8, 0.3, 0.6, 0.2)
    path = tmp_path / "a.trajectory.jsonl"
    record(path, [memory_one("probe", *chances), strategy("random")], matches=40, rounds=30)
    habits = memory_one_fingerprint(moves(seats(path)[0]))
    assert [habit.after for habit in habits] == ["start", "CC", "CD", "DC", "DD"]
    for habit, chance in zip(habits, chances, strict=True):
        assert habit.interval is not None
        assert habit.interval[0] < chance < habit.interval[1]
    assert sum(habit.times for habit in habits) == 40 * 30


def test_counts_agree_with_the_engines(tmp_path: Path) -> None:
    """Deterministic strategies without noise: all engines return the same counts."""
    path = tmp_path / "a.trajectory.jsonl"
    group = [strategy("wsls"), strategy("alternator")]
    record(path, group, rounds=23, memory=23)
    tally = play_cycle(rules_of("prisoners_dilemma", rounds=23), group)
    for seat, plays in enumerate(seats(path)):
        assert (moves(plays) == tally.moves[:, seat].sum(axis=0)).all()


def test_counts_in_groups_agree_with_the_engines(tmp_path: Path) -> None:
    path = tmp_path / "a.trajectory.jsonl"
    group = [strategy(name, 3) for name in ("tit_for_tat", "always_defect", "always_cooperate")]
    record(path, group, "public_goods", rounds=4, n_players=3)
    tally = play_cycle(rules_of("public_goods", rounds=4, n_players=3), group)
    found = [moves(plays) for plays in seats(path)]
    assert all((counts == tally.moves[0, seat]).all() for seat, counts in enumerate(found))
    assert labels(3) == ("start", "C, 0 D", "C, 1 D", "C, 2 D", "D, 0 D", "D, 1 D", "D, 2 D")
    assert [habit.cooperated for habit in memory_one_fingerprint(found[0])] == [
        1,
        0,
        3,
        0,
        0,
        0,
        0,
    ]  # half of the others did


def test_exact_counts_give_exact_probabilities() -> None:
    rules = rules_of("prisoners_dilemma", rounds=50)
    (tally,) = play_chains(rules, [[strategy("gtft"), strategy("random")]])
    habits = memory_one_fingerprint(tally.moves[0, 0], exact=tally.exact)
    found = [habit.probability for habit in habits[:3]]
    assert found == pytest.approx([1, 1, 1 / 3])
    assert habits[2].interval == (habits[2].probability, habits[2].probability)


def test_an_unobserved_state_has_no_probability() -> None:
    found = memory_one_fingerprint(moves([game("CC", "CC")]))
    assert [habit.probability for habit in found] == [1, 1, None, None, None]
    assert found[4].interval is None


def test_trembles_change_actions_but_not_decisions(tmp_path: Path) -> None:
    path = tmp_path / "a.trajectory.jsonl"
    record(path, [strategy("tft"), strategy("random")], matches=20, rounds=30, noise=0.2)
    played, decided = (memory_one_fingerprint(moves(seats(path, choice=how)[0])) for how in ("played", "decided"))
    assert [habit.probability for habit in decided] == [1, 1, 0, 1, 0]
    for habit, truth in zip(played, (0.8, 0.8, 0.2, 0.8, 0.2), strict=True):
        assert habit.probability == pytest.approx(truth, abs=0.12)


def test_talk_and_sanctions_are_excluded(tmp_path: Path) -> None:
    path = tmp_path / "a.trajectory.jsonl"
    agents = [strategy("tft"), strategy("alld")]
    record(path, agents, rounds=3, talk=1, punishment=(1, 3))
    (one,), (other,) = seats(path)
    assert one.own.tolist() == [0, 1, 1]
    assert other.own.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("measure", "own", "other", "truth"),
    [
        ("cooperation", "CCDC", "CCCC", 3 / 4),
        ("initial_cooperation", "CDDD", "CCCC", 1),
        ("initial_cooperation", "DCCC", "CCCC", 0),
        ("niceness", "CCCC", "CCDC", 1),
        ("niceness", "CDCC", "DCCC", 1),  # only answered
        ("niceness", "CDCC", "CCDC", 0),
        ("niceness", "DCCC", "DCCC", 0),  # among the first
        ("provocability", "CDCC", "DCDC", 1 / 2),  # after CD: D, then C
        ("provocability", "CCCC", "CCCC", None),
        ("forgiveness", "CDDC", "DDDC", 1 / 3),
        ("vengeance", "DDDC", "CCCC", 2 / 3),
        ("echo", "CDCD", "DCDC", 1),
        ("echo", "CCC", "DDD", 0),
        ("echo", "CCC", "CCC", None),
        ("good_partner", "CCD", "CDC", 1),
        ("good_partner", "CDD", "CDC", 0),
    ],
)
def test_measures_of_a_match(measure: str, own: str, other: str, truth: float | None) -> None:
    assert value(getattr(character([game(own, other)]), measure)) == truth


def test_classic_strategies_have_their_published_character(tmp_path: Path) -> None:
    """Against a random player: Tit for Tat is nice, provocable and forgiving, Grim nice and vengeful (Axelrod 1984)."""
    for name in ("tft", "grim", "alld", "allc"):
        path = tmp_path / f"{name}.trajectory.jsonl"
        record(path, [strategy(name), strategy("random")], matches=10, rounds=20, memory=20)
    found = {
        name: character(seats(tmp_path / f"{name}.trajectory.jsonl")[0]) for name in ("tft", "grim", "alld", "allc")
    }
    assert {name: value(one.niceness) for name, one in found.items()} == {"tft": 1, "grim": 1, "alld": 0, "allc": 1}
    assert {name: value(one.provocability) for name, one in found.items()} == {
        "tft": 1,
        "grim": 1,
        "alld": None,
        "allc": 0,
    }
    assert {name: value(one.vengeance) for name, one in found.items()} == {
        "tft": 0,
        "grim": 1,
        "alld": 1,
        "allc": None,
    }
    assert value(found["grim"].forgiveness) == 0
    assert value(found["allc"].forgiveness) == 1


def test_in_a_group_the_other_is_the_majority_of_the_others() -> None:
    own = np.array([0, 1, 0])
    one = PlayerHistory("f", "0", 0, "a", ("b", "c", "d"), own, np.array([2, 1, 0]), own)
    found = character([one])
    assert value(found.provocability) == 1  # two of three defected
    assert value(found.vengeance) == 0  # one of three did
    assert found.echo is None
    assert value(found.good_partner) == 1  # cooperated twice; the others twice on average


def test_eigenjesus_and_eigenmoses_of_a_small_matrix() -> None:
    """Two players always cooperate; a third always defects."""
    matrix = np.array([[1.0, 1, 1], [1, 1, 1], [0, 0, 0]])
    assert eigenjesus(matrix) == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0])
    assert (vengeful_cooperation(matrix) == np.array([[1, 1, 1], [1, 1, 1], [-1, -1, -1]])).all()
    assert eigenmoses(matrix) == pytest.approx(np.array([1, 1, -1]) / np.sqrt(3))
    assert eigenjesus(np.zeros((2, 2))) is None


@pytest.fixture(scope="module")
def axelrod() -> Any:
    return pytest.importorskip("axelrod")


@pytest.mark.slow  # imports axelrod for ten seconds
def test_measures_agree_with_axelrod(axelrod: Any, tmp_path: Path) -> None:
    """Cooperation, initial cooperation, good partner, and the ratings by eigenvectors of a whole tournament."""
    classes = (
        "Cooperator",
        "Defector",
        "TitForTat",
        "Alternator",
        "WinStayLoseShift",
        "Grudger",
        "SuspiciousTitForTat",
    )
    results = axelrod.Tournament([getattr(axelrod, name)() for name in classes], turns=20, repetitions=1).play(
        progress_bar=False
    )
    ours = [strategy(name) for name in classes]
    for i, one in enumerate(ours):
        for j in range(i, len(ours)):
            record(tmp_path / f"{i}-{j}.trajectory.jsonl", [one, ours[j]], rounds=20, memory=20)
    plays = read_play([tmp_path])
    names = [one.name for one in ours]
    matrix = cooperation_matrix(plays, names)
    assert matrix == pytest.approx(np.array(results.normalised_cooperation))
    assert vengeful_cooperation(matrix) == pytest.approx(np.array(results.vengeful_cooperation))
    assert eigenjesus(matrix) == pytest.approx(results.eigenjesus_rating, abs=2e-3)  # it stops when steps are small
    assert eigenmoses(matrix) == pytest.approx(results.eigenmoses_rating, abs=2e-3)
    found = [character([one for one in plays if one.player == name and one.others != (name,)]) for name in names]
    assert [value(one.cooperation) for one in found] == pytest.approx(results.cooperating_rating)
    assert [value(one.initial_cooperation) for one in found] == pytest.approx(results.initial_cooperation_rate)
    assert [value(one.good_partner) for one in found] == pytest.approx(results.good_partner_rating)


def test_counts_may_be_fractional() -> None:
    """Expected counts are fractional."""
    for cooperated, times in ((1.7, 1.75), (0.2, 0.3)):
        found = memory_one_fingerprint(np.array([[cooperated, times - cooperated]] + [[0.0, 0.0]] * 4))[0]
        assert found.interval is not None
        assert found.interval[0] < cooperated / times < found.interval[1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: memory_one_fingerprint(np.ones((5, 3))), r"moves of shape \(5, 3\)"),
        (lambda: memory_one_fingerprint(np.full((5, 2), -1.0)), r"moves\[0, 0\] = -1.0"),
        (lambda: memory_one_fingerprint(np.ones((4, 2))), "moves of 4 rows"),
        (lambda: eigenjesus(np.ones((2, 3))), r"cooperation of shape \(2, 3\)"),
        (lambda: eigenmoses(np.full((2, 2), 1.5)), r"cooperation\[0, 0\] = 1.5; needs a finite number from 0 to 1"),
        (lambda: vengeful_cooperation(np.full((2, 2), np.nan)), r"cooperation\[0, 0\] = nan"),
    ],
)
def test_arrays_that_are_no_counts_or_rates_are_refused(wrong, message: str) -> None:
    with pytest.raises(InferenceError, match=message):
        wrong()
