"""Making environments: by id, by module, and what is answered to options that cannot be."""

import subprocess
import sys
from importlib import import_module
from typing import Any

import pettingzoo
import pytest
from pettingzoo.utils.conversions import aec_to_parallel

import understudy.envs
from understudy.envs.errors import InputError
from understudy.envs.games import ENVIRONMENTS, GAMES, stage_game
from understudy.envs.matrix_games import MatrixGame
from understudy.envs.parallel_env import SocialDilemma, parallel


@pytest.mark.parametrize("name", [*ENVIRONMENTS, "population"])
def test_registered_with_pettingzoo(name: str) -> None:
    module = import_module(f"{understudy.envs.__name__}.{name}_v0")
    made = pettingzoo.make("parallel", f"understudy/{name}-v0", max_cycles=3, memory=2)
    by_module = module.parallel_env(max_cycles=3, memory=2)
    turns = pettingzoo.make("aec", f"understudy/{name}")
    assert isinstance(made, SocialDilemma)
    assert (made.rules, made.max_cycles) == (by_module.rules, by_module.max_cycles)
    assert str(made) == str(turns) == str(module.env()) == str(module.raw_env()) == f"{name}_v0"
    assert isinstance(aec_to_parallel(turns), SocialDilemma)


def test_importing_the_package_is_light() -> None:
    heavy = "torch", "transformers", "matplotlib", "pygame", "understudy.envs.parallel_env"
    code = f"import sys, understudy.envs; print([name for name in {heavy} if name in sys.modules])"
    path = ":".join(part for part in sys.path if part)
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert found.stdout.strip() == "[]"


def test_infos_can_be_left_empty() -> None:
    env = parallel("harmony", views=False)
    _, first = env.reset(seed=0)
    *_, second = env.step({"player_0": 0, "player_1": 0})
    assert first == second == {"player_0": {}, "player_1": {}}
    assert first["player_0"] is not first["player_1"]


@pytest.mark.parametrize(
    "name", ["prisoners_dilemma", "prisoners-dilemma", "prisoners_dilemma-v0", "understudy/prisoners_dilemma_v0"]
)
def test_a_game_has_many_spellings(name: str) -> None:
    assert stage_game(name) == GAMES["prisoners_dilemma"]


def test_options_make_another_game() -> None:
    assert stage_game("stag_hunt-v0", R=9) == MatrixGame("stag_hunt", T=3, R=9, P=3, S=0)
    assert stage_game("public_goods", n_players=7, levels=3).n_players == 7
    assert stage_game("matrix_game", T=1).payoffs((1, 0)) == (1, 0)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("prisoner_dilemma", {}, "did you mean 'prisoners_dilemma'"),
        ("prisoners_dilemma", {"T": 3}, "T>R>P>S; got T=3, R=3"),
        ("snowdrift", {"S": -1}, "T>R>S>P"),
        ("stag_hunt", {"T": 5}, "R>T>=P>S"),
        ("harmony", {"S": 6}, "R>S"),
        ("matrix_game", {"T": float("nan")}, "T = nan"),
        ("matrix_game", {"T": "5"}, "T = '5'"),
        ("prisoners_dilemma", {"round": 3}, "'round' in prisoners_dilemma; did you mean 'rounds'"),
        ("prisoners_dilemma", {"n_players": 3}, "unknown option 'n_players' in prisoners_dilemma"),
        ("public_goods", {"players": 3}, "did you mean 'n_players'"),
        ("public_goods", {"n_players": 1}, "n_players = 1"),
        ("public_goods", {"n_players": 2.5}, "n_players = 2.5"),
        ("public_goods", {"levels": 1}, "levels = 1"),
        ("public_goods", {"endowment": 0}, "endowment = 0"),
        ("public_goods", {"multiplier": -1}, "multiplier = -1"),
        ("harmony", {"noise": 1.5}, "noise = 1.5"),
        ("harmony", {"noise": float("nan")}, "noise = nan"),
        ("harmony", {"continuation": -0.1}, "continuation = -0.1"),
        ("harmony", {"rounds": 0}, "rounds = 0"),
        ("harmony", {"rounds": 2.5}, "rounds = 2.5"),
        ("harmony", {"memory": -1}, "memory = -1"),
        ("harmony", {"max_cycles": 0}, "max_cycles = 0"),
        ("harmony", {"max_cycle": 9}, "did you mean 'max_cycles'"),
        ("harmony", {"render_mode": "rgb"}, "did you mean 'rgb_array'"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(name: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as error:
        parallel(name, **options)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
