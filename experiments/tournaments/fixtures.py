"""Fixtures: the matches of one group in one row of the results, and the row as a line of JSON with a checksum."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dilemmas.agents.engines.tally import Tally
from dilemmas.envs.data_files import parse_json
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.seals import checked_line, has_checksum
from dilemmas.envs.validation import Count
from dilemmas.experiments.tournaments.settings import Group


@dataclass(frozen=True, slots=True)
class Fixture:
    """The matches of one group in one row of the results."""

    group: Group
    engine: str
    first: int
    """Index of the first repetition, from 0."""
    count: int
    """Number of repetitions; 1 if the engine is exact."""

    @property
    def weight(self) -> float:
        """Estimated duration, in seconds."""
        return WEIGHTS[self.engine] * self.count


WEIGHTS = {"cycle": 1e-3, "chain": 2e-3, "compiled": 2e-5, "vectorised": 1e-3, "environment": 1.0}
"""Approximate duration of a match of a few hundred rounds by engine, in seconds."""


@dataclass(frozen=True, slots=True)
class RowLine:
    """A line of rows.jsonl: the matches of one group, with K repetitions and n players."""

    group: Group
    """Names of the players, by seat."""
    engine: str
    """Engine that played the matches."""
    first: Count
    """Number of the first repetition, from 0."""
    count: Count
    """Number of repetitions, K; 1 if the engine is exact."""
    rounds: tuple[float, ...]
    """Rounds of each repetition, shape (K,)."""
    payoffs: tuple[tuple[float, ...], ...]
    """Points of each player over a match, shape (K, n)."""
    cooperation: tuple[tuple[float, ...], ...]
    """Rounds in which each player cooperated, shape (K, n)."""
    moves: tuple[tuple[tuple[float, ...], ...], ...]
    """How often each player cooperated and defected in round 1 and after each outcome, summed over repetitions, shape
    (n, 1 + 2n, 2)."""
    outcomes: tuple[tuple[float, ...], ...]
    """How often each outcome occurred, as each player sees it, summed over repetitions, shape (n, 2n)."""
    sha256: str
    """First 16 hex digits of the SHA-256 of the line without this key."""
    aborted: Count
    """Matches aborted after an unreadable reply."""
    variance: tuple[float, ...] | None = None
    """Variance of each player's points over a match, shape (n,); absent unless the counts are expectations."""


@dataclass(frozen=True, slots=True)
class Row:
    """The results of the matches of a fixture; counts are summed over repetitions."""

    fixture: Fixture
    rounds: Numbers
    """Number of rounds of each repetition, shape (K,)."""
    payoffs: Numbers
    """Points of each player over a match, shape (K, n)."""
    cooperation: Numbers
    """Rounds in which each player cooperated, shape (K, n)."""
    moves: Numbers
    """As in `Tally`, summed over repetitions: shape (n, 1 + 2n, 2)."""
    outcomes: Numbers
    """As in `Tally`, summed over repetitions: shape (n, 2n)."""
    variance: Numbers | None = None
    """Variance of each player's points over one match, shape (n,), if the counts are expectations."""
    aborted: int = 0
    """Number of matches aborted after an unreadable reply; their complete rounds count."""

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
        values["aborted"] = self.aborted
        return checked_line(values)

    @classmethod
    def read(cls, line: str) -> "Row":
        """Parse a line; ValueError if it is not a row."""
        if not has_checksum(line):
            raise ValueError("the checksum does not match")
        found = parse_json(line, RowLine, "row")
        n, count = len(found.group), found.count
        shapes = {"rounds": (count,), "payoffs": (count, n), "cooperation": (count, n)}
        shapes |= {"moves": (n, 1 + 2 * n, 2), "outcomes": (n, 2 * n), "variance": (n,)}
        given = {name: value for name in shapes if (value := getattr(found, name)) is not None}
        arrays = {name: np.array(value, dtype=np.float64) for name, value in given.items()}
        if any(array.shape != shapes[name] for name, array in arrays.items()):
            raise ValueError(f"the numbers are not those of {count} matches of {n} players")
        return cls(Fixture(found.group, found.engine, found.first, count), aborted=found.aborted, **arrays)


def batches(fixtures: Sequence[Fixture], seconds: float = 0.5) -> Iterator[list[Fixture]]:
    """Batches of consecutive fixtures with a given duration, in seconds."""
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


def _short(values: Numbers) -> list[Any]:
    """Nested lists; whole numbers are written as integers."""
    whole = values.astype(np.int64)
    listed: list[Any] = (whole if (whole == values).all() else values).tolist()
    return listed
