"""The vector environments satisfy Gymnasium and Stable-Baselines3 and play the same matches."""

from time import process_time
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics, TransformReward

from dilemmas.envs.checks import GameError
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.rules.factory import rules_of
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


ROLES = [
    stage_game("matching_pennies"),
    stage_game("inspection_game"),
    BimatrixGame("bimatrix_game", [[1, 2, 3]] * 2, [[1, 2, 3]] * 2),
    PublicGoods(n_players=3, endowment=(5, 7, 7)),
    PublicGoods(n_players=2, endowment=(5, 7), levels=None),
]


@pytest.mark.parametrize("stage", ROLES, ids=lambda stage: stage.name)
def test_players_who_are_not_alike_observe_their_seat(stage: Any) -> None:
    """Otherwise one policy could not know whether it is the employer or the employee."""
    n, matches = stage.n_players, VectorMatches(Repeated(stage, 3), 4)
    env = VectorPlayers(matches)
    observations, _ = env.reset(seed=0)
    assert (observations[:, -n:] == np.tile(np.eye(n), (4, 1))).all()
    for _ in range(3):
        observations, *_, infos = env.step(env.action_space.sample())
        assert env.observation_space.contains(observations)
        assert (observations[:, :-n].reshape(4, n, -1) == matches._buffer.vectors).all()
    assert (np.stack(list(infos["final_obs"]))[:, -n:] == np.tile(np.eye(n), (4, 1))).all()
    assert VectorPlayers(matches, seats=False).single_observation_space.shape == (matches.rules.observation_size,)


def test_players_who_are_alike_observe_no_seat_unless_asked_for() -> None:
    rules = Repeated(stage_game("stag_hunt"))
    for played in (rules, Repeated(stage_game("n_person_snowdrift", n_players=300)), rules_of("population")):
        assert VectorPlayers(VectorMatches(played, 2)).single_observation_space.shape == (played.observation_size,)
    seen, _ = VectorPlayers(VectorMatches(rules, 2), seats=True).reset(seed=0)
    assert seen[:, -2:].tolist() == [[1, 0], [0, 1]] * 2


def test_players_with_different_numbers_of_actions_share_the_largest_space() -> None:
    """An action that a player does not have counts as its last; the mask says which ones it has."""
    row, column = [[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [0, 1, 2]]
    env = VectorPlayers(VectorMatches(Repeated(BimatrixGame("bimatrix_game", row, column)), 2))
    _, infos = env.reset(seed=0)
    assert env.single_action_space == Discrete(3)
    assert infos["action_mask"].tolist() == [[1, 1, 0], [1, 1, 1]] * 2
    _, rewards, *_ = env.step(np.array([2, 2, 0, 1]))
    assert rewards.tolist() == [6, 2, 2, 8]
    with pytest.raises(GameError, match=r"action 3 of player_0 in match 1 is outside 0\.\.1"):
        env.step(np.array([0, 0, 3, 0]))


def test_amounts_above_the_own_endowment_are_the_endowment() -> None:
    env = VectorPlayers(VectorMatches(Repeated(PublicGoods(n_players=2, endowment=(5, 7), levels=None)), 1))
    env.reset(seed=0)
    assert env.single_action_space == Box(0, 7, (1,), np.float32)
    _, rewards, *_ = env.step(np.array([[6.0], [7.0]], dtype=np.float32))
    assert rewards.tolist() == pytest.approx([0.8 * 12] * 2)
    with pytest.raises(GameError, match=r"8\.0 of player_0"):
        env.step(np.array([[8.0], [7.0]], dtype=np.float32))


@pytest.mark.parametrize("name", ["repeated", "chance", "talk"])
def test_observations_have_the_mask_on_request(name: str) -> None:
    plain, env = (VectorPlayers(VectorMatches(PLAYED[name], 3), observe_masks=masks) for masks in (False, True))
    seen, (masked, _) = plain.reset(seed=4)[0], env.reset(seed=4)
    for _ in range(9):
        assert env.observation_space.contains(masked)
        assert (masked["observation"] == seen).all()
        assert (masked["action_mask"] == env.action_masks()).all()
        actions = env.action_space.sample()
        (seen, *_, first), (masked, *_, second) = plain.step(actions), env.step(actions)
        for one, other in zip(first.get("final_obs", ()), second.get("final_obs", ()), strict=True):
            assert (one is None) == (other is None)
            assert one is None or (other["observation"] == one).all()
    with pytest.raises(GameError, match="an amount has no mask"):
        VectorPlayers(VectorMatches(PLAYED["amounts"], 1), observe_masks=True)


@pytest.mark.parametrize("seeds", [5, [1, 2, 3]])
def test_some_matches_are_started_while_the_others_go_on(seeds: Any) -> None:
    env, twin = players("chance", max_rounds=9), players("chance", max_rounds=9)
    env.reset(seed=seeds)
    twin.reset(seed=seeds)
    for joint in np.random.default_rng(1).integers(0, 2, (2, 6)):
        before, *_ = env.step(joint)
        twin.step(joint)
    after, _ = env.reset(options={"reset_mask": np.array([False] * 2 + [True] * 2 + [False] * 2)})
    assert (after[[0, 1, 4, 5]] == before[[0, 1, 4, 5]]).all()
    assert not after[2:4].any()
    if seeds != 5:  # with streams of their own the others do not notice
        actions = np.zeros(6, dtype=int)
        one, other = env.step(actions), twin.step(actions)
        assert all((a[[0, 1, 4, 5]] == b[[0, 1, 4, 5]]).all() for a, b in zip(one[:4], other[:4], strict=True))


def test_a_match_that_is_started_anew_has_its_own_seed() -> None:
    env, fresh = players("chance"), players("chance")
    env.reset(seed=[7, 8, 9])
    env.step(np.zeros(6, dtype=int))
    env.reset(seed=[1, 2, 3], options={"reset_mask": np.array([True] * 2 + [False] * 4)})
    fresh.reset(seed=[1, 2, 3])
    one, other = (made.step(np.zeros(6, dtype=int)) for made in (env, fresh))
    assert all((a[:2] == b[:2]).all() for a, b in zip(one[:4], other[:4], strict=True))


def test_a_population_has_a_row_for_each_player() -> None:
    env = VectorPlayers(VectorMatches(rules_of("population", n_players=9, rounds=2), 2))
    twin = VectorMatches(env.rules, 2)
    assert (env.reset(seed=0)[0] == twin.reset(seed=0).reshape(18, -1)).all()
    actions = env.action_space.sample()
    _, rewards, *_ = env.step(actions)
    assert rewards.tolist() == twin.step(actions.reshape(2, 9)).payoffs.ravel().tolist()


@pytest.mark.slow
@pytest.mark.parametrize("graph", ["lattice", "random"])
def test_a_large_population_is_fast(graph: str) -> None:
    matches = VectorMatches(rules_of("population", n_players=2500, graph=graph, rounds=100), 1)
    matches.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 2, (1, 2500))
    started = process_time()
    for _ in range(300):
        matches.step(actions)
    assert 300 / (process_time() - started) > 500


def test_attributes_of_the_rows_are_asked_for_as_in_other_vector_environments() -> None:
    env = players("talk", 2)
    env.reset(seed=0)
    assert np.stack(env.call("action_masks")).tolist() == [[1] * 4] * 4
    assert (env.get_attr("match"), env.get_attr("seat")) == ((0, 0, 1, 1), (0, 1, 0, 1))
    assert env.get_attr("action_space") == (env.single_action_space,) * 4
    assert env.get_attr("observation_space") == (env.single_observation_space,) * 4
    assert env.get_attr("rules") == (PLAYED["talk"],) * 4
    assert env.get_attr("render_mode") == (None,) * 4
    for name in ("reset", "step"):
        with pytest.raises(InputError, match=f"{name}: a row has no such method"):
            env.call(name)
    with pytest.raises(AttributeError, match="no_such"):
        env.get_attr("no_such")
    with pytest.raises(InputError, match="rounds"):
        env.set_attr("rounds", 3)


def test_wrong_use_is_refused() -> None:
    env = players("repeated")
    env.reset(seed=0)
    for mask, message in (
        (np.ones(5, dtype=bool), r"shape \(5,\); needs booleans of shape \(6,\)"),
        (np.ones(6), "type float64"),
        (np.array([True] * 3 + [False] * 3), "only some of the rows of match 1"),
        (np.zeros(6, dtype=bool), "one of them True"),
    ):
        with pytest.raises(GameError, match=message):
            env.reset(options={"reset_mask": mask})
    some = {"reset_mask": np.array([True] * 2 + [False] * 4)}
    with pytest.raises(GameError, match="all share one stream"):
        env.reset(seed=[1, 2, 3], options=some)
    with pytest.raises(GameError, match="no match has been started"):
        players("repeated").reset(options=some)
    talking = players("talk")
    talking.reset(seed=0)
    talking.step(np.zeros(6, dtype=int))
    with pytest.raises(GameError, match="the next phase is 'talk'; start some matches between rounds only"):
        talking.reset(options=some)
    with pytest.raises(GameError, match=r"shape \(3, 2\); needs shape \(6,\)"):
        env.step(np.zeros((3, 2), dtype=int))
    with pytest.raises(GameError, match="player_1 in match 2"):
        env.step(np.array([0, 0, 0, 0, 0, 2]))


def test_torch_takes_the_arrays_as_they_are() -> None:
    torch = pytest.importorskip("torch")
    matches = VectorMatches(Repeated(stage_game("prisoners_dilemma"), 5, memory=2), 3)
    matches.reset(seed=0)
    step = matches.step(torch.zeros((3, 2), dtype=torch.int64))
    for array in step:
        tensor = torch.from_numpy(array)
        assert tensor.is_contiguous()
        assert np.shares_memory(tensor.numpy(), array) or not array.size


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
