"""Properties of all automata, and their construction from rules."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dilemmas.agents.agent import View
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.strategies.builders import (
    from_rule,
    recent,
    recent_rounds,
    repeated_moves,
    transition_table,
    trigger,
)
from dilemmas.agents.strategies.catalogue import GROUPS, STRATEGIES, strategy
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.pettingzoo_api.parallel_env import parallel

PD = DEFAULTS["prisoners_dilemma"]
C, D = 0, 1
OUTCOMES = ((C, C), (C, D), (D, C), (D, D))


@st.composite
def automata(draw: st.DrawFn, players: int = 2, most: int = 5) -> Automaton:
    states = draw(st.integers(1, most))
    chance = st.sampled_from([0.0, 0.25, 1.0])
    row = st.tuples(*[st.integers(0, states - 1)] * (2 * players))
    cooperate = draw(st.lists(chance, min_size=states, max_size=states))
    return Automaton("drawn", tuple(cooperate), tuple(draw(row) for _ in range(states)), players)


def walked(automaton: Automaton, columns: list[int]) -> list[float]:
    """Probabilities of cooperation along a sequence of outcomes, by the table alone."""
    state, chances = 0, [automaton.cooperate[0]]
    for column in columns:
        state = automaton.after[state][column]
        chances.append(automaton.cooperate[state])
    return chances


def asked(automaton: Automaton, columns: list[int]) -> list[float]:
    """The same by the automaton as an agent, which is shown joint actions."""
    history = [OUTCOMES[column] for column in columns]
    return [automaton.cooperation(View(PD, 0, t, tuple(history[:t]))) for t in range(len(history) + 1)]


columns = st.lists(st.integers(0, 3), max_size=12)


@given(automata(), columns)
def test_an_agent_plays_as_its_table(automaton: Automaton, seen: list[int]) -> None:
    assert asked(automaton, seen) == walked(automaton, seen)


@given(automata(), automata(), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_an_agent_plays_as_its_table_in_an_environment(one: Automaton, other: Automaton, seed: int) -> None:
    make = lambda: parallel("prisoners_dilemma", rounds=8, memory=None, noise=0.2)  # noqa: E731
    (match,) = run_matches(make, [one, other], 1, seed)
    played = [tuple(move.played for move in step) for step in match.steps]
    for seat, automaton in enumerate((one, other)):
        seen = [2 * joint[seat] + joint[1 - seat] for joint in played]
        found = [step[seat].decision.probabilities[0] for step in match.steps]
        assert found == walked(automaton, seen)[:-1]


@given(automata(most=6), columns)
def test_the_reduced_automaton_is_equivalent(automaton: Automaton, seen: list[int]) -> None:
    fewer = automaton.reduced()
    assert walked(fewer, seen) == walked(automaton, seen)
    assert len(fewer.cooperate) <= len(automaton.cooperate)
    assert fewer.reduced() == fewer


@given(automata(most=3), st.integers(0, 3))
@settings(max_examples=60)
def test_lookback_rounds_determine_the_play(automaton: Automaton, extra: int) -> None:
    """Histories of four or five rounds with the same last rounds lead to the same probability."""
    needed = automaton.lookback
    if needed is None or needed > 4:
        return
    by_end: dict[tuple[int, ...], set[float]] = {}
    for length in (4, 5):
        for history in product(range(4), repeat=length):
            by_end.setdefault(history[length - needed :], set()).add(walked(automaton, list(history))[-1])
    assert all(len(chances) == 1 for chances in by_end.values())


@pytest.mark.parametrize(
    ("name", "rounds"),
    [("random", 0), ("tit_for_tat", 1), ("tit_for_two_tats", 2), ("nydegger", 3), ("majority_of_five", 5)],
)
def test_lookback_of_the_literature(name: str, rounds: int) -> None:
    assert strategy(name).lookback == rounds


def test_a_strategy_for_a_thousand_players_is_known_in_little_memory() -> None:
    tracemalloc.start()
    try:
        assert strategy("conditional_cooperator", 1000).lookback == 1
        assert tracemalloc.get_traced_memory()[1] < 500e6  # a pair of states for each observation would take 16 GB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["grim", "contrite_tit_for_tat", "cycler_ccd", "handshake", "fortress_3"])
def test_some_need_the_whole_history(name: str) -> None:
    assert strategy(name).lookback is None


def test_a_strategy_refuses_a_history_that_is_too_short() -> None:
    with pytest.raises(StrategyError, match="needs the whole history, but the environment shows 1 of 3 rounds"):
        strategy("grim").cooperation(View(PD, 0, 3, ((C, C),)))


@given(automata(), st.integers(2, 5), st.data())
def test_in_a_group_the_opponent_is_the_majority_of_the_others(
    automaton: Automaton, players: int, data: st.DataObject
) -> None:
    lifted, game = automaton.for_players(players), PublicGoods(n_players=players)
    joints = st.lists(st.tuples(*[st.integers(0, 1)] * players), max_size=6)
    history = tuple(data.draw(joints))
    view = View(game, 0, len(history), history)
    assert lifted.cooperation(view) == automaton.cooperation(view)
    assert walked(lifted, [players * own + sum(others) for own, *others in history])[-1] == lifted.cooperation(view)


def test_a_strategy_for_four_plays_in_groups_of_four_only() -> None:
    four = strategy("conditional_cooperator", 4)
    assert four.for_players(4) is four
    with pytest.raises(StrategyError, match="is for 4 players, not for 3"):
        four.for_players(3)
    with pytest.raises(StrategyError, match="is for 4 players, not for 3"):
        four.cooperation(View(PublicGoods(n_players=3), 0, 1, ((C, C, D),)))


def test_a_transition_table() -> None:
    """Fortress 3 (Ashlock & Ashlock 2006): it cooperates with opponents that play D, D, C as it does."""
    fortress = transition_table("D1", "1: D1 D2, 2: D1 C3, 3: C3 D1")("fortress_3")
    knows = [D, D, C, C, C]
    assert walked(fortress, [2 + theirs for theirs in knows]) == [0, 0, 1, 1, 1, 1]
    assert walked(fortress, [2 + theirs for theirs in (C, C, C)]) == [0, 0, 0, 0]
    assert walked(fortress, [2 + theirs for theirs in (D, D, D)]) == [0, 0, 1, 0]
    assert strategy("fortress_3") == fortress


def test_automata_from_rules() -> None:
    tft = memory_one("x", 1, 1, 0, 1, 0)
    assert recent(1, lambda other: other != "D")("x") == tft
    assert recent_rounds(3, lambda own, other: other[-1:] != "D")("x") == tft
    assert strategy("tits_for_tats(1, 1)").after == tft.after
    assert trigger()("x") == Automaton("x", (1.0, 0.0), ((0, 1, 0, 1), (1, 1, 1, 1)))
    assert repeated_moves("CDCD")("x") == repeated_moves("CD")("x") == Automaton("x", (1.0, 0.0), ((1,) * 4, (0,) * 4))


@pytest.mark.parametrize(
    ("special", "general"),
    [
        ("tit_for_two_tats", "tits_for_tats(1,2)"),
        ("two_tits_for_tat", "tits_for_tats(2,1)"),
        ("hard_tit_for_tat", "tits_for_tats(3,1)"),
        ("hard_tit_for_two_tats", "tits_for_tats(2,2)"),
        ("soft_grudger", "grudge(1,4,2)"),
        ("alternator", "cycler(CD)"),
    ],
)
def test_special_cases_of_general_strategies(special: str, general: str) -> None:
    """Without noise: the alternator depends on its own last move, the cycler on the round."""
    one, other = strategy(special), strategy(general)
    for theirs in product((C, D), repeat=8):
        moves: dict[str, list[int]] = {}
        for automaton in (one, other):
            state, own = 0, []
            for move in theirs:
                own.append(D if automaton.cooperate[state] == 0 else C)
                state = automaton.after[state][2 * own[-1] + move]
            moves[automaton.name] = own
        assert moves[one.name] == moves[other.name]


def test_a_rule_with_infinitely_many_states_is_refused() -> None:
    with pytest.raises(StrategyError, match="'counter' has over 1000 states"):
        from_rule(0, lambda count: 1, lambda count, *_: count + 1)("counter")


def mended(name: str, rounds: int) -> list[tuple[int, int]]:
    """A match between two copies of a strategy after one of them defected by mistake in round 1."""
    automaton = strategy(name)
    states, played = [0, 0], [(D, C)]
    for _ in range(rounds):
        own, other = played[-1]
        states = [automaton.after[states[0]][2 * own + other], automaton.after[states[1]][2 * other + own]]
        played.append(tuple(D if automaton.cooperate[state] == 0 else C for state in states))
    return played[1:]


def test_contrite_strategies_restore_cooperation_immediately() -> None:
    """Boyd 1989, Wu & Axelrod 1995: after a mistake they accept punishment; Tit for Tat retaliates forever."""
    assert mended("tit_for_tat", 3) == [(C, D), (D, C), (C, D)]
    for contrite in ("contrite_tit_for_tat", "standing_tit_for_tat"):
        assert mended(contrite, 3) == [(C, D), (C, C), (C, C)]
    assert mended("generous_tit_for_tat", 1) == [(C, C)]  # one third is more than nothing
    assert mended("grim", 3) == [(C, D), (D, D), (D, D)]


def chance(name: str, players: int, own: int, defected: int) -> float:
    automaton = strategy(name, players)
    return automaton.cooperate[automaton.after[0][players * own + defected]]


@pytest.mark.parametrize(
    ("name", "after"),  # of five players, having cooperated, where 0 to 4 of the others defected
    [
        ("conditional_cooperator", [1, 0.75, 0.5, 0.25, 0]),
        ("hump_shaped", [0, 0.25, 0.5, 0.25, 0]),
        ("majority_cooperator", [1, 1, 1, 0, 0]),
        ("tit_for_tat", [1, 1, 1, 0, 0]),
        ("all_cooperator", [1, 0, 0, 0, 0]),
        ("any_cooperator", [1, 1, 1, 1, 0]),
        ("threshold_cooperator(3)", [1, 1, 0, 0, 0]),
        ("volunteer", [0, 0, 0, 0, 1]),
        ("all_or_none", [1, 0, 0, 0, 0]),
        ("group_grim", [1, 0, 0, 0, 0]),
        ("free_rider", [0, 0, 0, 0, 0]),
        ("punishing_cooperator", [1, 1, 1, 1, 1]),
    ],
)
def test_probabilities_of_group_strategies(name: str, after: list[float]) -> None:
    assert [chance(name, 5, C, defected) for defected in range(5)] == after


def test_all_or_none_depends_on_its_own_move_and_group_grim_never_forgives() -> None:
    assert [chance("all_or_none", 5, D, defected) for defected in range(5)] == [0, 0, 0, 0, 1]
    assert walked(strategy("group_grim", 3), [0, 1, 0, 0]) == [1, 1, 0, 0, 0]


@pytest.mark.parametrize("players", [2, 3, 7])
def test_group_strategies_are_for_any_number_of_players(players: int) -> None:
    for entry in GROUPS:
        automaton = strategy(entry.name, players)
        assert (automaton.players, automaton.name) == (players, entry.name)
    assert strategy("all_or_none", 2).after == strategy("win_stay_lose_shift").after


def test_punishing_strategies_punish_defectors() -> None:
    """Fehr & Gachter 2002: cooperators punish free riders; among two with points 1, action 1 punishes."""
    punish = {entry.name for entry in GROUPS if strategy(entry.name, 3).punishes}
    assert punish == {"punishing_cooperator", "strong_reciprocator", "punishing_free_rider"}
    make = lambda: parallel("public_goods", n_players=3, rounds=1, punishment=(1, 3), memory=None)  # noqa: E731
    agents = [strategy(name, 3) for name in ("punishing_cooperator", "always_defect", "always_cooperate")]
    (match,) = run_matches(make, agents, 1, seed=0)
    act, punished = match.steps
    assert [move.decision.action for move in act] == [C, D, C]
    assert [move.decision.action for move in punished] == [1, 0, 0]  # the first of the others
    assert [move.reward for move in punished] == [-1, -3, 0]


def test_invalid_probabilities_and_tables_are_refused() -> None:
    with pytest.raises(StrategyError, match=r"state 1: cooperate = 1\.5"):
        Automaton("x", (1.0, 1.5), ((0,) * 4, (0,) * 4))
    with pytest.raises(StrategyError, match=r"state 0: after = \(0, 0\); must be 4 states"):
        Automaton("x", (1.0,), ((0, 0),))
    with pytest.raises(StrategyError, match="0 probabilities, 0 rows"):
        Automaton("x", (), ())


def test_named_automata_are_minimal() -> None:
    for entry in STRATEGIES:
        made = entry.strategy
        if isinstance(made, Automaton):
            assert len(made.reduced().cooperate) == len(made.cooperate), entry.name
            reached = np.unique(np.array(made.after)) if len(made.cooperate) > 1 else np.array([0])
            assert set(reached.tolist()) | {0} == set(range(len(made.cooperate))), entry.name


@pytest.mark.parametrize("chance", ["0", None, float("nan"), 1.5])
def test_a_probability_is_a_number_from_0_to_1(chance: object) -> None:
    with pytest.raises(StrategyError, match=r"state 1: cooperate = .*; a probability must be in \[0, 1\]"):
        Automaton("odd", (1, chance), ((0, 1, 0, 1), (0, 1, 0, 1)))  # type: ignore[arg-type]
