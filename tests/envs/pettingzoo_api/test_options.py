"""Making environments: by id, by module, and what is answered to options that cannot be."""

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pettingzoo
import pytest
from pettingzoo.utils.conversions import aec_to_parallel

import dilemmas.envs
from dilemmas.envs.checks import GameError
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import ENVIRONMENTS, EXAMPLES, GAMES, example_options, stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma, parallel
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.protocol import View


@pytest.mark.parametrize("name", [*ENVIRONMENTS, "population"])
def test_registered_with_pettingzoo(name: str) -> None:
    module = import_module(f"{dilemmas.envs.__name__}.{name}_v0")
    payoffs = example_options(name)
    made = pettingzoo.make("parallel", f"dilemmas/{name}-v0", max_cycles=3, memory=2, **payoffs)
    by_module = module.parallel_env(max_cycles=3, memory=2, **payoffs)
    turns = pettingzoo.make("aec", f"dilemmas/{name}", **payoffs)
    assert isinstance(made, SocialDilemma)
    assert (made.rules, made.max_cycles) == (by_module.rules, by_module.max_cycles)
    assert str(made) == str(turns) == str(module.env(**payoffs)) == str(module.raw_env(**payoffs)) == f"{name}_v0"
    assert isinstance(aec_to_parallel(turns), SocialDilemma)


@pytest.mark.parametrize("name", [*ENVIRONMENTS, "population"])
def test_infos_are_empty_unless_views_are_asked_for(name: str) -> None:
    """As learners need them that turn infos into tensors."""
    payoffs = example_options(name)
    for made in (pettingzoo.make("parallel", f"dilemmas/{name}-v0", **payoffs), parallel(name, **payoffs)):
        assert not any(made.reset(seed=0)[1].values())
    _, infos = pettingzoo.make("parallel", f"dilemmas/{name}-v0", views=True, **payoffs).reset(seed=0)
    assert all(isinstance(info["view"], View) for info in infos.values())


@pytest.mark.parametrize("options", [{}, {"talk": 1, "signals": 4, "punishment": (1, 3)}])
def test_observations_have_the_mask_on_request(options: dict[str, Any]) -> None:
    plain, env = (parallel("stag_hunt", rounds=2, observe_masks=masks, **options) for masks in (False, True))
    seen, (masked, infos) = plain.reset(seed=0)[0], env.reset(seed=0)
    while env.agents:
        for agent in env.agents:
            assert env.observation_space(agent).contains(masked[agent])
            assert (masked[agent]["observation"] == seen[agent]).all()
            mask = infos[agent].get("action_mask", [1, 1])
            assert masked[agent]["action_mask"].tolist() == list(mask)
        joint = {agent: env.action_space(agent).sample(masked[agent]["action_mask"]) for agent in env.agents}
        seen, masked, infos = plain.step(joint)[0], *env.step(joint)[::4]
    with pytest.raises(GameError, match="observe_masks = True; an amount has no mask"):
        parallel("public_goods", levels=None, observe_masks=True)


def test_infos_are_not_shared() -> None:
    env = parallel("harmony")
    _, first = env.reset(seed=0)
    *_, second = env.step({"player_0": 0, "player_1": 0})
    assert first == second == {"player_0": {}, "player_1": {}}
    assert first["player_0"] is not first["player_1"]


@pytest.mark.parametrize(
    "name", ["prisoners_dilemma", "prisoners-dilemma", "prisoners_dilemma-v0", "dilemmas/prisoners_dilemma_v0"]
)
def test_a_game_has_many_spellings(name: str) -> None:
    assert stage_game(name) == GAMES["prisoners_dilemma"]


def test_options_make_another_game() -> None:
    assert stage_game("stag_hunt-v0", R=9) == MatrixGame("stag_hunt", T=3, R=9, P=3, S=0)
    assert stage_game("public_goods", n_players=7, levels=3).n_players == 7
    assert stage_game("matrix_game", T=1, R=0, P=0, S=0).payoffs((1, 0)) == (1, 0)


@pytest.mark.parametrize(
    ("name", "options", "missing"),
    [
        ("matrix_game", {}, "T, R, P, S not"),
        ("matrix_game", {"T": 5, "S": 0}, ": R, P not"),
        ("bimatrix_game", {}, ": row not"),
        ("bimatrix_game", {"column": [[0, 1], [1, 0]]}, ": row not"),
        ("count_game", {}, "cooperate, defect not"),
        ("count_game", {"defect": [0, 1]}, ": cooperate not"),
    ],
)
def test_a_game_without_payoffs_of_its_own_needs_them(name: str, options: dict[str, Any], missing: str) -> None:
    """A game of zeros would be played without a word."""
    makers = [partial(stage_game, name), partial(rules_of, name), partial(rules_of, "population", game=name)]
    makers += [partial(pettingzoo.make, kind, f"dilemmas/{name}-v0") for kind in ("parallel", "aec")]
    for make in makers:
        with pytest.raises(GameError, match=f"{name} has no payoffs of its own.*{missing} specified; for example"):
            make(**options)
    assert stage_game(name, **EXAMPLES[name]) == GAMES[name]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("prisoner_dilemma", {}, "did you mean 'prisoners_dilemma'"),
        ("prisoners_dilemma", {"T": 3}, "T>R>P>S; got T=3, R=3"),
        ("snowdrift", {"S": -1}, "T>R>S>P"),
        ("stag_hunt", {"T": 5}, "R>T>=P>S"),
        ("harmony", {"S": 6}, "R>S"),
        ("matrix_game", {**EXAMPLES["matrix_game"], "T": float("nan")}, "T = nan"),
        ("matrix_game", {**EXAMPLES["matrix_game"], "T": "5"}, "T = '5'"),
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
        ("harmony", {"max_cycles": True}, "max_cycles = True"),
        ("harmony", {"views": "no"}, "views = 'no'; needs True or False"),
        ("harmony", {"render_mode": 5}, "unknown render_mode '5'"),
        ("harmony", {"rounds": True}, "rounds = True"),
        ("harmony", {"rounds": (), "memory": None}, "rounds = ()"),
        ("harmony", {"noise": True}, "noise = True; a probability"),
        ("harmony", {"noise": 10**400}, "a probability lies in [0, 1]"),
        ("harmony", {"memory": True}, "memory = True"),
        ("harmony", {"memory": 10**15}, "numbers observed by each of 2 players; the limit is"),
        ("harmony", {"rounds": 5, "clock": "no"}, "clock = 'no'; needs True or False"),
        ("harmony", {"talk": None}, "talk = None; needs a whole number of at least 0"),
        ("harmony", {"talk": 1, "words": "no"}, "words = 'no'; needs True or False"),
        ("harmony", {"talk": 10**30}, "needs a whole number from 0 to"),
        ("harmony", {"signals": -5}, "signals = -5; needs a whole number from 2 to"),
        ("harmony", {"points": 0}, "points = 0; needs a whole number from 1 to"),
        ("public_goods", {"n_players": 20_000, "punishment": (1, 3)}, "punish: more than 65536 options"),
        ("population", {"game": 5}, "unknown game '5'"),
        ("population", {"payoff": ["mean"]}, "unknown payoff"),
        ("population", {"degree": 4.0}, "degree = 4.0"),
        ("population", {"graph": [(0, 1 << 20)]}, "n_players = 1048577; needs"),
        ("prisoners_dilemma_v7", {}, "unknown environment 'prisoners_dilemma_v7'; did you mean 'prisoners_dilemma'"),
        ("dilemmas/populations-v0", {}, "unknown environment 'populations'; did you mean 'population'?"),
        ("xyzzy", {}, "public_goods, population"),
        ("harmony", {"render_mode": "rgb"}, "did you mean 'rgb_array'"),
    ],
)
def test_unusable_options_are_refused_in_one_line(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        parallel(name, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    with pytest.raises(InputError, match=r"seed = .*; needs a whole number of at least 0"):
        parallel("harmony").reset(seed=seed)


@pytest.mark.parametrize("odd", [1.0, np.float64(1), np.True_, 1 + 0j])
def test_values_equal_to_an_action_are_refused(odd: Any) -> None:
    env = parallel("harmony", rounds=9)
    for _ in range(2):
        env.reset()
        env.step({"player_0": 1, "player_1": 0})
        env.reset()
        with pytest.raises(InputError, match=r"of player_0 is outside 0..1 of harmony"):
            env.step({"player_0": odd, "player_1": 0})


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (
            {"player_0": 0, "player_1": 0, "player_2": 0},
            "unknown agent 'player_2'; the agents are player_0",
        ),
        (None, "actions = None; needs a dict with an action for each agent"),
        ([0, 1], "actions = .0, 1.; needs a dict"),
    ],
)
def test_actions_belong_to_the_agents(actions: Any, message: str) -> None:
    env = parallel("harmony")
    env.reset()
    with pytest.raises(InputError, match=message):
        env.step(actions)


def test_steps_are_kept_also_for_actions_of_numpy() -> None:
    env = parallel("harmony")
    env.reset()
    start = env._current
    env.step(dict.fromkeys(env.agents, np.int64(1)))
    assert start.after
