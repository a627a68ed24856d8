"""Playing matches: any PettingZoo parallel environment, any agents, many matches in lockstep.

One seed makes a run, and every stream has a key of its own under it:

- the environment of match m is reset with a number drawn from ``SeedSequence(seed, spawn_key=(m, 0))``;
- the decision of player p in step t of match m gets ``SeedSequence(seed, spawn_key=(m, t, p))``.

So a match comes out the same alone, in any batch, in any order and after a crash. Matches and players are
counted from 0, steps from 1; in a repeated game a step is a round.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from dilemmas.agents.agent import Agent, Decision, Turn, View
from dilemmas.agents.matches.record import MatchRecord, Move, Outcome, outcome, plain
from dilemmas.envs.errors import InputError
from dilemmas.envs.rules.choices import words_allowed


class MatchError(InputError):
    """Matches that cannot be played as asked."""


class AgentError(InputError):
    """An agent that failed; the message names the match, the round and the player."""


class Environment(Protocol):
    """What is needed of a PettingZoo ``ParallelEnv``."""

    agents: list[Any]
    possible_agents: list[Any]

    def reset(self, seed: int | None = None) -> tuple[Mapping[str, Any], Mapping[str, Any]]: ...
    def step(self, actions: dict[str, Any]) -> tuple[Mapping[str, Any], ...]: ...
    def action_space(self, agent: str) -> Any: ...
    def close(self) -> None: ...


def decision_stream(seed: int, match: int, step: int, player: int) -> np.random.Generator:
    """The random numbers of one decision and no other."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(match, step, player)))


def environment_seed(seed: int, match: int) -> int:
    """What a match's environment is reset with; below 2**32, the most that many environments take."""
    return int(np.random.SeedSequence(seed, spawn_key=(match, 0)).generate_state(1)[0])


@dataclass(slots=True)
class Table:
    """A match that is being played."""

    env: Environment
    match: int
    seed: int
    """What the environment was reset with."""
    players: list[str]
    """All who ever sit there, in the environment's order."""
    observations: Mapping[str, Any]
    infos: Mapping[str, Any]
    steps: list[tuple[Move, ...]] = field(default_factory=list)
    outcome: Outcome | None = None
    """None while the match goes on."""


Seat = tuple[Table, str]
"""Who is to decide: a table and PettingZoo's name of the player."""


def sit_down(env: Environment, seed: int, match: int) -> Table:
    """Start match number `match` of the run with this seed."""
    number = environment_seed(seed, match)
    observations, infos = env.reset(seed=number)
    return Table(env, match, number, list(env.possible_agents), observations, infos)


def turn_of(table: Table, player: str, seed: int, step: int) -> Turn:
    """What a player of the run with this seed is asked in step `step`, with a fresh stream."""
    place = table.players.index(player)
    return Turn(
        agent=player,
        observation=table.observations[player],
        info=table.infos[player],
        space=table.env.action_space(player),
        rng=decision_stream(seed, table.match, step, place),
        key=(table.seed, place),
    )


def advance(table: Table, decisions: Mapping[str, Decision]) -> None:
    """Play one step with the decisions of all players who are to move; ends the match where it is over."""
    moves = tuple(
        Move(player, plain(table.observations[player]), replace(decision, action=plain(decision.action)))
        for player, decision in decisions.items()
    )
    actions = {player: decision.action for player, decision in decisions.items()}
    aborted = any(action is None for action in actions.values())  # arrays have no plain ==
    table.steps.append(moves if aborted else _step(table, moves, actions))
    if aborted or not table.env.agents:
        table.outcome = outcome(table.steps)


def _step(table: Table, moves: tuple[Move, ...], actions: dict[str, Any]) -> tuple[Move, ...]:
    """Step the environment and say in every move what it brought."""
    before = table.infos
    table.observations, rewards, terminated, truncated, table.infos = table.env.step(actions)
    return tuple(
        replace(
            move,
            played=_played(before[move.player].get("view"), table.infos.get(move.player, {}).get("view")),
            reward=float(rewards[move.player]),
            terminated=bool(terminated[move.player]),
            truncated=bool(truncated[move.player]),
        )
        for move in moves
    )


def _played(before: Any, after: Any) -> Any:
    """What the player did in a step as it happened, where the views of the environment show it; else None."""
    if not (isinstance(before, View) and isinstance(after, View)):
        return None
    if before.phase == "talk":
        return after.said[-1][0]
    if before.phase != "act":
        return None  # views show what sanctions did, not who gave them
    if after.acted is not None:
        return after.acted[0]
    return after.history[-1][0] if after.history else None


def run_matches(
    make_env: Callable[[], Environment],
    agents: Mapping[str, Agent] | Sequence[Agent],
    matches: int,
    seed: int,
    first_match: int = 0,
) -> Iterator[MatchRecord]:
    """Play `matches` matches, numbered from `first_match`; yields each when it is over, in order of number.

    `agents`: by PettingZoo's name of the player, or in the order of ``possible_agents``. In every step each
    agent object is asked once, for all the matches that wait for it. Raises `MatchError` where there are not
    as many agents as players or the seed is negative, `AgentError` where an agent fails.
    """
    if seed < 0 or first_match < 0:
        raise MatchError(f"seed = {seed}, first_match = {first_match}: both need to be 0 or more")
    tables = [sit_down(make_env(), seed, match) for match in range(first_match, first_match + matches)]
    seated = _seating(agents, tables[0].players) if tables else {}
    return _lockstep(tables, seated, seed)


def _seating(agents: Mapping[str, Agent] | Sequence[Agent], players: list[str]) -> dict[str, Agent]:
    named = isinstance(agents, Mapping)
    if len(agents) != len(players) or (named and set(agents) != set(players)):
        given = ", ".join(agents) if isinstance(agents, Mapping) else f"{len(agents)} agents"
        raise MatchError(f"{len(players)} players are at the table, {', '.join(players)}; got {given}")
    return dict(agents) if isinstance(agents, Mapping) else dict(zip(players, agents, strict=True))


def _lockstep(tables: list[Table], agents: dict[str, Agent], seed: int) -> Iterator[MatchRecord]:
    waiting = deque(tables)
    step = 1
    while waiting:
        running = [table for table in waiting if table.outcome is None]
        decided = _decide_all(running, agents, seed, step)
        for table in running:
            advance(table, {player: decided[table.match, player] for player in table.env.agents})
        while waiting and (over := waiting[0].outcome) is not None:
            table = waiting.popleft()
            table.env.close()
            yield MatchRecord(table.match, table.seed, tuple(table.steps), over)
        step += 1


def _decide_all(tables: list[Table], agents: dict[str, Agent], seed: int, step: int) -> dict[tuple[int, str], Decision]:
    """The decisions of one step by match and player: one call of each agent object."""
    seats_of: dict[int, list[Seat]] = {}
    for table in tables:
        for player in table.env.agents:
            seats_of.setdefault(id(agents[player]), []).append((table, player))
    decided = {}
    for seats in seats_of.values():
        agent = agents[seats[0][1]]
        ask = partial(_ask, agent, seed=seed, step=step)
        try:
            decisions = ask(seats)
        except Exception as error:
            raise _blame(agent.name, step, *_narrow(ask, seats, error)) from error
        for (table, player), decision in zip(seats, decisions, strict=True):
            decided[table.match, player] = decision
    return decided


def _ask(agent: Agent, seats: list[Seat], *, seed: int, step: int) -> list[Decision]:
    """The agent's decisions, checked. Asked again, it gets the same turns with fresh streams."""
    turns = [turn_of(table, player, seed, step) for table, player in seats]
    decisions = agent.decide(turns)
    if len(decisions) != len(turns):
        raise ValueError(f"{len(decisions)} decisions for {len(turns)} turns")
    for turn, decision in zip(turns, decisions, strict=True):
        if not _possible(turn, decision.action):
            raise ValueError(f"the action {decision.action!r} is not in {turn.space}")
    return decisions


def _possible(turn: Turn, action: Any) -> bool:
    """Whether an action is in the space, is None, or is a text where words are allowed."""
    view = turn.info.get("view")
    words = isinstance(view, View) and words_allowed(view)
    return action is None or (isinstance(action, str) and words) or bool(turn.space.contains(action))


def _narrow(ask: Callable[[list[Seat]], object], seats: list[Seat], error: Exception) -> tuple[list[Seat], Exception]:
    """The fewest seats with which the agent still fails, found by asking halves again; and how it fails."""
    middle = len(seats) // 2
    for half in (seats[:middle], seats[middle:]) if middle else ():
        try:
            ask(half)
        except Exception as again:
            return _narrow(ask, half, again)
    return seats, error


def _blame(agent: str, step: int, seats: list[Seat], error: Exception) -> AgentError:
    table, player = seats[0]
    where = f"match {table.match}, round {step}, {player} ({agent})"
    if len(seats) > 1:
        where += f" and {len(seats) - 1} more turns, which fail only together"
    return AgentError(f"{where}: {type(error).__name__}: {error}")
