"""Uncertainty: proportions, tests of their difference, and the bootstrap.

The normal and chi-squared tails are closed forms; tests/test_intervals.py checks them against published
numbers.
"""

from dataclasses import dataclass
from functools import cache
from math import atan, cos, erfc, exp, gamma, inf, pi, sin, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Interval = tuple[float, float]
"""Lower and upper end."""

LEVEL = 0.95
"""Confidence of every interval."""
SIGNIFICANCE = 0.05
"""A difference with a smaller p-value is told apart from chance."""
RESAMPLES = 2000
"""Bootstrap samples; the ends of a 95% interval then rest on the outer 50 on either side."""

Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and how far it can be trusted."""

    value: float
    interval: Interval | None
    """95% interval; None where one observation or cluster says nothing about the spread."""


@dataclass(frozen=True, slots=True)
class ZTest:
    """z-test for the difference of two proportions, two-sided."""

    difference: float
    """First proportion minus the second, in [-1, 1]."""
    standard_error: float
    """Of the difference, with the proportion pooled over both samples as the null hypothesis says."""
    z: float
    p: float
    """Probability of a difference at least as large where there is none, in [0, 1]."""


def wilson(successes: float, n: float) -> Interval:
    """95% score interval of a proportion from `n` > 0 observations (Wilson 1927, JASA 22:209)."""
    rate, spread = successes / n, Z * Z / n
    middle = (rate + spread / 2) / (1 + spread)
    half = Z * sqrt(rate * (1 - rate) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def two_proportions(successes: float, n: int, other_successes: float, other_n: int) -> ZTest:
    """Whether two proportions differ; needs at least one observation of each.

    Two samples of nothing but successes (or none at all) do not differ: z = 0, p = 1.
    """
    difference = successes / n - other_successes / other_n
    pooled = (successes + other_successes) / (n + other_n)
    error = sqrt(max(0.0, pooled * (1 - pooled)) * (1 / n + 1 / other_n))
    z = difference / error if error else 0.0
    return ZTest(difference, error, z, erfc(abs(z) / sqrt(2)))


def chi_squared_tail(x: float, df: int) -> float:
    """P(X >= x) of chi-squared with `df` >= 1 degrees of freedom (Abramowitz & Stegun 26.4.4 and 26.4.5)."""
    tail = erfc(sqrt(x / 2)) if df % 2 else exp(-x / 2)
    for k in range(2 - df % 2, df, 2):
        tail += (x / 2) ** (k / 2) * exp(-x / 2) / gamma(k / 2 + 1)
    return min(1.0, tail)


@cache
def chi_squared_critical(df: int) -> float:
    """What chi-squared with `df` >= 0 degrees of freedom exceeds in 5% of cases; never, without a degree."""
    if df == 0:
        return inf
    low, high = 0.0, 10.0 * df
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if chi_squared_tail(middle, df) > SIGNIFICANCE else (low, middle)
    return high


def t_inside(t: float, df: int) -> float:
    """P(|T| <= t) of Student's t with `df` >= 1 degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    angle = atan(t / sqrt(df))
    term = total = cos(angle) if df % 2 else 1.0
    for k in range(2 + df % 2, df - 1, 2):
        term *= cos(angle) ** 2 * (k - 1) / k
        total += term
    if df % 2:
        return 2 / pi * (angle + sin(angle) * (total if df > 1 else 0.0))
    return sin(angle) * total


@cache
def t_critical(df: int) -> float:
    """What Student's t with `df` >= 1 degrees of freedom stays within in 95% of cases, on both sides of 0."""
    low, high = 0.0, 100.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if t_inside(middle, df) < LEVEL else (low, middle)
    return high


def differ(counts: ArrayLike, other: ArrayLike) -> NDArray[np.bool_]:
    """Whether pairs of samples come from two distributions, by Pearson's test at the 5% level.

    `counts`, `other`: how often each of K actions was chosen, shape (..., K), at least once in all; the
    result has shape (...). With two actions it is the two-sided z-test for two proportions. Actions that
    neither sample chose are left out.
    """
    table = np.stack([counts, other]).astype(np.float64)  # (2, ..., K)
    sizes = table.sum(axis=-1, keepdims=True)
    expected = sizes * table.sum(axis=0) / sizes.sum(axis=0)
    seen = expected[0] > 0
    with np.errstate(invalid="ignore"):
        statistic = np.where(seen, (table - expected) ** 2 / expected, 0).sum(axis=(0, -1))
    limits = np.array([chi_squared_critical(df) for df in range(table.shape[-1])])
    result: NDArray[np.bool_] = statistic > limits[seen.sum(axis=-1) - 1]
    return result


def percentile_interval(replicates: NDArray[np.float64]) -> Interval:
    """The middle 95% of bootstrap replicates, shape (B,) (Efron 1979); undefined replicates are left out."""
    low, high = np.nanquantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def basic_interval(estimate: float, replicates: NDArray[np.float64]) -> Interval:
    """The percentile interval mirrored at the estimate (Davison & Hinkley 1997, section 5.2).

    For statistics that noise pushes one way, such as sums of absolute differences: resampling pushes them
    once more, and the mirror takes that out.
    """
    low, high = percentile_interval(replicates)
    return 2 * estimate - high, 2 * estimate - low


def resampled(n: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    """Indices of `resamples` samples of size `n` with replacement, shape (B, n)."""
    return rng.integers(0, n, (resamples, n))


def ratio(totals: ArrayLike, sizes: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES) -> Estimate:
    """sum(totals) / sum(sizes) with a bootstrap interval over clusters (matches), which are resampled whole.

    `totals`, `sizes`: shape (N,), one entry per cluster: the sum of what is measured, and over how many.
    """
    total, size = np.asarray(totals, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    value = float(total.sum() / size.sum())
    if len(total) < 2:
        return Estimate(value, None)
    index = resampled(len(total), rng, resamples)  # (B, N)
    return Estimate(value, percentile_interval(total[index].sum(axis=1) / size[index].sum(axis=1)))
