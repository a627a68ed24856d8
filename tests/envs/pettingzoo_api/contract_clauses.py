"""Clauses of the contract of every environment: payoffs, observations, endings, randomness, copies, errors."""

import copy
import pickle
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from contract_cases import Case, Make, act, last_joint, played, record

from dilemmas.envs.checks import GameError


def payoffs_equal_the_games(case: Case, make: Make) -> None:
    """Each agent gets its own payoff of the joint action, as a float."""
    env = make(max_cycles=10**6)
    env.reset(seed=0)
    every = product(range(case.n_actions), repeat=case.n_players) if case.n_actions**case.n_players < 100 else []
    for joint in [*every, *case.joints(20)]:
        result = act(env, joint)
        assert list(result.rewards.values()) == pytest.approx(case.payoffs(joint))
        assert all(type(reward) is float for reward in result.rewards.values())
    last = make(rounds=1)
    last.reset(seed=0)
    joint = case.joints(1)[0]
    assert list(act(last, joint).rewards.values()) == pytest.approx(case.payoffs(joint))


def observations_lie_in_the_space(case: Case, make: Make) -> None:
    """After reset and after every round, also the last; the same space object before and after."""
    env = make(rounds=3, memory=2)
    spaces = [env.observation_space(agent) for agent in env.possible_agents]
    actions = [env.action_space(agent) for agent in env.possible_agents]
    seen = [env.reset(seed=0)[0], *(result.observations for result in played(env, case.joints(3)))]
    assert len(seen) == 4
    for observations in seen:
        for space, observation in zip(spaces, observations.values(), strict=True):
            assert observation.dtype == space.dtype
            assert space.contains(observation)
    assert all(env.observation_space(a) is s for a, s in zip(env.possible_agents, spaces, strict=True))
    assert all(env.action_space(a) is s for a, s in zip(env.possible_agents, actions, strict=True))
    assert all(space.n == case.n_actions for space in actions)


def the_history_is_observed(case: Case, make: Make) -> None:
    """The last `memory` rounds, own action first, zeros where no round was played; the view says the same."""
    for memory in (1, 3):
        env = make(memory=memory)
        for _ in range(2):
            observations, infos = env.reset(seed=0)
            _check_seen(case, memory, [], observations, infos)
            joints = case.joints(6, seed=memory)
            for i, result in enumerate(played(env, joints), start=1):
                _check_seen(case, memory, joints[:i], result.observations, result.infos)


def _check_seen(case: Case, memory: int, joints: list[tuple[int, ...]], observations: Any, infos: Any) -> None:
    for player, agent in enumerate(observations):
        order = [player, *(other for other in range(case.n_players) if other != player)]
        window = [tuple(joint[seat] for seat in order) for joint in joints[-memory:]]
        expected = [[0.0] * (case.n_players * case.n_actions)] * (memory - len(window))
        for joint in window:
            expected.append([float(action == option) for action in joint for option in range(case.n_actions)])
        assert observations[agent].reshape(memory, -1).tolist() == expected
        view = infos[agent]["view"]
        assert (view.player, view.round, list(view.history)) == (player, len(joints), window)
        assert view.game.name == case.name


def rules_terminate_and_max_cycles_truncates(case: Case, make: Make) -> None:
    """All agents end at the expected step, with only one of the flags, and no step follows."""
    for options, steps, by_rules in [
        ({"rounds": 1}, 1, True),
        ({"rounds": 5}, 5, True),
        ({"rounds": 5, "max_cycles": 5}, 5, True),
        ({"rounds": 5, "max_cycles": 4}, 4, False),
        ({"max_cycles": 3}, 3, False),
        ({"continuation": 0.0}, 1, True),
        ({"rounds": 130}, 130, True),
        ({}, 100, False),
        ({"rounds": 5, "talk": 1}, 10, True),
        ({"rounds": 5, "talk": 1, "max_cycles": 3}, 3, False),
        ({"talk": 1}, 200, False),
    ]:
        env = make(**options)
        for seed in (0, None):
            env.reset(seed=seed)
            results = list(played(env, case.joints(250)))
            assert len(results) == steps, options
            flags = [{*zip(r.terminations.values(), r.truncations.values(), strict=True)} for r in results]
            assert flags == [{(False, False)}] * (steps - 1) + [{(by_rules, not by_rules)}], options
            with pytest.raises(GameError, match="reset"):
                env.step(dict.fromkeys(env.possible_agents, 0))


def the_continuation_has_its_probability(case: Case, make: Make) -> None:
    """With continuation .75 a match has 4 rounds on average (standard deviation sqrt(12)), and a quarter has one."""
    for talk in (0, 1):
        env = make(continuation=0.75, talk=talk)
        env.reset(seed=5)
        lengths = []
        for _ in range(400):
            env.reset()
            steps = len(list(played(env, [(0,) * case.n_players] * 500)))
            assert steps % (1 + talk) == 0
            lengths.append(steps // (1 + talk))
        assert np.mean(lengths) == pytest.approx(4, abs=4 * (12 / 400) ** 0.5)
        assert lengths.count(1) / 400 == pytest.approx(0.25, abs=4 * (0.1875 / 400) ** 0.5)


def noise_replaces_actions_once(case: Case, make: Make) -> None:
    """Actions are replaced at the announced rate, by each other action alike, one by one, and pay what was played."""
    env = make(noise=0.25, max_cycles=10**6)
    env.reset(seed=3)
    n = 6000 // case.n_players
    happened: list[int] = []
    for result in played(env, [(0,) * case.n_players] * n):
        joint = last_joint(case, result.observations["player_0"])
        assert list(result.rewards.values()) == pytest.approx(case.payoffs(joint))
        happened += joint
    share = np.bincount(happened, minlength=case.n_actions) / len(happened)
    expected = [0.75] + [0.25 / (case.n_actions - 1)] * (case.n_actions - 1)
    assert share == pytest.approx(expected, abs=4 * (0.25 * 0.75 / len(happened)) ** 0.5)
    trembled = np.reshape(happened, (-1, case.n_players)) > 0
    both = (trembled[:, 0] & trembled[:, 1]).mean()
    assert both == pytest.approx(0.0625, abs=4 * (0.0625 / len(trembled)) ** 0.5)


def a_seed_determines_the_match(case: Case, make: Make) -> None:
    """A seed determines the sequence of matches; without a seed the stream continues; numpy's global generator is
    not used."""
    before = str(np.random.get_state())
    joints = case.joints(40)
    first, second = make(noise=0.3, continuation=0.98), make(noise=0.3, continuation=0.98)
    runs = [[record(case, env, joints, seed) for seed in (0, None, None, 8)] for env in (first, second)]
    assert runs[0] == runs[1]
    assert all(one != other for i, one in enumerate(runs[0]) for other in runs[0][:i])
    assert record(case, first, joints, 0) == runs[0][0]
    assert str(np.random.get_state()) == before


def results_are_not_shared(case: Case, make: Make) -> None:
    """Who writes into what was given changes neither another agent's nor a later round's."""
    env = make(memory=2)
    observations, infos = env.reset(seed=0)
    everything, kept = [], []
    joints = [(0,) * case.n_players] * 5 + case.joints(5)
    for result in [SimpleNamespace(observations=observations, infos=infos), *played(env, joints)]:
        everything += [given for given in vars(result).values() if isinstance(given, dict)]
        everything += [*result.observations.values(), *result.infos.values()]
        kept.append((result.observations, {a: o.copy() for a, o in result.observations.items()}))
    assert len({id(thing) for thing in everything}) == len(everything)
    assert all((now[a] == then[a]).all() for now, then in kept for a in now)
    arrays = [observation for given, _ in kept for observation in given.values()]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    for array in arrays:
        array += 9
    for given in everything:
        if isinstance(given, dict):
            given.clear()
    observations, infos = env.reset(seed=0)
    assert all(observation.max() == 0 for observation in observations.values())
    infos["player_0"]["mine"] = True
    result = act(env, (0,) * case.n_players)
    assert all(set(info) == {"view"} for info in [infos["player_1"], *result.infos.values()])
    result.observations["player_0"] += 9
    again = make(memory=2)
    again.reset(seed=0)
    assert max(o.max() for o in act(again, (0,) * case.n_players).observations.values()) == 1
    with pytest.raises(AttributeError):
        result.infos["player_0"]["view"].round = 99
    assert not np.shares_memory(again.state(), again.state())
    again.agents.clear()
    assert len(again.possible_agents) == case.n_players


def masks_are_not_shared(case: Case, make: Make) -> None:
    """Nor are masks, between agents or rounds."""
    env = make(talk=1)
    _, infos = env.reset(seed=0)
    found = [infos, *(result.infos for result in played(env, case.joints(4)))]
    masks = [info["action_mask"] for given in found for info in given.values()]
    assert not any(np.shares_memory(mask, other) for i, mask in enumerate(masks) for other in masks[:i])


def copies_continue_the_match(case: Case, make: Make) -> None:
    """A deep copy and a pickle of a match under way play the rest of it alike, and alone."""
    env = make(noise=0.3, rounds=30, memory=2)
    env.reset(seed=11)
    joints = case.joints(30)
    for joint in joints[:12]:
        act(env, joint)
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    for joint in joints[12:]:
        here = act(env, joint)
        for other in copies:
            there = act(other, joint)
            assert there.rewards == here.rewards
            assert there.over == here.over
            assert there.infos == here.infos
            assert all((there.observations[a] == here.observations[a]).all() for a in here.observations)
    assert here.over


def illegal_actions_are_refused(case: Case, make: Make) -> None:
    """The message has the value, the player and the valid values; the match continues unchanged."""
    env, twin = make(noise=0.5), make(noise=0.5)
    with pytest.raises(GameError, match="reset"):
        env.step(dict.fromkeys(env.possible_agents, 0))
    env.reset(seed=2)
    twin.reset(seed=2)
    for action in (case.n_actions, -1, 0.5, 1.0, None, "C", np.array([0]), float("nan")):
        with pytest.raises(GameError) as error:
            act(env, (*[0] * (case.n_players - 1), action))
        for part in (repr(action), f"player_{case.n_players - 1}", f"0..{case.n_actions - 1}", case.name):
            assert part in str(error.value)
    with pytest.raises(GameError, match="player_1"):
        env.step({"player_0": 0})
    for joint in case.joints(5):
        here = act(env, tuple(np.int64(action) for action in joint))
        assert here.rewards == act(twin, joint).rewards


CLAUSES = (
    payoffs_equal_the_games,
    observations_lie_in_the_space,
    the_history_is_observed,
    rules_terminate_and_max_cycles_truncates,
    the_continuation_has_its_probability,
    noise_replaces_actions_once,
    a_seed_determines_the_match,
    results_are_not_shared,
    masks_are_not_shared,
    copies_continue_the_match,
    illegal_actions_are_refused,
)
"""The clauses of this module, in order."""
