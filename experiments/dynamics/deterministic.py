"""How the shares of strategies change in a population without end: everybody meets everybody in proportion to shares.

Replicator dynamics (Taylor & Jonker 1978, Math. Biosci. 40:145), the ecological tournament (Axelrod 1984, The Evolution
of Cooperation, ch. 2), and best-response dynamics (Gilboa & Matsui 1991, Econometrica 59:859) with their smooth
relative, logit (Fudenberg & Levine 1998, The Theory of Learning in Games, ch. 4). Nothing here is left to chance.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil, inf, isfinite

import numpy as np

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.names import lookup
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

EVEN = 1e-9
"""Shares that miss a sum of 1 by more are refused."""
GONE = 1e-6
"""Whoever stays below this share is told to have died out."""
STRIDE = 0.1
"""Most that a share may grow by in one step of the integration, in natural logarithms; an error of about 1e-6."""
MOST_STEPS = 2_000_000
"""Most steps of an integration."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one strategy."""

    name: str
    start: float
    """First share, from 0 to 1."""
    end: float
    """Last share, from 0 to 1."""
    gone: float | None
    """Time from which on its share is below one in a million; None where it lives."""


@dataclass(frozen=True, eq=False)
class Course:
    """The shares of strategies over time."""

    names: tuple[str, ...]
    times: Numbers
    """Generations, or units of continuous time, shape (T,); the first is 0."""
    shares: Numbers
    """From 0 to 1 and 1 in sum at every time, shape (T, k)."""
    payoffs: Numbers
    """Mean points per round in the whole population, shape (T,)."""

    def series(self) -> dict[str, list[float]]:
        """The shares over time by strategy, as charts take them."""
        return dict(zip(self.names, self.shares.T.tolist(), strict=True))

    def fates(self) -> list[Fate]:
        """What became of each strategy, the most frequent first."""
        alive = self.shares >= GONE
        fates = []
        for place, name in enumerate(self.names):
            lived = np.flatnonzero(alive[:, place])
            since = 0 if lived.size == 0 else int(lived[-1]) + 1
            gone = float(self.times[since]) if since < len(self.times) else None
            fates.append(Fate(name, float(self.shares[0, place]), float(self.shares[-1, place]), gone))
        return sorted(fates, key=lambda fate: (-fate.end, -fate.start, fate.name))


def start_shares(matrix: PayoffMatrix, given: Mapping[str, float] | None = None) -> Numbers:
    """Shares at the start, shape (k,). Strategies that are not named have the rest in equal parts."""
    given = given or {}
    for name, share in given.items():
        lookup("player", name, dict.fromkeys(matrix.names), "the starting shares")
        if not (isfinite(share) and 0 <= share <= 1):
            raise DynamicsError(f"start: {name} = {share}; a share lies in [0, 1]")
    total, free = sum(given.values()), [name for name in matrix.names if name not in given]
    if total > 1 + EVEN or (not free and total < 1 - EVEN):
        told = ", ".join(f"{name} = {share:g}" for name, share in given.items())
        raise DynamicsError(f"start: {told} add up to {total:g}; shares add up to 1")
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
    """Replicator dynamics: a share grows by what its strategy earns above the mean, x' = x (f(x) - mean).

    `start`: shares by name, see `start_shares`; `time`: how long, and `every`: how often to record, in units in which a
    strategy that earns one point above the mean grows e-fold; `mutation`: at this rate, 0 or more, players take to
    any of the k strategies, each as likely: + mutation (1/k - x) (Bomze & Buerger 1995, Games Econ. Behav. 11:146).
    Fourth-order Runge-Kutta. Raises `DynamicsError` for what cannot be.
    """
    shares = start_shares(matrix, start)
    _least("mutation", mutation, 0)
    if not (isfinite(time) and isfinite(every) and 0 < every <= time):
        raise DynamicsError(f"time = {time}, every = {every}; needs a time above 0 and records within it")
    speed = float(np.ptp(matrix.payoffs)) + mutation
    steps, records = max(1, ceil(every * speed / STRIDE)), round(time / every)
    if steps * records > MOST_STEPS:
        most = MOST_STEPS * STRIDE / speed
        raise DynamicsError(f"time = {time:g} is too long for payoffs that lie {speed:g} apart; needs at most {most:g}")

    def slope(x: Numbers) -> Numbers:
        earned = matrix.payoffs @ x
        return np.asarray(x * (earned - x @ earned) + mutation * (1 / len(x) - x))

    def states() -> Iterable[Numbers]:
        x = shares
        yield x
        for _ in range(records):
            for _ in range(steps):
                x = _runge_kutta(slope, x, every / steps)
            yield x

    return _course(matrix, states(), every)


def ecological(
    matrix: PayoffMatrix,
    start: Mapping[str, float] | None = None,
    *,
    generations: int = 100,
    mutation: float = 0.0,
    baseline: float = 0.0,
) -> Course:
    """The ecological tournament: in the next generation a share is in proportion to itself times what it earns.

    `mutation`: chance, from 0 to 1, that offspring takes to any of the k strategies, each as likely; `baseline`: points
    that everybody has besides, which make selection weaker. No payoff may be negative with them.
    """
    shares = start_shares(matrix, start)
    _least("generations", generations, 1)
    _least("mutation", mutation, 0, 1)
    fitness = matrix.payoffs + baseline
    if not fitness.min() >= 0:
        lowest = matrix.payoffs.min()
        raise DynamicsError(
            f"a payoff of {lowest:g} with a baseline of {baseline:g}; shares grow in proportion to payoffs, which must"
            f" not be negative: set a baseline of {-lowest:g} or more"
        )

    def states() -> Iterable[Numbers]:
        x = shares
        yield x
        for _ in range(generations):
            grown = x * (fitness @ x)
            if grown.sum() > 0:  # where nobody earns anything, nobody outgrows another
                x = (1 - mutation) * grown / grown.sum() + mutation / len(x)
            yield x

    return _course(matrix, states(), 1.0)


def best_response(
    matrix: PayoffMatrix,
    start: Mapping[str, float] | None = None,
    *,
    generations: int = 100,
    revising: float = 0.1,
    temperature: float = 0.0,
) -> Course:
    """Best-response dynamics: in every generation some players look around and take what earns most now.

    `revising`: share of the players who do so, in (0, 1]. Those who already play a best reply keep it, and the others
    choose evenly among the best replies, so a population rests just where it is a Nash equilibrium. With a
    `temperature` above 0, in points, they take a strategy with a chance in proportion to exp(payoff / temperature)
    instead: logit dynamics.
    """
    shares = start_shares(matrix, start)
    _least("generations", generations, 1)
    _least("temperature", temperature, 0)
    if not 0 < revising <= 1:
        raise DynamicsError(f"revising = {revising}; needs a share above 0, up to 1")

    def states() -> Iterable[Numbers]:
        x = shares
        yield x
        for _ in range(generations):
            earned = matrix.payoffs @ x
            taken = _logit(earned, temperature) if temperature else _best(x, earned, matrix.tie)
            x = (1 - revising) * x + revising * taken
            yield x

    return _course(matrix, states(), 1.0)


def _best(x: Numbers, earned: Numbers, tie: float) -> Numbers:
    """What revising players take: the best replies they play, or any of them."""
    best = earned >= earned.max() - tie
    kept = np.where(best, x, 0.0)
    return np.asarray(kept + (1 - kept.sum()) * best / best.sum())


def _logit(earned: Numbers, temperature: float) -> Numbers:
    weights = np.exp((earned - earned.max()) / temperature)
    return np.asarray(weights / weights.sum())


def _runge_kutta(slope: Callable[[Numbers], Numbers], x: Numbers, step: float) -> Numbers:
    """One classical step of fourth order, kept on the simplex."""
    k1 = slope(x)
    k2 = slope(x + step / 2 * k1)
    k3 = slope(x + step / 2 * k2)
    k4 = slope(x + step * k3)
    x = np.maximum(x + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4), 0.0)
    return np.asarray(x / x.sum())


def _course(matrix: PayoffMatrix, states: Iterable[Numbers], every: float) -> Course:
    shares: Numbers = np.array(list(states))  # (T, k)
    payoffs = np.einsum("ti,ij,tj->t", shares, matrix.payoffs, shares)
    return Course(matrix.names, np.arange(len(shares), dtype=np.float64) * every, shares, payoffs)


def _least(name: str, value: float, least: float, most: float = inf) -> None:
    if not (isfinite(value) and least <= value <= most):
        span = f"{least} up" if most == inf else f"{least} to {most}"
        raise DynamicsError(f"{name} = {value}; needs a number from {span}")
