"""alpha-Rank: strategies by how much of the time evolution spends with them (Omidshafiei et al. 2019, Sci Rep 9:9937).

All players of a population do the same until a rare mutant, which compares what it earns with what the others earn
against it, dies out or takes over; the ranking intensity alpha says how much the comparison decides. That is selection
by the pair at hand, as in the authors' OpenSpiel. Where fitness is the mean over the whole population instead, it is
`dilemmas.experiments.dynamics.fixation.small_mutation` with exponential fitness of intensity alpha.

Rates are logarithms, so no alpha is too large. The limit comes in two kinds, which differ where evolution may end in
more than one place. `alpha = inf` takes every step up as likely as another and any step down by an error that goes to
zero, as OpenSpiel does; a `sweep` goes to larger and larger alphas, for which it counts how far down a step leads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, floor, inf, isnan, log, log2

import numpy as np

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.dynamics.fixation import LongRun, stationary
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

LOG_ERROR = -1000.0
"""Log of the chance of a step down where alpha is infinite: nothing, yet it leaves no place without a way out."""
POPULATION = 50
"""Players of a population, as in the paper."""
TIE = 1e-12
"""Differences tie with 0 below this share of the largest: rounding."""


@dataclass(frozen=True, eq=False)
class Responses:
    """What mutants gain: the graph that alpha-Rank walks on."""

    names: tuple[str, ...]
    """Strategies, or one strategy of each population joined by a comma."""
    gains: Numbers
    """Points that a mutant has more, from what all do (row) to what it does (column), shape (k, k); NaN where that
    would take two mutations."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """alpha-Rank at one ranking intensity after the other."""

    names: tuple[str, ...]
    alphas: Numbers
    """Rising, shape (A,)."""
    masses: Numbers
    """From 0 to 1 and 1 in sum at every alpha, shape (A, k)."""

    @property
    def limit(self) -> LongRun:
        """The ranking at the largest alpha."""
        return LongRun(self.names, self.masses[-1])

    def series(self) -> dict[str, list[float]]:
        """The masses over alpha by name, as charts take them."""
        return dict(zip(self.names, self.masses.T.tolist(), strict=True))


def responses(matrix: PayoffMatrix) -> Responses:
    """The graph of one population in which anybody meets anybody: the mutant's payoff less that of who meets it."""
    return Responses(matrix.names, matrix.payoffs.T - matrix.payoffs)


def population_responses(payoffs: Sequence[Numbers], names: Sequence[Sequence[str]] | None = None) -> Responses:
    """The graph of several populations, of which a player each meet.

    `payoffs`: for every population, the points of its player by the strategies of all, shape (s_1, ..., s_K);
    `names`: the strategies of each population, numbers where they are not given.
    """
    tables = [np.asarray(table, dtype=np.float64) for table in payoffs]
    shape = tables[0].shape if tables else ()
    alike = all(table.shape == shape and np.isfinite(table).all() for table in tables)
    if not tables or len(shape) != len(tables) or not alike:
        shapes = ", ".join(str(table.shape) for table in tables)
        raise DynamicsError(f"payoffs of shapes {shapes}; needs finite numbers on one axis per population")
    names = names or [[str(strategy) for strategy in range(size)] for size in shape]
    if tuple(map(len, names)) != shape:
        raise DynamicsError(f"names of {tuple(map(len, names))} strategies for payoffs of shape {shape}")
    profiles = np.arange(tables[0].size).reshape(shape)
    gains = np.full((profiles.size, profiles.size), np.nan)
    for population, table in enumerate(tables):
        rows = np.moveaxis(profiles, population, -1).reshape(-1, shape[population])  # only this one's choice differs
        earned = table.ravel()[rows]
        gains[rows[:, :, None], rows[:, None, :]] = earned[:, None, :] - earned[:, :, None]
    return Responses(tuple(", ".join(profile) for profile in product(*names)), gains)


def alpha_rank(graph: Responses, alpha: float = inf, n: int = POPULATION) -> LongRun:
    """The masses at a ranking intensity `alpha`, 0 or more and possibly infinite, in populations of `n` players."""
    if isnan(alpha) or alpha < 0:
        raise DynamicsError(f"alpha = {alpha}; needs a number from 0 up, or inf")
    if n < 2:
        raise DynamicsError(f"a population of {n}; needs 2 players or more")
    gains = np.where(abs(graph.gains) <= TIE * _largest(graph), 0.0, graph.gains)
    if alpha == inf:
        rates = np.select([gains > 0, gains == 0], [0.0, -log(n)], LOG_ERROR)
    else:
        rates = _log_fixation(alpha * gains, n)
    return LongRun(graph.names, stationary(np.where(np.isnan(gains), -inf, rates)))


def sweep(graph: Responses, alphas: Sequence[float] | None = None, n: int = POPULATION) -> Sweep:
    """The masses at many `alphas`: twice as much every time, from no selection to what no longer changes."""
    chosen = np.array(_doublings(graph, n) if alphas is None else sorted(alphas), dtype=np.float64)
    if not chosen.size:
        raise DynamicsError("no alphas; needs one or more")
    return Sweep(graph.names, chosen, np.array([alpha_rank(graph, alpha, n).masses for alpha in chosen]))


def _doublings(graph: Responses, n: int) -> list[float]:
    """Powers of two from where the largest gain hardly matters to where the smallest decides."""
    sizes = abs(graph.gains[~np.isnan(graph.gains)])
    sizes = sizes[sizes > TIE * _largest(graph)]
    if not sizes.size:
        return [1.0]
    first, last = log2(0.01 / (n * sizes.max())), log2(100 / sizes.min())
    return [2.0**power for power in range(floor(first), ceil(last) + 1)]


def _largest(graph: Responses) -> float:
    return float(np.nanmax(abs(graph.gains), initial=0.0))


def _log_fixation(u: Numbers, n: int) -> Numbers:
    """Log of (1 - e^-u) / (1 - e^-nu), the probability that a mutant takes over; 1 / n where u = 0."""
    size = np.where(u == 0, 1.0, abs(u))
    favoured = np.log(-np.expm1(-size)) - np.log(-np.expm1(-n * size))
    return np.asarray(np.select([u > 0, u == 0], [favoured, -log(n)], favoured - (n - 1) * size))
