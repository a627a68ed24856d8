"""Recorded play as situations, with what was decided in each.

The environment is made again and stepped through the record, so that everything that a player knew when it decided is
known, whoever played.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dilemmas.agents.agent import PERSON, Decision, PlayerRecord, Turn
from dilemmas.agents.matches.match import start_match
from dilemmas.agents.matches.record import RecordError
from dilemmas.agents.matches.trajectory import read_trajectory
from dilemmas.agents.roster import player_named
from dilemmas.experiments.replaying.reenact import retrace
from dilemmas.experiments.replaying.replay import make_environment


@dataclass(frozen=True, slots=True)
class DecidedTurn:
    """A turn of a recorded match, and the decision."""

    player: str
    """Name under which the agent that decided took part."""
    turn: Turn
    """What it knew."""
    decision: Decision
    """What it decided."""


def recorded_turns(paths: Sequence[Path], players: Sequence[str] = ()) -> Iterator[DecidedTurn]:
    """The turns of trajectory files in which something was decided, in order.

    Parameters
    ----------
    paths
        The files.
    players
        Agents, by the names under which they took part or by their own (`PlayerRecord`), or seats such as ``player_0``;
        by default the only agent of all files, and an error if there are several.

    Raises
    ------
    RecordError
        If a file is damaged, its environment cannot be made again, or steps otherwise than it did.
    UnknownNameError
        If there is no such player in any file.
    """
    headers = {path: read_trajectory(path)[0] for path in paths}
    agents = [agent for header in headers.values() for agent in header.agents]
    called = dict.fromkeys(agent.called for agent in agents)
    if not players and len(called) > 1:
        raise RecordError(f"{', '.join(called)} played; say whose decisions are meant with --player")
    known = called | dict.fromkeys(name for agent in agents for name in _names(agent, called))
    if not known.keys() >= set(players):
        known |= dict.fromkeys(seat for both in headers.items() for seat in make_environment(*both).possible_agents)
    wanted = {player_named(player, list(known)) for player in players} or set(called)
    for path in paths:
        names = [_names(agent, called) for agent in headers[path].agents]
        yield from _turns(path, [not wanted.isdisjoint(those) for those in names], wanted)


def _names(agent: PlayerRecord, called: Collection[str]) -> set[str]:
    """What an agent of a record may be called; the names under which agents took part, `called`, are of these alone."""
    own = {agent.name, *([PERSON] if agent.kind == PERSON else [])}
    return {agent.called, *own.difference(called)}


def _turns(path: Path, meant: Sequence[bool], seats: Collection[str]) -> Iterator[DecidedTurn]:
    """The turns of one file. `meant`: whose, by place in the header; `seats`: also of players with these names."""
    header, records = read_trajectory(path)
    for record in records:
        running = start_match(make_environment(path, header), header.seed, record.match)
        for step in retrace(running, header, record):
            for difference in step.found:
                raise RecordError(
                    f"{path}, match {record.match}: round {difference.round} is not reproduced: {difference.field} was"
                    f" {difference.recorded}, is {difference.replayed}; `dilemmas replay` says more"
                )
            for asked in step.asked:
                if (meant[asked.seat] or asked.turn.agent in seats) and asked.old.action is not None:
                    yield DecidedTurn(header.agents[asked.seat].called, asked.turn, asked.old)
