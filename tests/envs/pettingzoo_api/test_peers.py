"""Other people's libraries take the environments as they are: wrappers load them, and learners learn in them.

Each test needs its library (``pip install "dilemmas[peers]"``) and is skipped without it.
"""

from typing import Any

import numpy as np
import pytest

from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

LOADED: list[tuple[str, dict[str, Any]]] = [
    ("prisoners_dilemma", {}),
    ("stag_hunt", {"rounds": 3, "memory": 2, "noise": 0.1}),
    ("prisoners_dilemma", {"rounds": 3, "talk": 1, "punishment": (1, 3)}),
    ("public_goods", {"rounds": 3, "levels": 3}),
    ("n_person_snowdrift", {"continuation": 0.5}),
    ("population", {"n_players": 9, "rounds": 2}),
    ("population", {"n_players": 5, "graph": "random", "rounds": 2}),
]
AMOUNTS: list[tuple[str, dict[str, Any]]] = [("public_goods", {"levels": None, "rounds": 3})]

pytestmark = pytest.mark.filterwarnings("ignore")  # of other people


@pytest.mark.parametrize(("name", "options"), LOADED + AMOUNTS)
def test_torchrl_loads_it(name: str, options: dict[str, Any]) -> None:
    pytest.importorskip("torchrl")
    from torchrl.envs import PettingZooWrapper
    from torchrl.envs.utils import check_env_specs

    env = PettingZooWrapper(parallel(name, **options), done_on_any=True, use_mask="talk" in options)
    check_env_specs(env)
    steps = env.rollout(4)
    rewards = steps["next", "player", "reward"]
    assert rewards.shape[-2:] == (len(env.possible_agents), 1)


@pytest.mark.parametrize(("name", "options"), LOADED + AMOUNTS)
def test_tianshou_loads_it(name: str, options: dict[str, Any]) -> None:
    """Turn by turn; the rewards of a round come with its last move."""
    pytest.importorskip("tianshou")
    from tianshou.env.pettingzoo_env import PettingZooEnv

    env = PettingZooEnv(aec(name, **options))
    twin = parallel(name, **options)
    seen, _ = env.reset(seed=1)
    twin.reset(seed=1)
    assert seen["agent_id"] == "player_0"
    joint = {agent: twin.action_space(agent).sample() for agent in twin.agents}
    for agent, action in joint.items():
        assert seen["agent_id"] == agent
        assert twin.observation_space(agent).contains(seen["obs"])
        seen, rewards, _, _, _ = env.step(action)
    _, expected, *_ = twin.step(joint)
    assert rewards == list(expected.values())


@pytest.mark.parametrize(("name", "options"), LOADED + AMOUNTS)
def test_supersuit_and_ppo_train_on_it(name: str, options: dict[str, Any]) -> None:
    """Some rollouts and updates; what is learned in a minute is asked in `test_envs_learning`."""
    supersuit = pytest.importorskip("supersuit")
    learners = pytest.importorskip("stable_baselines3")
    rows = supersuit.pettingzoo_env_to_vec_env_v1(parallel(name, **options))
    players = supersuit.concat_vec_envs_v1(rows, 2, num_cpus=0, base_class="stable_baselines3")
    model = learners.PPO("MlpPolicy", players, n_steps=8, batch_size=16, n_epochs=1, device="cpu")
    before = [parameter.detach().clone() for parameter in model.policy.parameters()]
    model.learn(8 * players.num_envs)
    assert any((old != new).any() for old, new in zip(before, model.policy.parameters(), strict=True))


@pytest.mark.parametrize(("name", "options"), [LOADED[0], LOADED[2], LOADED[5]])
def test_supersuit_stacks_it(name: str, options: dict[str, Any]) -> None:
    supersuit = pytest.importorskip("supersuit")
    env = supersuit.frame_stack_v1(supersuit.dtype_v0(parallel(name, **options), "float64"), 3)
    observations, _ = env.reset(seed=0)
    plain = parallel(name, **options)
    plain.reset(seed=0)
    joint = dict.fromkeys(env.agents, 0)
    stacked, alone = env.step(joint)[0], plain.step(joint)[0]
    assert observations.keys() == alone.keys()
    for agent, vector in alone.items():
        assert stacked[agent].size == 3 * vector.size
        assert np.ravel(stacked[agent])[-vector.size :].tolist() == vector.tolist()
