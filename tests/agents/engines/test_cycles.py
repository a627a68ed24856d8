"""Deterministic matches against the same matches played in the environment."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dilemmas.agents.engines.cycles import play_cycle
from dilemmas.agents.engines.requirements import EngineError
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.strategies.finite_state import Automaton, memory_one
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.factory import rules_of

PD = "prisoners_dilemma"
TFT = memory_one("tit_for_tat", 1, 1, 0, 1, 0)
ALLD = memory_one("always_defect", 0, 0, 0, 0, 0)
WSLS = memory_one("win_stay_lose_shift", 1, 1, 0, 0, 1)


def cycler(moves: str) -> Automaton:
    """Repeats these moves."""
    after = tuple((state,) * 4 for state in [*range(1, len(moves)), 0])
    return Automaton(moves, tuple(float(move == "C") for move in moves), after)


def watched(name: str, group: Sequence[Automaton], rounds: int, **options: Any) -> tuple[list[Any], list[Any]]:
    """Joint actions and payoffs of each round of a match in the environment."""
    make = lambda: parallel(name, rounds=rounds, memory=None, **options)  # noqa: E731
    (match,) = run_matches(make, list(group), 1, seed=0)
    phases = 2 if options.get("punishment") else 1
    joints = [[move.played for move in step] for step in match.steps[::phases]]
    payoffs = np.array([[move.reward for move in step] for step in match.steps])
    return joints, payoffs.reshape(rounds, phases, -1).sum(axis=1).tolist()


@st.composite
def automata(draw: st.DrawFn, players: int = 2) -> Automaton:
    """Any deterministic automaton of up to five states."""
    states = draw(st.integers(1, 5))
    cooperate = tuple(draw(st.sampled_from([0.0, 1.0])) for _ in range(states))
    after = tuple(tuple(draw(st.integers(0, states - 1)) for _ in range(2 * players)) for _ in range(states))
    return Automaton("any", cooperate, after, players, punishes=draw(st.booleans()))


@settings(max_examples=40, deadline=None)
@given(st.lists(automata(), min_size=2, max_size=2), st.integers(1, 40))
def test_counts_are_those_of_the_match_played_round_by_round(group: list[Automaton], rounds: int) -> None:
    joints, payoffs = watched(PD, group, rounds)
    tally = play_cycle(rules_of(PD, rounds=rounds), group)
    assert tally.rounds.tolist() == [rounds]
    assert tally.payoffs.tolist() == [np.sum(payoffs, axis=0).tolist()]
    for seat in range(2):
        seen = [2 * joint[seat] + joint[1 - seat] for joint in joints]
        assert tally.outcomes[0, seat].tolist() == [seen.count(k) for k in range(4)]
        moves = np.zeros((5, 2))
        for before, joint in zip([-1, *seen], joints, strict=False):
            moves[1 + before, joint[seat]] += 1
        assert tally.moves[0, seat].tolist() == moves.tolist()


@settings(max_examples=25, deadline=None)
@given(st.lists(automata() | automata(players=3), min_size=3, max_size=3), st.integers(1, 20))
def test_three_players_with_punishment(group: list[Automaton], rounds: int) -> None:
    options: dict[str, Any] = {"n_players": 3, "punishment": (1, 3), "points": 2}
    joints, payoffs = watched("public_goods", group, rounds, **options)
    tally = play_cycle(rules_of("public_goods", rounds=rounds, **options), group)
    assert tally.payoffs[0] == pytest.approx(np.sum(payoffs, axis=0))
    for seat in range(3):
        seen = [3 * joint[seat] + sum(joint) - joint[seat] for joint in joints]
        assert tally.outcomes[0, seat].tolist() == [seen.count(k) for k in range(6)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(automata(), min_size=2, max_size=2),
    st.integers(1, 12),
    st.integers(0, 25),
    st.sampled_from([1.0, 0.97, 0.5, 0.0]),
)
def test_random_lengths_weight_the_matches_of_every_length(
    group: list[Automaton], shortest: int, more: int, continuation: float
) -> None:
    longest = shortest + more
    _, payoffs = watched(PD, group, longest)
    chances = np.zeros(longest)  # of each length, by the definition of the rules
    for clock in range(shortest, longest + 1):
        chances[: clock - 1] += continuation ** np.arange(clock - 1) * (1 - continuation) / (more + 1)
        chances[clock - 1] += continuation ** (clock - 1) / (more + 1)
    totals = np.cumsum(payoffs, axis=0)
    tally = play_cycle(rules_of(PD, rounds=(shortest, longest), continuation=continuation), group)
    assert tally.rounds[0] == pytest.approx(chances @ np.arange(1, longest + 1))
    assert tally.payoffs[0] == pytest.approx(chances @ totals)
    assert tally.variance == pytest.approx(chances @ (totals - chances @ totals) ** 2, abs=1e-9)
    assert tally.outcomes.sum(axis=-1)[0] == pytest.approx(tally.rounds.repeat(2))
    assert tally.moves.sum(axis=(-1, -2))[0] == pytest.approx(tally.rounds.repeat(2))


def test_a_billion_rounds_are_exact() -> None:
    rounds = 10**9
    tally = play_cycle(rules_of(PD, rounds=rounds), [TFT, ALLD])
    assert tally.payoffs.tolist() == [[rounds - 1, rounds + 4]]
    assert tally.outcomes.tolist() == [[[0, 1, 0, rounds - 1], [0, 0, 1, rounds - 1]]]
    assert tally.variance is not None
    assert tally.variance.tolist() == [0, 0]


def test_cycles_of_six_rounds_end_where_the_clock_stops_them() -> None:
    """CCD against CD: C C, C D, D C, C D, C C, D D, repeated."""
    rounds = 10**9  # four more than a multiple of six
    laps = rounds // 6
    tally = play_cycle(rules_of(PD, rounds=rounds), [cycler("CCD"), cycler("CD")])
    assert tally.outcomes[0, 0].tolist() == [2 * laps + 1, 2 * laps + 2, laps + 1, laps]
    assert tally.moves[0, 0].tolist() == [[1, 0], [laps + 1, laps], [laps, laps + 1], [laps + 1, 0], [laps, 0]]


def test_the_variance_of_a_length_near_a_billion_is_accurate() -> None:
    rules = rules_of(PD, rounds=(10**9, 10**9 + 2))
    tally = play_cycle(rules, [ALLD, cycler("CD")])  # the last rounds add T and P, nothing, or T only
    totals = np.array([0.0, 5.0, 6.0])
    assert tally.variance is not None
    assert tally.variance[0] == pytest.approx(totals.var(), rel=1e-12)


def test_a_match_that_chance_alone_ends() -> None:
    """Mutual cooperation under a continuation w: 3 / (1 - w) points, with the variance of a geometric length."""
    for w in (0.0, 0.5, 0.9, 0.999999):
        tally = play_cycle(rules_of(PD, continuation=w), [TFT, WSLS])
        assert tally.payoffs[0] == pytest.approx([3 / (1 - w)] * 2)
        assert tally.variance == pytest.approx([9 * w / (1 - w) ** 2] * 2)


@pytest.mark.parametrize(
    ("options", "group", "message"),
    [
        ({"noise": 0.01}, [TFT, TFT], "use chain"),
        ({}, [TFT, memory_one("coin", 0.5, 0.5, 0.5, 0.5, 0.5)], "'coin' is not deterministic"),
        ({}, [TFT], "has 2 players; the group has 1: tit_for_tat"),
        ({"misperception": 0.1}, [TFT, TFT], "use environment"),
        ({"rounds": None}, [TFT, TFT], "no end"),
    ],
)
def test_refused(options: dict[str, Any], group: list[Automaton], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        play_cycle(rules_of(PD, **{"rounds": 10, **options}), group)
