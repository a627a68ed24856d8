"""What an environment owes its users beyond PettingZoo's own tests, and proof that every clause can fail.

Payoffs, what is seen and when a match ends are worked out anew from the literature and the rules in words. At the
end faults are planted, most of which PettingZoo's tests let through; the clause named beside each must catch it.
"""

import copy
import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pettingzoo.utils import BaseParallelWrapper

from dilemmas.envs.checks import GameError
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.pettingzoo_api.transition_cache import TransitionCache

Make = Callable[..., Any]
"""Makes an environment from options."""


@dataclass(frozen=True)
class Case:
    """An environment and what is known of its game without asking dilemmas."""

    name: str
    payoffs: Callable[[tuple[int, ...]], tuple[float, ...]]
    n_players: int = 2
    n_actions: int = 2
    options: dict[str, Any] = field(default_factory=dict)

    def make(self, **options: Any) -> Any:
        return parallel(self.name, **self.options, **options)

    def joints(self, rounds: int, seed: int = 1) -> list[tuple[int, ...]]:
        """Random joint actions."""
        rng = random.Random(seed)
        return [tuple(rng.randrange(self.n_actions) for _ in range(self.n_players)) for _ in range(rounds)]


def pair(T: float, R: float, P: float, S: float) -> Callable[[tuple[int, ...]], tuple[float, ...]]:
    return lambda joint: {(0, 0): (R, R), (0, 1): (S, T), (1, 0): (T, S), (1, 1): (P, P)}[joint[0], joint[1]]


def commons(n: int, endowment: float, multiplier: float, levels: int) -> Callable[[tuple[int, ...]], tuple[float, ...]]:
    def payoffs(joint: tuple[int, ...]) -> tuple[float, ...]:
        given = [endowment * (levels - 1 - action) / (levels - 1) for action in joint]
        return tuple(endowment - own + multiplier * sum(given) / n for own in given)

    return payoffs


CASES = [
    Case("prisoners_dilemma", pair(5, 3, 1, 0)),
    Case("stag_hunt", pair(3, 4, 3, 0)),
    Case("snowdrift", pair(4, 3, 0, 2)),
    Case("harmony", pair(3, 5, 0, 1)),
    Case("matrix_game", pair(-1, 2.5, 0, 7), options={"T": -1, "R": 2.5, "P": 0, "S": 7}),
    Case("public_goods", commons(4, 20, 1.6, 2), n_players=4),
    Case("public_goods", commons(3, 6, 2, 4), 3, 4, {"n_players": 3, "endowment": 6, "multiplier": 2, "levels": 4}),
    Case("public_goods", commons(13, 1, 3, 2), 13, 2, {"n_players": 13, "endowment": 1, "multiplier": 3}),
]


def act(env: Any, joint: tuple[int, ...]) -> SimpleNamespace:
    """Play one round and name what comes back."""
    agents = list(env.agents)
    observations, rewards, terminations, truncations, infos = env.step(dict(zip(agents, joint, strict=True)))
    for given in (observations, rewards, terminations, truncations, infos):
        assert list(given) == agents, "every agent gets everything, in the order of the table"
    return SimpleNamespace(
        observations=observations,
        rewards=rewards,
        terminations=terminations,
        truncations=truncations,
        infos=infos,
        over=not env.agents,
    )


def played(env: Any, joints: list[tuple[int, ...]]) -> Iterator[SimpleNamespace]:
    """Rounds of one match until it ends or the joint actions do."""
    for joint in joints:
        result = act(env, joint)
        yield result
        if result.over:
            return


def last_joint(case: Case, observation: Any) -> tuple[int, ...]:
    """The last round as the first player's observation shows it."""
    rounds = np.asarray(observation).reshape(-1, case.n_players, case.n_actions)
    return tuple(int(action) for action in rounds[-1].argmax(axis=-1))


def record(case: Case, env: Any, joints: list[tuple[int, ...]], seed: int | None) -> list[Any]:
    """Everything that can be observed of a match, as plain data."""
    env.reset(seed=seed)
    return [
        [(r.observations[a].tolist(), r.rewards[a], r.terminations[a], r.truncations[a]) for a in r.observations]
        for r in played(env, joints)
    ]


# --- the clauses ---------------------------------------------------------------------------------------------------


def payoffs_are_the_games(case: Case, make: Make) -> None:
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


def the_past_is_seen(case: Case, make: Make) -> None:
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


def rules_terminate_and_the_clock_truncates(case: Case, make: Make) -> None:
    """At the announced step, never both flags, all agents at once, and nothing goes on after it."""
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


def chance_ends_as_often_as_announced(case: Case, make: Make) -> None:
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


def hands_tremble_once(case: Case, make: Make) -> None:
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


def a_seed_is_the_whole_of_chance(case: Case, make: Make) -> None:
    """One seed, one sequence of matches; without a seed it goes on; numpy's global generator is left alone."""
    before = str(np.random.get_state())
    joints = case.joints(40)
    first, second = make(noise=0.3, continuation=0.98), make(noise=0.3, continuation=0.98)
    runs = [[record(case, env, joints, seed) for seed in (0, None, None, 8)] for env in (first, second)]
    assert runs[0] == runs[1]
    assert all(one != other for i, one in enumerate(runs[0]) for other in runs[0][:i])
    assert record(case, first, joints, 0) == runs[0][0]
    assert str(np.random.get_state()) == before


def nothing_is_shared(case: Case, make: Make) -> None:
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


def no_mask_is_shared(case: Case, make: Make) -> None:
    """Nor are masks, between agents or rounds."""
    env = make(talk=1)
    _, infos = env.reset(seed=0)
    told = [infos, *(result.infos for result in played(env, case.joints(4)))]
    masks = [info["action_mask"] for given in told for info in given.values()]
    assert not any(np.shares_memory(mask, other) for i, mask in enumerate(masks) for other in masks[:i])


def copies_go_on_from_where_they_are(case: Case, make: Make) -> None:
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


def illegal_actions_are_told(case: Case, make: Make) -> None:
    """With the value, the player and what is allowed; the match then goes on as if nothing had been said."""
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


def own_first(joint: tuple[Any, ...], player: int) -> tuple[Any, ...]:
    return (joint[player], *joint[:player], *joint[player + 1 :])


def seen_views(infos: Any) -> list[Any]:
    return [info["view"] for info in infos.values()]


def actions_of_another_phase_count_as_nothing(case: Case, make: Make) -> None:
    """As silence, as the last action, as no points; and masks say what belongs to the phase that comes."""
    n, signals, sanctions = case.n_players, case.n_actions + 2, 2 ** (case.n_players - 1)
    env = make(talk=1, signals=signals, punishment=(1, 3), rounds=3)
    space = max(signals, sanctions)
    assert all(env.action_space(agent).n == space for agent in env.possible_agents)

    def belong(infos: Any, options: int) -> None:
        for info in infos.values():
            assert info["action_mask"].tolist() == [1] * options + [0] * (space - options)

    _, infos = env.reset(seed=0)
    for joint in case.joints(3):
        belong(infos, signals)
        talked = act(env, (space - 1 if space > signals else 0, *[1] * (n - 1)))
        assert talked.infos["player_0"]["view"].said == ((0, *[1] * (n - 1)),)
        belong(talked.infos, case.n_actions)
        acted = act(env, (case.n_actions, *joint[1:]))
        happened = (case.n_actions - 1, *joint[1:])
        assert list(acted.rewards.values()) == pytest.approx(case.payoffs(happened))
        assert [view.acted for view in seen_views(acted.infos)] == [own_first(happened, i) for i in range(n)]
        belong(acted.infos, sanctions)
        punished = act(env, (space - 1 if space > sanctions else 0, *[0] * (n - 1)))
        assert set(punished.rewards.values()) == {0}
        infos = punished.infos


def talk_costs_and_binds_nothing(case: Case, make: Make) -> None:
    """What is said is heard by all in the round, own signal first, and the payoffs are those of what is done."""
    env, rng = make(talk=2, rounds=6), random.Random(1)
    env.reset(seed=0)
    for joint in case.joints(6):
        heard: list[tuple[int, ...]] = []
        for _ in range(2):
            heard.append(tuple(rng.randrange(3) for _ in range(case.n_players)))
            talked = act(env, heard[-1])
            assert set(talked.rewards.values()) == {0}
            for player, view in enumerate(seen_views(talked.infos)):
                assert view.said == tuple(own_first(said, player) for said in heard)
        acted = act(env, joint)
        assert list(acted.rewards.values()) == pytest.approx(case.payoffs(joint))
        for player, view in enumerate(seen_views(acted.infos)):
            assert (view.said, view.history) == ((), (own_first(joint, player),))


def hands_tremble_in_acts_alone(case: Case, make: Make) -> None:
    """With noise 1 every action becomes another one, while signals and sanctions are as they were chosen."""
    n = case.n_players
    env = make(talk=1, punishment=(1, 3), noise=1.0, rounds=5)
    env.reset(seed=0)
    for joint in case.joints(5):
        said = tuple(action % 3 for action in joint)
        assert seen_views(act(env, said).infos)[0].said == (said,)
        happened = seen_views(act(env, joint).infos)[0].acted
        assert all(done != chosen for done, chosen in zip(happened, joint, strict=True))
        punished = act(env, (1, *[0] * (n - 1)))
        assert list(punished.rewards.values()) == [-1, -3, *[0] * (n - 2)]


def the_round_is_seen_in_numbers(case: Case, make: Make) -> None:
    """Behind the last round the step, signals, this round's actions, and sanctions (0.5 is none), own ones first."""
    n, options = case.n_players, case.n_actions
    env = make(talk=1, punishment=(1, 3), rounds=4)
    nothing, nobody = (-1,) * n, (0.0,) * n

    def check(observations: Any, past: Any, step: int, said: Any, acted: Any, sanctioned: Any) -> None:
        for player, vector in enumerate(observations.values()):
            parts = [(past, options), (said, 3), (acted, options)]
            seen = [[float(a == o) for a in own_first(part, player) for o in range(size)] for part, size in parts]
            points = [0.5 + 0.5 * taken / (3 * (n - 1)) for taken in own_first(sanctioned, player)]
            expected = [*seen[0], *np.eye(3)[step], *seen[1], *seen[2], *points]
            assert vector.tolist() == pytest.approx(expected)

    observations, _ = env.reset(seed=0)
    check(observations, nothing, 0, nothing, nothing, nobody)
    past, sanctioned = nothing, nobody
    for joint in case.joints(4):
        said = tuple(action % 3 for action in joint)
        check(act(env, said).observations, past, 1, said, nothing, sanctioned)
        check(act(env, joint).observations, joint, 2, said, joint, nobody)
        past, sanctioned = joint, (0.0, -3.0, *[0.0] * (n - 2))  # the first player punishes the second
        check(act(env, (1, *[0] * (n - 1))).observations, past, 0, nothing, nothing, sanctioned)


def sanctions_cost_who_gives_and_move_who_gets(case: Case, make: Make) -> None:
    """A point of punishment costs 1 and takes 3, one of reward costs 0.5 and gives 2; nobody else is touched."""
    n, most = case.n_players, 2 if case.n_players < 10 else 1
    env = make(punishment=(1, 3), reward=(0.5, 2), points=most, max_cycles=10**6)
    env.reset(seed=0)
    for giver, taker in product(range(n), repeat=2):
        if giver == taker:
            continue
        act(env, (0,) * n)
        place = taker - (taker > giver)
        joint = [0] * n
        joint[giver] = most * (most + 1) ** place
        for cost, effect, moved in ((1, -3, -3), (0.5, 2, -1)):
            result = act(env, tuple(joint))
            expected, total = [0.0] * n, [0.0] * n
            expected[giver], expected[taker], total[taker] = -cost * most, effect * most, moved * most
            assert list(result.rewards.values()) == expected
            for player, view in enumerate(seen_views(result.infos)):
                assert view.sanctioned == own_first(tuple(total), player)


def perception_errs_about_others_and_one_by_one(case: Case, make: Make) -> None:
    """At the announced rate, about nobody's own action, independently, and for good; payoffs and state do not err."""
    env = make(misperception=0.2, memory=2, max_cycles=10**6)
    env.reset(seed=4)
    n, rounds = case.n_players, 1200
    wrong = np.zeros((rounds, n, n), dtype=bool)
    known: list[tuple[Any, ...]] = [()] * n
    for i, joint in enumerate(case.joints(rounds)):
        result = act(env, joint)
        assert list(result.rewards.values()) == pytest.approx(case.payoffs(joint))
        assert last_joint(case, env.state()) == joint
        for player, view in enumerate(seen_views(result.infos)):
            assert view.history[:-1] == known[player]
            known[player] = view.history[-1:]
            perceived = np.array(view.history[-1])
            order = list(own_first(tuple(range(n)), player))
            wrong[i, player, order] = perceived != np.array(joint)[order]
    assert not wrong[:, range(n), range(n)].any()
    others = wrong[:, ~np.eye(n, dtype=bool)]
    assert others.mean() == pytest.approx(0.2, abs=4 * (0.16 / others.size) ** 0.5)
    both = (wrong[:, 0, 1] & wrong[:, 1, 0]).mean()
    assert both == pytest.approx(0.04, abs=4 * (0.04 / rounds) ** 0.5)


def an_unknown_horizon_is_told_to_nobody(case: Case, make: Make) -> None:
    """Every length between occurs, and until the end all matches look alike."""
    env = make(rounds=(2, 5))
    env.reset(seed=1)
    lengths, looks = set(), set()
    for _ in range(60):
        observations, infos = env.reset()
        looks.add((0, str(observations), str(infos)))
        results = list(played(env, [(0,) * case.n_players] * 9))
        looks |= {(i, str(r.observations), str(r.infos)) for i, r in enumerate(results, start=1)}
        lengths.add(len(results))
    assert lengths == {2, 3, 4, 5}
    assert len(looks) == 6


def a_clock_tells_what_is_left(case: Case, make: Make) -> None:
    """The last number is the share of the rounds that is left."""
    env = make(rounds=4, clock=True)
    seen = [env.reset(seed=0)[0], *(result.observations for result in played(env, case.joints(4)))]
    assert [{float(vector[-1]) for vector in given.values()} for given in seen] == [{1}, {0.75}, {0.5}, {0.25}, {0}]


CLAUSES = [
    payoffs_are_the_games,
    observations_lie_in_the_space,
    the_past_is_seen,
    rules_terminate_and_the_clock_truncates,
    chance_ends_as_often_as_announced,
    hands_tremble_once,
    a_seed_is_the_whole_of_chance,
    nothing_is_shared,
    no_mask_is_shared,
    copies_go_on_from_where_they_are,
    illegal_actions_are_told,
    actions_of_another_phase_count_as_nothing,
    talk_costs_and_binds_nothing,
    hands_tremble_in_acts_alone,
    the_round_is_seen_in_numbers,
    sanctions_cost_who_gives_and_move_who_gets,
    perception_errs_about_others_and_one_by_one,
    an_unknown_horizon_is_told_to_nobody,
    a_clock_tells_what_is_left,
]


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.n_players}-{case.n_actions}")
def test_contract(case: Case, clause: Callable[[Case, Make], None]) -> None:
    clause(case, case.make)


# --- the faults ----------------------------------------------------------------------------------------------------


class Faulty(BaseParallelWrapper):  # type: ignore[misc]
    """An environment as it should be, to be spoilt in one respect."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.spoil()

    def spoil(self) -> None:
        """Done once, to a new environment."""

    def step(self, actions: Any) -> Any:
        return self.change(*self.env.step(self.choose(actions)))

    def choose(self, actions: Any) -> Any:
        return actions

    def change(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> Any:
        return observations, rewards, terminations, truncations, infos


def change_rules(env: Any, **options: Any) -> None:
    """Give an environment other rules behind its back."""
    env.rules = replace(env.rules, **options)
    env._cache = TransitionCache(env.rules, env.possible_agents)


class WrongPayoff(Faulty):
    def change(self, observations: Any, rewards: Any, *rest: Any) -> Any:
        return observations, {**rewards, "player_0": rewards["player_0"] + 1}, *rest


class SwappedRewards(Faulty):
    def change(self, observations: Any, rewards: Any, *rest: Any) -> Any:
        return observations, dict(zip(rewards, reversed(rewards.values()), strict=True)), *rest


class RewardOfTheIntendedAction(Faulty):
    def choose(self, actions: Any) -> Any:
        self.intended = self.env.rules.stage.payoffs(tuple(actions.values()))
        return actions

    def change(self, observations: Any, rewards: Any, *rest: Any) -> Any:
        return observations, dict(zip(rewards, self.intended, strict=True)), *rest


class NothingInTheLastRound(Faulty):
    def change(self, observations: Any, rewards: Any, terminations: Any, *rest: Any) -> Any:
        return observations, {a: 0.0 if terminations[a] else r for a, r in rewards.items()}, terminations, *rest


class ReseedsAtReset(Faulty):
    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        return self.env.reset(seed=0 if seed is None else seed)


class SeedZeroIsNone(Faulty):
    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        return self.env.reset(seed=seed or None)


class SeedsOnlyTheFirstStep(Faulty):
    def choose(self, actions: Any) -> Any:
        if self.env._steps:
            self.env._rng = np.random.default_rng()
        return actions


class UsesTheGlobalGenerator(Faulty):
    def choose(self, actions: Any) -> Any:
        np.random.random()
        return actions


class NoiseTwice(Faulty):
    def choose(self, actions: Any) -> Any:
        rng, noise = self.env._rng, self.env.rules.noise
        return {a: 1 - action if rng.random() < noise else action for a, action in actions.items()}


class NoNoise(Faulty):
    def spoil(self) -> None:
        change_rules(self.env, noise=0.0)


class AllTrembleTogether(Faulty):
    def spoil(self) -> None:
        self.noise = self.env.rules.noise
        change_rules(self.env, noise=0.0)

    def choose(self, actions: Any) -> Any:
        tremble = self.env._rng.random() < self.noise
        return {a: 1 - action if tremble else action for a, action in actions.items()}


class SignalsTremble(Faulty):
    phase = "talk"

    def choose(self, actions: Any) -> Any:
        phase = self.env.rules.phases[self.env._current.state.phase]
        if phase.name != self.phase or self.env._rng.random() >= self.env.rules.noise:
            return actions
        return {a: (action + 1) % phase.options[0] for a, action in actions.items()}


class SanctionsTremble(SignalsTremble):
    phase = "punish"


class SharedInfos(Faulty):
    def change(self, *given: Any) -> Any:
        return *given[:-1], dict.fromkeys(given[-1], next(iter(given[-1].values())))


class OneDictionaryForEver(Faulty):
    infos: dict[str, Any] = {}  # noqa: RUF012

    def change(self, *given: Any) -> Any:
        self.infos.update(given[-1])
        return *given[:-1], self.infos


class RewardsOfTheCache(Faulty):
    def step(self, actions: Any) -> Any:
        steps = self.env._current.after
        observations, rewards, *rest = self.env.step(actions)
        kept = steps.get(bytes(actions.values()))
        return observations, kept[1] if kept else rewards, *rest


class OneDictionaryOfFlags(Faulty):
    def change(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> Any:
        same = terminations == truncations
        return observations, rewards, terminations, terminations if same else truncations, infos


class AgentsAreThePossibleOnes(Faulty):
    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        seen = self.env.reset(seed=seed)
        self.env.agents = self.env.possible_agents
        return seen


class OneState(Faulty):
    def spoil(self) -> None:
        self.kept = self.env.state()

    def state(self) -> Any:
        self.kept[:] = self.env.state()
        return self.kept


class SharedMasks(Faulty):
    def change(self, *given: Any) -> Any:
        masks = self.env._masks[self.env._current.state.phase] if self.env._masks else {}
        return *given[:-1], {a: {**info, "action_mask": masks.get(a)} for a, info in given[-1].items()}


class BothFlags(Faulty):
    def change(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> Any:
        return observations, rewards, terminations, {a: truncations[a] or terminations[a] for a in truncations}, infos


class ClockTerminates(Faulty):
    def change(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> Any:
        over = {a: truncations[a] or terminations[a] for a in truncations}
        return observations, rewards, over, dict.fromkeys(over, False), infos


class NeverEnds(Faulty):
    def spoil(self) -> None:
        self.env.max_cycles = None
        change_rules(self.env, rounds=None)


class ClockOneLate(Faulty):
    def spoil(self) -> None:
        if self.env.max_cycles is not None:
            self.env.max_cycles += 1


class ClockCountsRounds(Faulty):
    def spoil(self) -> None:
        if self.env.max_cycles is not None and not self.env.rules.endless:
            self.env.max_cycles *= len(self.env.rules.phases)


class OneAgentEndsFirst(Faulty):
    def change(self, observations: Any, rewards: Any, terminations: Any, *rest: Any) -> Any:
        early = self.env.rules.rounds is not None and self.env._steps == self.env.rules.rounds - 1
        return observations, rewards, {**terminations, "player_0": early or terminations["player_0"]}, *rest


class EndsTooRarely(Faulty):
    def spoil(self) -> None:
        change_rules(self.env, continuation=self.env.rules.continuation**0.5)


class ChanceIsTheMean(Faulty):
    """As many rounds as there would be on average, always."""

    def spoil(self) -> None:
        if 0 < self.env.rules.continuation < 1:
            change_rules(self.env, continuation=1.0, rounds=round(1 / (1 - self.env.rules.continuation)))


class ChanceInEveryPhase(Faulty):
    def spoil(self) -> None:
        change_rules(self.env, continuation=self.env.rules.continuation ** len(self.env.rules.phases))


class AliasedObservations(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        if not hasattr(self, "buffers"):
            self.buffers = {a: observation.copy() for a, observation in observations.items()}
        for agent, observation in observations.items():
            self.buffers[agent][:] = observation
        return self.buffers, *rest


class ObservationsOfTheCache(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        return {agent: vector for agent, _, vector in self.env._current.seen}, *rest


class ObservationsOutsideTheSpace(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        return {a: 2 * observation for a, observation in observations.items()}, *rest


class ObservationsOfAnotherType(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        return {a: observation.astype(np.float64) for a, observation in observations.items()}, *rest


class NewSpaces(Faulty):
    def observation_space(self, agent: str) -> Any:
        return copy.deepcopy(self.env.observation_space(agent))


class EverybodySeesTheSame(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        return {a: observations["player_0"].copy() for a in observations}, *rest


class OldMatchAtReset(Faulty):
    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        old = self.env.state()
        observations, infos = self.env.reset(seed=seed)
        return {a: old.copy() for a in observations}, infos


class StaleViews(Faulty):
    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        observations, self.first = self.env.reset(seed=seed)
        return observations, self.first

    def change(self, *given: Any) -> Any:
        return *given[:-1], {a: dict(self.first[a]) for a in given[-1]}


class CopiesBeginAnew(Faulty):
    def __reduce__(self) -> Any:
        env = parallel("prisoners_dilemma", noise=0.3, rounds=30, memory=2)
        env.reset(seed=11)
        return CopiesBeginAnew, (env,)


class CopiesForgetTheGenerator(Faulty):
    def __deepcopy__(self, memo: Any) -> Any:
        env = copy.copy(self.env)
        env._rng = np.random.default_rng(0)
        return env


class ClipsActions(Faulty):
    def choose(self, actions: Any) -> Any:
        return {a: min(max(int(action or 0), 0), 1) for a, action in actions.items() if action != "C"}


class MaskIgnored(Faulty):
    """A signal acts."""

    def choose(self, actions: Any) -> Any:
        phase = self.env.rules.phases[self.env._current.state.phase]
        return {a: action % options for (a, action), options in zip(actions.items(), phase.options, strict=True)}


class StaleMasks(Faulty):
    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        observations, self.infos = self.env.reset(seed=seed)
        return observations, self.infos

    def change(self, *given: Any) -> Any:
        masks = {
            a: {"action_mask": self.infos[a]["action_mask"]} if self.infos[a].keys() > {"view"} else {}
            for a in given[-1]
        }
        return *given[:-1], {a: {**info, **masks[a]} for a, info in given[-1].items()}


class TalkCosts(Faulty):
    def choose(self, actions: Any) -> Any:
        talking = self.env.rules.phases[self.env._current.state.phase].name == "talk"
        self.costs = {a: 0.1 * bool(action) * talking for a, action in actions.items()}
        return actions

    def change(self, observations: Any, rewards: Any, *rest: Any) -> Any:
        return observations, {a: reward - self.costs[a] for a, reward in rewards.items()}, *rest


class TalkBinds(Faulty):
    """Who has said 1 does 1."""

    def choose(self, actions: Any) -> Any:
        state = self.env._current.state
        if not state.said or self.env.rules.phases[state.phase].name != "act":
            return actions
        return {a: said if said == 1 else actions[a] for a, said in zip(actions, state.said[-1], strict=True)}


def change_views(infos: Any, **changed: Callable[[Any], Any]) -> Any:
    """Infos whose views have other fields."""
    return {
        a: {**info, "view": info["view"]._replace(**{name: new(info["view"]) for name, new in changed.items()})}
        for a, info in infos.items()
    }


class HeardTheOtherWayRound(Faulty):
    def change(self, *given: Any) -> Any:
        return *given[:-1], change_views(given[-1], said=lambda view: tuple(said[::-1] for said in view.said))


class DeafToTheFirstTurn(Faulty):
    def change(self, *given: Any) -> Any:
        return *given[:-1], change_views(given[-1], said=lambda view: view.said[-1:])


class BlankPart(Faulty):
    """A part of the vectors is left out."""

    part = "phase"

    def change(self, observations: Any, *rest: Any) -> Any:
        for vector in observations.values():
            vector[self.env.rules.layout.places[self.part]] = 0.5 * (self.part == "sanctioned")
        return observations, *rest


class DeafInNumbers(BlankPart):
    part = "said"


class BlindToTheRoundInNumbers(BlankPart):
    part = "acted"


class SanctionsNotInNumbers(BlankPart):
    part = "sanctioned"


class SanctionsPaidByTheWrongPlayer(Faulty):
    def change(self, observations: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any) -> Any:
        if self.env._current.state.phase != 1:  # once sanctions have been given
            rewards = dict(zip(rewards, [*rewards.values()][::-1], strict=True))
        return observations, rewards, terminations, truncations, infos


class SanctionsForFree(Faulty):
    def spoil(self) -> None:
        if self.env.rules.punishment:
            change_rules(self.env, punishment=replace(self.env.rules.punishment, cost=0))


class RewardThatPunishes(Faulty):
    def change(self, observations: Any, rewards: Any, *rest: Any) -> Any:
        if self.env._current.state.phase == 0:  # rewards come last
            rewards = {agent: -abs(reward) for agent, reward in rewards.items()}
        return observations, rewards, *rest


class SanctionsForgotten(Faulty):
    def change(self, *given: Any) -> Any:
        return *given[:-1], change_views(given[-1], sanctioned=lambda view: None)


def change_perception(env: Any, meet: Callable[[Any, Any, Any], Any]) -> None:
    """Give an environment rules that perceive otherwise."""
    spoilt = type("Spoilt", (type(env.rules),), {"_meet": meet})
    env.rules = spoilt(**{option.name: getattr(env.rules, option.name) for option in fields(env.rules)})
    env._cache = TransitionCache(env.rules, env.possible_agents)


class MistakesAboutOneself(Faulty):
    def spoil(self) -> None:
        def meet(rules: Any, joint: Any, rng: Any) -> Any:
            n, chance = rules.n_players, rules.misperception
            errors = rng.random((n, n))
            perceived = [[rules._swapped(joint[j], j, errors[i][j], chance) for j in range(n)] for i in range(n)]
            return rules.stage.payoffs(joint), list(map(tuple, perceived))

        change_perception(self.env, meet)


class SharedErrors(Faulty):
    """All are mistaken in the same rounds."""

    def spoil(self) -> None:
        def meet(rules: Any, joint: Any, rng: Any) -> Any:
            error, every = rng.random(), range(rules.n_players)
            wrong = [rules._swapped(joint[j], j, error, rules.misperception) for j in every]
            return rules.stage.payoffs(joint), [tuple(joint[j] if j == i else wrong[j] for j in every) for i in every]

        change_perception(self.env, meet)


class ErrorsAreForgotten(Faulty):
    """Who was mistaken knows better a round later."""

    def change(self, *given: Any) -> Any:
        def history(view: Any) -> Any:
            happened = tuple(own_first(joint, view.player) for joint in self.env._current.state.history)
            return (*happened[:-1], *view.history[-1:])

        return *given[:-1], change_views(given[-1], history=history)


class PayoffsOfWhatIsPerceived(Faulty):
    def spoil(self) -> None:
        honest = type(self.env.rules)._meet

        def meet(rules: Any, joint: Any, rng: Any) -> Any:
            payoffs, perceived = honest(rules, joint, rng)
            return (rules.stage.payoffs(perceived[0]) if perceived else payoffs), perceived

        change_perception(self.env, meet)


class StateOfOneWhoErrs(Faulty):
    def state(self) -> Any:
        return self.env._current.seen[0][2].copy()


class HorizonInTheViews(Faulty):
    def change(self, *given: Any) -> Any:
        return *given[:-1], change_views(given[-1], rounds=lambda view: self.env._current.state.length)


class HorizonInTheNumbers(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        length = self.env._current.state.length or 0
        return {a: observation + np.float32(length / 1000) for a, observation in observations.items()}, *rest


class HorizonIsTheLongest(Faulty):
    def spoil(self) -> None:
        if isinstance(self.env.rules.rounds, tuple):
            change_rules(self.env, rounds=self.env.rules.rounds[1])


class LongestIsNeverReached(Faulty):
    def spoil(self) -> None:
        if isinstance(self.env.rules.rounds, tuple):
            shortest, longest = self.env.rules.rounds
            change_rules(self.env, rounds=(shortest, longest - 1))


class ClockCountsUp(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        return {a: np.append(vector[:-1], 1 - vector[-1]) for a, vector in observations.items()}, *rest


FAULTS = {
    WrongPayoff: payoffs_are_the_games,
    SwappedRewards: payoffs_are_the_games,
    NothingInTheLastRound: payoffs_are_the_games,
    RewardOfTheIntendedAction: hands_tremble_once,
    NoiseTwice: hands_tremble_once,
    NoNoise: hands_tremble_once,
    AllTrembleTogether: hands_tremble_once,
    SignalsTremble: hands_tremble_in_acts_alone,
    SanctionsTremble: hands_tremble_in_acts_alone,
    ReseedsAtReset: a_seed_is_the_whole_of_chance,
    SeedZeroIsNone: a_seed_is_the_whole_of_chance,
    SeedsOnlyTheFirstStep: a_seed_is_the_whole_of_chance,
    UsesTheGlobalGenerator: a_seed_is_the_whole_of_chance,
    SharedInfos: nothing_is_shared,
    OneDictionaryForEver: nothing_is_shared,
    AliasedObservations: nothing_is_shared,
    ObservationsOfTheCache: nothing_is_shared,
    RewardsOfTheCache: nothing_is_shared,
    OneDictionaryOfFlags: nothing_is_shared,
    AgentsAreThePossibleOnes: nothing_is_shared,
    OneState: nothing_is_shared,
    SharedMasks: no_mask_is_shared,
    BothFlags: rules_terminate_and_the_clock_truncates,
    ClockTerminates: rules_terminate_and_the_clock_truncates,
    NeverEnds: rules_terminate_and_the_clock_truncates,
    ClockOneLate: rules_terminate_and_the_clock_truncates,
    ClockCountsRounds: rules_terminate_and_the_clock_truncates,
    OneAgentEndsFirst: rules_terminate_and_the_clock_truncates,
    EndsTooRarely: chance_ends_as_often_as_announced,
    ChanceIsTheMean: chance_ends_as_often_as_announced,
    ChanceInEveryPhase: chance_ends_as_often_as_announced,
    ObservationsOutsideTheSpace: observations_lie_in_the_space,
    ObservationsOfAnotherType: observations_lie_in_the_space,
    NewSpaces: observations_lie_in_the_space,
    EverybodySeesTheSame: the_past_is_seen,
    OldMatchAtReset: the_past_is_seen,
    StaleViews: the_past_is_seen,
    CopiesBeginAnew: copies_go_on_from_where_they_are,
    CopiesForgetTheGenerator: copies_go_on_from_where_they_are,
    ClipsActions: illegal_actions_are_told,
    MaskIgnored: actions_of_another_phase_count_as_nothing,
    StaleMasks: actions_of_another_phase_count_as_nothing,
    TalkCosts: talk_costs_and_binds_nothing,
    TalkBinds: talk_costs_and_binds_nothing,
    HeardTheOtherWayRound: talk_costs_and_binds_nothing,
    DeafToTheFirstTurn: talk_costs_and_binds_nothing,
    BlankPart: the_round_is_seen_in_numbers,
    DeafInNumbers: the_round_is_seen_in_numbers,
    BlindToTheRoundInNumbers: the_round_is_seen_in_numbers,
    SanctionsNotInNumbers: the_round_is_seen_in_numbers,
    SanctionsPaidByTheWrongPlayer: sanctions_cost_who_gives_and_move_who_gets,
    SanctionsForFree: sanctions_cost_who_gives_and_move_who_gets,
    RewardThatPunishes: sanctions_cost_who_gives_and_move_who_gets,
    SanctionsForgotten: sanctions_cost_who_gives_and_move_who_gets,
    MistakesAboutOneself: perception_errs_about_others_and_one_by_one,
    SharedErrors: perception_errs_about_others_and_one_by_one,
    ErrorsAreForgotten: perception_errs_about_others_and_one_by_one,
    PayoffsOfWhatIsPerceived: perception_errs_about_others_and_one_by_one,
    StateOfOneWhoErrs: perception_errs_about_others_and_one_by_one,
    HorizonInTheViews: an_unknown_horizon_is_told_to_nobody,
    HorizonInTheNumbers: an_unknown_horizon_is_told_to_nobody,
    HorizonIsTheLongest: an_unknown_horizon_is_told_to_nobody,
    LongestIsNeverReached: an_unknown_horizon_is_told_to_nobody,
    ClockCountsUp: a_clock_tells_what_is_left,
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_caught(fault: type[Faulty]) -> None:
    case = CASES[0]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        FAULTS[fault](case, lambda **options: fault(case.make(**options)))


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_clause_accepts_a_wrapper_that_changes_nothing(clause: Callable[[Case, Make], None]) -> None:
    """So a fault is caught for what it does, and not for being a wrapper."""
    case = CASES[0]
    clause(case, lambda **options: Faulty(case.make(**options)))


def test_every_clause_catches_a_fault() -> None:
    assert set(FAULTS.values()) == set(CLAUSES)
