"""Talk, sanctions, misperception, random lengths and clocks, against independent implementations of their rules."""

import random
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.checks import GameError
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.vector.vector_matches import VectorMatches


def play(env: Any, *joints: tuple[Any, ...]) -> list[Any]:
    """What each step gives: rewards in the order of the table, and infos."""
    out = []
    for joint in joints:
        _, rewards, _, _, infos = env.step(dict(zip(env.agents, joint, strict=True)))
        out.append((tuple(rewards.values()), infos))
    return out


def views(infos: dict[str, Any]) -> list[Any]:
    return [info["view"] for info in infos.values()]


def test_talk_comes_before_each_round_costs_nothing_and_is_heard_by_all() -> None:
    env = parallel("prisoners_dilemma", talk=2, rounds=2, views=True)
    _, infos = env.reset(seed=0)
    assert {view.phase for view in views(infos)} == {"talk"}
    (first, _), (second, heard), (acted, after) = play(env, (1, 2), (0, 1), (0, 1))
    assert (first, second, acted) == ((0.0, 0.0), (0.0, 0.0), (0.0, 5.0))
    assert [view.said for view in views(heard)] == [((1, 2), (0, 1)), ((2, 1), (1, 0))]
    assert [(view.said, view.history, view.phase) for view in views(after)] == [
        ((), ((0, 1),), "talk"),
        ((), ((1, 0),), "talk"),
    ]


def test_masks_name_the_actions_of_the_phase_and_others_count_as_its_default() -> None:
    env = parallel("prisoners_dilemma", talk=1, signals=4, rounds=1, views=True)
    _, infos = env.reset(seed=0)
    assert env.action_space("player_0").n == 4
    assert infos["player_0"]["action_mask"].tolist() == [1, 1, 1, 1]
    ((_, infos),) = play(env, (3, 0))
    assert infos["player_0"]["action_mask"].tolist() == [1, 1, 0, 0]
    ((rewards, _),) = play(env, (0, 3))  # a signal where an action is due: defection, the last action
    assert rewards == (0.0, 5.0)


def test_words_are_heard_as_they_are_and_leave_the_spaces_plain() -> None:
    env = parallel("stag_hunt", talk=1, words=True, rounds=1, views=True)
    plain = parallel("stag_hunt", talk=1, rounds=1)
    assert env.action_space("player_0") == plain.action_space("player_0")
    env.reset(seed=0)
    observations, _, _, _, infos = env.step({"player_0": "[stag], please", "player_1": 2})
    assert infos["player_1"]["view"].said == ((2, "[stag], please"),)
    assert env.observation_space("player_0").contains(observations["player_0"])
    assert play(env, ("stag", 0))[0][0] == (3.0, 0.0)  # words where an action is due are no action
    plain.reset(seed=0)
    with pytest.raises(GameError, match="'stag' of player_0"):
        plain.step({"player_0": "stag", "player_1": 0})


def test_punishment_costs_the_giver_and_the_receiver() -> None:
    """Three players; a point costs 1 and takes 3; player 0 punishes both others, player 2 punishes player 0 twice."""
    env = parallel(
        "public_goods", n_players=3, endowment=6, multiplier=2, punishment=(1, 3), points=2, rounds=1, views=True
    )
    env.reset(seed=0)
    (contributed, due), (punished, _) = play(env, (0, 1, 1), (1 + 3 * 1, 0, 2))
    assert contributed == (4.0, 10.0, 10.0)
    assert {view.phase for view in views(due)} == {"punish"}
    assert due["player_1"]["view"].acted == (1, 0, 1)
    assert punished == (-1 - 1 - 3 * 2, -3.0, -3.0 - 2)


def test_rewards_add_and_sanctions_are_seen_in_the_next_round() -> None:
    env = parallel("prisoners_dilemma", punishment=(1, 2), reward=(1, 4), rounds=2, views=True)
    env.reset(seed=0)
    _, (punished, _), (rewarded, infos) = play(env, (0, 0), (1, 0), (0, 1))
    assert (punished, rewarded) == ((-1.0, -2.0), (4.0, -1.0))
    assert [view.sanctioned for view in views(infos)] == [(4.0, -2.0), (-2.0, 4.0)]


def test_misperception_has_the_given_rate_for_others_only_and_does_not_change_payoffs() -> None:
    env = parallel("prisoners_dilemma", misperception=0.2, rounds=4000, views=True)
    env.reset(seed=1)
    rng = random.Random(0)
    wrong = []
    table = {(0, 0): (3.0, 3.0), (0, 1): (0.0, 5.0), (1, 0): (5.0, 0.0), (1, 1): (1.0, 1.0)}
    for _ in range(4000):
        joint = (rng.randrange(2), rng.randrange(2))
        ((rewards, infos),) = play(env, joint)
        assert rewards == table[joint]
        for player, view in enumerate(views(infos)):
            assert view.history[-1][0] == joint[player]
            wrong.append(view.history[-1][1] != joint[1 - player])
    assert np.mean(wrong) == pytest.approx(0.2, abs=4 * (0.16 / len(wrong)) ** 0.5)
    both = np.array(wrong).reshape(-1, 2).all(axis=1).mean()
    assert both == pytest.approx(0.04, abs=4 * (0.04 / 4000) ** 0.5)  # the two err independently


def test_a_random_length_takes_every_value_and_is_not_observed() -> None:
    env = parallel("prisoners_dilemma", rounds=(2, 4), views=True)
    env.reset(seed=0)
    lengths = []
    for _ in range(300):
        _, infos = env.reset()
        assert infos["player_0"]["view"].rounds is None
        lengths.append(0)
        while env.agents:
            play(env, (0, 0))
            lengths[-1] += 1
    assert {length: lengths.count(length) for length in set(lengths)} == pytest.approx(
        {2: 100, 3: 100, 4: 100}, abs=4 * (300 * 2 / 9) ** 0.5
    )


def test_a_clock_shows_the_share_of_rounds_that_is_left() -> None:
    env = parallel("prisoners_dilemma", rounds=4, clock=True, views=True)
    observations, _ = env.reset(seed=0)
    left = [observations["player_0"][-1]]
    while env.agents:
        observations, *_, infos = env.step({"player_0": 0, "player_1": 1})
        left.append(observations["player_0"][-1])
        assert infos["player_1"]["view"].rounds == 4
    assert left == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_a_whole_history_is_seen_whole() -> None:
    env = parallel("prisoners_dilemma", rounds=6, memory=None, views=True)
    env.reset(seed=0)
    joints = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0), (1, 0)]
    infos = play(env, *joints)[-1][1]
    assert infos["player_0"]["view"].history == tuple(joints)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"memory": None}, "memory = None, rounds = None"),
        ({"clock": True}, "a clock needs a fixed number"),
        ({"rounds": (5, 2)}, r"rounds = \(5, 2\)"),
        ({"rounds": (0, 2)}, r"rounds = \(0, 2\)"),
        ({"misperception": 1.5}, r"misperception = 1\.5"),
        ({"talk": -1}, "talk = -1"),
        ({"talk": 1, "signals": 1}, "signals = 1"),
        ({"punishment": (-1, 3)}, "cost = -1"),
        ({"punishment": (1, 3), "points": 0}, "points = 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GameError, match=message):
        parallel("prisoners_dilemma", **options)


def test_sanctions_against_too_many_are_refused() -> None:
    with pytest.raises(GameError, match="fewer"):
        parallel("public_goods", n_players=20, punishment=(1, 3))


@pytest.mark.parametrize("memory", [0, 1])
def test_sanctions_follow_perceived_actions(memory: int) -> None:
    rules = rules_of("harmony", misperception=1.0, punishment=(1, 3), memory=memory, rounds=2)
    state = rules.step(rules.start(np.random.default_rng(0)), (0, 0), np.random.default_rng(0)).state
    assert state.acted == (0, 0)
    assert [rules.view(state, player).acted for player in range(2)] == [(0, 1), (0, 1)]
    assert rules.encode_state(state)[2 + 4 * memory : 6 + 4 * memory].tolist() == [1, 0, 1, 0]
    matches = VectorMatches(rules, 3)
    matches.reset(seed=0)
    seen = matches.step(np.zeros((3, 2), dtype=np.int64)).observations
    assert (seen == rules.encode(rules.view(state, 0))).all()
    after = rules.step(state, (0, 0), np.random.default_rng(0)).state
    assert rules.view(after, 0).acted is None
