"""Sampled matches in PettingZoo environments, of agents of any kind under any rules.

The matches of a group are a run of
`dilemmas.agents.matches.match.run_matches`
with its own seed, so they do not depend
on other groups. They are played side by side, as far as memory allows: an agent is called once per step for all.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Agent, View
from dilemmas.agents.engines.requirements import MOST_RECORDED, record_bytes, require
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.matches.match import Environment, failure_of, run_matches
from dilemmas.agents.matches.record import MatchRecord, Move, Reason
from dilemmas.envs.games.stage_game import Joint
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma, show_views
from dilemmas.envs.rules.repeated import Repeated

Listener = Callable[[int, MatchRecord], None]
"""Called with every match when it has ended: the index of its key and the record."""


def play_in_environment(
    rules: Repeated, group: Sequence[Agent], keys: NDArray[np.uint64], record: Listener | None = None
) -> Tally:
    """Play the matches of a group of agents.

    An action counts as cooperation if it is at least half as cooperative as the most cooperative one. In a population
    the outcome of a round includes all other players, met or not. Payoffs are those of all phases of a round. The
    rounds of a match that an unreadable reply ended early are counted, with a warning.

    Parameters
    ----------
    rules
        Rules of the matches.
    group
        Agents by seat.
    keys
        One key per match, shape (matches,). The first is the seed of the run, from which records can be replayed.
    record
        Called with every match.

    Raises
    ------
    EngineError
        If the matches have no end or nothing is observed.
    AgentError
        If an agent failed in a match, after all others have been played.
    """
    require("environment", rules, [group])
    n, name = rules.n_players, f"{rules.stage.name}_v0"
    whole = [needs_more(agent, rules.memory) for agent in group]
    count = len(keys)
    tally = Tally(
        np.zeros(count), np.zeros((count, n)), np.zeros((count, n, 1 + 2 * n, 2)), np.zeros((count, n, 2 * n))
    )
    aborted, failed = 0, []
    make_env = lambda: Remembered(SocialDilemma(rules, name), whole)  # noqa: E731
    at_once = max(1, int(MOST_RECORDED / record_bytes(rules)))
    parts = (
        run_matches(make_env, group, min(at_once, count - first), int(keys[0]), first)
        for first in range(0, count, at_once)
    )
    for place, match in enumerate(chain.from_iterable(parts)):
        if record is not None:
            record(place, match)
        _count(rules, match, tally, place)
        aborted += match.outcome.reason is Reason.ABORTED
        failed += [match] * (match.outcome.reason is Reason.FAILED)
    if failed:
        raise failure_of(failed)
    if aborted:
        names = ", ".join(agent.name for agent in group)
        warnings.warn(f"{names}: {aborted} of {count} matches were aborted by an unreadable reply", stacklevel=2)
    return replace(tally, aborted=aborted)


def needs_more(agent: Agent, memory: int) -> bool:
    """Whether an agent needs more rounds than the rules let it observe."""
    lookback = agent.traits.lookback
    return lookback is None or lookback > memory


def _count(rules: Repeated, match: MatchRecord, tally: Tally, place: int) -> None:
    """Enter a match into the row `place` of the tally."""
    n, phases = rules.n_players, [phase.name for phase in rules.phases]
    rounds = [step for step in match.steps[phases.index("act") :: len(phases)] if step[0].reward is not None]
    own = np.array([_defected(rules, step) for step in rounds], dtype=np.int64).reshape(-1, n)
    saw = own * n + own.sum(axis=1, keepdims=True) - own
    before = np.concatenate([np.zeros((1, n), dtype=np.int64), 1 + saw])[:-1] if len(saw) else saw
    seats = np.arange(n)
    tally.rounds[place] = len(rounds)
    tally.payoffs[place] = list(match.outcome.totals.values())
    np.add.at(tally.moves[place], (seats, before, own), 1.0)
    np.add.at(tally.outcomes[place], (seats, saw), 1.0)


def _defected(rules: Repeated, moves: Sequence[Move]) -> list[bool]:
    """Whether each player defected in a round, by seat."""
    alike = rules.population is not None
    return [rules.stage.cooperation(move.played, None if alike else seat) < 0.5 for seat, move in enumerate(moves)]


class Remembered:
    """An environment of dilemmas in which some players observe their whole history."""

    def __init__(self, env: Environment, whole: Sequence[bool]) -> None:
        """`whole`: whether each player does, by seat."""
        show_views(env)
        self._env = env
        self.possible_agents: list[Any] = env.possible_agents
        self.agents: list[Any] = []
        self._whole = [player for player, all_of_it in zip(self.possible_agents, whole, strict=True) if all_of_it]
        self._past: dict[str, tuple[Joint, ...]] = {}
        self._phase = ""

    def reset(self, seed: int | None = None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        observations, infos = self._env.reset(seed=seed)
        self.agents = self._env.agents
        self._past = dict.fromkeys(self._whole, ())
        return observations, self._reminded(infos, happened=False)

    def step(self, actions: dict[str, Any]) -> tuple[Mapping[str, Any], ...]:
        acted = self._phase == "act"
        observations, rewards, terminated, truncated, infos = self._env.step(actions)
        self.agents = self._env.agents
        return observations, rewards, terminated, truncated, self._reminded(infos, acted)

    def _reminded(self, infos: Mapping[str, Any], happened: bool) -> Mapping[str, Any]:
        """The infos, with the whole history in some of the views; `happened`: whether a round has just been
        completed."""
        for player in self._whole:
            view: View = infos[player]["view"]
            if happened:
                self._past[player] = (*self._past[player], view.history[-1])
            infos[player]["view"] = view._replace(history=self._past[player])
        self._phase = infos[self.possible_agents[0]]["view"].phase
        return infos

    def action_space(self, agent: str) -> Any:
        return self._env.action_space(agent)

    def close(self) -> None:
        self._env.close()
