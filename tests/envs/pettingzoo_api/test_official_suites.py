"""PettingZoo's own tests, for every environment and a spread of its options."""

from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)
from pettingzoo.test.state_test import state_test

from dilemmas.envs.games.catalogue import ENVIRONMENTS, EXAMPLES, example_options

NAMES = (*ENVIRONMENTS, "population")
ANY_GAME: list[dict[str, Any]] = [
    {},
    {"rounds": 1},
    {"rounds": 7, "memory": 3},
    {"continuation": 0.6},
    {"noise": 0.2, "max_cycles": 30},
    {"memory": 0, "rounds": 4},
    {"rounds": 20, "continuation": 0.9, "noise": 0.1, "memory": 5, "max_cycles": 12},
]
ONE_GAME: list[tuple[str, dict[str, Any]]] = [
    ("prisoners_dilemma", {"T": 10, "R": 6, "P": 3, "S": 1}),
    ("matrix_game", {"T": 1.5, "R": 1, "P": 0, "S": -0.5, "memory": 2}),
    ("public_goods", {"n_players": 2, "levels": 11}),
    ("public_goods", {"n_players": 5, "levels": 3, "memory": 2, "noise": 0.3}),
    ("public_goods", {"levels": None, "endowment": (5, 10, 20, 0.1), "memory": 2}),
    ("public_goods", {"punishment": (1, 3), "reward": (1, 2), "points": 2, "rounds": 3}),
    ("prisoners_dilemma", {"talk": 2, "signals": 5, "words": True, "rounds": (2, 6), "misperception": 0.2}),
    ("stag_hunt", {"rounds": 5, "memory": None, "clock": True}),
    ("bimatrix_game", {"row": [[1, 2, 3]], "column": [[3, 2, 1]], "talk": 1}),
    ("population", {"n_players": 49, "degree": 8, "memory": 2}),
    ("population", {"graph": "random", "n_players": 7, "noise": 0.1, "game": "rock_paper_scissors"}),
    ("public_goods", {"n_players": 40, "endowment": 1, "multiplier": 0.5}),
]
OPTIONS = [(name, {**example_options(name), **options}) for name in NAMES for options in ANY_GAME] + ONE_GAME

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:.*all zeros"),  # what is seen before the first round
    pytest.mark.filterwarnings("ignore:.*is a single number"),  # what is seen with memory 0
]


def module(name: str) -> ModuleType:
    return import_module(f"dilemmas.envs.{name}_v0")


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_turn_based(name: str, options: dict[str, Any]) -> None:
    api_test(module(name).env(**options), num_cycles=150)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_parallel(name: str, options: dict[str, Any]) -> None:
    parallel_api_test(module(name).parallel_env(**options), num_cycles=150)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_seeds(name: str, options: dict[str, Any]) -> None:
    seed_test(lambda: module(name).env(**options), num_cycles=50)
    parallel_seed_test(lambda: module(name).parallel_env(**options), num_cycles=50)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_state(name: str, options: dict[str, Any]) -> None:
    state_test(module(name).env(**options), module(name).parallel_env(**options))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in EXAMPLES])  # it makes them without options
def test_max_cycles(name: str) -> None:
    max_cycles_test(module(name))


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_rendering(name: str, options: dict[str, Any]) -> None:
    render_test(lambda render_mode: module(name).env(render_mode=render_mode, **options))
