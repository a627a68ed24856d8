"""A tournament: the groups of players, the rules, and the matches in a fixed order.

A match depends only on the seed, the rules, its players and its repetition: not on the other participants, the order of
the agents, the size of batches or the number of workers.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Source
from dilemmas.agents.engines.dispatch import EXACT, choose_engine, play_groups
from dilemmas.agents.engines.environment import play_in_environment
from dilemmas.agents.engines.tally import match_keys
from dilemmas.agents.matches.match import AgentError
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import SUFFIX, TrajectoryWriter
from dilemmas.agents.matches.trajectory_format import Header
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.servers.capabilities import Capabilities
from dilemmas.agents.models.servers.server import ServerBackend
from dilemmas.agents.roster import Seats, contestants
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.theory.outcomes import alike_seats
from dilemmas.experiments.tournaments.costs import check_matches
from dilemmas.experiments.tournaments.fixtures import Fixture, Row
from dilemmas.experiments.tournaments.pairings import Pairings
from dilemmas.experiments.tournaments.settings import Group, Settings, TournamentError

__all__ = ["Settings", "Tournament", "TournamentError"]

BLOCK = 10_000
"""Maximum number of repetitions of one group in a row of the results."""

PlayedElsewhere = tuple[list[Row | AgentError], list[tuple[int, int]]]
"""Rows, or the errors of agents that failed; and for each language model how many questions there were, and how many of
them were put to it."""


class Tournament:
    """A tournament that can be played in parts, in any order and on any machine."""

    def __init__(
        self, settings: Settings, guests: Mapping[str, Seats] | None = None, records: Path | None = None
    ) -> None:
        """`guests`: agents by name, which replace those made from the settings.

        `records`: folder for the trajectories of groups that are played in environments.
        """
        self.settings = settings
        self.records = records
        self.rules = _rules(settings)
        self._invited = contestants(settings.agents, self.rules, settings.framing) if guests is None else {}
        self.agents: Mapping[str, Seats] = guests or {
            name: (one.agent,) * self.rules.n_players for name, one in self._invited.items()
        }
        if len(self.agents) < 2 and not settings.self_play:
            raise TournamentError(f"{len(self.agents)} agents without self-play; needs two agents or more")
        if not self.agents:
            raise TournamentError("no agents; give one or more")
        for one in self._invited.values():
            one.check(self.rules, self._compiles)

    @property
    def backends(self) -> Sequence[CachingBackend]:
        """The language models that remember what they answered."""
        return _backends(self.agents)

    @property
    def servers(self) -> Mapping[str, Capabilities]:
        """What the servers of language models were found to be able to, by the name of the player."""
        models = {name: _backends({name: seats}) for name, seats in self.agents.items()}
        served = {name: found[0].below for name, found in models.items() if found}
        return {name: one.capabilities for name, one in served.items() if isinstance(one, ServerBackend)}

    @cached_property
    def people(self) -> frozenset[str]:
        """The names of the players that are people, who are asked in this process, match after match."""
        return frozenset(name for name, one in self._invited.items() if one.kind == "person")

    @property
    def _compiles(self) -> bool:
        """Whether agents are compiled where they can be."""
        return self.settings.engine != "environment"

    @cached_property
    def players(self) -> Mapping[str, Seats]:
        """The agents that play, by name; for those that are compiled, the language models are asked now.

        The others are asked question by question if they are small, so that no answer depends on what else a worker
        asks at the same time.
        """
        found = {name: seats for name, (seats, _) in self._seats.items()} or self.agents
        for backend in _backends(found):
            backend.one_by_one = True
        return found

    @property
    def sources(self) -> Mapping[str, Source]:
        """Where the probabilities of the players come from that play from a table; asks as `players`."""
        return {name: source for name, (_, source) in self._seats.items() if source}

    @cached_property
    def _seats(self) -> Mapping[str, tuple[Seats, Source | None]]:
        """Of the agents that were made from the settings, see `Contestant.seats`."""
        return {name: one.seats(self.rules, self._compiles) for name, one in self._invited.items()}

    @cached_property
    def symmetric(self) -> bool:
        """Whether the game is the same from every seat."""
        return alike_seats(self.rules.stage)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups that play, in order."""
        return self._pairings.groups(self.draws)

    @cached_property
    def draws(self) -> Mapping[Group, int] | None:
        """How often each group was drawn; None unless groups are drawn."""
        return self._pairings.draws()

    @property
    def _pairings(self) -> Pairings:
        return Pairings(self.settings, tuple(self.agents), self.rules.n_players, self.symmetric)

    @cached_property
    def places(self) -> Mapping[Group, int]:
        """Index of each group, from 0."""
        return {group: place for place, group in enumerate(self.groups)}

    @cached_property
    def fixtures(self) -> tuple[Fixture, ...]:
        """The rows of the results, in order."""
        check_matches(self.engines, self.settings.repetitions, self.rules.n_players)
        return tuple(fixture for group in self.groups for fixture in self._fixtures(group))

    @cached_property
    def engines(self) -> Mapping[str, int]:
        """Number of groups by engine; one that is drawn again counts again."""
        found: Counter[str] = Counter()
        for group in self.groups:
            found[self._engine(group)] += self._times(group)
        return found

    def play(self, fixtures: Sequence[Fixture]) -> list[Row | AgentError]:
        """Play the matches of some fixtures; returns a row for each, or the error if an agent failed in it."""
        rows: dict[Fixture, Row | AgentError] = {}
        kinds = sorted({(fixture.engine, fixture.count) for fixture in fixtures})
        for engine, count in kinds:
            these = [one for one in fixtures if (one.engine, one.count) == (engine, count)]
            keys = np.zeros((len(these), 1), dtype=np.uint64)  # exact engines use no random numbers
            if engine not in EXACT:
                keys = np.stack([match_keys(self.settings.seed, one.group, one.first, count) for one in these])
            if engine == "environment":
                rows |= {one: self._asked(one, key) for one, key in zip(these, keys, strict=True)}
            else:
                tallies = play_groups(self.rules, [self.seated(one.group) for one in these], keys, engine)
                rows |= {one: Row.of(one, tally) for one, tally in zip(these, tallies, strict=True)}
        return [rows[fixture] for fixture in fixtures]

    def play_elsewhere(self, fixtures: Sequence[Fixture]) -> PlayedElsewhere:
        """As `play`, in a process of which only what is returned is known; see `take`."""
        before = [(backend.asked, backend.put) for backend in self.backends]
        rows = self.play(fixtures)
        after = ((backend.asked, backend.put) for backend in self.backends)
        return rows, [(asked - a, put - p) for (asked, put), (a, p) in zip(after, before, strict=True)]

    def take(self, played: PlayedElsewhere) -> list[Row | AgentError]:
        """The rows that another process has played; its questions to language models are counted."""
        rows, questions = played
        for backend, (asked, put) in zip(self.backends, questions, strict=True):
            backend.asked, backend.put = backend.asked + asked, backend.put + put
        return rows

    def _asked(self, fixture: Fixture, keys: NDArray[np.uint64]) -> Row | AgentError:
        """The matches of a fixture in environments, which ask the agents; an existing record is overwritten."""
        group = self.seated(fixture.group)
        with ExitStack() as files:
            writers = [
                files.enter_context(self._writer(path, fixture.group, int(keys[0])))
                for path in self.record_paths([fixture])
            ]

            def record(_: int, match: MatchRecord) -> None:
                for writer in writers:
                    writer.write(match)

            try:
                return Row.of(fixture, play_in_environment(self.rules, group, keys, record))
            except AgentError as error:
                return AgentError(f"{', '.join(fixture.group)}: {error}")

    def _writer(self, path: Path, group: Group, seed: int) -> TrajectoryWriter:
        header = Header(
            environment=f"dilemmas/{self.rules.stage.name}-v0",
            agents=tuple(
                agent.describe().entered_as(name) for name, agent in zip(group, self.seated(group), strict=True)
            ),
            seed=seed,
            options=dict(self.settings.options),
            context=self.settings.framing.context,
            template=self.settings.framing.template,
        )
        path.unlink(missing_ok=True)
        return TrajectoryWriter(path, header)

    def record_paths(self, fixtures: Iterable[Fixture]) -> list[Path]:
        """The trajectories of those fixtures that are played in environments, if they are recorded."""
        if self.records is None:
            return []
        names = (f"{self.places[one.group]:05d}-{one.first:06d}" for one in fixtures if one.engine == "environment")
        return [self.records / f"{name}{SUFFIX}" for name in names]

    @cached_property
    def identities(self) -> dict[str, str]:
        """What each player is: a digest, for a language model after the fingerprint of its weights and its template."""
        return {name: _identity(seats) for name, seats in self.agents.items()}

    def seated(self, group: Group) -> Seats:
        """The agents of a group by seat."""
        return tuple(self.players[name][seat] for seat, name in enumerate(group))

    def _times(self, group: Group) -> int:
        """How often a group is drawn: so many times it plays all its matches."""
        return 1 if self.draws is None else self.draws[group]

    def _engine(self, group: Group) -> str:
        wanted = self.settings.engine
        return choose_engine(self.rules, self.seated(group), None if wanted == "auto" else wanted)

    def _fixtures(self, group: Group) -> Iterator[Fixture]:
        engine = self._engine(group)
        repetitions = 1 if engine in EXACT else self.settings.repetitions * self._times(group)
        block = 1 if self.people.intersection(group) else BLOCK
        for first in range(0, repetitions, block):
            yield Fixture(group, engine, first, min(block, repetitions - first))


def _backends(agents: Mapping[str, Seats]) -> Sequence[CachingBackend]:
    backends = (getattr(agent, "backend", None) for seats in agents.values() for agent in seats)
    return list(dict.fromkeys(found for found in backends if isinstance(found, CachingBackend)))


def _identity(seats: Seats) -> str:
    first = seats[0].describe()
    told = [str(first.parameters[key]) for key in ("fingerprint", "template") if key in first.parameters]
    unlike = {id(agent): agent for agent in seats}  # the description of a group strategy has a megabyte
    texts = {key: json.dumps(asdict(agent.describe()), default=str) for key, agent in unlike.items()}
    digest = sha256(f"[{', '.join(texts[id(agent)] for agent in seats)}]".encode()).hexdigest()[:16]
    return " ".join([*told, digest])


def _rules(settings: Settings) -> Repeated:
    rules = rules_of(settings.game, **settings.options)
    if rules.population is not None:
        raise TournamentError("a population is one match of many players; give the game that it plays, and --graph")
    if rules.endless:
        raise TournamentError("matches would not end; set rounds, or a continuation probability below 1")
    return rules
