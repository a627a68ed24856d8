"""Masked arrays of NumPy, and what is no random generator, are refused by every function that takes arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.vector.gymnasium_vector import VectorPlayers
from dilemmas.envs.vector.vector_matches import VectorMatches
from dilemmas.experiments.dynamics.alpha_rank import population_responses
from dilemmas.experiments.dynamics.fixation import fixation, stationary
from dilemmas.experiments.dynamics.moran import moran
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix
from dilemmas.experiments.reporting.uncertainty.intervals import differ, proportion

GAMES = {
    "prisoners_dilemma": {},
    "battle_of_the_sexes": {},
    "n_person_prisoners_dilemma": {"n_players": 2, "cost": 5.0},
    "public_goods": {"n_players": 2, "levels": 2},
}
ACTIONS, FLAGS, PAIR = np.array([[0, 1], [1, 0]]), np.array([True, True]), np.array([3.0, 1.0])
MATRIX = PayoffMatrix(("a", "b"), np.array([[3.0, 0.0], [5.0, 1.0]]))


def table() -> PolicyTable:
    return compile_agent(strategy("tft"), stage_game("prisoners_dilemma"), 1)


def matches() -> VectorMatches:
    made = VectorMatches(rules_of("prisoners_dilemma", rounds=3), count=2)
    made.reset(0)
    return made


CALLS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    **{f"payoff_array of {n}": (stage_game(n, **options).payoff_array, ACTIONS) for n, options in GAMES.items()},
    **{f"payoffs of {n}": (stage_game(n, **options).payoffs, ACTIONS[0]) for n, options in GAMES.items()},
    "lists of arrays": (lambda rows: stage_game("prisoners_dilemma").payoff_array(list(rows)), ACTIONS),
    "states": (lambda index: table().act(index, np.random.default_rng(0)), ACTIONS[0]),
    "own": (lambda own: table().after([0, 0], own, [0, 0]), ACTIONS[0]),
    "others": (lambda others: table().after([0, 0], [0, 0], others), ACTIONS[0]),
    "index": (lambda played: table().index(played), ACTIONS),
    "matches": (lambda actions: matches().step(actions), ACTIONS),
    "which": (lambda which: matches().reset(which=which), FLAGS),
    "seeds": (lambda seeds: matches().reset(seeds), ACTIONS[0]),
    "players": (lambda actions: VectorPlayers(matches()).step(actions), ACTIONS.ravel()),
    "reset_mask": (lambda mask: VectorPlayers(matches()).reset(options={"reset_mask": mask}), FLAGS.repeat(2)),
    "payoff matrix": (lambda payoffs: PayoffMatrix(("a", "b"), payoffs), MATRIX.payoffs),
    "errors": (lambda errors: PayoffMatrix(("a", "b"), MATRIX.payoffs, errors), MATRIX.payoffs),
    "populations": (lambda payoffs: population_responses([payoffs, payoffs]), MATRIX.payoffs),
    "fixation": (lambda payoffs: fixation(payoffs, 10), MATRIX.payoffs),
    "rates": (stationary, MATRIX.payoffs),
    "proportion": (lambda sizes: proportion([1, 1], sizes), PAIR),
    "strata": (lambda strata: proportion([1, 1], [2, 2], strata), PAIR),
    "counts": (lambda counts: differ(counts, PAIR), PAIR),
}


@pytest.mark.parametrize("name", CALLS)
def test_masked_entries_are_not_read(name: str) -> None:
    call, values = CALLS[name]
    call(values)
    call(np.ma.array(values))
    mask = np.zeros(values.shape, dtype=bool)
    mask.flat[0] = True
    with pytest.raises(InputError, match=r"an array with masked entries; needs a value in each"):
        call(np.ma.array(values, mask=mask))


@pytest.mark.parametrize("wrong", [None, 0, np.random.RandomState(0), np.random])
def test_a_seed_is_no_generator(wrong: Any) -> None:
    for call in (lambda: table().act([0, 0], wrong), lambda: moran(MATRIX, {"a": 2, "b": 2}, wrong, steps=1)):
        with pytest.raises(InputError, match=r"rng = .*; needs a generator, such as numpy.random.default_rng\(0\)"):
            call()
