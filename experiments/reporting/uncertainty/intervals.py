"""Uncertainty: intervals of proportions and of means over matches, and tests of a difference.

Distribution functions come from scipy and the standard library; tests/experiments/reporting/test_intervals.py compares
them with published tables.
"""

from dataclasses import dataclass
from functools import cache, partial
from math import erfc, inf, sqrt
from statistics import NormalDist
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import ArrayLike, NDArray

from dilemmas.envs.checks import number_array, unmasked
from dilemmas.envs.errors import InputError
from dilemmas.envs.validation import Meets, Share


def _check_ends(ends: tuple[float, float]) -> None:
    if ends[0] > ends[1]:
        raise ValueError(f"needs a lower end that is not above the upper end; got {list(ends)}")


Interval = Annotated[tuple[float, float], Meets(_check_ends)]
"""Lower and upper end."""
ShareInterval = Annotated[tuple[Share, Share], Meets(_check_ends)]
"""Lower and upper end of an interval of a share, from 0 to 1."""

LEVEL = 0.95
"""Confidence level of every interval."""
SIGNIFICANCE = 0.05
"""A difference with a smaller p-value is significant."""
ROUNDING = 1e-12
"""Spread that counts as none, as a share of the largest value."""
RESAMPLES = 2000
"""Simulated samples; each end of a 95% interval then rests on the outermost 50."""

Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
"""Quantile of the standard normal distribution for a two-sided 95% interval, 1.96."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its confidence interval."""

    value: float
    """The number."""
    interval: Interval | None
    """95% interval; None where the spread is unknown."""


def _check_estimate(found: Estimate, low: float = -inf, high: float = inf) -> None:
    ends = found.interval or (found.value, found.value)
    if not low <= found.value <= high:
        raise ValueError(f"value: needs a number from {low:g} to {high:g}; got {found.value}")
    if not low <= ends[0] <= found.value <= ends[1] <= high:
        raise ValueError(f"interval: needs ends around {found.value}, from {low:g} to {high:g}; got {list(ends)}")


MeanEstimate = Annotated[Estimate, Meets(_check_estimate)]
"""A number within its confidence interval."""
ShareEstimate = Annotated[Estimate, Meets(partial(_check_estimate, low=0.0, high=1.0))]
"""An estimate of a share, from 0 to 1."""
LeanEstimate = Annotated[Estimate, Meets(partial(_check_estimate, low=-1.0, high=1.0))]
"""An estimate of a difference of two shares, from -1 to 1."""


@dataclass(frozen=True, slots=True)
class ZTest:
    """Two-sided z-test for the difference of two proportions."""

    difference: Annotated[float, Ge(-1), Le(1)]
    """First proportion minus the second, in [-1, 1]."""
    standard_error: Annotated[float, Ge(0)]
    """Of the difference, with the proportion pooled over both samples, as under the null hypothesis."""
    z: float
    """The difference divided by its standard error."""
    p: Share
    """Probability of a difference at least as large under the null hypothesis, in [0, 1]."""


def wilson(successes: float, n: float, reach: float = Z) -> Interval:
    """95% score interval of a proportion from `n` > 0 observations (Wilson 1927, JASA 22:209).

    `reach`: quantile of the distribution of the standardised proportion. `InputError` if `successes` are not from 0 to
    `n`.
    """
    check_successes(successes, n)
    return _least_rate(successes / n, n, reach), 1.0 - _least_rate(1.0 - successes / n, n, reach)


def _least_rate(rate: float, n: float, reach: float) -> float:
    """Lower end of the score interval: the product of both ends is rate² / (1 + spread), so that it is 0 for rate 0."""
    spread = reach * reach / n
    half = reach * sqrt(max(0.0, rate * (1 - rate) / n) + spread / (4 * n))
    return rate * rate / (rate + spread / 2 + half)


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

    Raises
    ------
    InputError
        If there are no observations, or successes are not from 0 to their number.
    """
    check_successes(successes, n)
    check_successes(other_successes, other_n)
    difference = successes / n - other_successes / other_n
    pooled = (successes + other_successes) / (n + other_n)
    error = sqrt(max(0.0, pooled * (1 - pooled)) * (1 / n + 1 / other_n))
    z = difference / error if error else 0.0
    return ZTest(difference, error, z, erfc(abs(z) / sqrt(2)))


def check_successes(successes: float, n: float) -> None:
    """`InputError` unless there are from 0 to `n` > 0 successes."""
    if not (0 < n < inf and 0 <= successes <= n * (1 + ROUNDING)):
        raise InputError(f"{successes} successes of {n} observations; needs from 0 to the number of observations")


@cache
def chi_squared_critical(df: int) -> float:
    """Value that chi-squared with `df` >= 0 degrees of freedom exceeds with 5% probability; infinite for `df` = 0."""
    from scipy.special import chdtri  # type: ignore[import-untyped, unused-ignore]

    return float(chdtri(df, SIGNIFICANCE)) if df else inf


@cache
def t_critical(df: float) -> float:
    """Value that |T| of Student's t with `df` >= 1 degrees of freedom, also infinite, exceeds with 5% probability."""
    from scipy.special import stdtrit  # type: ignore[import-untyped, unused-ignore]

    return Z if df == inf else float(stdtrit(df, (1 + LEVEL) / 2))


def welch_reach(one: ArrayLike, other: ArrayLike, freedom: float) -> NDArray[np.float64]:
    """Half the width of the 95% interval of the difference of two independent means (Welch 1947, Biometrika 34:28).

    Parameters
    ----------
    one, other
        Estimated variances of the two means, of the same shape; NaN if unknown.
    freedom
        Degrees of freedom of each variance, at least 1; infinite for known variances.
    """
    from scipy.special import stdtrit  # type: ignore[import-untyped, unused-ignore]

    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    both = first + second
    if freedom == inf:
        return np.asarray(Z * np.sqrt(both))
    with np.errstate(invalid="ignore"):
        pooled = np.where(both == 0, 1.0, freedom * both**2 / (first**2 + second**2))
    return np.asarray(stdtrit(pooled, (1 + LEVEL) / 2) * np.sqrt(both))


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

    Raises
    ------
    InputError
        If the shapes differ, or a number is negative.
    """
    first, second = (number_array(one, "counts", ("...", "K"), 0) for one in (counts, other))
    if first.shape != second.shape:
        raise InputError(f"counts of shapes {first.shape} and {second.shape}; needs the same")
    table = np.stack([first, second])  # (2, ..., K)
    sizes = table.sum(axis=-1, keepdims=True)
    expected = sizes * table.sum(axis=0) / sizes.sum(axis=0)
    seen = expected[0] > 0
    with np.errstate(invalid="ignore"):
        statistic = np.where(seen, (table - expected) ** 2 / expected, 0).sum(axis=(0, -1))
    limits = np.array([chi_squared_critical(df) for df in range(table.shape[-1])])
    result: NDArray[np.bool_] = statistic > limits[seen.sum(axis=-1) - 1]
    return result


def ratio(
    totals: ArrayLike, sizes: ArrayLike, strata: ArrayLike | None = None, bounds: Interval = (-inf, inf)
) -> Estimate:
    """Ratio sum(totals) / sum(sizes) of a stratified sample of clusters, such as matches, with its 95% interval.

    The interval is Student's, from the variance of the combined ratio estimator between the clusters of a stratum
    (Cochran 1977, Sampling Techniques, section 6.11).

    Parameters
    ----------
    totals, sizes
        Sum of the measured quantity and number of observations of each cluster, shape (N,).
    strata
        Stratum of each cluster, any values, shape (N,); by default all are of the same. Strata are fixed, such as the
        opponents that were chosen; clusters are drawn at random. Single clusters of a stratum form one together.
    bounds
        Ends between which the ratio lies.

    Returns
    -------
    Estimate
        Without an interval where clusters do not differ, or there is a single one: the spread is then unknown.

    Raises
    ------
    InputError
        If the shapes differ, a value is not finite, a size is negative, or there are no observations.
    """
    total, size, member = _clusters(totals, sizes, strata)
    value = float(total.sum() / size.sum())
    freedom = len(total) - member.max() - 1
    half = t_critical(freedom) * sqrt(_variance(total, size, member)) if freedom else 0.0
    if half <= ROUNDING * np.abs(total / size).max():
        return Estimate(value, None)
    return Estimate(value, (max(bounds[0], value - half), min(bounds[1], value + half)))


def proportion(successes: ArrayLike, sizes: ArrayLike, strata: ArrayLike | None = None) -> Estimate:
    """Proportion sum(successes) / sum(sizes) of a stratified sample of clusters, with its 95% interval.

    For observations that are correlated within clusters, such as the rounds of a match: the score interval of each
    stratum, with the number of observations divided by the design effect (Dean & Pagano 2015, J. Surv. Stat. Methodol.
    3:484) and, where it is above 1, Student's quantile; the strata are combined as by Yan & Su 2010 (Stat. Biopharm.
    Res. 2:418).

    Parameters
    ----------
    successes, sizes, strata
        As `totals`, `sizes` and `strata` of `ratio`; successes are from 0 to the size of the cluster.

    Returns
    -------
    Estimate
        Without an interval for a single cluster of several observations. Where all observations of a stratum are
        alike, in all strata, they do not tell how they are correlated: a cluster then counts as one observation.

    Raises
    ------
    InputError
        As `ratio`, or if successes are not from 0 to the size of their cluster.
    """
    total, size, member = _clusters(successes, sizes, strata)
    if not ((total >= 0) & (total <= size * (1 + ROUNDING))).all():
        raise InputError("successes of a cluster are not from 0 to its size")
    value = float(total.sum() / size.sum())
    freedom = len(total) - member.max() - 1
    observed = np.bincount(member, size)  # by stratum
    rates, weights = np.bincount(member, total) / observed, observed / observed.sum()
    effect, reach = 1.0, Z
    if size.max() > 1:
        if not freedom:
            return Estimate(value, None)
        independent = float((weights**2 * rates * (1 - rates) / observed).sum())
        whole = (size**2).sum() / size.sum()  # of clusters whose observations are all alike
        effect = max(1.0, _variance(total, size, member) / independent) if independent else whole
        reach = t_critical(freedom) if effect > 1 else Z
    ends = np.array([wilson(p * n, n, reach) for p, n in zip(rates, observed / effect, strict=True)])
    low, high = np.sqrt((((rates[:, None] - ends) * weights[:, None]) ** 2).sum(axis=0))
    return Estimate(value, (max(0.0, value - float(low)), min(1.0, value + float(high))))


def _clusters(
    totals: ArrayLike, sizes: ArrayLike, strata: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Total, size and index of the stratum of each cluster that is not empty."""
    total, size = number_array(totals, "totals", ("N",)), number_array(sizes, "sizes", ("N",), 0)
    given = np.zeros(len(total)) if strata is None else unmasked(strata, "strata")
    if not total.shape == size.shape == given.shape:
        raise InputError(
            f"totals, sizes and strata of shapes {total.shape}, {size.shape}, {given.shape}; needs the same"
        )
    kept = size > 0
    if not kept.any():
        raise InputError("sizes are all 0; needs at least one observation")
    _, member, count = np.unique(given[kept], return_inverse=True, return_counts=True)
    member[count[member] == 1] = len(count)  # single clusters form a stratum
    return total[kept], size[kept], np.unique(member, return_inverse=True)[1]


def _variance(total: NDArray[np.float64], size: NDArray[np.float64], member: NDArray[np.int64]) -> float:
    """Variance of the combined ratio of clusters, by the index of their stratum; 0 for strata of a single cluster."""
    residuals = total - total.sum() / size.sum() * size
    count = np.bincount(member)
    spread = residuals - (np.bincount(member, residuals) / count)[member]
    scale = np.where(count > 1, count / np.maximum(count - 1, 1), 0.0)
    return float((scale[member] * spread**2).sum() / size.sum() ** 2)
