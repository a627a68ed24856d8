"""alpha-Rank: strategies ranked by the share of time that evolution spends with them (Omidshafiei et al. 2019, Sci Rep
9:9937).

All players of a population have the same strategy until a rare mutant appears and dies out or takes over. The mutant
compares its payoff with the payoff of the others against it, and the ranking intensity alpha is the strength of
selection by this comparison, as in the authors' OpenSpiel implementation. If fitness is the mean payoff over the whole
population instead, use `dilemmas.experiments.dynamics.fixation.small_mutation` with exponential fitness of intensity
alpha.

Rates are kept as logarithms, so alpha may be arbitrarily large. There are two limits of large alpha, which differ if
the process has several absorbing sets. With `alpha = inf` all improving steps have equal rates, and all deteriorating
ones the same vanishing rate. A step between equal payoffs keeps its rate of 1 / n, with n players, as it has at every
finite alpha; OpenSpiel gives it 1/2 at infinite alpha, so its ranking differs where there are such ties. A `sweep`
takes larger and larger finite alphas, for which the rate of a deteriorating step depends on the size of the loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, floor, inf, isnan, log, log2

import numpy as np

from dilemmas.envs.checks import unmasked
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.dynamics.fixation import LongRun, check_population, stationary
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

LOG_ERROR = -1000.0
"""Log rate of a deteriorating step if alpha is infinite: negligible, but it keeps the chain irreducible."""
STRONGEST = 1e200
"""Largest finite alpha: the rates of payoffs of any size are then finite numbers."""
POPULATION = 50
"""Default number of players of a population, as in the paper."""
TIE = 1e-12
"""Payoff differences below this share of the largest one count as 0: rounding."""


@dataclass(frozen=True, eq=False)
class Responses:
    """Payoff gains of mutants: the response graph on which alpha-Rank is a Markov chain."""

    names: tuple[str, ...]
    """Strategies, or one strategy of each population joined by a comma."""
    gains: Numbers
    """Payoff of a mutant minus that of the others, from their strategy (row) to its strategy (column), shape (k, k);
    NaN if the step needs two mutations."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """alpha-Rank at increasing ranking intensities."""

    names: tuple[str, ...]
    """Strategies, k of them."""
    alphas: Numbers
    """Increasing, shape (A,)."""
    masses: Numbers
    """Stationary probabilities, from 0 to 1 with sum 1 at every alpha, shape (A, k)."""

    @property
    def limit(self) -> LongRun:
        """The ranking at the largest alpha."""
        return LongRun(self.names, self.masses[-1])

    def series(self) -> dict[str, list[float]]:
        """The masses over alpha by name, in the form that charts take."""
        return dict(zip(self.names, self.masses.T.tolist(), strict=True))


def responses(matrix: PayoffMatrix) -> Responses:
    """The response graph of one well-mixed population: payoff of the mutant minus payoff of its opponent."""
    return Responses(matrix.names, matrix.payoffs.T - matrix.payoffs)


def population_responses(payoffs: Sequence[Numbers], names: Sequence[Sequence[str]] | None = None) -> Responses:
    """The response graph of K populations, one player of each taking part in every game.

    Parameters
    ----------
    payoffs
        For every population, the payoff of its player by the strategies of all, shape (s_1, ..., s_K).
    names
        Strategies of each population; numbers by default.

    Raises
    ------
    DynamicsError
        If the shapes do not fit or a payoff is not finite.
    """
    tables = [unmasked(table, "payoffs", DynamicsError).astype(np.float64) for table in payoffs]
    shape = tables[0].shape if tables else ()
    alike = all(table.shape == shape and np.isfinite(table).all() for table in tables)
    if not tables or len(shape) != len(tables) or not alike:
        shapes = ", ".join(str(table.shape) for table in tables)
        raise DynamicsError(f"payoffs of shapes {shapes}; needs finite numbers with one axis per population")
    names = names or [[str(strategy) for strategy in range(size)] for size in shape]
    if tuple(map(len, names)) != shape:
        raise DynamicsError(f"names of {tuple(map(len, names))} strategies for payoffs of shape {shape}")
    profiles = np.arange(tables[0].size).reshape(shape)
    gains = np.full((profiles.size, profiles.size), np.nan)
    for population, table in enumerate(tables):
        rows = np.moveaxis(profiles, population, -1).reshape(-1, shape[population])  # only this axis differs
        earned = table.ravel()[rows]
        gains[rows[:, :, None], rows[:, None, :]] = earned[:, None, :] - earned[:, :, None]
    return Responses(tuple(", ".join(profile) for profile in product(*names)), gains)


def alpha_rank(graph: Responses, alpha: float = inf, n: int = POPULATION) -> LongRun:
    """The stationary distribution of alpha-Rank.

    Parameters
    ----------
    graph
        From `responses` or `population_responses`.
    alpha
        Ranking intensity, from 0 to `STRONGEST`, or infinite.
    n
        Players per population, 2 or more.
    """
    if isnan(alpha) or alpha < 0 or STRONGEST < alpha < inf:
        raise DynamicsError(f"alpha = {alpha}; needs a number from 0 to {STRONGEST:g}, or inf")
    check_population(n)
    gains = np.where(abs(graph.gains) <= TIE * _largest(graph), 0.0, graph.gains)
    if alpha == inf:
        rates = np.select([gains > 0, gains == 0], [0.0, -log(n)], LOG_ERROR)
    else:
        rates = _log_fixation(alpha * gains, n)
    return LongRun(graph.names, stationary(np.where(np.isnan(gains), -inf, rates)))


def sweep(graph: Responses, alphas: Sequence[float] | None = None, n: int = POPULATION) -> Sweep:
    """alpha-Rank at several ranking intensities.

    Parameters
    ----------
    graph, n
        As for `alpha_rank`.
    alphas
        By default powers of two, from practically no selection to where the ranking no longer changes.
    """
    chosen = np.array(_doublings(graph, n) if alphas is None else sorted(alphas), dtype=np.float64)
    if not chosen.size:
        raise DynamicsError("no alphas; needs at least one")
    return Sweep(graph.names, chosen, np.array([alpha_rank(graph, alpha, n).masses for alpha in chosen]))


def _doublings(graph: Responses, n: int) -> list[float]:
    """Powers of two from where the largest gain is negligible to where the smallest one is decisive."""
    sizes = abs(graph.gains[~np.isnan(graph.gains)])
    sizes = sizes[sizes > TIE * _largest(graph)]
    if not sizes.size:
        return [1.0]
    first, last = log2(0.01 / (n * sizes.max())), log2(100 / sizes.min())
    return [2.0**power for power in range(floor(first), ceil(last) + 1)]


def _largest(graph: Responses) -> float:
    return float(np.nanmax(abs(graph.gains), initial=0.0))


def _log_fixation(u: Numbers, n: int) -> Numbers:
    """Log of the fixation probability (1 - e^-u) / (1 - e^-nu), which is 1 / n for u = 0."""
    size = np.where(u == 0, 1.0, abs(u))
    favoured = np.log(-np.expm1(-size)) - np.log(-np.expm1(-n * size))
    return np.asarray(np.select([u > 0, u == 0], [favoured, -log(n)], favoured - (n - 1) * size))
