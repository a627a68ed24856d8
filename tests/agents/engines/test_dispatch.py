"""The choice of engines, and their agreement with each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from strategies_for_engines import ALLD, FICKLE, LARGE, MIRROR, PD, TFT, THREE, WSLS, seeds

from dilemmas.agents.agent import Agent
from dilemmas.agents.engines.dispatch import ENGINES, EXACT, choose_engine, play_groups
from dilemmas.agents.strategies.catalogue import Uniform
from dilemmas.envs.rules.factory import rules_of


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
    tallies = play_groups(rules, groups, keys)
    engines = [choose_engine(rules, group) for group in groups]
    assert engines == ["environment", "cycle", "vectorised", "chain", "vectorised"]
    assert [tally.exact for tally in tallies] == [engine in EXACT for engine in engines]
    assert [len(tally.rounds) for tally in tallies] == [4, 1, 4, 1, 4]
    for place in (0, 2):
        (alone,) = play_groups(rules, [groups[place]], keys[[place]])
        assert (alone.moves == tallies[place].moves).all()
    assert tallies[4].moves.tolist() == [tallies[1].moves[0].tolist()] * 4  # mirror is Tit for Tat
