"""Uncertainty: intervals of proportions, tests of their difference, and the bootstrap.

Distribution functions come from scipy and the standard library; tests/experiments/reporting/test_intervals.py compares
them with published tables.
"""

from dataclasses import dataclass
from functools import cache
from math import erfc, inf, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Interval = tuple[float, float]
"""Lower and upper end."""

LEVEL = 0.95
"""Confidence level of every interval."""
SIGNIFICANCE = 0.05
"""A difference with a smaller p-value is significant."""
RESAMPLES = 2000
"""Bootstrap samples; each end of a 95% interval then rests on the outermost 50."""

Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
"""Quantile of the standard normal distribution for a two-sided 95% interval, 1.96."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its confidence interval."""

    value: float
    interval: Interval | None
    """95% interval; None if a single observation or cluster leaves the spread unknown."""


@dataclass(frozen=True, slots=True)
class ZTest:
    """Two-sided z-test for the difference of two proportions."""

    difference: float
    """First proportion minus the second, in [-1, 1]."""
    standard_error: float
    """Of the difference, with the proportion pooled over both samples, as under the null hypothesis."""
    z: float
    """The difference divided by its standard error."""
    p: float
    """Probability of a difference at least as large under the null hypothesis, in [0, 1]."""


def wilson(successes: float, n: float) -> Interval:
    """95% score interval of a proportion from `n` > 0 observations (Wilson 1927, JASA 22:209)."""
    rate, spread = successes / n, Z * Z / n
    middle = (rate + spread / 2) / (1 + spread)
    half = Z * sqrt(rate * (1 - rate) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def two_proportions(successes: float, n: int, other_successes: float, other_n: int) -> ZTest:
    """Test whether two proportions differ.

    Parameters
    ----------
    successes, n
        Successes and observations of the first sample; at least one observation.
    other_successes, other_n
        The same of the second sample.

    Returns
    -------
    ZTest
        With z = 0 and p = 1 if both samples consist of successes only, or of failures only.
    """
    difference = successes / n - other_successes / other_n
    pooled = (successes + other_successes) / (n + other_n)
    error = sqrt(max(0.0, pooled * (1 - pooled)) * (1 / n + 1 / other_n))
    z = difference / error if error else 0.0
    return ZTest(difference, error, z, erfc(abs(z) / sqrt(2)))


@cache
def chi_squared_critical(df: int) -> float:
    """Value that chi-squared with `df` >= 0 degrees of freedom exceeds with 5% probability; infinite for `df` = 0."""
    from scipy.special import chdtri  # type: ignore[import-untyped, unused-ignore]

    return float(chdtri(df, SIGNIFICANCE)) if df else inf


@cache
def t_critical(df: int) -> float:
    """Value that |T| of Student's t with `df` >= 1 degrees of freedom exceeds with 5% probability."""
    from scipy.special import stdtrit  # type: ignore[import-untyped, unused-ignore]

    return float(stdtrit(df, (1 + LEVEL) / 2))


def differ(counts: ArrayLike, other: ArrayLike) -> NDArray[np.bool_]:
    """Pearson's chi-squared test: do two samples of K actions differ at the 5% level?

    With two actions it is the two-sided z-test for two proportions. Actions that occur in neither sample do not count.

    Parameters
    ----------
    counts, other
        Number of times each action was chosen, shape (..., K); at least one choice in total.

    Returns
    -------
    ndarray of bool
        Shape (...).
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
    """The middle 95% of bootstrap replicates, shape (B,) (Efron 1979); NaN replicates are ignored."""
    low, high = np.nanquantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def basic_interval(estimate: float, replicates: NDArray[np.float64]) -> Interval:
    """The percentile interval reflected at the estimate (Davison & Hinkley 1997, section 5.2).

    For statistics with a noise-induced bias, such as sums of absolute differences: resampling adds the bias a second
    time, and the reflection removes it.
    """
    low, high = percentile_interval(replicates)
    return 2 * estimate - high, 2 * estimate - low


def resampled(n: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    """Indices of `resamples` samples of size `n` with replacement, shape (B, n)."""
    return rng.integers(0, n, (resamples, n))


def ratio(totals: ArrayLike, sizes: ArrayLike, rng: np.random.Generator, resamples: int = RESAMPLES) -> Estimate:
    """Ratio sum(totals) / sum(sizes) with a bootstrap interval over clusters (matches), which are resampled whole.

    Parameters
    ----------
    totals, sizes
        Sum of the measured quantity and number of observations of each cluster, shape (N,).
    rng
        Generator of the bootstrap samples.
    resamples
        Number of bootstrap samples.
    """
    total, size = np.asarray(totals, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    value = float(total.sum() / size.sum())
    if len(total) < 2:
        return Estimate(value, None)
    index = resampled(len(total), rng, resamples)  # (B, N)
    return Estimate(value, percentile_interval(total[index].sum(axis=1) / size[index].sum(axis=1)))
