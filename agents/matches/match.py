"""Playing matches: any PettingZoo parallel environment, any agents, many matches side by side.

All random numbers of a run derive from one seed, with one independent stream per purpose:

- the environment of match m is reset with a number drawn from ``SeedSequence(seed, spawn_key=(m, 0))``;
- the decision of player p in step t of match m gets ``SeedSequence(seed, spawn_key=(m, t, p))``.

A match is therefore the same alone, in any batch, in any order and after a crash. Matches and players are counted from
0, steps from 1; in a repeated game without talk or sanctions a step is a round.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from operator import attrgetter
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Agent, Decision, Source, Turn, View
from dilemmas.agents.matches.record import MatchOutcome, MatchRecord, Move, Reason, json_value, match_outcome
from dilemmas.envs.errors import InputError
from dilemmas.envs.pettingzoo_api.parallel_env import show_views
from dilemmas.envs.rules.choices import options_now, words_allowed

SLACK = 1e-6
"""Rounding that sums of probabilities may have."""
TEXTS = ("prompt", "template", "reply", "motivation", "error", "thoughts")
LISTS = ("probabilities", "prediction", "labels", "deliberations")
texts_of, lists_of = attrgetter(*TEXTS), attrgetter(*LISTS)


class MatchError(InputError):
    """Matches that cannot be played with the given arguments."""


class AgentError(InputError):
    """An agent that failed; the message names the match, the round, the player and the agent."""


class Environment(Protocol):
    """The part of a PettingZoo ``ParallelEnv`` that is used here."""

    agents: list[Any]
    possible_agents: list[Any]

    def reset(self, seed: int | None = None) -> tuple[Mapping[str, Any], Mapping[str, Any]]: ...
    def step(self, actions: dict[str, Any]) -> tuple[Mapping[str, Any], ...]: ...
    def action_space(self, agent: str) -> Any: ...
    def close(self) -> None: ...


def decision_stream(seed: int, match: int, step: int, player: int) -> np.random.Generator:
    """The random generator of one decision; independent of that of every other decision.

    Parameters
    ----------
    seed
        Seed of the run, 0 or more.
    match, player
        Numbers of the match and the player, from 0.
    step
        Number of the step, from 1.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(match, step, player)))


def environment_seed(seed: int, match: int) -> int:
    """The number with which a match's environment is reset; below 2**32, the largest that many environments accept."""
    return int(np.random.SeedSequence(seed, spawn_key=(match, 0)).generate_state(1)[0])


@dataclass(slots=True)
class RunningMatch:
    """A match that is being played."""

    env: Environment
    number: int
    """Number of the match in its run, from 0."""
    seed: int
    """The number with which the environment was reset."""
    players: list[str]
    """All players of the match, in the environment's order."""
    observations: Mapping[str, Any]
    infos: Mapping[str, Any]
    steps: list[tuple[Move, ...]] = field(default_factory=list)
    outcome: MatchOutcome | None = None
    """None until the match has ended."""


Pending = tuple[RunningMatch, str]
"""A decision to be made: the match, and PettingZoo's name of the player."""


def start_match(env: Environment, seed: int, match: int) -> RunningMatch:
    """Reset the environment for match number `match` of the run with this seed; agents decide from its views."""
    show_views(env)
    number = environment_seed(seed, match)
    observations, infos = env.reset(seed=number)
    return RunningMatch(env, match, number, list(env.possible_agents), observations, infos)


def make_turn(match: RunningMatch, player: str, seed: int, step: int) -> Turn:
    """The turn of a player in step `step` of a match in the run with this seed, with a fresh random generator."""
    place = match.players.index(player)
    return Turn(
        agent=player,
        observation=match.observations[player],
        info=match.infos[player],
        space=match.env.action_space(player),
        rng=decision_stream(seed, match.number, step, place),
        key=(match.seed, place),
    )


def play_step(match: RunningMatch, decisions: Mapping[str, Decision]) -> None:
    """Play one step with the decisions of all players in it; sets the outcome if the match ends."""
    moves = tuple(
        Move(player, json_value(match.observations[player]), decision=replace(one, action=json_value(one.action)))
        for player, one in decisions.items()
    )
    actions = {player: decision.action for player, decision in decisions.items()}
    aborted = any(action is None for action in actions.values())  # `None in` would compare arrays elementwise
    match.steps.append(moves if aborted else _step(match, moves, actions))
    if aborted or not match.env.agents:
        match.outcome = match_outcome(match.steps)


def _step(match: RunningMatch, moves: tuple[Move, ...], actions: dict[str, Any]) -> tuple[Move, ...]:
    """Step the environment and complete the moves with the result."""
    before = match.infos
    match.observations, rewards, terminated, truncated, match.infos = match.env.step(actions)
    return tuple(
        replace(
            move,
            played=_played(before[move.player].get("view"), match.infos.get(move.player, {}).get("view")),
            reward=float(rewards[move.player]),
            terminated=bool(terminated[move.player]),
            truncated=bool(truncated[move.player]),
        )
        for move in moves
    )


def _played(before: Any, after: Any) -> Any:
    """The action of a step after noise, where the views of the environment show it; else None."""
    if not (isinstance(before, View) and isinstance(after, View)):
        return None
    if before.phase == "talk":
        return after.said[-1][0]
    if before.phase != "act":
        return None  # views show the effects of sanctions, not who gave them
    if after.acted is not None:
        return after.acted[0]
    return after.history[-1][0] if after.history else None


def run_matches(
    make_env: Callable[[], Environment],
    agents: Mapping[str, Agent] | Sequence[Agent],
    matches: int | Sequence[int],
    seed: int,
    first_match: int = 0,
) -> Iterator[MatchRecord]:
    """Play matches side by side and yield the record of each as soon as it and all before it have ended.

    A match in which an agent raises an error, or returns anything but a decision that is possible, ends there; its
    record has the cause, and the other matches go on. `finished` raises an error for it instead.

    Parameters
    ----------
    make_env
        Makes one environment; called once per match.
    agents
        By PettingZoo's name of the player, or in the order of ``possible_agents``. In every step each agent object is
        called once, with the turns of all running matches.
    matches
        Number of matches, or their numbers.
    seed
        Seed of the run, 0 or more.
    first_match
        Number of the first match, 0 or more, if `matches` is their number. Records are yielded in the order of the
        numbers given.

    Raises
    ------
    MatchError
        If the number of agents is not that of the players, or `seed` or the number of a match is negative.
    """
    numbers = range(first_match, first_match + matches) if isinstance(matches, int) else matches
    if seed < 0 or min(numbers, default=0) < 0:
        raise MatchError(f"seed = {seed}, first match {min(numbers, default=0)}: both must be at least 0")
    started = [start_match(make_env(), seed, number) for number in numbers]
    assigned = _assign(agents, started[0].players) if started else {}
    return _side_by_side(started, assigned, seed)


def finished(records: Iterable[MatchRecord]) -> Iterator[MatchRecord]:
    """The matches that were played to their end; after them `AgentError`, if an agent failed in one or more."""
    failed = []
    for record in records:
        if record.outcome.reason is Reason.FAILED:
            failed.append(record)
        else:
            yield record
    if failed:
        raise failure_of(failed)


def failure_of(failed: Sequence[MatchRecord]) -> AgentError:
    """The error for matches in which an agent failed: the place and the cause of the first."""
    first, others = failed[0], len(failed) - 1
    more = f" ({others} more match{'es' * (others > 1)} of this batch failed)" if others else ""
    return AgentError(f"match {first.match}, round {len(first.steps)}, {first.outcome.detail}{more}")


def _assign(agents: Mapping[str, Agent] | Sequence[Agent], players: list[str]) -> dict[str, Agent]:
    named = isinstance(agents, Mapping)
    if len(agents) != len(players) or (named and set(agents) != set(players)):
        given = ", ".join(agents) if isinstance(agents, Mapping) else f"{len(agents)} agents"
        raise MatchError(f"the environment has {len(players)} players, {', '.join(players)}; got {given}")
    return dict(agents) if isinstance(agents, Mapping) else dict(zip(players, agents, strict=True))


def _side_by_side(matches: list[RunningMatch], agents: dict[str, Agent], seed: int) -> Iterator[MatchRecord]:
    waiting = deque(matches)
    step = 1
    while waiting:
        running = [match for match in waiting if match.outcome is None]
        decided = _decide_all(running, agents, seed, step)
        for match in running:
            play_step(match, {player: decided[match.number, player] for player in match.env.agents})
        while waiting and (ended := waiting[0].outcome) is not None:
            match = waiting.popleft()
            match.env.close()
            yield MatchRecord(match.number, match.seed, tuple(match.steps), ended)
        step += 1


def _decide_all(
    matches: list[RunningMatch], agents: dict[str, Agent], seed: int, step: int
) -> dict[tuple[int, str], Decision]:
    """The decisions of one step by match and player; every agent object is called once."""
    grouped: dict[int, list[Pending]] = {}
    for match in matches:
        for player in match.env.agents:
            grouped.setdefault(id(agents[player]), []).append((match, player))
    decided: dict[tuple[int, str], Decision] = {}
    for pending in grouped.values():
        decided |= _ask(agents[pending[0][1]], pending, seed, step)
    return decided


def _ask(agent: Agent, pending: Sequence[Pending], seed: int, step: int) -> dict[tuple[int, str], Decision]:
    """The agent's decisions, checked; failures are decisions with an error.

    If it raises an error, it is asked again in halves, to find the turns with which it fails. Every call makes the same
    turns with fresh random generators.
    """
    turns = [make_turn(match, player, seed, step) for match, player in pending]
    try:
        decisions = list(agent.decide(turns))
    except (Exception, SystemExit) as error:
        middle = len(pending) // 2
        if middle:
            return _ask(agent, pending[:middle], seed, step) | _ask(agent, pending[middle:], seed, step)
        decisions = [_failure(agent, error)]
    if len(decisions) != len(turns):
        decisions = [_failure(agent, ValueError(f"{len(decisions)} decisions for {len(turns)} turns"))] * len(turns)
    return {
        (match.number, player): _failure(agent, fault) if (fault := _fault(turn, decision)) else decision
        for (match, player), turn, decision in zip(pending, turns, decisions, strict=True)
    }


def _failure(agent: Agent, error: BaseException) -> Decision:
    """What is recorded in place of a decision that an agent failed to make."""
    try:
        words = str(error)
    except Exception:
        words = "an error that cannot be printed"
    return Decision(None, error=f"agent {agent.name} failed: {type(error).__name__}: {words}")


def _fault(turn: Turn, decision: Any) -> Exception | None:
    """What is wrong with what an agent returned for a turn."""
    if not isinstance(decision, Decision):
        return TypeError(f"{decision!r} is not a Decision")
    if not _possible(turn, decision.action):
        return ValueError(f"the action {decision.action!r} is not in {turn.space}")
    for names, values, kind in ((TEXTS, texts_of(decision), str), (LISTS, lists_of(decision), (tuple, list))):
        for name, value in zip(names, values, strict=True):
            if value is not None and not isinstance(value, kind):
                return TypeError(f"{name} = {value!r} of type {type(value).__name__} cannot be recorded")
    if not (isinstance(decision.source, Source) and type(decision.attempts) is int and decision.attempts >= 0):
        return ValueError(
            f"source = {decision.source!r}, attempts = {decision.attempts!r}: needs a Source and a number of at least 0"
        )
    shares = (*(decision.probabilities or ()), *(decision.prediction or ()), decision.mass or 0, decision.margin or 0)
    if not all(isinstance(share, Real) and 0 <= share <= 1 + SLACK for share in shares):
        return ValueError(f"probabilities, prediction, mass and margin {shares} need numbers from 0 to 1")
    return _improbable(turn, decision.probabilities)


def _improbable(turn: Turn, probabilities: Sequence[float] | None) -> Exception | None:
    """What is wrong with probabilities that are no distribution over the actions: those now, or all of the space."""
    if probabilities is None or not isinstance(turn.space, Discrete):
        return None
    view = turn.info.get("view")
    actions = options_now(view) if isinstance(view, View) else turn.space.n
    if not actions <= len(probabilities) <= turn.space.n or abs(sum(probabilities) - 1) > SLACK:
        return ValueError(f"the probabilities {tuple(probabilities)} are no distribution over {actions} actions")
    return None


def _possible(turn: Turn, action: Any) -> bool:
    """Whether an action is in the space, is None, or is a text where words are allowed."""
    view = turn.info.get("view")
    words = isinstance(view, View) and words_allowed(view)
    if isinstance(action, bool | np.bool_):  # a number for spaces, not for the rules
        return False
    return action is None or (isinstance(action, str) and words) or bool(turn.space.contains(action))
