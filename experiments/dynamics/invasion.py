"""Who invades whom: rare mutants among residents, evolutionary stability, and take-overs in finite populations.

Stability is against the listed strategies, one kind of mutant at a time (Maynard Smith & Price 1973, Nature 246:15):
what is stable here may fall to a strategy that is not on the list. Payoffs are compared to within rounding; where they
are sampled, a tie of truth shows as a small difference of either sign, and is called uncertain.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.dynamics.fixation import Process, log_fixation_matrix
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix
from dilemmas.experiments.reporting.intervals import Z

ROUNDING = 1e-9
"""A probability to take over that is this close to 1 / n is the neutral one."""


class Entry(StrEnum):
    """How a rare mutant fares among residents in a large population."""

    STRICT = "invades"
    """It earns more against residents than they do."""
    WEAK = "invades slowly"
    """It earns as much against residents, and more against its own kind than they do against it."""
    NEUTRAL = "drifts"
    """It earns as much in both: chance decides."""
    NONE = "repelled"


class Stability(StrEnum):
    """What a population of one strategy withstands; each is also all that come after it, but the last."""

    STRICT_NASH = "strict Nash"
    """Every mutant earns less against residents than they do."""
    ESS = "ESS"
    """Evolutionarily stable: every mutant is repelled."""
    NEUTRAL = "neutrally stable"
    """No mutant invades, but some drift."""
    NASH = "Nash"
    """No mutant earns more against residents, but some invade slowly."""
    UNSTABLE = "unstable"


@dataclass(frozen=True, slots=True)
class Resident:
    """A strategy that everybody plays."""

    name: str
    stability: Stability
    invaded: tuple[str, ...]
    """Mutants that invade, slowly or not."""
    drifting: tuple[str, ...]
    """Mutants that neither invade nor are repelled."""
    uncertain: tuple[str, ...] = ()
    """Mutants for whom the difference that decides lies within its 95% interval around 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Invasions:
    """Who invades whom in a large population."""

    names: tuple[str, ...]
    entries: tuple[tuple[Entry, ...], ...]
    """By resident (row) and mutant (column); on the diagonal `Entry.NEUTRAL`."""
    strict: tuple[bool, ...]
    """Whether every mutant earns less against a resident than it does itself, by resident."""
    certain: NDArray[np.bool_]
    """Whether the difference that decides is larger than what sampling does, by resident and mutant."""

    def residents(self) -> list[Resident]:
        """What each strategy withstands, in the order of the names."""
        return [self._resident(place) for place in range(len(self.names))]

    def _resident(self, place: int) -> Resident:
        mutants = {
            name: entry
            for other, (name, entry) in enumerate(zip(self.names, self.entries[place], strict=True))
            if other != place
        }
        invaded = tuple(name for name, entry in mutants.items() if entry in (Entry.STRICT, Entry.WEAK))
        drifting = tuple(name for name, entry in mutants.items() if entry is Entry.NEUTRAL)
        uncertain = tuple(name for name, sure in zip(self.names, self.certain[place], strict=True) if not sure)
        return Resident(self.names[place], self._stability(place, set(mutants.values())), invaded, drifting, uncertain)

    def _stability(self, place: int, met: set[Entry]) -> Stability:
        for entry, stability in (
            (Entry.STRICT, Stability.UNSTABLE),
            (Entry.WEAK, Stability.NASH),
            (Entry.NEUTRAL, Stability.NEUTRAL),
        ):
            if entry in met:
                return stability
        return Stability.STRICT_NASH if self.strict[place] else Stability.ESS


@dataclass(frozen=True, eq=False)
class Takeovers:
    """Who replaces whom in a finite population, starting from one mutant."""

    names: tuple[str, ...]
    n: int
    """Players in the population."""
    relative: Numbers
    """Probability that the mutant takes over, times n, by resident (row) and mutant (column), shape (k, k): 1 is
    neutral drift, above it selection favours the take-over."""
    hindered: NDArray[np.bool_]
    """Whether the mutant, still alone, is less fit than the residents; the same shape."""

    @property
    def stable(self) -> dict[str, bool]:
        """Whether selection opposes every other strategy's invasion and its take-over: ESS_N of Nowak et al. 2004."""
        opposed = self.hindered & (self.relative < 1 - ROUNDING)
        np.fill_diagonal(opposed, True)
        return {name: bool(row.all()) for name, row in zip(self.names, opposed, strict=True)}


def invasions(matrix: PayoffMatrix) -> Invasions:
    """Who invades whom, by first what a rare mutant earns against residents, then what both earn against it."""
    payoffs, tie = matrix.payoffs, matrix.tie
    first = payoffs.T - payoffs.diagonal()[:, None]  # (resident, mutant): a mutant's gain against residents
    second = payoffs.diagonal()[None, :] - payoffs  # and against a mutant
    entries = np.select(
        [first > tie, first < -tie, second > tie, second < -tie],
        [Entry.STRICT, Entry.NONE, Entry.WEAK, Entry.NONE],
        Entry.NEUTRAL,
    )
    certain = _certain(matrix, first, second)
    np.fill_diagonal(first, -np.inf)
    strict = tuple(bool(row.all()) for row in first < -tie)
    return Invasions(matrix.names, tuple(tuple(map(Entry, row)) for row in entries), strict, certain)


def _certain(matrix: PayoffMatrix, first: Numbers, second: Numbers) -> NDArray[np.bool_]:
    """Whether chance in the matches leaves it open who invades whom; payoffs of different pairs are independent."""
    variance = np.zeros_like(first) if matrix.errors is None else matrix.errors**2
    alone = variance.diagonal()
    noise, other = Z * np.sqrt(variance.T + alone[:, None]), Z * np.sqrt(alone + variance)
    certain = (abs(first) > np.maximum(noise, matrix.tie)) | ((noise == 0) & (abs(second) >= other))
    np.fill_diagonal(certain, True)
    return np.asarray(certain)


def takeovers(matrix: PayoffMatrix, n: int, process: Process | None = None) -> Takeovers:
    """Who replaces whom in a well-mixed population of `n`, exactly; see `dilemmas.experiments.dynamics.fixation`."""
    relative = np.exp(log_fixation_matrix(matrix, n, process)) * n
    payoffs, alike = matrix.payoffs, matrix.payoffs.diagonal()[:, None]
    residents = (alike * (n - 2) + payoffs) / (n - 1)  # (resident, mutant): what residents earn besides one mutant
    return Takeovers(matrix.names, n, relative, residents - payoffs.T > matrix.tie)
