"""Exact fixation probabilities and times of the Moran process in a finite, well-mixed population.

Frequency-dependent Moran process (Moran 1958; Nowak, Sasaki, Taylor & Fudenberg 2004, Nature 428:646): each player
meets all others. Two types form a birth-death chain, which has a closed-form solution (Karlin & Taylor 1975, A First
Course in Stochastic Processes, ch. 4). All sums are over logarithms of positive terms, without differences, so they are
accurate for thousands of players and for probabilities below the smallest float.
"""

from dataclasses import dataclass
from math import exp, inf, log

import numpy as np

from dilemmas.envs.checks import check_numbers, number_array, unmasked, whole_number
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.names import lookup
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

RULES = ("birth-death", "death-birth")
"""Update rules of a `Process`."""
FITNESS = ("linear", "exponential")
"""Fitness functions of a `Process`."""
GAMES = ("all", "survivors")
"""Games from which the fitness of a `Process` comes."""
NO_FITNESS = 1e-300
"""Stands for a fitness of 0: if all players have it, they reproduce with equal probability, as in the limit of weaker
selection."""


@dataclass(frozen=True, slots=True)
class Process:
    """Update rule and fitness function of the Moran process."""

    rule: str = "birth-death"
    """``birth-death``: a player reproduces with probability proportional to fitness, then a random player, possibly
    the parent, dies; ``death-birth``: a random player dies, then the others compete for the place with probability
    proportional to fitness."""
    fitness: str = "linear"
    """``linear``: 1 - w + w * payoff; ``exponential``: exp(w * payoff)."""
    intensity: float = 1.0
    """Intensity of selection w, 0 or more, at most 1 for linear fitness; 0 is neutral drift."""
    games: str = "all"
    """``all``: the payoff of a player is its mean over the games with all others (Ohtsuki et al. 2006, Nature 441:502);
    ``survivors``: with death-birth, the games with the player who has died do not count, and a player without another
    game has the payoff 0."""

    def __post_init__(self) -> None:
        lookup("rule", self.rule, dict.fromkeys(RULES))
        lookup("fitness", self.fitness, dict.fromkeys(FITNESS))
        lookup("games", self.games, dict.fromkeys(GAMES))
        if self.games == "survivors" and self.rule != "death-birth":
            raise DynamicsError(f"games = survivors: with the rule {self.rule}, nobody has died yet; use death-birth")
        check_numbers(self, "intensity", 0, 1.0 if self.fitness == "linear" else inf)

    def check(self, payoffs: Numbers) -> None:
        """Raise `DynamicsError` if a payoff makes a fitness negative."""
        w, lowest = self.intensity, float(payoffs.min())
        if self.fitness == "linear" and 1 - w + w * lowest < 0:
            raise DynamicsError(
                f"a payoff of {lowest:g} makes the fitness 1 - w + w * payoff negative (intensity w = {w:g}); choose"
                f" exponential fitness, or an intensity of at most {1 / (1 - lowest):.4g}"
            )

    def log_fitness(self, payoffs: Numbers) -> Numbers:
        """Logarithm of the fitness for payoffs of any shape."""
        w = self.intensity
        if self.fitness == "exponential":
            return w * payoffs
        return np.asarray(np.log(np.maximum(1 - w + w * payoffs, NO_FITNESS)))


@dataclass(frozen=True, slots=True)
class Fixation:
    """Fixation of mutants in a population of residents."""

    n: int
    """Players in the population."""
    start: int
    """Initial number of mutants."""
    log_probability: float
    """Natural logarithm of the fixation probability of the mutants."""
    steps: float
    """Expected number of steps, each with one birth and one death, until one type has taken over; n steps are a
    generation."""
    steps_if_fixed: float
    """Expected number of steps, given that the mutants take over."""

    @property
    def probability(self) -> float:
        """Fixation probability of the mutants."""
        return exp(self.log_probability)

    @property
    def relative(self) -> float:
        """Fixation probability divided by the neutral one, start / n: above 1, selection favours the mutants."""
        return self.probability * self.n / self.start


@dataclass(frozen=True, eq=False)
class LongRun:
    """Shares of time that a population spends with each strategy in the long run."""

    names: tuple[str, ...]
    masses: Numbers
    """From 0 to 1, with sum 1, shape (k,)."""

    def ranking(self) -> list[tuple[str, float]]:
        """Names and masses, the largest first."""
        return sorted(zip(self.names, self.masses.tolist(), strict=True), key=lambda row: (-row[1], row[0]))


def fixation(payoffs: Numbers, n: int, start: int = 1, process: Process | None = None) -> Fixation:
    """Fixation probability and time of mutants; times after Antal & Scheuring 2006 (Bull. Math. Biol. 68:1923).

    Parameters
    ----------
    payoffs
        Of mutant and resident against each other, the mutant first, [[a, b], [c, d]], as from `PayoffMatrix.pair`.
    n
        Players in the population, 2 or more.
    start
        Initial number of mutants, from 1 to n - 1.
    process
        Update rule and fitness; the defaults of `Process` if None.

    Raises
    ------
    DynamicsError
        If an argument is out of range or a fitness is negative.
    """
    process = process or Process()
    check_population(n)
    payoffs = number_array(payoffs, "payoffs", (2, 2), error=DynamicsError)
    process.check(payoffs)
    whole_number(start, f"start of mutants in a population of {n}", 1, n - 1, DynamicsError)
    up, down = _log_moves(payoffs[..., None], n, process)  # (n - 1,)
    hill, below = _scale(up, down)  # (n,)
    above = np.logaddexp.accumulate(hill[::-1])[::-1]
    rise = below[:-1] - below[-1]  # (n - 1,): log fixation probability of 1 to n - 1 mutants
    here = np.arange(1, n)
    visits = below[np.minimum(here, start) - 1] + above[np.maximum(here, start)] - below[-1] - up - hill[1:]
    chance = float(rise[start - 1])
    with np.errstate(over="ignore"):  # a time beyond 1e308 is infinite
        steps, if_fixed = np.exp([np.logaddexp.reduce(visits), np.logaddexp.reduce(visits + rise) - chance])
    return Fixation(n, start, chance, float(steps), float(if_fixed))


def log_fixation_matrix(matrix: PayoffMatrix, n: int, process: Process | None = None) -> Numbers:
    """Log fixation probability of one mutant, by resident (row) and mutant (column): shape (k, k).

    The diagonal is -log n, the probability of a neutral mutant.
    """
    process = process or Process()
    check_population(n)
    process.check(matrix.payoffs)
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
    """Long-run shares of time in the limit of rare mutations (Fudenberg & Imhof 2006, J. Econ. Theory 131:251).

    Every mutant dies out or takes over before the next one appears; it has any of the other strategies with equal
    probability.
    """
    return LongRun(matrix.names, stationary(log_fixation_matrix(matrix, n, process)))


def stationary(log_rates: Numbers) -> Numbers:
    """Stationary distribution of an irreducible Markov chain from the logarithms of its rates.

    State reduction without subtractions (Grassmann, Taksar & Heyman 1985, Oper. Res. 33:1107), in logarithms: solvers
    of eigenvalues or linear equations fail if rates differ by more than the precision of a float.

    Parameters
    ----------
    log_rates
        From row to column, shape (k, k), up to a common constant; -inf is a rate of 0. The diagonal is ignored.

    Returns
    -------
    ndarray
        Probabilities, shape (k,).

    Raises
    ------
    DynamicsError
        If the rates are not a square of numbers.
    """
    rates = unmasked(log_rates, "log_rates", DynamicsError).astype(np.float64)  # a copy
    if rates.ndim != 2 or rates.shape[0] != rates.shape[1] or np.isnan(rates).any():
        raise DynamicsError(f"log_rates of shape {rates.shape}; needs a square without NaN")
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
    """Log probabilities that 1 to n - 1 mutants become one more or one fewer, shape (..., n - 1), for payoffs of shape
    (2, 2, ..., 1)."""
    mutants = np.arange(1.0, n)
    residents = n - mutants
    up = _log_birth(payoffs, mutants, residents, process) + np.log(residents / n)
    down = _log_birth(payoffs[::-1, ::-1], residents, mutants, process) + np.log(mutants / n)
    return up, down


def _log_birth(payoffs: Numbers, first: Numbers, second: Numbers, process: Process) -> Numbers:
    """Log probability that a player of the first of two types is born if one of the second type dies.

    `payoffs`: [[a, b], [c, d]], the first type first; `first`, `second`: players of both types.
    """
    (a, b), (c, d) = payoffs
    dead = 1.0 if process.rule == "death-birth" else 0.0  # who does not reproduce
    missed = 1.0 if process.games == "survivors" else 0.0
    games = np.maximum(first + second - 1 - missed, 1)
    one = process.log_fitness((a * (first - 1) + b * (second - missed)) / games)
    other = process.log_fitness((c * first + d * (second - 1 - missed)) / games)
    with np.errstate(divide="ignore"):  # log 0 if no player of the second type is left to compete
        return np.asarray(-np.logaddexp(0.0, np.log(second - dead) + other - np.log(first) - one))


def _scale(up: Numbers, down: Numbers) -> tuple[Numbers, Numbers]:
    """Logs of the cumulative products of down / up, and of the cumulative sums of these, both of shape (..., n)."""
    steps = np.cumsum(down - up, axis=-1)
    hill = np.concatenate([np.zeros_like(steps[..., :1]), steps], axis=-1)
    return hill, np.logaddexp.accumulate(hill, axis=-1)


def check_population(n: int) -> None:
    """Raise `DynamicsError` for a population of fewer than 2 players."""
    whole_number(n, "population", 2, error=DynamicsError)
