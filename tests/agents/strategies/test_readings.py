"""Strategies of whose source there is more than one reading, with T = 5, R = 3, P = 1, S = 0."""

import numpy as np
import pytest

from dilemmas.agents.axelrod.bridge import native_strategy
from dilemmas.agents.engines.dispatch import play_groups
from dilemmas.agents.strategies.catalogue import STRATEGIES, listing, strategy
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError
from dilemmas.agents.strategies.lookback import nydegger
from dilemmas.envs.rules.factory import rules_of


def points(one: str, other: str, rounds: int = 1000) -> list[float]:
    """Points per round of both."""
    keys = np.zeros((1, 1), dtype=np.uint64)
    (tally,) = play_groups(rules_of("prisoners_dilemma", rounds=rounds), [(strategy(one), strategy(other))], keys)
    return list((tally.payoffs[0] / rounds).tolist())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("winner_21", "tft", [2.5, 2.5]),  # DC against CD for ever
        ("winner_21_axelrod", "tft", [1.007, 1.002]),
        ("spiteful_cc", "stft", [2.997, 3.002]),  # 0 and 5 in round 1, then 3 each
        ("spiteful_cc_axelrod", "stft", [1.005, 1.005]),
        ("tft_spiteful", "stft", [2.997, 3.002]),
        ("spiteful_tit_for_tat", "stft", [2.5, 2.5]),
        ("hard_tft", "stft", [1.008, 1.008]),  # 0, 3, 5, 0, 5 against 5, 3, 0, 5, 0, then 1 each
        ("two_tits_for_tat", "stft", [1.003, 1.003]),
    ],
)
def test_points_of_both_readings(one: str, other: str, expected: list[float]) -> None:
    """Mathieu & Delahaye 2015: the authors' program (CRISTAL-SMAC 2018), and Axelrod-Python 4.13."""
    assert points(one, other) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("detective", [27 / 8, 12 / 8]), ("detective_axelrod", [22 / 8, 22 / 8])],  # CDCC, then DDDD or DCCC
)
def test_detective_and_a_defection_in_round_4(name: str, expected: list[float]) -> None:
    """Case 2017: `Logic_prober` of js/sims/PD.js looks as long as moves are left, which is in rounds 1 to 3."""
    assert points(name, "cycler_cccd", 8) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "text", "own_moves", "their_moves"), [("winner_12", "CDCDDCDD", 1, 2), ("winner_21", "CDCDCDDD", 2, 1)]
)
def test_genomes_of_the_authors_program(name: str, text: str, own_moves: int, their_moves: int) -> None:
    """The moves after own last moves and those of the opponent, oldest first, in binary order with C = 0."""
    automaton = strategy(name)
    assert isinstance(automaton, Automaton)
    for own in ("CC", "CD", "DC", "DD"):
        for theirs in ("CC", "CD", "DC", "DD"):
            state = 0
            for mine, other in zip(own, theirs, strict=True):
                state = automaton.after[state][2 * (mine == "D") + (other == "D")]
            history = own[-own_moves:] + theirs[-their_moves:]
            place = int(history.replace("C", "0").replace("D", "1"), 2)
            assert automaton.cooperate[state] == (text[place] == "C"), (own, theirs)


def test_nydegger_weights_the_last_or_the_first_of_three_rounds() -> None:
    """Axelrod 1980: it defects where the sum is 1, and cooperates where it is 16."""
    for own, last_first in (("DCC", False), ("CCD", True)):
        assert nydegger(own, "CCC") == last_first
        assert nydegger(own, "CCC", (16, 4, 1)) != last_first


def test_adaptive_tit_for_tat_at_the_rate_of_one_half_is_tit_for_tat() -> None:
    """Tzafestas 2000: world += rate * (opponent's cooperation - world), and C if it is at least 1/2; 0.5 at first."""
    for other in ("cycler_ccd", "cycler(DDDCC)"):
        assert points("adaptive_tit_for_tat", other, 60) == points("tft", other, 60)
    # rate 0.2 against CCD: 0.6 0.68 0.544 0.635 0.708 0.566 ...: never below 1/2, so it cooperates throughout
    assert points("adaptive_tit_for_tat(0.2)", "cycler_ccd", 60) == pytest.approx([2.0, (3 + 3 + 5) / 3])
    assert points("adaptive_tit_for_tat(0.2)", "alld", 60) == pytest.approx([59 / 60, 64 / 60])
    with pytest.raises(StrategyError, match="rate = 0; must be above 0 and at most 1"):
        strategy("adaptive_tit_for_tat(0)")


def test_the_name_of_a_class_means_the_strategy_of_the_authors() -> None:
    """The bridge translates the class into what Axelrod-Python plays."""
    assert strategy("Winner21").name == "winner_21"
    assert [entry.name for entry in STRATEGIES if "Winner21" in entry.axelrod] == ["winner_21_axelrod"]
    assert strategy("periodic_cd").name == "cycler_cd"


def test_twins_of_classes() -> None:
    pytest.importorskip("axelrod")
    assert native_strategy("SpitefulCC") == strategy("spiteful_cc_axelrod")


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("winner_21_axelrod", "that of Axelrod-Python 4.13"),
        ("nydegger", "that of Axelrod-Python 4.13"),
        ("winner_21", ""),  # the authors' program
        ("gradual", ""),  # the authors' program
        ("zd_extort_2", ""),  # equations
    ],
)
def test_the_listing_says_whose_reading_a_strategy_follows(name: str, reading: str) -> None:
    assert {row.name: row.reading for row in listing()}[name] == reading
