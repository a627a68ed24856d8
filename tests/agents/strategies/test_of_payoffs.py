"""Strategies that are computed from payoffs keep what their names say in every game, or are refused there."""

import numpy as np
import pytest

from dilemmas.agents.engines.dispatch import play_groups
from dilemmas.agents.roster import expanded, make_agent
from dilemmas.agents.strategies.catalogue import FAMILIES, STRATEGIES, listing, strategy
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one
from dilemmas.agents.strategies.memory_one import generosity
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.rules.factory import rules_of

OTHER = {"T": 6, "R": 4, "P": 2, "S": -1}
GAME = MatrixGame("prisoners_dilemma", **OTHER)
ZD = [entry.name for entry in STRATEGIES if entry.of_payoffs and entry.name != "generous_tit_for_tat"]


def made(name: str, game: MatrixGame | None = None) -> Automaton:
    found = strategy(name, game=game)
    assert isinstance(found, Automaton)
    return found


def against_anybody(one: Automaton, **options: float) -> list[tuple[float, float]]:
    """Points per round of both players, against three opponents that leave something to chance."""
    rules = rules_of("prisoners_dilemma", **{"continuation": 1 - 1e-9, **options})
    others = [made(name) for name in ("random", "stochastic_cooperator", "random(0.9)")]
    tallies = play_groups(rules, [(one, other) for other in others], np.zeros((3, 1), dtype=np.uint64), "chain")
    return [tuple((tally.payoffs[0] / tally.rounds[0]).tolist()) for tally in tallies]


@pytest.mark.parametrize(
    ("name", "baseline", "slope"),
    [
        *[(f"zd_extort_{chi}", "P", 1 / chi) for chi in (2, 3, 4, 10)],
        *[("zd_extort_2_v2", "P", 1 / 2), ("zd_mischief", "P", 0), ("equaliser", 2, 0), ("equaliser(3.5)", 3.5, 0)],
        *[("zd_generous_2", "R", 1 / 2), ("zd_generous_2_slow", "R", 1 / 2)],
        *[("zd_extort(5)", "P", 1 / 5), ("zd_generous(3)", "R", 1 / 3), ("zero_determinant(0.4,3,0.1)", 3, 0.4)],
    ],
)
def test_the_line_that_the_name_promises_is_enforced_in_another_game(
    name: str, baseline: str | float, slope: float
) -> None:
    """Press & Dyson 2012 and Hilbe, Nowak & Traulsen 2013, eq. 14, with T = 6, R = 4, P = 2, S = -1."""
    at = float(OTHER[baseline]) if isinstance(baseline, str) else baseline
    for mine, theirs in against_anybody(made(name, GAME), **OTHER):
        assert slope * (mine - at) == pytest.approx(theirs - at, abs=1e-6)


@pytest.mark.parametrize(("game", "points", "ratio"), [(GAME, [2 + 7 / 3, 2 + 7 / 6], 2), (None, [4.5, 2.75], 10 / 3)])
def test_extortion_of_full_cooperation(game: MatrixGame | None, points: list[float], ratio: float) -> None:
    """Press & Dyson 2012 with T = 6, R = 4, P = 2, S = -1: the ratio of what the players earn above P is 2 for the
    strategy that is computed from these payoffs. With the probabilities of that for 5, 3, 1, 0 it is 3.33."""
    one = memory_one("extortion", *made("zd_extort_2", game).vector)
    rules = rules_of("prisoners_dilemma", rounds=100_000, **OTHER)
    (tally,) = play_groups(rules, [(one, made("allc"))], np.zeros((1, 1), dtype=np.uint64), "chain")
    mine, theirs = tally.payoffs[0] / 100_000
    assert [mine, theirs] == pytest.approx(points, abs=1e-4)
    assert (mine - OTHER["P"]) / (theirs - OTHER["P"]) == pytest.approx(ratio, abs=1e-3)


@pytest.mark.parametrize("name", [*ZD[:-1], "gtft", "zd_extort(3)"])
def test_the_unit_and_the_zero_of_payoffs_do_not_matter(name: str) -> None:
    shifted = MatrixGame("matrix_game", T=10 * 5 - 7, R=10 * 3 - 7, P=10 - 7, S=-7)
    assert made(name, shifted).vector == pytest.approx(made(name).vector)


def test_generosity_follows_the_payoffs() -> None:
    """Nowak & Sigmund 1992: min(1 - (T-R)/(R-S), (R-P)/(T-P)): 1/3 for 5, 3, 1, 0 and min(3/5, 1/2) for 6, 4, 2, -1."""
    assert made("gtft").vector == pytest.approx((1, 1, 1 / 3, 1, 1 / 3))
    assert made("gtft", GAME).vector == pytest.approx((1, 1, 1 / 2, 1, 1 / 2))
    with pytest.raises(StrategyError, match="needs T > R > P > S and 2R >= T"):
        generosity(MatrixGame("matrix_game", T=9, R=3, P=1, S=0))


def test_games_without_such_a_strategy_are_refused() -> None:
    asymmetric = stage_game("inspection_game")
    for game in (stage_game("public_goods"), asymmetric):
        with pytest.raises(StrategyError, match="computed from the payoffs T, R, P and S of two players"):
            strategy("zd_extort_2", game=game)
    with pytest.raises(StrategyError, match="no strategy can enforce this line"):
        strategy("zd_extort_2", game=MatrixGame("snowdrift", T=5, R=3, P=0, S=2.9))
    with pytest.raises(StrategyError, match="for two, not for 4 players"):
        strategy("zd_extort_2", players=4)


def test_a_strategy_of_one_game_plays_no_other() -> None:
    keys = np.zeros((1, 1), dtype=np.uint64)
    pair = made("zd_extort_2"), made("allc")
    for engine in (None, "environment"):
        with pytest.raises(StrategyError, match="computed for T=5, R=3, P=1, S=0, and prisoners_dilemma has T=6, R=4"):
            play_groups(rules_of("prisoners_dilemma", rounds=3, **OTHER), [pair], keys, engine)


def test_agents_and_sets_are_made_for_the_game() -> None:
    assert make_agent("zd_extort_2", game=GAME) == made("zd_extort_2", GAME)
    hunt = stage_game("stag_hunt")
    names, unable = expanded(["@automata", "zd_mischief"], hunt)
    assert unable == ("generous_tit_for_tat", "equaliser")
    assert names[-1] == "zd_mischief"
    assert "zd_extort_2" in names
    assert not set(unable) & set(names)


def test_the_listing_says_which_strategies_are_for_two_payoffs() -> None:
    rows = {row.name: row for row in listing()}
    assert len(ZD) == 9
    assert rows["zd_generous_2"].vector == pytest.approx((1, 1, 1 / 8, 1, 1 / 4))  # Stewart & Plotkin 2012, ZDGTFT-2
    assert {rows[name].players for name in ZD} == {"2"}
    assert sum(family.of_payoffs for family in FAMILIES) == 4
