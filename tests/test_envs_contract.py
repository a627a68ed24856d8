"""What an environment owes its users beyond PettingZoo's own tests, and proof that every clause can fail.

Payoffs, what is seen and when a match ends are worked out anew from the literature and the rules in words. At the
end faults are planted, most of which PettingZoo's tests let through; the clause named beside each must catch it.
"""

import copy
import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pettingzoo.utils import BaseParallelWrapper

from understudy.envs.matrix_games import GameError
from understudy.envs.parallel_env import parallel
from understudy.envs.rules import Repeated

Make = Callable[..., Any]
"""Makes an environment from options."""


@dataclass(frozen=True)
class Case:
    """An environment and what is known of its game without asking understudy."""

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
    """At the announced round, never both flags, all agents at once, and nothing goes on after it."""
    for options, rounds, by_rules in [
        ({"rounds": 1}, 1, True),
        ({"rounds": 5}, 5, True),
        ({"rounds": 5, "max_cycles": 5}, 5, True),
        ({"rounds": 5, "max_cycles": 4}, 4, False),
        ({"max_cycles": 3}, 3, False),
        ({"continuation": 0.0}, 1, True),
        ({"rounds": 130}, 130, True),
        ({}, 100, False),
    ]:
        env = make(**options)
        for seed in (0, None):
            env.reset(seed=seed)
            results = list(played(env, case.joints(150)))
            assert len(results) == rounds, options
            flags = [{*zip(r.terminations.values(), r.truncations.values(), strict=True)} for r in results]
            assert flags == [{(False, False)}] * (rounds - 1) + [{(by_rules, not by_rules)}], options
            with pytest.raises(GameError, match="reset"):
                env.step(dict.fromkeys(env.possible_agents, 0))


def chance_ends_as_often_as_announced(case: Case, make: Make) -> None:
    """With continuation .75 a match has 4 rounds on average (standard deviation sqrt(12))."""
    env = make(continuation=0.75)
    env.reset(seed=5)
    lengths = []
    for _ in range(400):
        env.reset()
        lengths.append(len(list(played(env, [(0,) * case.n_players] * 500))))
    assert np.mean(lengths) == pytest.approx(4, abs=4 * (12 / 400) ** 0.5)


def hands_tremble_once(case: Case, make: Make) -> None:
    """Actions are replaced at the announced rate, by each other action alike, and pay what was then played."""
    env = make(noise=0.25, max_cycles=10**6)
    env.reset(seed=3)
    n = 6000 // case.n_players
    happened = []
    for result in played(env, [(0,) * case.n_players] * n):
        joint = last_joint(case, result.observations["player_0"])
        assert list(result.rewards.values()) == pytest.approx(case.payoffs(joint))
        happened += joint
    share = np.bincount(happened, minlength=case.n_actions) / len(happened)
    expected = [0.75] + [0.25 / (case.n_actions - 1)] * (case.n_actions - 1)
    assert share == pytest.approx(expected, abs=4 * (0.25 * 0.75 / len(happened)) ** 0.5)


def a_seed_is_the_whole_of_chance(case: Case, make: Make) -> None:
    """One seed, one sequence of matches; without a seed it goes on; numpy's global generator is left alone."""
    before = str(np.random.get_state())
    joints = case.joints(40)
    first, second = make(noise=0.3, continuation=0.98), make(noise=0.3, continuation=0.98)
    runs = [[record(case, env, joints, seed) for seed in (7, None, None, 8)] for env in (first, second)]
    assert runs[0] == runs[1]
    assert all(one != other for i, one in enumerate(runs[0]) for other in runs[0][:i])
    assert record(case, first, joints, 7) == runs[0][0]
    assert str(np.random.get_state()) == before


def nothing_is_shared(case: Case, make: Make) -> None:
    """Who writes into what was given changes neither another agent's nor a later round's."""
    env = make(memory=2)
    observations, infos = env.reset(seed=0)
    everything, kept = [], []
    joints = [(0,) * case.n_players] * 5 + case.joints(5)
    for result in [SimpleNamespace(observations=observations, infos=infos), *played(env, joints)]:
        everything += [*result.observations.values(), *result.infos.values(), result.infos]
        kept.append((result.observations, {a: o.copy() for a, o in result.observations.items()}))
    assert len({id(thing) for thing in everything}) == len(everything)
    assert all((now[a] == then[a]).all() for now, then in kept for a in now)
    arrays = [observation for given, _ in kept for observation in given.values()]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    for array in arrays:
        array += 9
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


CLAUSES = [
    payoffs_are_the_games,
    observations_lie_in_the_space,
    the_past_is_seen,
    rules_terminate_and_the_clock_truncates,
    chance_ends_as_often_as_announced,
    hands_tremble_once,
    a_seed_is_the_whole_of_chance,
    nothing_is_shared,
    copies_go_on_from_where_they_are,
    illegal_actions_are_told,
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


class ReseedsAtReset(Faulty):
    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        return self.env.reset(seed=0 if seed is None else seed)


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
        rules, rng = self.env.rules, self.env._rng
        return {a: rules._tremble(action, rng) for a, action in actions.items()}


class NoNoise(Faulty):
    def spoil(self) -> None:
        rules = self.env.rules
        self.env.rules = Repeated(rules.stage, rules.rounds, rules.continuation, 0.0, rules.memory)


class SharedInfos(Faulty):
    def change(self, *given: Any) -> Any:
        return *given[:-1], dict.fromkeys(given[-1], next(iter(given[-1].values())))


class OneDictionaryForEver(Faulty):
    infos: dict[str, Any] = {}  # noqa: RUF012

    def change(self, *given: Any) -> Any:
        self.infos.update(given[-1])
        return *given[:-1], self.infos


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
        self.env.rules = Repeated(self.env.rules.stage, None, memory=self.env.rules.memory)


class ClockOneLate(Faulty):
    def spoil(self) -> None:
        if self.env.max_cycles is not None:
            self.env.max_cycles += 1


class OneAgentEndsFirst(Faulty):
    def change(self, observations: Any, rewards: Any, terminations: Any, *rest: Any) -> Any:
        early = self.env.rules.rounds is not None and self.env._steps == self.env.rules.rounds - 1
        return observations, rewards, {**terminations, "player_0": early or terminations["player_0"]}, *rest


class EndsTooRarely(Faulty):
    def spoil(self) -> None:
        rules = self.env.rules
        self.env.rules = Repeated(rules.stage, rules.rounds, rules.continuation**0.5, rules.noise, rules.memory)


class AliasedObservations(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        if not hasattr(self, "buffers"):
            self.buffers = {a: observation.copy() for a, observation in observations.items()}
        for agent, observation in observations.items():
            self.buffers[agent][:] = observation
        return self.buffers, *rest


class ObservationsOfTheCache(Faulty):
    def change(self, observations: Any, *rest: Any) -> Any:
        seen = self.env._sight(self.env._state)
        return {a: one.vector for a, one in zip(observations, seen, strict=True)}, *rest


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


FAULTS = {
    WrongPayoff: payoffs_are_the_games,
    SwappedRewards: payoffs_are_the_games,
    RewardOfTheIntendedAction: hands_tremble_once,
    NoiseTwice: hands_tremble_once,
    NoNoise: hands_tremble_once,
    ReseedsAtReset: a_seed_is_the_whole_of_chance,
    SeedsOnlyTheFirstStep: a_seed_is_the_whole_of_chance,
    UsesTheGlobalGenerator: a_seed_is_the_whole_of_chance,
    SharedInfos: nothing_is_shared,
    OneDictionaryForEver: nothing_is_shared,
    AliasedObservations: nothing_is_shared,
    ObservationsOfTheCache: nothing_is_shared,
    BothFlags: rules_terminate_and_the_clock_truncates,
    ClockTerminates: rules_terminate_and_the_clock_truncates,
    NeverEnds: rules_terminate_and_the_clock_truncates,
    ClockOneLate: rules_terminate_and_the_clock_truncates,
    OneAgentEndsFirst: rules_terminate_and_the_clock_truncates,
    EndsTooRarely: chance_ends_as_often_as_announced,
    ObservationsOutsideTheSpace: observations_lie_in_the_space,
    ObservationsOfAnotherType: observations_lie_in_the_space,
    NewSpaces: observations_lie_in_the_space,
    EverybodySeesTheSame: the_past_is_seen,
    OldMatchAtReset: the_past_is_seen,
    StaleViews: the_past_is_seen,
    CopiesBeginAnew: copies_go_on_from_where_they_are,
    CopiesForgetTheGenerator: copies_go_on_from_where_they_are,
    ClipsActions: illegal_actions_are_told,
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
