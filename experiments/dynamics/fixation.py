"""What a finite, well-mixed population comes to, exactly: who takes over, with what probability and how soon.

The Moran process (Moran 1958) with payoffs that depend on who is there (Nowak, Sasaki, Taylor & Fudenberg 2004, Nature
428:646): everybody meets everybody but itself. Two types are a birth-death chain, which Karlin & Taylor 1975 (A First
Course in Stochastic Processes, ch. 4) solve in closed form. All sums are over logarithms of what is positive, without a
difference, so they hold for thousands of players and for probabilities far below the smallest float.
"""

from dataclasses import dataclass
from math import exp, inf, log

import numpy as np

from dilemmas.envs.checks import check_numbers
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.names import lookup
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

RULES = ("birth-death", "death-birth")
FITNESS = ("linear", "exponential")
NONE = 1e-300
"""Stands for no fitness: where nobody has any, all are equally likely to reproduce, as at any weaker selection."""


@dataclass(frozen=True, slots=True)
class Process:
    """How payoffs decide about birth and death."""

    rule: str = "birth-death"
    """``birth-death``: one reproduces in proportion to fitness, then anyone dies, the parent not excepted;
    ``death-birth``: anyone dies, then the others compete for the place in proportion to fitness."""
    fitness: str = "linear"
    """``linear``: 1 - w + w * payoff; ``exponential``: exp(w * payoff)."""
    intensity: float = 1.0
    """The w of selection, 0 or more; up to 1 where fitness is linear. 0 is neutral drift."""

    def __post_init__(self) -> None:
        lookup("rule", self.rule, dict.fromkeys(RULES))
        lookup("fitness", self.fitness, dict.fromkeys(FITNESS))
        check_numbers(self, "intensity", 0, 1.0 if self.fitness == "linear" else inf)

    def check(self, payoffs: Numbers) -> None:
        """`DynamicsError` where a payoff would make a fitness negative."""
        w, lowest = self.intensity, float(payoffs.min())
        if self.fitness == "linear" and 1 - w + w * lowest < 0:
            raise DynamicsError(
                f"a payoff of {lowest:g} makes the fitness 1 - w + w * payoff negative (intensity w = {w:g}); choose"
                f" exponential fitness, or an intensity up to {1 / (1 - lowest):.4g}"
            )

    def log_fitness(self, payoffs: Numbers) -> Numbers:
        """Logarithm of the fitness at some payoffs, of any shape."""
        w = self.intensity
        if self.fitness == "exponential":
            return w * payoffs
        return np.asarray(np.log(np.maximum(1 - w + w * payoffs, NONE)))


@dataclass(frozen=True, slots=True)
class Fixation:
    """What becomes of some mutants among residents."""

    n: int
    """Players in the population."""
    start: int
    """Mutants at the start."""
    log_probability: float
    """Natural logarithm of the probability that the mutants take over."""
    steps: float
    """Expected number of steps, one birth and one death each, until one type has taken over; n are a generation."""
    steps_if_fixed: float
    """The same where the mutants take over."""

    @property
    def probability(self) -> float:
        """Probability that the mutants take over."""
        return exp(self.log_probability)

    @property
    def relative(self) -> float:
        """The probability over that of a neutral mutant, start / n: above 1, selection favours the take-over."""
        return self.probability * self.n / self.start


@dataclass(frozen=True, eq=False)
class LongRun:
    """How much of the time a population spends where, in the long run."""

    names: tuple[str, ...]
    masses: Numbers
    """From 0 to 1 and 1 in sum, shape (k,)."""

    def ranking(self) -> list[tuple[str, float]]:
        """Names and masses, the greatest first."""
        return sorted(zip(self.names, self.masses.tolist(), strict=True), key=lambda row: (-row[1], row[0]))


def fixation(payoffs: Numbers, n: int, start: int = 1, process: Process | None = None) -> Fixation:
    """Probability and time of a take-over by `start` mutants in a population of `n`.

    `payoffs`: of mutant and resident against each other, the mutant first, [[a, b], [c, d]], as `PayoffMatrix.pair`
    has them. Times after Antal & Scheuring 2006 (Bull. Math. Biol. 68:1923).
    """
    process = process or Process()
    _check(payoffs, n, process)
    if not 1 <= start < n:
        raise DynamicsError(f"start = {start} mutants in a population of {n}; needs 1 to {n - 1}")
    up, down = _log_moves(payoffs[..., None], n, process)  # (n - 1,)
    hill, below = _scale(up, down)  # (n,)
    above = np.logaddexp.accumulate(hill[::-1])[::-1]
    rise = below[:-1] - below[-1]  # (n - 1,): log probability to take over, from 1 to n - 1 mutants
    here = np.arange(1, n)
    visits = below[np.minimum(here, start) - 1] + above[np.maximum(here, start)] - below[-1] - up - hill[1:]
    chance = float(rise[start - 1])
    with np.errstate(over="ignore"):  # a time beyond 1e308 is infinite
        steps, if_fixed = np.exp([np.logaddexp.reduce(visits), np.logaddexp.reduce(visits + rise) - chance])
    return Fixation(n, start, chance, float(steps), float(if_fixed))


def log_fixation_matrix(matrix: PayoffMatrix, n: int, process: Process | None = None) -> Numbers:
    """Log probability that one mutant takes over, by resident (row) and mutant (column): shape (k, k).

    On the diagonal stands -log n, of a mutant that is as all the others.
    """
    process = process or Process()
    _check(matrix.payoffs, n, process)
    payoffs, k = matrix.payoffs, len(matrix.names)
    found = np.empty((k, k))
    for resident in range(k):
        alone = np.full(k, payoffs[resident, resident])
        pairs = np.array([[payoffs.diagonal(), payoffs[:, resident]], [payoffs[resident], alone]])  # (2, 2, k)
        _, below = _scale(*_log_moves(pairs[..., None], n, process))  # (k, n)
        found[resident] = -below[:, -1]
    np.fill_diagonal(found, -log(n))
    return found


def small_mutation(matrix: PayoffMatrix, n: int, process: Process | None = None) -> LongRun:
    """Time that a population of `n` spends with each strategy alone, where mutants are so rare that one is gone, or
    has taken over, before the next comes (Fudenberg & Imhof 2006, J. Econ. Theory 131:251). Mutants are any of the
    other strategies, each as likely.
    """
    return LongRun(matrix.names, stationary(log_fixation_matrix(matrix, n, process)))


def stationary(log_rates: Numbers) -> Numbers:
    """Stationary distribution of a chain from the logarithms of its rates, shape (k, k), from row to column.

    Only the ratios of the rates count; the diagonal does not; -inf is no way at all. From every state there has to be
    a way to every other. State reduction without a subtraction (Grassmann, Taksar & Heyman 1985, Oper. Res. 33:1107).
    """
    rates = log_rates.copy()
    np.fill_diagonal(rates, -inf)
    for last in range(len(rates) - 1, 0, -1):
        into, out = rates[:last, last], rates[last, :last]
        into -= np.logaddexp.reduce(out)
        rates[:last, :last] = np.logaddexp(rates[:last, :last], into[:, None] + out)
    weights = np.zeros(len(rates))
    for state in range(1, len(rates)):
        weights[state] = np.logaddexp.reduce(weights[:state] + rates[:state, state])
    masses = np.exp(weights - weights.max())
    return np.asarray(masses / masses.sum())


def _log_moves(payoffs: Numbers, n: int, process: Process) -> tuple[Numbers, Numbers]:
    """Logs of the chances that 1 to n - 1 mutants become one more or one fewer, shape (..., n - 1), for shape
    (2, 2, ..., 1) of payoffs."""
    (a, b), (c, d) = payoffs
    mutants = np.arange(1.0, n)
    residents = n - mutants
    mutant = process.log_fitness((a * (mutants - 1) + b * residents) / (n - 1))
    resident = process.log_fitness((c * mutants + d * (residents - 1)) / (n - 1))
    others = 1.0 if process.rule == "death-birth" else 0.0  # who dies takes no part in the birth
    with np.errstate(divide="ignore"):  # log 0 where nobody of a type is left to compete
        up = -np.logaddexp(0.0, np.log(residents - others) + resident - np.log(mutants) - mutant)
        down = -np.logaddexp(0.0, np.log(mutants - others) + mutant - np.log(residents) - resident)
    return up + np.log(residents / n), down + np.log(mutants / n)


def _scale(up: Numbers, down: Numbers) -> tuple[Numbers, Numbers]:
    """Logs of the products of down / up over the first 0 to n - 1 states, and of their running sums: shape (..., n)."""
    steps = np.cumsum(down - up, axis=-1)
    hill = np.concatenate([np.zeros_like(steps[..., :1]), steps], axis=-1)
    return hill, np.logaddexp.accumulate(hill, axis=-1)


def _check(payoffs: Numbers, n: int, process: Process) -> None:
    if n < 2:
        raise DynamicsError(f"a population of {n}; needs 2 players or more")
    process.check(payoffs)
