"""Compiled matches are bit-identical to vectorised ones, and faster."""

import sys
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dilemmas.agents.engines import compiled
from dilemmas.agents.engines.chains import play_chains
from dilemmas.agents.engines.compiled import play_compiled
from dilemmas.agents.engines.requirements import EngineError
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.engines.vectorised import play_vectorised
from dilemmas.agents.strategies.finite_state import Automaton, memory_one
from dilemmas.envs.rules.factory import rules_of

PD = "prisoners_dilemma"
TFT = memory_one("tit_for_tat", 1, 1, 0, 1, 0)
FICKLE = memory_one("fickle", 0.9, 0.8, 0.3, 0.6, 0.1)
GENEROUS = memory_one("generous", 1, 1, 1 / 3, 1, 1 / 3)


def seeds(groups: int, matches: int, seed: int = 0) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(0, 2**64, (groups, matches), dtype=np.uint64)


def same(a: Sequence[Tally], b: Sequence[Tally]) -> bool:
    fields = ("rounds", "payoffs", "moves", "outcomes")
    return all(
        np.array_equal(getattr(x, field), getattr(y, field)) for x, y in zip(a, b, strict=True) for field in fields
    )


def automata(chance: st.SearchStrategy[float]) -> st.SearchStrategy[Automaton]:
    def of(states: int) -> st.SearchStrategy[Automaton]:
        rows = st.tuples(*[st.tuples(*[st.integers(0, states - 1)] * 4)] * states)
        return st.builds(Automaton, st.just("any"), st.tuples(*[chance] * states), rows)

    return st.integers(1, 6).flatmap(of)


CHANCE = st.floats(0, 1) | st.sampled_from([0.0, 1.0])
LENGTHS: list[dict[str, Any]] = [
    {"rounds": 1},
    {"rounds": 20},
    {"rounds": (2, 9)},
    {"continuation": 0.9},
    {"rounds": (5, 30), "continuation": 0.95},
]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(automata(CHANCE), automata(CHANCE)), min_size=1, max_size=4),
    st.sampled_from([0.0, 1.0]) | st.floats(0, 1),
    st.sampled_from(LENGTHS),
    st.integers(0, 2**32),
)
def test_the_same_matches_to_the_last_bit(
    groups: list[tuple[Automaton, Automaton]], noise: float, length: dict[str, Any], seed: int
) -> None:
    rules, keys = rules_of(PD, noise=noise, **length), seeds(len(groups), 7, seed)
    assert same(play_compiled(rules, groups, keys), play_vectorised(rules, groups, keys))


@settings(max_examples=20, deadline=None)
@given(automata(st.sampled_from([0.0, 1.0])), automata(st.sampled_from([0.0, 1.0])), st.booleans())
def test_nothing_is_drawn_where_nothing_is_left_to_chance(one: Automaton, other: Automaton, noisy: bool) -> None:
    rules, keys = rules_of(PD, rounds=25, noise=0.1 * noisy), seeds(1, 5)
    assert same(play_compiled(rules, [(one, other)], keys), play_vectorised(rules, [(one, other)], keys))


def test_more_matches_than_are_counted_at_a_time() -> None:
    rules, keys = rules_of("bimatrix_game", row=((3, 0), (5, 1)), column=((3, 9), (0, 2)), rounds=3), seeds(2, 20_000)
    groups = [(FICKLE, TFT), (GENEROUS, FICKLE)]
    found = play_compiled(rules, groups, keys)
    assert same(found, play_vectorised(rules, groups, keys))
    for tally, exact in zip(found, play_chains(rules, groups), strict=True):
        assert exact.variance is not None
        error = np.sqrt(exact.variance / 20_000)
        assert (np.abs(tally.payoffs.mean(axis=0) - exact.payoffs[0]) < 5 * error).all()
        assert tally.payoffs.var(axis=0) == pytest.approx(exact.variance, rel=0.1)


@given(st.floats(0, 1))
def test_words_are_compared_as_the_numbers_made_of_them(chance: float) -> None:
    (word,) = compiled._whole(np.array([chance])).tolist()
    assert not word * 2.0**-53 < chance
    assert word == 0 or (word - 1) * 2.0**-53 < chance


def test_without_numba_numpy_plays_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    rules, keys = rules_of(PD, rounds=5), seeds(1, 3)
    expected = play_compiled(rules, [(FICKLE, TFT)], keys)
    monkeypatch.setitem(sys.modules, "numba", None)
    compiled._compiled.cache_clear()
    with pytest.warns(UserWarning, match="the same matches are played in NumPy, which is slower"):
        found = play_compiled(rules, [(FICKLE, TFT)], keys)
    assert same(found, expected)


def test_only_pairs_of_automata() -> None:
    rules = rules_of("public_goods", n_players=3, rounds=2)
    with pytest.raises(EngineError, match=r"'compiled' cannot play .*: 3 players; it plays pairs"):
        play_compiled(rules, [(TFT, TFT, FICKLE)], seeds(1, 1))


def test_it_is_many_times_faster() -> None:
    """Over a hundred times for few matches; the bound of 5 allows for a busy machine."""
    rules, groups = rules_of(PD, rounds=20_000), [(FICKLE, GENEROUS)]
    play_compiled(rules, groups, seeds(1, 1))

    def seconds(play: Any, matches: int) -> float:
        started = perf_counter()
        play(rules, groups, seeds(1, matches))
        return (perf_counter() - started) / matches

    assert min(seconds(play_compiled, 50) for _ in range(3)) * 5 < seconds(play_vectorised, 50)
