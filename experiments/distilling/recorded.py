"""Recorded play as situations, with what was decided in each.

The environment is made again and stepped through the record, so that everything that a player knew when it decided is
known, whoever played.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dilemmas.agents.agent import Decision, Turn
from dilemmas.agents.matches.match import start_match
from dilemmas.agents.matches.record import RecordError
from dilemmas.agents.matches.trajectory import read_trajectory
from dilemmas.envs.names import lookup
from dilemmas.experiments.replaying.reenact import retrace
from dilemmas.experiments.replaying.replay import make_environment


@dataclass(frozen=True, slots=True)
class DecidedTurn:
    """A turn of a recorded match, and the decision."""

    player: str
    """Name of the agent that decided."""
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
        Names of agents, or of seats such as ``player_0``; by default the only agent of all files, and an error if
        there are several.

    Raises
    ------
    RecordError
        If a file is damaged, its environment cannot be made again, or steps otherwise than it did.
    UnknownNameError
        If there is no such player in any file.
    """
    headers = {path: read_trajectory(path)[0] for path in paths}
    known = dict.fromkeys(agent.name for header in headers.values() for agent in header.agents)
    if not players and len(known) > 1:
        raise RecordError(f"{', '.join(known)} played; say whose decisions are meant with --player")
    if not known.keys() >= set(players):
        known |= dict.fromkeys(seat for both in headers.items() for seat in make_environment(*both).possible_agents)
    wanted = {lookup("player", player, {name: name for name in known}) for player in players} or set(known)
    for path in paths:
        yield from _turns(path, wanted)


def _turns(path: Path, wanted: Collection[str]) -> Iterator[DecidedTurn]:
    """The turns of one file, of players who are wanted by their name or their seat."""
    header, records = read_trajectory(path)
    names = [agent.name for agent in header.agents]
    for record in records:
        running = start_match(make_environment(path, header), header.seed, record.match)
        for step in retrace(running, header, record):
            for difference in step.found:
                raise RecordError(
                    f"{path}, match {record.match}: round {difference.round} is not reproduced: {difference.field} was"
                    f" {difference.recorded}, is {difference.replayed}; `dilemmas replay` says more"
                )
            for asked in step.asked:
                name = names[asked.seat]
                if (name in wanted or asked.turn.agent in wanted) and asked.old.action is not None:
                    yield DecidedTurn(name, asked.turn, asked.old)
