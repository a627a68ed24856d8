"""A tournament: who meets whom under which rules, and the matches that come of it, in a fixed order.

A match depends on the seed, on the rules, on who plays and on its repetition, and on nothing else: not on who else
takes part, on the order in which the agents are named, on the size of a batch or the number of workers.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import combinations, combinations_with_replacement, permutations, product
from math import comb, perm
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Agent, Player
from dilemmas.agents.engines.dispatch import ENGINES, EXACT, Recorder, choose_engine, play_groups
from dilemmas.agents.engines.tally import Tally, match_keys
from dilemmas.agents.matches.trajectory import SUFFIX, TrajectoryWriter
from dilemmas.agents.matches.trajectory_format import Header
from dilemmas.agents.roster import Framing, Seats, alike, contestants
from dilemmas.envs.checks import GameError, check_numbers
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.networks import network
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated

MOST = 200_000
"""Most groups of a tournament; of more, some are drawn."""
BLOCK = 10_000
"""Most repetitions of one group in a row of the results."""

GRAPHS = ("ring", "lattice", "small_world")
"""On which neighbours can meet."""

Group = tuple[str, ...]
"""Names by seat."""


class TournamentError(InputError):
    """A tournament that cannot be played as asked."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the results of a tournament depend on."""

    game: str
    """Name in the catalogue."""
    agents: tuple[str, ...]
    """Who takes part, as `dilemmas.agents.roster` reads it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the game and of the match: payoffs, rounds, continuation, noise ..."""
    repetitions: int = 10
    """Matches of every group, where they are sampled."""
    self_play: bool = True
    """Whether agents also meet themselves."""
    meetings: tuple[Group, ...] | None = None
    """Who meets whom, by name; None: everybody meets everybody."""
    graph: str | None = None
    """Only neighbours meet: the agents in their order on a ``ring``, a ``lattice`` or a ``small_world``."""
    sample: int | None = None
    """Number of groups that are drawn, where there are three or more players; None: all of them."""
    engine: str = "auto"
    """Who plays the matches; ``auto``: exactly where theory allows, sampled elsewhere."""
    seed: int = 0
    framing: Framing = field(default_factory=Framing)

    def __post_init__(self) -> None:
        check_numbers(self, "repetitions", 1)
        check_numbers(self, "seed", 0)
        lookup("engine", self.engine, dict.fromkeys(("auto", *ENGINES)))
        given = {"pairs": self.meetings, "a graph": self.graph, "a sample": self.sample}
        answers = [what for what, value in given.items() if value is not None]
        if len(answers) > 1:
            raise TournamentError(f"{', '.join(answers)}: each says who meets whom; give one of them")
        if self.meetings == ():
            raise TournamentError("no pairs; write them as a:b,c:d")
        if self.sample is not None:
            check_numbers(self, "sample", 1, MOST)

    def as_table(self) -> dict[str, Any]:
        """Plain values, as JSON has them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Fixture:
    """Matches of one group that make a row of the results."""

    group: Group
    engine: str
    first: int
    """Number of the first repetition."""
    count: int
    """Repetitions; 1 where the engine is exact."""

    @property
    def weight(self) -> float:
        """About how much work it is, in seconds."""
        return WEIGHTS[self.engine] * self.count


WEIGHTS = {"cycle": 1e-3, "chain": 2e-3, "compiled": 2e-5, "vectorised": 1e-3, "environment": 1.0}
"""Seconds of a match of a few hundred rounds by engine, roughly."""


class Tournament:
    """A tournament that can be played in parts, in any order and on any machine."""

    def __init__(
        self, settings: Settings, guests: Mapping[str, Seats] | None = None, records: Path | None = None
    ) -> None:
        """`guests`: the agents by name, where they are not to be made of the settings' words.

        `records`: the folder in which a trajectory of every group is kept that agents play in environments.
        """
        self.settings = settings
        self.records = records
        self.rules = _rules(settings)
        self.players = (
            contestants(settings.agents, self.rules, settings.framing, compiled=settings.engine != "environment")
            if guests is None
            else guests
        )
        if len(self.players) < 2 and not settings.self_play:
            raise TournamentError(f"{len(self.players)} agents and no self-play; needs two agents or more")
        if not self.players:
            raise TournamentError("no agents; name one or more")

    @cached_property
    def symmetric(self) -> bool:
        """Whether it does not matter who sits where."""
        return alike(self.rules.stage)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Who meets whom, in order."""
        settings = self.settings
        if settings.meetings is not None:
            return self._chosen(settings.meetings)
        if settings.graph is not None:
            return self._neighbours(settings.graph)
        return tuple(map(self._seated, self._sampled(settings.sample) if settings.sample else self._all()))

    @cached_property
    def places(self) -> Mapping[Group, int]:
        """The number of each group, from 0."""
        return {group: place for place, group in enumerate(self.groups)}

    @cached_property
    def fixtures(self) -> tuple[Fixture, ...]:
        """The rows of the results, in order."""
        return tuple(fixture for group in self.groups for fixture in self._fixtures(group))

    def play(self, fixtures: Sequence[Fixture]) -> list["Row"]:
        """The matches of some fixtures, a row for each."""
        rows: dict[Fixture, Row] = {}
        kinds = sorted({(fixture.engine, fixture.count) for fixture in fixtures})
        for engine, count in kinds:
            these = [one for one in fixtures if (one.engine, one.count) == (engine, count)]
            keys = np.zeros((len(these), 1), dtype=np.uint64)  # exact engines draw nothing
            if engine not in EXACT:
                keys = np.stack([match_keys(self.settings.seed, one.group, one.first, count) for one in these])
            with ExitStack() as files:
                record = self._recorder(files, these, keys) if engine == "environment" and self.records else None
                tallies = play_groups(self.rules, [self.seated(one.group) for one in these], keys, engine, record)
            rows |= {one: Row.of(one, tally) for one, tally in zip(these, tallies, strict=True)}
        return [rows[fixture] for fixture in fixtures]

    def _recorder(self, files: ExitStack, fixtures: Sequence[Fixture], keys: NDArray[np.uint64]) -> Recorder:
        """What writes the trajectories of fixtures, each anew."""
        assert self.records is not None
        writers = []
        for fixture, key in zip(fixtures, keys, strict=True):
            header = Header(
                environment=f"dilemmas/{self.rules.stage.name}-v0",
                agents=tuple(map(described, self.seated(fixture.group))),
                seed=int(key[0]),
                options=dict(self.settings.options),
                context=self.settings.framing.context,
                template=self.settings.framing.template,
            )
            path = self.records / f"{self.places[fixture.group]:05d}-{fixture.first:06d}{SUFFIX}"
            path.unlink(missing_ok=True)
            writers.append(files.enter_context(TrajectoryWriter(path, header)))
        return lambda place, _, match: writers[place].write(match)

    @cached_property
    def identities(self) -> dict[str, str]:
        """A digest of what each player is: of a strategy's table, of a model's weights."""
        told = {name: [asdict(described(agent)) for agent in seats] for name, seats in self.players.items()}
        return {name: sha256(json.dumps(is_, default=str).encode()).hexdigest()[:16] for name, is_ in told.items()}

    def seated(self, group: Group) -> Seats:
        """The agents of a group by seat."""
        return tuple(self.players[name][seat] for seat, name in enumerate(group))

    def _fixtures(self, group: Group) -> Iterator[Fixture]:
        wanted = self.settings.engine
        engine = choose_engine(self.rules, self.seated(group), None if wanted == "auto" else wanted)
        repetitions = 1 if engine in EXACT else self.settings.repetitions
        for first in range(0, repetitions, BLOCK):
            yield Fixture(group, engine, first, min(BLOCK, repetitions - first))

    def _seated(self, group: Iterable[str]) -> Group:
        """A group in the order of its seats: where nobody is in a seat of another kind, that of the names."""
        return tuple(sorted(group)) if self.symmetric else tuple(group)

    def _count(self) -> int:
        """How many groups there can be."""
        names, n = len(self.players), self.rules.n_players
        if not self.settings.self_play and names < n:
            raise TournamentError(f"{names} agents and no self-play; a group has {n} different players")
        if self.symmetric:
            return comb(names + n - 1, n) if self.settings.self_play else comb(names, n)
        return int(names**n) if self.settings.self_play else perm(names, n)

    def _all(self) -> Iterator[Group]:
        """Every group there can be."""
        names, n = tuple(self.players), self.rules.n_players
        if (count := self._count()) > MOST:
            raise TournamentError(f"{count:,} groups; at most {MOST:,} are played: name fewer agents or draw a sample")
        if self.symmetric:
            return (combinations_with_replacement if self.settings.self_play else combinations)(names, n)
        return product(names, repeat=n) if self.settings.self_play else permutations(names, n)

    def _sampled(self, count: int) -> Iterable[Group]:
        """So many different groups, each as likely as any other, drawn by the seed."""
        rng = np.random.default_rng([self.settings.seed, self.rules.n_players])
        possible = self._count()
        if count >= possible:
            return self._all()
        if possible <= MOST:
            known = list(self._all())
            return [known[place] for place in sorted(rng.choice(possible, count, replace=False).tolist())]
        drawn: set[Group] = set()
        while len(drawn) < count:
            drawn.add(self._drawn(rng))
        return sorted(drawn)

    def _drawn(self, rng: np.random.Generator) -> Group:
        """One of all groups."""
        names, n = tuple(self.players), self.rules.n_players
        if not self.settings.self_play:
            places = rng.choice(len(names), n, replace=False)
        elif self.symmetric:  # stars and bars: different places among more, less those before them
            places = np.sort(rng.choice(len(names) + n - 1, n, replace=False)) - np.arange(n)
        else:
            places = rng.integers(len(names), size=n)
        return self._seated(names[place] for place in places.tolist())

    def _chosen(self, meetings: Sequence[Group]) -> tuple[Group, ...]:
        n = self.rules.n_players
        for group in meetings:
            if len(group) != n:
                raise TournamentError(f"'{':'.join(group)}': {len(group)} at a table for {n}")
        named = [tuple(self._named(word, group) for word in group) for group in meetings]
        if not self.settings.self_play and (own := next((group for group in named if len(set(group)) < n), None)):
            raise TournamentError(f"'{':'.join(own)}' is self-play, and there is to be none; leave one of them out")
        seated = [self._seated(group) for group in named]
        for group, times in Counter(seated).items():
            if times > 1:
                raise TournamentError(f"'{':'.join(group)}' is there {times} times; set repetitions instead")
        return tuple(seated)

    def _named(self, word: str, group: Group) -> str:
        """The agent that goes by this name, or by this word in the settings."""
        by_word = dict(zip(self.settings.agents, self.players, strict=False))
        known = by_word | {name: name for name in self.players}
        return lookup("agent", word, known, place=f"'{':'.join(group)}'")

    def _neighbours(self, graph: str) -> tuple[Group, ...]:
        if self.rules.n_players != 2:
            raise TournamentError(f"graph = '{graph}': neighbours play in pairs, {self.rules.n_players} play here")
        names = tuple(self.players)
        try:
            _, edges = network(lookup("graph", graph, dict.fromkeys(GRAPHS, graph)), len(names))
        except GameError as error:
            raise TournamentError(f"graph = '{graph}': {error}; take other agents, or name the pairs") from None
        assert edges is not None
        pairs = [(names[one], names[other]) for one, other in edges]
        return tuple(map(self._seated, pairs if self.symmetric else pairs + [(b, a) for a, b in pairs]))


def described(agent: Agent) -> Player:
    """How a record describes an agent; one that says nothing of itself cannot be asked again."""
    describe = getattr(agent, "describe", None)
    told: Player = describe() if describe else Player(agent.name, type(agent).__name__)
    return told


@dataclass(frozen=True, slots=True)
class Row:
    """What the matches of a fixture came to; the counts are added up over repetitions."""

    fixture: Fixture
    rounds: Numbers
    """Of each repetition, shape (K,)."""
    payoffs: Numbers
    """Points of each player over a match, shape (K, n)."""
    cooperation: Numbers
    """Rounds in which each player cooperated, shape (K, n)."""
    moves: Numbers
    """As in `Tally`, added up: shape (n, 1 + 2n, 2)."""
    outcomes: Numbers
    """As in `Tally`, added up: shape (n, 2n)."""
    variance: Numbers | None = None
    """Of a player's points over one match, shape (n,), where the counts are expectations."""
    aborted: int = 0
    """Matches that ended early because no action could be read; they count as far as they went."""

    @classmethod
    def of(cls, fixture: Fixture, tally: Tally) -> "Row":
        cooperation = tally.moves[..., 0].sum(axis=-1)
        added = tally.moves.sum(axis=0), tally.outcomes.sum(axis=0)
        return cls(fixture, tally.rounds, tally.payoffs, cooperation, *added, tally.variance, tally.aborted)

    def line(self) -> str:
        """The row as a line of JSON."""
        values: dict[str, Any] = asdict(self.fixture)
        for field_ in ("rounds", "payoffs", "cooperation", "moves", "outcomes", "variance"):
            value = getattr(self, field_)
            if value is not None:
                values[field_] = _short(value)
        if self.aborted:
            values["aborted"] = self.aborted
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return f'{text[:-1]},"sha256":"{_checksum(text)}"}}'

    @classmethod
    def read(cls, line: str) -> "Row":
        """The row in a line; ValueError, KeyError, TypeError or OverflowError where there is none."""
        body, _, seal = line.rstrip("\n").rpartition(',"sha256":')
        if seal != f'"{_checksum(body + "}")}"}}':
            raise ValueError("the checksum does not fit")
        values = json.loads(body + "}")
        fixture = Fixture(tuple(values["group"]), values["engine"], values["first"], values["count"])
        n, count = len(fixture.group), fixture.count
        shapes = {"rounds": (count,), "payoffs": (count, n), "cooperation": (count, n)}
        shapes |= {"moves": (n, 1 + 2 * n, 2), "outcomes": (n, 2 * n), "variance": (n,)}
        arrays = {name: np.array(values[name], dtype=np.float64) for name in shapes if name in values}
        if any(array.shape != shapes[name] or not np.isfinite(array).all() for name, array in arrays.items()):
            raise ValueError(f"numbers that are not those of {count} matches of {n} players")
        return cls(fixture, aborted=values.get("aborted", 0), **arrays)


def _checksum(text: str) -> str:
    """The first 16 hex digits of the SHA-256 of a row without it."""
    return sha256(text.encode()).hexdigest()[:16]


def batches(fixtures: Sequence[Fixture], seconds: float = 0.5) -> Iterator[list[Fixture]]:
    """Consecutive fixtures that make about so many seconds of work together."""
    batch: list[Fixture] = []
    weight = 0.0
    for fixture in fixtures:
        batch.append(fixture)
        weight += fixture.weight
        if weight >= seconds:
            yield batch
            batch, weight = [], 0.0
    if batch:
        yield batch


def _rules(settings: Settings) -> Repeated:
    rules = rules_of(settings.game, **settings.options)
    if isinstance(rules, Population):
        raise TournamentError("a population is one match of many players; name the game that it plays, and a graph")
    if rules.endless:
        raise TournamentError("matches without end; set rounds, or a continuation below 1")
    return rules


def _short(values: Numbers) -> list[Any]:
    """Nested lists; whole numbers without their point."""
    whole = values.astype(np.int64)
    listed: list[Any] = (whole if (whole == values).all() else values).tolist()
    return listed
