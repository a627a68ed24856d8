"""The vector environments satisfy Gymnasium and Stable-Baselines3 and play the same matches."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics, TransformReward

from dilemmas.envs.checks import GameError
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.rules.stages import Talk
from dilemmas.envs.vector.gymnasium_vector import VectorPlayers
from dilemmas.envs.vector.vector_matches import VectorMatches

PLAYED = {
    "repeated": Repeated(stage_game("prisoners_dilemma"), 3),
    "chance": Repeated(stage_game("stag_hunt"), None, 0.6, 0.2, 0.1, memory=2),
    "talk": Repeated(stage_game("snowdrift"), (1, 3), talk=Talk(2, 4)),
    "amounts": Repeated(stage_game("public_goods", levels=None), 2),
}


def players(name: str, count: int = 3, **options: Any) -> VectorPlayers:
    return VectorPlayers(VectorMatches(PLAYED[name], count, **options))


@pytest.mark.parametrize("name", PLAYED)
def test_rows_lie_in_the_spaces(name: str) -> None:
    env = players(name)
    rows = 3 * PLAYED[name].n_players
    assert isinstance(env.single_observation_space, Box)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.num_envs == rows
    env.action_space.seed(1)
    observations, infos = env.reset(seed=1)
    for _ in range(12):
        assert env.observation_space.contains(observations)
        assert all(len(infos[key]) == rows for key in infos if key != "final_info")
        observations, rewards, terminations, truncations, infos = env.step(env.action_space.sample())
        assert rewards.shape == terminations.shape == truncations.shape == (rows,)
        assert not (terminations & truncations).any()
    env.close()


@pytest.mark.parametrize("name", PLAYED)
def test_rows_are_the_players_of_the_matches(name: str) -> None:
    """By match, then by player; a match's last observations are in the infos, its next's first are given."""
    env, twin = players(name, max_rounds=2), VectorMatches(PLAYED[name], 3, max_rounds=2)
    n = twin.rules.n_players
    env.action_space.seed(2)
    assert (env.reset(seed=2)[0] == twin.reset(seed=2).reshape(3 * n, -1)).all()
    for _ in range(9):
        actions = env.action_space.sample()
        observations, rewards, terminations, truncations, infos = env.step(actions)
        step = twin.step(actions.reshape(3, n))
        assert (observations.reshape(step.observations.shape) == step.observations).all()
        assert (rewards.reshape(3, n) == step.payoffs).all()
        assert (step.terminated == terminations.reshape(3, n).T).all()
        assert (step.truncated == truncations.reshape(3, n).T).all()
        ended = terminations | truncations
        assert ("final_obs" in infos) == ended.any()
        if ended.any():
            assert (infos["_final_obs"] == ended).all()
            assert (np.stack(list(infos["final_obs"][ended])) == step.final.reshape(ended.sum(), -1)).all()
            assert all(observation is None for observation in infos["final_obs"][~ended])


def test_one_seed_is_the_whole_of_chance() -> None:
    first, second = players("chance"), players("chance")
    actions = np.random.default_rng(0).integers(0, 2, (30, first.num_envs))
    for seed in (5, None):
        first.reset(seed=seed)
        second.reset(seed=seed)
        for joint in actions:
            one, other = first.step(joint), second.step(joint)
            assert all((a == b).all() for a, b in zip(one[:4], other[:4], strict=True))


def test_masks_follow_the_phases() -> None:
    env = players("talk")
    _, infos = env.reset(seed=0)
    masks = {4: [1, 1, 1, 1], 2: [1, 1, 0, 0]}
    for options in (4, 4, 2, 4):
        assert infos["action_mask"].tolist() == [masks[options]] * 6
        assert infos["_action_mask"].all()
        *_, infos = env.step(np.zeros(6, dtype=int))


def test_gymnasiums_wrappers_work_on_it() -> None:
    env = DictInfoToList(TransformReward(RecordEpisodeStatistics(players("repeated")), lambda rewards: 2 * rewards))
    env.reset(seed=0)
    for _ in range(3):
        _, rewards, *_, infos = env.step(np.array([0, 1] * 3))
    assert rewards.tolist() == [0, 10] * 3
    assert infos[0]["episode"] == pytest.approx({"r": 0, "l": 3, "t": infos[0]["episode"]["t"]})
    assert infos[1]["episode"]["r"] == 15
    assert infos[1]["final_obs"].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (BimatrixGame("bimatrix_game", [[1, 2, 3]] * 2, [[1, 2, 3]] * 2), r"numbers of actions \(2, 3\)"),
        (PublicGoods(n_players=2, endowment=(5, 7), levels=None), r"endowments \(5.0, 7.0\)"),
    ],
)
def test_asymmetric_players_cannot_share_a_policy(stage: Any, message: str) -> None:
    with pytest.raises(GameError, match=message):
        VectorPlayers(VectorMatches(Repeated(stage), 2))


def test_wrong_use_is_refused() -> None:
    env = players("repeated")
    with pytest.raises(GameError, match="reset_mask"):
        env.reset(options={"reset_mask": np.ones(6, dtype=bool)})
    env.reset(seed=0)
    with pytest.raises(GameError, match=r"shape \(3, 2\); needs shape \(6,\)"):
        env.step(np.zeros((3, 2), dtype=int))
    with pytest.raises(GameError, match="player_1 in match 2"):
        env.step(np.array([0, 0, 0, 0, 0, 2]))


# --- Stable-Baselines3 ---------------------------------------------------------------------------------------------


def learners(played: Repeated, count: int) -> Any:
    """The form for Stable-Baselines3, where it is installed."""
    pytest.importorskip("stable_baselines3")
    from dilemmas.envs.vector.stable_baselines import StableBaselinesPlayers

    return StableBaselinesPlayers(VectorPlayers(VectorMatches(played, count)))


def test_stable_baselines_gets_the_same_rows() -> None:
    env, twin = learners(PLAYED["repeated"], 2), players("repeated", 2)
    from stable_baselines3.common.vec_env import VecMonitor

    monitored = VecMonitor(env)
    monitored.seed(3)
    assert (monitored.reset() == twin.reset(seed=3)[0]).all()
    for actions in np.random.default_rng(0).integers(0, 2, (6, 4)):
        observations, rewards, ended, infos = monitored.step(actions)
        expected = twin.step(actions)
        assert (observations == expected[0]).all()
        assert (rewards == expected[1]).all()
        assert (ended == expected[2]).all()
    assert [info["episode"]["l"] for info in infos] == [3] * 4
    assert [info["TimeLimit.truncated"] for info in infos] == [False] * 4
    assert (np.stack([info["terminal_observation"] for info in infos]) == np.stack(expected[4]["final_obs"])).all()


def test_stable_baselines_asks_rows_for_masks() -> None:
    env = learners(PLAYED["talk"], 2)
    assert env.has_attr("action_masks")
    assert np.stack(env.env_method("action_masks", indices=[0, 3])).tolist() == [[1, 1, 1, 1]] * 2
    assert env.env_is_wrapped(gymnasium.Wrapper) == [False] * 4
    with pytest.raises(InputError, match="rounds"):
        env.set_attr("rounds", 3)


@pytest.mark.slow
@pytest.mark.parametrize(("game", "defection"), [("prisoners_dilemma", 1), ("harmony", 0)])
def test_a_learner_finds_the_best_action(game: str, defection: int) -> None:
    """PPO by self-play: all defect in the prisoner's dilemma and all cooperate in harmony, from every observation."""
    env = learners(Repeated(stage_game(game), 10), 64)
    from stable_baselines3 import PPO

    model = PPO("MlpPolicy", env, n_steps=20, batch_size=640, learning_rate=3e-3, gamma=0.0, seed=0, device="cpu")
    model.learn(20 * 128 * 12)
    seen = np.array([[0, 0, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]], dtype=np.float32)
    actions, _ = model.predict(seen, deterministic=True)
    assert actions.tolist() == [defection] * 5
