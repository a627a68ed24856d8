"""A fingerprint finds the probabilities of who plays by them; measures are told by hand-made games and by Axelrod."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dilemmas.agents.agent import Decision, Source, Traits, Turn
from dilemmas.agents.engines.chains import play_chains
from dilemmas.agents.engines.cycles import play_cycle
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.strategies.finite_state import memory_one
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.commands.fingerprint import command, nearest, portraits
from dilemmas.experiments.commands.infer import candidate_automata
from dilemmas.experiments.commands.main import main
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
from dilemmas.experiments.inference.recorded_play import PlayerHistory, read_play


def record(
    path: Path, agents: Sequence[Any], game: str = "prisoners_dilemma", matches: int = 1, **options: Any
) -> list[MatchRecord]:
    """Play matches and write them down."""
    played = list(run_matches(partial(parallel, game, **options), agents, matches, seed=5))
    header = Header(f"dilemmas/{game}-v0", tuple(agent.describe() for agent in agents), 5, options)
    with TrajectoryWriter(path, header) as writer:
        for one in played:
            writer.write(one)
    return played


def seats(path: Path, **how: Any) -> list[list[PlayerHistory]]:
    """What was played from each seat."""
    plays = read_play([path], **how)
    return [[one for one in plays if one.seat == seat] for seat in range(plays[0].players)]


def game(own: str, other: str) -> PlayerHistory:
    """One match, from its moves as letters."""
    mine, theirs = (np.array(["CD".index(move) for move in told]) for told in (own, other))
    return PlayerHistory("f", "0", 0, "a", ("b",), mine, theirs, mine)


def value(told: Any) -> float | None:
    return None if told is None else told.value


def test_a_memory_one_player_leaves_its_probabilities(tmp_path: Path) -> None:
    chances = (0.9, 0.8, 0.3, 0.6, 0.2)
    path = tmp_path / "a.trajectory.jsonl"
    record(path, [memory_one("probe", *chances), strategy("random")], matches=40, rounds=30)
    habits = memory_one_fingerprint(moves(seats(path)[0]))
    assert [habit.after for habit in habits] == ["start", "CC", "CD", "DC", "DD"]
    for habit, chance in zip(habits, chances, strict=True):
        assert habit.interval is not None
        assert habit.interval[0] < chance < habit.interval[1]
    assert sum(habit.times for habit in habits) == 40 * 30


def test_recorded_moves_are_counted_as_the_engines_count_them(tmp_path: Path) -> None:
    """Deterministic strategies without noise: every engine has to come to the same counts."""
    path = tmp_path / "a.trajectory.jsonl"
    group = [strategy("wsls"), strategy("alternator")]
    record(path, group, rounds=23, memory=23)
    tally = play_cycle(rules_of("prisoners_dilemma", rounds=23), group)
    for seat, plays in enumerate(seats(path)):
        assert (moves(plays) == tally.moves[:, seat].sum(axis=0)).all()


def test_groups_are_counted_as_the_engines_count_them(tmp_path: Path) -> None:
    path = tmp_path / "a.trajectory.jsonl"
    group = [strategy(name, 3) for name in ("tit_for_tat", "always_defect", "always_cooperate")]
    record(path, group, "public_goods", rounds=4, n_players=3)
    tally = play_cycle(rules_of("public_goods", rounds=4, n_players=3), group)
    told = [moves(plays) for plays in seats(path)]
    assert all((counts == tally.moves[0, seat]).all() for seat, counts in enumerate(told))
    assert labels(3) == ("start", "C, 0 D", "C, 1 D", "C, 2 D", "D, 0 D", "D, 1 D", "D, 2 D")
    assert [habit.cooperated for habit in memory_one_fingerprint(told[0])] == [
        1,
        0,
        3,
        0,
        0,
        0,
        0,
    ]  # half of the others did


def test_exact_counts_leave_exact_probabilities() -> None:
    rules = rules_of("prisoners_dilemma", rounds=50)
    (tally,) = play_chains(rules, [[strategy("gtft"), strategy("random")]])
    habits = memory_one_fingerprint(tally.moves[0, 0], exact=tally.exact)
    told = [habit.probability for habit in habits[:3]]
    assert told == pytest.approx([1, 1, 1 / 3])
    assert habits[2].interval == (habits[2].probability, habits[2].probability)


def test_what_was_not_seen_has_no_probability() -> None:
    told = memory_one_fingerprint(moves([game("CC", "CC")]))
    assert [habit.probability for habit in told] == [1, 1, None, None, None]
    assert told[4].interval is None


def test_trembling_hands_are_played_but_not_decided(tmp_path: Path) -> None:
    path = tmp_path / "a.trajectory.jsonl"
    record(path, [strategy("tft"), strategy("random")], matches=20, rounds=30, noise=0.2)
    played, decided = (memory_one_fingerprint(moves(seats(path, choice=how)[0])) for how in ("played", "decided"))
    assert [habit.probability for habit in decided] == [1, 1, 0, 1, 0]
    for habit, truth in zip(played, (0.8, 0.8, 0.2, 0.8, 0.2), strict=True):
        assert habit.probability == pytest.approx(truth, abs=0.12)


class Mute:
    """Says something in every other round that nobody can read; C is then played by default."""

    name = "mute"

    def describe(self) -> Any:
        return replace(strategy("alld").describe(), name=self.name)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [
            Decision(0, source=Source.SAMPLED, unreadable="default") if turn.info["view"].round % 2 else Decision(1)
            for turn in turns
        ]

    policy = decide

    traits = Traits()


def test_an_unreadable_reply_is_no_choice(tmp_path: Path) -> None:
    path = tmp_path / "a.trajectory.jsonl"
    record(path, [Mute(), strategy("tft")], rounds=6)
    (mute,), (other,) = seats(path)
    assert mute.own.tolist() == [1, 0, 1, 0, 1, 0]
    assert mute.chosen.tolist() == [1, -1, 1, -1, 1, -1]
    assert moves([mute]).sum() == 3
    told = character([mute])
    assert value(told.cooperation) == 0
    assert character([other]).cooperation is not None
    (portrait, _) = portraits([mute, other])
    assert (portrait.choices, portrait.unreadable) == (3, 3)


def test_only_what_was_played_in_the_rounds_counts(tmp_path: Path) -> None:
    """Talk and punishment are steps of their own, and no moves."""
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
def test_a_measure_by_its_game(measure: str, own: str, other: str, truth: float | None) -> None:
    assert value(getattr(character([game(own, other)]), measure)) == truth


def test_what_every_book_says_of_the_classics(tmp_path: Path) -> None:
    """Against a random player: Tit for Tat is nice, provocable and forgiving, Grim nice and vengeful (Axelrod 1984)."""
    for name in ("tft", "grim", "alld", "allc"):
        path = tmp_path / f"{name}.trajectory.jsonl"
        record(path, [strategy(name), strategy("random")], matches=10, rounds=20, memory=20)
    told = {
        name: character(seats(tmp_path / f"{name}.trajectory.jsonl")[0]) for name in ("tft", "grim", "alld", "allc")
    }
    assert {name: value(one.niceness) for name, one in told.items()} == {"tft": 1, "grim": 1, "alld": 0, "allc": 1}
    assert {name: value(one.provocability) for name, one in told.items()} == {
        "tft": 1,
        "grim": 1,
        "alld": None,
        "allc": 0,
    }
    assert {name: value(one.vengeance) for name, one in told.items()} == {
        "tft": 0,
        "grim": 1,
        "alld": 1,
        "allc": None,
    }
    assert value(told["grim"].forgiveness) == 0
    assert value(told["allc"].forgiveness) == 1


def test_in_groups_the_other_is_most_of_the_others() -> None:
    own = np.array([0, 1, 0])
    one = PlayerHistory("f", "0", 0, "a", ("b", "c", "d"), own, np.array([2, 1, 0]), own)
    told = character([one])
    assert value(told.provocability) == 1  # two of three defected
    assert value(told.vengeance) == 0  # one of three did
    assert told.echo is None
    assert value(told.good_partner) == 1  # cooperated twice; the others twice on average


def test_eigenjesus_and_eigenmoses_by_hand() -> None:
    """Two who always cooperate with each other and are always exploited by a third."""
    matrix = np.array([[1.0, 1, 1], [1, 1, 1], [0, 0, 0]])
    assert eigenjesus(matrix) == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0])
    assert (vengeful_cooperation(matrix) == np.array([[1, 1, 1], [1, 1, 1], [-1, -1, -1]])).all()
    assert eigenmoses(matrix) == pytest.approx(np.array([1, 1, -1]) / np.sqrt(3))
    assert eigenjesus(np.zeros((2, 2))) is None


@pytest.fixture(scope="module")
def axelrod() -> Any:
    return pytest.importorskip("axelrod")


def test_axelrod_measures_the_same(axelrod: Any, tmp_path: Path) -> None:
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
    told = [character([one for one in plays if one.player == name and one.others != (name,)]) for name in names]
    assert [value(one.cooperation) for one in told] == pytest.approx(results.cooperating_rating)
    assert [value(one.initial_cooperation) for one in told] == pytest.approx(results.initial_cooperation_rate)
    assert [value(one.good_partner) for one in told] == pytest.approx(results.good_partner_rating)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    pairs = [("tft", "random"), ("wsls", "random"), ("conditional_cooperator", "alld")]
    for i, (one, other) in enumerate(pairs[:2]):
        record(
            folder / f"{i}.trajectory.jsonl",
            [strategy(one), strategy(other)],
            matches=5,
            rounds=20,
            memory=20,
            noise=0.1,
        )
    group = [strategy(name, 3) for name in (*pairs[2], "tft")]
    record(folder / "2.trajectory.jsonl", group, "public_goods", matches=3, rounds=6, memory=6, n_players=3)
    return folder


@pytest.mark.parametrize("name", ["tit_for_tat", "win_stay_lose_shift"])
def test_the_nearest_strategy_is_who_played(run: Path, name: str) -> None:
    found = {(one.player, one.players): one.nearest for one in portraits(read_play([run], "decided"))}
    nearest = found[name, 2]
    assert nearest is not None
    assert nearest.strategies[0] == name
    assert (nearest.tremble, nearest.log_likelihood) == (0, pytest.approx(0, abs=1e-6))


def test_counts_need_not_be_whole() -> None:
    """Expected counts are not, and may stand among sampled ones."""
    for cooperated, times in ((1.7, 1.75), (0.2, 0.3)):
        found = memory_one_fingerprint(np.array([[cooperated, times - cooperated]] + [[0.0, 0.0]] * 4))[0]
        assert found.interval is not None
        assert found.interval[0] < cooperated / times < found.interval[1]


def test_strategies_that_play_leaves_open_are_named_the_likeliest_first() -> None:
    """Two slips in forty rounds after cooperation: Tit for Tat that trembles, or Joss, who slips in a tenth."""
    own, other = np.array([0] * 9 + [1] + [0] * 19 + [1] + [0] * 10), np.zeros(40, dtype=np.int64)
    plays = {"x": [PlayerHistory("f", "0", 0, "x", ("y",), own, other, own)]}
    (found,) = nearest(plays, candidate_automata(["joss", "always_defect", "tit_for_tat"], 2)).values()
    assert found.strategies == ("tit_for_tat", "joss")


def test_the_nearest_strategy_in_a_group(run: Path) -> None:
    found = {(one.player, one.players): one.nearest for one in portraits(read_play([run]))}
    for name in ("conditional_cooperator", "always_defect"):  # some of those for two do the same in so few rounds
        nearest = found[name, 3]
        assert nearest is not None
        assert nearest.log_likelihood > -30


def test_the_command_prints_everybody(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(run), "--json"], command)
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["player"] for one in told["players"] if one["players"] == 2} == set(told["names"])
    first = told["players"][0]
    assert [habit["after"] for habit in first["habits"]] == ["start", "CC", "CD", "DC", "DD"]
    with pytest.raises(SystemExit):
        main([str(run)], command)
    printed = capsys.readouterr().out
    assert "win_stay_lose_shift" in printed
    assert "C, 1 D" in printed


def test_names_are_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "a.trajectory.jsonl", [replace(strategy("tft"), name="[bold]x[/]"), strategy("alld")], rounds=3)
    with pytest.raises(SystemExit):
        main([str(tmp_path)], command)
    assert "[bold]x[/]" in capsys.readouterr().out
