"""The choice of engines, and their agreement with each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dilemmas.agents.agent import Agent
from dilemmas.agents.engines.dispatch import ENGINES, EXACT, choose_engine, play_groups
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.strategies.catalogue import Uniform
from dilemmas.agents.strategies.counting import ActionArray, CountingStrategy, MatchInformation
from dilemmas.agents.strategies.finite_state import Automaton, memory_one
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.factory import rules_of

PD = "prisoners_dilemma"


TFT = memory_one("tit_for_tat", 1, 1, 0, 1, 0)


ALLD = memory_one("always_defect", 0, 0, 0, 0, 0)


WSLS = memory_one("win_stay_lose_shift", 1, 1, 0, 0, 1)


FICKLE = memory_one("fickle", 0.9, 0.8, 0.3, 0.6, 0.1)


THREE = Automaton("three", (1.0, 0.0), ((0, 0, 1, 0, 1, 1), (0, 1, 1, 0, 1, 1)), players=3)


LARGE = Automaton("large", (0.5,) * 3000, tuple(((i + 1) % 3000, i, 0, i) for i in range(3000)))


@dataclass(frozen=True)
class Mirror(CountingStrategy):
    """Tit for Tat as a counting strategy."""

    name: str = "mirror"

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.ones((len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        return 1.0 - theirs[:, None]


MIRROR = Mirror()


def seeds(groups: int, matches: int) -> NDArray[np.uint64]:
    return np.random.default_rng(0).integers(0, 2**64, (groups, matches), dtype=np.uint64)


@pytest.mark.parametrize(
    ("group", "options", "engine"),
    [
        ((TFT, WSLS), {"rounds": 10}, "cycle"),
        ((TFT, WSLS), {"continuation": 0.9}, "cycle"),
        ((TFT, WSLS), {"rounds": 10, "noise": 0.01}, "chain"),
        ((TFT, FICKLE), {"rounds": (5, 10)}, "chain"),
        ((FICKLE, LARGE), {"rounds": 200}, "chain"),
        ((LARGE, LARGE), {"rounds": 200}, "compiled"),
        ((FICKLE, FICKLE), {"rounds": 10**8}, "compiled"),
        ((TFT, MIRROR), {"rounds": 10}, "vectorised"),
        ((TFT, Uniform()), {"rounds": 10}, "environment"),
        ((TFT, ALLD), {"rounds": 10, "misperception": 0.1}, "environment"),
    ],
)
def test_the_best_engine_is_chosen(group: Sequence[Agent], options: dict[str, Any], engine: str) -> None:
    assert choose_engine(rules_of(PD, **options), group) == engine


def test_the_best_engine_for_many_players() -> None:
    three: dict[str, Any] = {"n_players": 3, "rounds": 10}
    assert choose_engine(rules_of("public_goods", **three), (THREE, TFT, ALLD)) == "cycle"
    assert choose_engine(rules_of("public_goods", noise=0.1, **three), (THREE, TFT, FICKLE)) == "chain"
    assert choose_engine(rules_of("public_goods", levels=5, **three), (THREE, TFT, ALLD)) == "cycle"
    assert choose_engine(rules_of("public_goods", levels=5, noise=0.1, **three), (THREE, TFT, ALLD)) == "environment"
    assert choose_engine(rules_of("public_goods", n_players=18, rounds=5), (TFT,) * 18) == "vectorised"
    assert choose_engine(rules_of("population", n_players=9, rounds=5), (TFT,) * 9) == "environment"


def test_every_engine_plays_the_same_deterministic_match() -> None:
    """All have the same counts and payoffs."""
    rules = rules_of(PD, rounds=9)
    first, *others = (play_groups(rules, [(WSLS, ALLD)], seeds(1, 3), engine)[0] for engine in ENGINES)
    for other in others:
        for field in ("rounds", "payoffs", "moves", "outcomes"):
            assert (getattr(other, field) == getattr(first, field)).all()


def test_every_engine_agrees_on_random_matches() -> None:
    rules = rules_of(PD, rounds=6, noise=0.1)
    matches = {"compiled": 20_000, "vectorised": 20_000, "environment": 300}
    (exact,) = play_groups(rules, [(TFT, FICKLE)], seeds(1, 1), "chain")
    assert exact.variance is not None
    for engine, count in matches.items():
        (tally,) = play_groups(rules, [(TFT, FICKLE)], seeds(1, count), engine)
        assert (np.abs(tally.payoffs.mean(axis=0) - exact.payoffs[0]) < 5 * np.sqrt(exact.variance / count)).all()
        cooperation = tally.moves[..., 0].sum(axis=2)
        error = 5 * cooperation.std(axis=0) / np.sqrt(count)
        assert (np.abs(cooperation.mean(axis=0) - exact.moves[..., 0].sum(axis=2)) < error).all()


def test_compiled_and_vectorised_play_are_bit_identical() -> None:
    """With few rounds and with many."""
    for rounds in (5, 5_000):
        rules, keys = rules_of(PD, rounds=rounds, noise=0.1), seeds(2, 300)
        groups = [(TFT, FICKLE), (FICKLE, ALLD)]
        for one, other in zip(
            play_groups(rules, groups, keys, "compiled"), play_groups(rules, groups, keys, "vectorised"), strict=True
        ):
            assert (one.moves == other.moves).all()
            assert (one.payoffs == other.payoffs).all()


def test_tallies_are_in_the_order_of_the_groups() -> None:
    rules, keys = rules_of(PD, rounds=8), seeds(5, 4)
    groups: list[Sequence[Agent]] = [(TFT, Uniform()), (TFT, ALLD), (MIRROR, FICKLE), (FICKLE, ALLD), (MIRROR, ALLD)]
    told: list[tuple[int, int, MatchRecord]] = []
    tallies = play_groups(rules, groups, keys, record=lambda group, match, what: told.append((group, match, what)))
    engines = [choose_engine(rules, group) for group in groups]
    assert engines == ["environment", "cycle", "vectorised", "chain", "vectorised"]
    assert [tally.exact for tally in tallies] == [engine in EXACT for engine in engines]
    assert [len(tally.rounds) for tally in tallies] == [4, 1, 4, 1, 4]
    assert [(group, match) for group, match, _ in told] == [(0, match) for match in range(4)]
    for place in (0, 2):
        (alone,) = play_groups(rules, [groups[place]], keys[[place]])
        assert (alone.moves == tallies[place].moves).all()
    assert tallies[4].moves.tolist() == [tallies[1].moves[0].tolist()] * 4  # mirror is Tit for Tat
