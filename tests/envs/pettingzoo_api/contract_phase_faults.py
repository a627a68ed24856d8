"""Environments with one fault each in talk, sanctions, perception, random lengths or the clock."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from contract_cases import own_first
from contract_faults import Faulty, change_rules

from dilemmas.envs.pettingzoo_api.transition_cache import TransitionCache


class SignalsTremble(Faulty):
    phase = "talk"

    def choose(self, actions: Any) -> Any:
        phase = self.env.rules.phases[self.env._current.state.phase]
        if phase.name != self.phase or self.env._rng.random() >= self.env.rules.noise:
            return actions
        return {a: (action + 1) % phase.options[0] for a, action in actions.items()}


class SanctionsTremble(SignalsTremble):
    phase = "punish"


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
