"""Invasion by rare mutants, evolutionary stability, and fixation in finite populations.

Stability is against the listed strategies, one type of mutant at a time (Maynard Smith & Price 1973, Nature 246:15): a
strategy that is stable here may be invaded by a strategy that is not listed. Payoffs are compared up to rounding. If
they are sampled, strategies with equal expected payoffs differ by chance; such a comparison is reported as uncertain.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.dynamics.fixation import Process, log_fixation_matrix
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix
from dilemmas.experiments.reporting.uncertainty.intervals import welch_reach

ROUNDING = 1e-9
"""A relative fixation probability this close to 1 counts as neutral."""


class InvasionResult(StrEnum):
    """Fate of a rare mutant among residents in a large population."""

    STRICT = "invades"
    """It earns more against residents than they do themselves."""
    WEAK = "invades slowly"
    """It earns as much against residents, and more against itself than they do against it."""
    NEUTRAL = "drifts"
    """It earns as much in both cases: neutral drift."""
    NONE = "repelled"
    """It earns less in the first comparison that is not a tie."""


INVADING = (InvasionResult.STRICT, InvasionResult.WEAK)
"""Results that count as an invasion."""


class Stability(StrEnum):
    """Stability of a population of one strategy, the strictest first; each but the last implies those that follow."""

    STRICT_NASH = "strict Nash"
    """Every mutant earns less against residents than they do."""
    ESS = "ESS"
    """Evolutionarily stable strategy: every mutant is repelled."""
    NEUTRAL = "neutrally stable"
    """No mutant invades, but some drift."""
    NASH = "Nash"
    """No mutant earns more against residents, but some invade slowly."""
    UNSTABLE = "unstable"
    """Some mutant earns more against residents than they do themselves."""


@dataclass(frozen=True, slots=True)
class Resident:
    """Stability of a strategy that all residents play."""

    name: str
    stability: Stability
    invaded: tuple[str, ...]
    """Mutants that invade, slowly or not."""
    drifting: tuple[str, ...]
    """Mutants that neither invade nor are repelled."""
    uncertain: tuple[str, ...] = ()
    """Mutants whose decisive payoff difference has a 95% interval that contains 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Invasions:
    """Invasion between all pairs of strategies in a large population."""

    names: tuple[str, ...]
    """Strategies, k of them."""
    entries: tuple[tuple[InvasionResult, ...], ...]
    """By resident (row) and mutant (column); `InvasionResult.NEUTRAL` on the diagonal."""
    strict: tuple[bool, ...]
    """Whether every mutant earns less against residents than they do themselves, by resident."""
    certain: NDArray[np.bool_]
    """Whether the decisive payoff difference is significant, by resident and mutant, shape (k, k)."""

    def residents(self) -> list[Resident]:
        """Stability of each strategy, in the order of the names."""
        return [self._resident(place) for place in range(len(self.names))]

    def _resident(self, place: int) -> Resident:
        mutants = {
            name: entry
            for other, (name, entry) in enumerate(zip(self.names, self.entries[place], strict=True))
            if other != place
        }
        invaded = tuple(name for name, entry in mutants.items() if entry in INVADING)
        drifting = tuple(name for name, entry in mutants.items() if entry is InvasionResult.NEUTRAL)
        uncertain = tuple(name for name, sure in zip(self.names, self.certain[place], strict=True) if not sure)
        return Resident(self.names[place], self._stability(place, set(mutants.values())), invaded, drifting, uncertain)

    def _stability(self, place: int, met: set[InvasionResult]) -> Stability:
        for entry, stability in (
            (InvasionResult.STRICT, Stability.UNSTABLE),
            (InvasionResult.WEAK, Stability.NASH),
            (InvasionResult.NEUTRAL, Stability.NEUTRAL),
        ):
            if entry in met:
                return stability
        return Stability.STRICT_NASH if self.strict[place] else Stability.ESS


@dataclass(frozen=True, eq=False)
class Takeovers:
    """Fixation of one mutant in a finite population, for all pairs of strategies."""

    names: tuple[str, ...]
    n: int
    """Players in the population."""
    relative: Numbers
    """Fixation probability times n, by resident (row) and mutant (column), shape (k, k): 1 is neutral, and above 1
    selection favours the mutant."""
    hindered: NDArray[np.bool_]
    """Whether a single mutant is less fit than the residents, shape (k, k)."""

    @property
    def stable(self) -> dict[str, bool]:
        """Whether selection opposes invasion and fixation of every other strategy: ESS_N (Nowak et al. 2004)."""
        opposed = self.hindered & (self.relative < 1 - ROUNDING)
        np.fill_diagonal(opposed, True)
        return {name: bool(row.all()) for name, row in zip(self.names, opposed, strict=True)}


def invasions(matrix: PayoffMatrix) -> Invasions:
    """Invasion between all pairs: compares payoffs against residents and, if they tie, payoffs against the mutant."""
    payoffs, tie = matrix.payoffs, matrix.tie
    first = payoffs.T - payoffs.diagonal()[:, None]  # (resident, mutant): gain of a mutant against residents
    second = payoffs.diagonal()[None, :] - payoffs  # gain against mutants
    entries = np.select(
        [first > tie, first < -tie, second > tie, second < -tie],
        [InvasionResult.STRICT, InvasionResult.NONE, InvasionResult.WEAK, InvasionResult.NONE],
        InvasionResult.NEUTRAL,
    )
    certain = _certain(matrix, first, second)
    np.fill_diagonal(first, -np.inf)
    strict = tuple(bool(row.all()) for row in first < -tie)
    return Invasions(matrix.names, tuple(tuple(map(InvasionResult, row)) for row in entries), strict, certain)


def _certain(matrix: PayoffMatrix, first: Numbers, second: Numbers) -> NDArray[np.bool_]:
    """Whether the decisive differences are significant; payoffs of different pairs are independent."""
    variance = np.zeros_like(first) if matrix.errors is None else matrix.errors**2
    alone = variance.diagonal()
    noise = welch_reach(variance.T, np.broadcast_to(alone[:, None], variance.shape), matrix.freedom)
    other = welch_reach(np.broadcast_to(alone, variance.shape), variance, matrix.freedom)
    certain = (abs(first) > np.maximum(noise, matrix.tie)) | ((noise == 0) & (abs(second) >= other))
    np.fill_diagonal(certain, True)
    return np.asarray(certain)


def takeovers(matrix: PayoffMatrix, n: int, process: Process | None = None) -> Takeovers:
    """Exact fixation in a well-mixed population of `n` players, see `dilemmas.experiments.dynamics.fixation`."""
    relative = np.exp(log_fixation_matrix(matrix, n, process)) * n
    payoffs, alike = matrix.payoffs, matrix.payoffs.diagonal()[:, None]
    residents = (alike * (n - 2) + payoffs) / (n - 1)  # (resident, mutant): payoff of residents next to one mutant
    return Takeovers(matrix.names, n, relative, residents - payoffs.T > matrix.tie)
