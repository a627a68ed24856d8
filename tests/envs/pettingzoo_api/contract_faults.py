"""Environments with one fault each in payoffs, observations, endings, randomness, copies or errors."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
from pettingzoo.utils import BaseParallelWrapper

from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.pettingzoo_api.transition_cache import TransitionCache


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
        env = parallel("prisoners_dilemma", noise=0.3, rounds=30, memory=2, views=True)
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
