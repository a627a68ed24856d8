"""Deterministic dynamics of the shares of strategies in an infinite, well-mixed population.

Replicator dynamics (Taylor & Jonker 1978, Math. Biosci. 40:145), the ecological tournament (Axelrod 1984, The Evolution
of Cooperation, ch. 2), and best-response dynamics (Gilboa & Matsui 1991, Econometrica 59:859) with their smooth
version, logit dynamics (Fudenberg & Levine 1998, The Theory of Learning in Games, ch. 4).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from dilemmas.envs.checks import check_number, whole_number
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

SUM_TOLERANCE = 1e-9
"""Largest accepted deviation from 1 of the sum of initial shares."""
EXTINCT = 1e-6
"""A strategy whose share stays below this is reported as extinct."""
RELATIVE_ERROR = 1e-11
"""Of each share, per step of the integration."""
ABSOLUTE_ERROR = 1e-300
"""Of each share without mutation: practically none, so that a rare strategy that recovers is accurate too."""
SMALLEST = float(np.finfo(np.float64).tiny)
"""A share below this, of which rounding leaves no digit, becomes 0; it would be stuck there, and slow."""
MOST_BASELINE = 1e9
"""Most points that are added to payoffs; with more, payoffs would be lost in rounding."""
LONGEST = 200_000
"""Longest integration, in units of time in which the fitness of two strategies differs by at most 1."""


@dataclass(frozen=True, slots=True)
class Fate:
    """Initial and final share of one strategy."""

    name: str
    start: float
    """Initial share, from 0 to 1."""
    end: float
    """Final share, from 0 to 1."""
    gone: float | None
    """Time from which on the share is below one in a million; None if the strategy survives."""


@dataclass(frozen=True, eq=False)
class Course:
    """The shares of strategies over time."""

    names: tuple[str, ...]
    """Strategies, k of them."""
    times: Numbers
    """Generations, or units of continuous time, shape (T,); the first is 0."""
    shares: Numbers
    """From 0 to 1, with sum 1 at every time, shape (T, k)."""
    payoffs: Numbers
    """Mean payoff per round in the whole population, shape (T,)."""

    def series(self) -> dict[str, list[float]]:
        """The shares over time by strategy, in the form that charts take."""
        return dict(zip(self.names, self.shares.T.tolist(), strict=True))

    def fates(self) -> list[Fate]:
        """Initial and final share of each strategy, the most frequent first."""
        alive = self.shares >= EXTINCT
        fates = []
        for place, name in enumerate(self.names):
            lived = np.flatnonzero(alive[:, place])
            since = 0 if lived.size == 0 else int(lived[-1]) + 1
            gone = float(self.times[since]) if since < len(self.times) else None
            fates.append(Fate(name, float(self.shares[0, place]), float(self.shares[-1, place]), gone))
        return sorted(fates, key=lambda fate: (-fate.end, -fate.start, fate.name))


def start_shares(matrix: PayoffMatrix, given: Mapping[str, float] | None = None) -> Numbers:
    """Initial shares of all strategies.

    Parameters
    ----------
    given
        Initial share of some strategies by name; the others have equal parts of the rest.

    Returns
    -------
    ndarray
        Shape (k,), with sum 1.

    Raises
    ------
    DynamicsError
        If a share is outside [0, 1], or the shares do not sum to 1.
    """
    given = matrix.by_name(given or {}, "the initial shares")
    for name, share in given.items():
        if not (isfinite(share) and 0 <= share <= 1):
            raise DynamicsError(f"start: {name} = {share}; a share lies in [0, 1]")
    total, free = sum(given.values()), [name for name in matrix.names if name not in given]
    if total > 1 + SUM_TOLERANCE or (not free and total < 1 - SUM_TOLERANCE):
        listed = ", ".join(f"{name} = {share:g}" for name, share in given.items())
        raise DynamicsError(f"start: {listed} sum to {total:g}; shares must sum to 1")
    rest = max(0.0, 1 - total) / len(free) if free else 0.0
    shares = np.array([given.get(name, rest) for name in matrix.names], dtype=np.float64)
    return np.asarray(shares / shares.sum())


def replicator(
    matrix: PayoffMatrix,
    start: Mapping[str, float] | None = None,
    *,
    time: float = 100.0,
    every: float = 1.0,
    mutation: float = 0.0,
) -> Course:
    """Replicator dynamics x' = x (f(x) - mean f): a share grows at the rate by which its payoff exceeds the mean.

    Integrated with an explicit Runge-Kutta method of order 8 (Dormand & Prince, `scipy.integrate.DOP853`).

    Parameters
    ----------
    matrix
        Payoffs of the strategies.
    start
        Initial shares by name, see `start_shares`.
    time
        Duration, in units in which a strategy that earns one point above the mean grows by a factor e.
    every
        Time between records, above 0 and at most `time`.
    mutation
        Rate, 0 or more, at which players switch to any of the k strategies with equal probability; it adds
        mutation (1/k - x) (Bomze & Buerger 1995, Games Econ. Behav. 11:146).

    Raises
    ------
    DynamicsError
        If an argument is out of range, or `time` is too long for the range of the payoffs or the mutation rate.
    """
    from scipy.integrate import solve_ivp  # type: ignore[import-untyped, unused-ignore]

    shares = start_shares(matrix, start)
    check_number("mutation", mutation, 0, error=DynamicsError)
    if not (isfinite(time) and isfinite(every) and 0 < every <= time):
        raise DynamicsError(f"time = {time}, every = {every}; needs a time above 0, and an interval up to that time")
    span = float(np.ptp(matrix.payoffs))
    if time * span > LONGEST:
        raise DynamicsError(
            f"time (generations) = {time:g} is too long for payoffs with range {span:g}; at most {LONGEST / span:g}"
        )
    if time * (speed := span + mutation) > LONGEST:
        raise DynamicsError(
            f"mutation = {mutation:g} is too fast for a time (generations) of {time:g} and payoffs with range"
            f" {span:g}; at most {LONGEST / time - span:g}"
        )

    def slope(_: float, x: Numbers) -> Numbers:
        earned = matrix.payoffs @ x
        return np.asarray(x * (earned - x @ earned) + mutation * (1 / len(x) - x))

    times: Numbers = np.arange(round(time / every) + 1, dtype=np.float64) * every
    # mutation keeps every share above about mutation / (k * speed)
    smallest = max(ABSOLUTE_ERROR, RELATIVE_ERROR * mutation / (len(shares) * speed)) if mutation else ABSOLUTE_ERROR
    found = solve_ivp(slope, (0.0, times[-1]), shares, "DOP853", times, rtol=RELATIVE_ERROR, atol=smallest)
    if not found.success:
        raise DynamicsError(f"the integration failed: {found.message}")
    path = np.maximum(found.y.T, 0.0)  # (T, k)
    return _course(matrix, path / path.sum(axis=1, keepdims=True), times)


def ecological(
    matrix: PayoffMatrix,
    start: Mapping[str, float] | None = None,
    *,
    generations: int = 100,
    every: int = 1,
    mutation: float = 0.0,
    baseline: float = 0.0,
) -> Course:
    """Ecological tournament: the next share of a strategy is proportional to its share times its payoff.

    Parameters
    ----------
    matrix
        Payoffs of the strategies; none may be negative after `baseline` has been added.
    start
        Initial shares by name, see `start_shares`.
    generations
        Number of generations, 1 or more.
    every
        Generations between records, 1 or more; the last generation is recorded too.
    mutation
        Probability, from 0 to 1, that offspring switches to any of the k strategies with equal probability.
    baseline
        Points added to every payoff; a larger baseline makes selection weaker.

    Raises
    ------
    DynamicsError
        If an argument is out of range or a payoff is negative.
    """
    check_number("mutation", mutation, 0, 1, DynamicsError)
    check_number("baseline", baseline, -MOST_BASELINE, MOST_BASELINE, DynamicsError)
    fitness = matrix.payoffs + baseline
    if not fitness.min() >= 0:
        lowest = matrix.payoffs.min()
        raise DynamicsError(
            f"baseline = {baseline:g} with a lowest payoff of {lowest:g}; shares grow in proportion to payoffs, which"
            f" must not be negative: set a baseline of {0 - lowest:g} or more"
        )

    def next_shares(x: Numbers) -> Numbers:
        grown = x * (fitness @ x)
        if not grown.sum() > 0:  # every payoff is 0, so no strategy grows faster than another
            return x
        return np.asarray((1 - mutation) * grown / grown.sum() + mutation / len(x))

    return _iterated(matrix, start, generations, every, next_shares)


def best_response(
    matrix: PayoffMatrix,
    start: Mapping[str, float] | None = None,
    *,
    generations: int = 100,
    every: int = 1,
    revising: float = 0.1,
    temperature: float = 0.0,
) -> Course:
    """Best-response dynamics: in every generation some players switch to a best response to the present population.

    Revising players who play a best response keep it, and the others choose among the best responses with equal
    probability, so exactly the Nash equilibria are rest points.

    Parameters
    ----------
    matrix
        Payoffs of the strategies.
    start
        Initial shares by name, see `start_shares`.
    generations
        Number of generations, 1 or more.
    every
        Generations between records, 1 or more; the last generation is recorded too.
    revising
        Share of the players who revise their strategy in each generation, in (0, 1].
    temperature
        In points. Above 0, revising players choose a strategy with probability proportional to
        exp(payoff / temperature): logit dynamics.

    Raises
    ------
    DynamicsError
        If an argument is out of range.
    """
    check_number("temperature", temperature, 0, error=DynamicsError)
    if not 0 < revising <= 1:
        raise DynamicsError(f"revising = {revising}; needs a share above 0, up to 1")

    def next_shares(x: Numbers) -> Numbers:
        earned = matrix.payoffs @ x
        chosen = _logit(earned, temperature) if temperature else _best(x, earned, matrix.tie)
        return np.asarray((1 - revising) * x + revising * chosen)

    return _iterated(matrix, start, generations, every, next_shares)


def _iterated(
    matrix: PayoffMatrix,
    start: Mapping[str, float] | None,
    generations: int,
    every: int,
    next_shares: Callable[[Numbers], Numbers],
) -> Course:
    """The course of dynamics in discrete time."""
    shares = start_shares(matrix, start)
    path, times = [shares], [0]
    whole_number(generations, "generations", 1, error=DynamicsError)
    whole_number(every, "every", 1, error=DynamicsError)
    for generation in range(1, generations + 1):
        shares = next_shares(shares)
        shares = np.where(shares < SMALLEST, 0.0, shares)
        if generation % every == 0 or generation == generations:
            path.append(shares)
            times.append(generation)
    return _course(matrix, np.array(path), np.array(times, dtype=np.float64))


def _best(x: Numbers, earned: Numbers, tie: float) -> Numbers:
    """Choices of revising players: the best responses that they play, or any best response."""
    best = earned >= earned.max() - tie
    kept = np.where(best, x, 0.0)
    return np.asarray(kept + (1 - kept.sum()) * best / best.sum())


def _logit(earned: Numbers, temperature: float) -> Numbers:
    weights = np.exp((earned - earned.max()) / temperature)
    return np.asarray(weights / weights.sum())


def _course(matrix: PayoffMatrix, shares: Numbers, times: Numbers) -> Course:
    payoffs = np.einsum("ti,ij,tj->t", shares, matrix.payoffs, shares)
    return Course(matrix.names, times, shares, payoffs)
