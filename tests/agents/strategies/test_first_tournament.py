"""The counting strategies of Axelrod's first tournament play as described, alone and in batches of matches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dilemmas.agents.agent import Turn, View
from dilemmas.agents.engines.dispatch import play_groups
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.strategies.catalogue import STRATEGIES, strategy
from dilemmas.agents.strategies.counting import CountingStrategy, match_information
from dilemmas.agents.strategies.finite_state import StrategyError
from dilemmas.agents.strategies.first_tournament import CHI_SQUARED_95, looks_random
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated

PD = DEFAULTS["prisoners_dilemma"]
ROUTINES = [entry.name for entry in STRATEGIES if isinstance(entry.strategy, CountingStrategy)]


def counting(name: str) -> CountingStrategy:
    found = strategy(name)
    assert isinstance(found, CountingStrategy)
    return found


def chances(
    played: CountingStrategy,
    own: NDArray[np.int64],
    theirs: NDArray[np.int64],
    random: NDArray[np.float64],
    rounds: int | None = None,
    game: StageGame = PD,
) -> NDArray[np.float64]:
    """Probabilities of cooperation, shape (T + 1, matches), along given actions, shape (T, matches)."""
    state = played.initial_state(random[0], match_information(game, rounds, np.zeros(own.shape[1], dtype=np.int64)))
    found = [state[:, 0].copy()]
    for past in range(len(own)):
        state = played.update(state, past + 1, own[past], theirs[past], random[past + 1])
        found.append(state[:, 0].copy())
    return np.array(found)


def answers(name: str, theirs: str, rounds: int | None = None) -> str:
    """The moves of a deterministic counting strategy against a sequence of moves."""
    played = counting(name)
    nothing = np.empty((1, 0))
    state = played.initial_state(nothing, match_information(PD, rounds, [0]))
    moves = ""
    for past, move in enumerate(theirs, 1):
        moves += "C" if state[0, 0] == 1 else "D"
        seen = [np.array(["CD".index(letter)]) for letter in (moves[-1], move)]
        state = played.update(state, past, *seen, nothing)
    return moves


@pytest.mark.parametrize(
    ("name", "theirs", "own"),
    [
        ("shubik", "CDCCDCCCDCCCCC", "CCDCCDDCCDDDCC"),
        ("shubik", "CDDCC", "CCDCC"),  # what comes during the answer is no departure
        ("tideman_and_chieruzzi", "CDCCDCCCC", "CCDCCDDCC"),
        ("tideman_and_chieruzzi", "CDDDDDDD", "CCDDDDDD"),
        ("stein_and_rapoport", "DDDDDDDD", "CCCCDDDD"),
        ("stein_and_rapoport", "CDCDCDCDCDCDCDCCCCCCC", "CCCCDCDCDCDCDCDDDDDDD"),  # a coin, it seems in round 15
        ("stein_and_rapoport", "CCDCCCCCCCCCCCCCDCC", "CCCCCCCCCCCCCCCCCDC"),
        ("downing", "CCCCC", "DDCDD"),  # both seem to pay the same before round 3, so it alternates
        ("gradual", "CDCCCCDCCCCCC", "CCDCCCCDDCCCC"),
        ("majority", "CDDCCCD", "CCCDCCC"),
        ("hard_majority", "CDDCC", "DCDDD"),
        ("forgiver", "DCCCCCCCCCCC", "CDDDDDDDDDCC"),  # until nine in ten were cooperations
        ("forgiving_tit_for_tat", "DCDCCC", "CDCDCC"),
        ("adaptive_tit_for_tat", "DDCDCC", "CDDCDC"),
    ],
)
def test_games_against_sequences_of_moves(name: str, theirs: str, own: str) -> None:
    assert answers(name, theirs) == own


def test_graaskamp_defects_in_round_51_and_against_a_random_opponent() -> None:
    rng, played = np.random.default_rng(0), counting("graaskamp")
    theirs = np.zeros((80, 4), dtype=np.int64)
    theirs[:, 0] = rng.integers(0, 2, 80)  # a coin
    own = np.zeros_like(theirs)
    own[50] = 1
    theirs[51, 1] = 1  # Tit for Tat answers the probe; the third does not; the fourth is its twin
    theirs[50, 3] = 1
    own[51, 1], own[51, 3] = 0, 1
    theirs[51, 3] = 1
    own[52:, 3], theirs[52:, 3] = 1, 1
    found = chances(played, own, theirs, rng.random((81, 4, 1)))
    assert (found[50] == 0).all()
    assert (found[56:, 0] == 0).all()
    assert (found[57:, 1] == 1 - theirs[56:, 1]).all()
    assert 1 <= (found[56:, 2] == 0).sum() <= 24 // 5  # a stranger who takes anything, every 5 to 14 rounds
    assert (found[57:, 3] == 0).all()  # a twin that defects is answered in kind


@pytest.mark.parametrize("name", ["tideman_and_chieruzzi", "stein_and_rapoport"])
def test_they_defect_in_the_last_two_rounds_if_they_know_them(name: str) -> None:
    assert answers(name, "C" * 12, rounds=12) == "C" * 10 + "DD"
    assert answers(name, "C" * 12) == "C" * 12
    assert answers(name, "CC", rounds=2) == "DD"
    for clock, last in ((True, "DD"), (False, "CC")):
        make = lambda: parallel("prisoners_dilemma", rounds=12, memory=None, clock=clock)  # noqa: B023, E731
        (match,) = run_matches(make, [strategy(name), strategy("always_cooperate")], 1, seed=0)
        assert "".join("CD"[step[0].played] for step in match.steps) == "C" * 10 + last


def test_a_fresh_start_resets_the_counts_of_a_losing_opponent_that_is_not_random() -> None:
    """After seven defections it is 15 points ahead; from round 31 on they are three standard deviations below half."""
    begun = "D" * 7 + "C" * 20
    assert answers("tideman_and_chieruzzi", begun + "D" + "C" * 7)[-7:] == "DDDDDCC"  # the fifth answer
    forgiven = "D" * 7 + "C" * 25
    assert answers("tideman_and_chieruzzi", forgiven + "D" + "C" * 7)[-7:] == "DCCCCCC"  # the first one


def test_feld_falls_from_one_to_one_half_in_two_hundred_rounds() -> None:
    nice = np.zeros((210, 1), dtype=np.int64)
    found = chances(counting("feld"), nice, nice, np.empty((211, 1, 0)))[:, 0]
    assert found[[0, 1, 100, 200, 210]] == pytest.approx([1, 1 - 0.0025, 0.75, 0.5, 0.5])
    assert (chances(counting("feld"), nice, nice + 1, np.empty((211, 1, 0)))[1:] == 0).all()


def test_tullock_cooperates_ten_percentage_points_less_often_than_the_opponent() -> None:
    theirs = np.array([[1], [1], [0], [0], [1], [0], [0], [0], [0], [0], [0], [0], [1]])
    found = chances(counting("tullock"), np.zeros_like(theirs), theirs, np.empty((14, 1, 0)))[:, 0]
    assert found == pytest.approx([*[1] * 11, 0.7, 0.8, 0.7])


@pytest.mark.parametrize("name", ["stein_and_rapoport", "tideman_and_chieruzzi"])
@pytest.mark.parametrize("engine", ["vectorised", "environment"])
@pytest.mark.parametrize(("continuation", "last_two"), [(1.0, "DD"), (0.999999, "CC")])
def test_a_length_that_chance_may_cut_is_not_told(name: str, engine: str, continuation: float, last_two: str) -> None:
    """As in Axelrod-Python, where only `turns` without `prob_end` is told: 10 rounds pay 3.4 : 2.4, or 3.0 : 3.0."""
    rules = rules_of("prisoners_dilemma", rounds=10, continuation=continuation, clock=True)
    keys = np.arange(1, dtype=np.uint64)[None]
    (tally,) = play_groups(rules, [(strategy(name), strategy("allc"))], keys, engine)
    expected = [3.4, 2.4] if last_two == "DD" else [3.0, 3.0]
    assert (tally.payoffs[0] / tally.rounds[0]).tolist() == expected


def test_downing_finds_the_best_reply_to_reactive_opponents() -> None:
    """With T5 R3 P1 S0 it pays to cooperate with an opponent that copies (Axelrod 1980, p. 12)."""
    for reply, pays in ((lambda own: own, 1), (lambda own: np.zeros_like(own), 0), (lambda own: 1 - own, 0)):
        own, theirs = [np.array([1])], [np.array([0])]
        played = counting("downing")
        state = played.initial_state(np.empty((1, 0)), match_information(PD, None, [0]))
        for past in range(1, 60):
            state = played.update(state, past, own[-1], theirs[-1], np.empty((1, 0)))
            theirs.append(np.asarray(reply(own[-1])))
            own.append(np.int64(state[:, 0] < 0.5))
        assert np.mean([1 - move[0] for move in own[-20:]]) == pays


def test_downing_uses_the_payoffs_of_the_game_and_of_its_seat() -> None:
    """Against an opponent that does not react it plays the dominant action of the game."""
    own, theirs = (np.array(moves * 10)[:, None] for moves in ([0, 1, 0, 1], [0, 0, 1, 1]))
    for game, best in ((PD, 0), (DEFAULTS["harmony"], 1)):
        assert (chances(counting("downing"), own, theirs, np.empty((41, 1, 0)), game=game)[8:] == best).all()
    game = stage_game("bimatrix_game", row=[[3, 0], [5, 1]], column=[[30, 50], [0, 10]], degrees=[[1.0, 0.0]] * 2)
    found = match_information(game, None, [0, 1]).payoffs
    assert found[0, ..., 0].tolist() == [[3, 0], [5, 1]]
    assert found[1, ..., 0].tolist() == [[30, 0], [50, 10]]  # by own action, the other's action
    assert found[1, ..., 1].tolist() == [[3, 5], [0, 1]]


@given(st.integers(1, 400), st.integers(0, 400))
def test_random_opponents_are_found_by_the_chi_squared_test(rounds: int, cooperations: int) -> None:
    """Against the textbook statistic, summed over both cells; scipy.stats.chi2.ppf(.95, 1) is the bound."""
    cooperations = min(cooperations, rounds)
    cells = [cooperations, rounds - cooperations]
    statistic = sum((cell - rounds / 2) ** 2 / (rounds / 2) for cell in cells)
    if abs(statistic - CHI_SQUARED_95) > 1e-9:
        assert looks_random(np.array([float(cooperations)]), rounds)[0] == (statistic < CHI_SQUARED_95)


@pytest.mark.parametrize("name", ROUTINES)
def test_an_agent_plays_as_the_array_operations(name: str) -> None:
    """The same random numbers, drawn by the agent from the key of its match."""
    played, rng, rounds = counting(name), np.random.default_rng(1), 64
    own, theirs = rng.integers(0, 2, (2, rounds, 1))
    key = (123, 1)
    random = [np.random.default_rng([*key, round]).random((1, played.n_random)) for round in range(1, rounds + 2)]
    found = chances(played, own, theirs, np.array(random), rounds=rounds)[:, 0]
    history = tuple(zip(own[:, 0].tolist(), theirs[:, 0].tolist(), strict=True))
    for past in range(0, rounds, 9):
        view = View(PD, 1, past, history[:past], rounds=rounds)
        (decision,) = played.decide([Turn("player_1", None, {"view": view}, None, np.random.default_rng(0), key)])
        assert decision.probabilities is not None
        assert decision.probabilities[0] == found[past]


@pytest.mark.parametrize("name", ROUTINES)
def test_a_match_does_not_depend_on_its_batch(name: str) -> None:
    played, rng = counting(name), np.random.default_rng(2)
    own, theirs = rng.integers(0, 2, (2, 80, 6))
    random = rng.random((81, 6, played.n_random))
    together = chances(played, own, theirs, random, rounds=80)
    alone = [chances(played, own[:, [m]], theirs[:, [m]], random[:, [m]], rounds=80) for m in range(6)]
    assert (together == np.concatenate(alone, axis=1)).all()
    assert ((together >= 0) & (together <= 1)).all()
    assert played.deterministic <= set(np.unique(together)).issubset({0.0, 1.0})


@given(st.sampled_from(ROUTINES), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_a_match_is_reproducible(name: str, seed: int) -> None:
    make = lambda: parallel("prisoners_dilemma", rounds=30, memory=None, noise=0.1)  # noqa: E731
    played = [next(run_matches(make, [strategy(name), strategy("random")], 1, seed)).steps for _ in range(2)]
    assert played[0] == played[1]


def seen(rules: Repeated | None, game: StageGame, *history: tuple[int, ...], round: int = 1) -> Turn:
    view = View(game, 0, round, history, rules=rules)
    return Turn("player_0", None, {"view": view}, None, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        (seen(None, PD, round=3), "needs the whole history, but the environment shows 0 of 3 rounds"),
        (seen(None, PublicGoods(n_players=3), (0, 0, 0)), "for two fixed players, not for 3 players"),
        (seen(Repeated(PD, population=Population(4)), PD, (0, 0)), "for two fixed players, not for a population"),
    ],
)
def test_refused(turn: Turn, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        counting("downing").decide([turn])
