"""Profile-likelihood intervals of the shares and trembles of a mixture of strategies.

An interval has all values of a parameter at which the largest likelihood, over all other parameters, is not
significantly smaller than the largest of all (Venzon & Moolgavkar 1988, Appl. Stat. 37:87). Where hardly any choice
distinguishes two strategies, or an error from an intention, the likelihood is flat and the interval is wide; a
bootstrap misses that, because the samples that it draws contain the same few choices. The critical value of a share has
the correction of Bartlett (1937, Proc. R. Soc. A 160:268): the ratio for a proportion p of n has the mean 1 + (1/p +
1/(1 - p) - 1) / (6n). The interval of a share of 0 or 1 extends at least as far as the score interval of a proportion
(Wilson 1927), because the likelihood of none in n subjects decreases too fast.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.expectation_maximisation import Fixed, Point, parts, summit
from dilemmas.experiments.inference.likelihoods import LEAST_TREMBLE, MOST_TREMBLE, Evidence
from dilemmas.experiments.reporting.uncertainty.intervals import LEVEL, Z

HALVINGS = 12
"""Bisections of each end, which is then known to 1/4,096."""
TOLERANCE = 1e-5
"""Precision of the parameters that are fitted beside the fixed share."""


def profile_intervals(evidence: Evidence, best: Point, groups: Sequence[tuple[int, ...]], at_once: int = 1) -> Numbers:
    """Intervals of the sums of shares of groups of strategies. A cluster of subjects counts as one subject.

    Parameters
    ----------
    evidence
        Choices of the subjects.
    best
        The mixture with the largest likelihood, as a single sample.
    groups
        G groups of strategies, as positions.
    at_once
        Number of intervals that cover together in 95% of studies (Bonferroni).

    Returns
    -------
    ndarray
        Lower and upper ends, in [0, 1], shape (G, 2).
    """
    subjects, critical = evidence.independent, _critical(at_once)
    members = np.zeros((len(evidence.strategies), len(groups)), dtype=bool)
    for number, group in enumerate(groups):
        members[list(group), number] = True
    sums = (best.shares * members).sum(axis=0)
    centres = (sums + Z * Z / (2.0 * subjects)) / (1.0 + Z * Z / subjects)
    corrections = 1.0 + (1.0 / centres + 1.0 / (1.0 - centres) - 1.0) / (6.0 * subjects)
    allowed = np.tile(corrections, 2) * critical / 2.0 * len(evidence.subjects) / subjects
    sides = np.hstack([members, members])

    def fitted(ends: NDArray[np.int64], values: Numbers, near: Point) -> Point:
        kept = Fixed(sides[:, ends], values, np.zeros(near.trembles.shape, dtype=bool))
        return _fitted(evidence, kept, near.shares, np.maximum(near.trembles, LEAST_TREMBLE))

    low, high = _ends(best, sums, (0.0, 1.0), allowed, fitted)
    room = critical / (subjects + critical)
    low = np.where(sums == 1.0, np.minimum(low, 1.0 - room), low)
    return np.column_stack([low, np.where(sums == 0.0, np.maximum(high, room), high)])


def tremble_intervals(evidence: Evidence, best: Point) -> Numbers:
    """Interval of each tremble by itself, in [0, 1/2], shape (1, 2) or (K, 2), as for `profile_intervals`."""
    count, k = len(best.trembles), len(evidence.strategies)
    allowed = np.full(2 * count, _critical() / 2.0 * len(evidence.subjects) / evidence.independent)

    def fitted(ends: NDArray[np.int64], values: Numbers, near: Point) -> Point:
        held = np.arange(count)[:, None] == ends % count
        trembles = np.where(held, values, np.maximum(near.trembles, LEAST_TREMBLE))
        kept = Fixed(np.zeros((k, len(ends)), dtype=bool), np.zeros(len(ends)), held)
        return _fitted(evidence, kept, near.shares, trembles)

    return np.column_stack(_ends(best, best.trembles[:, 0], (0.0, MOST_TREMBLE), allowed, fitted))


def of_parts(intervals: Numbers, sizes: NDArray[np.int64]) -> Numbers:
    """Intervals of the share of each of `sizes` strategies that are not distinguished: any part of their sum's."""
    return np.column_stack([np.where(sizes > 1, 0.0, intervals[:, 0]), intervals[:, 1]])


def _critical(at_once: int = 1) -> float:
    """Critical value of twice the difference of log-likelihoods."""
    from scipy.special import chdtri  # type: ignore[import-untyped, unused-ignore]

    return float(chdtri(1, (1.0 - LEVEL) / at_once))


def _ends(
    best: Point,
    estimates: Numbers,
    bounds: tuple[float, float],
    allowed: Numbers,
    fitted: Callable[[NDArray[np.int64], Numbers, Point], Point],
) -> tuple[Numbers, Numbers]:
    """Lower and upper ends, shape (G,) each, by bisection between the estimates and the bounds.

    Parameters
    ----------
    best
        The mixture with the largest likelihood.
    estimates
        The parameters there, shape (G,).
    bounds
        Least and largest value of a parameter.
    allowed
        Largest difference of log-likelihoods of each lower end, and then of each upper end, shape (2G,).
    fitted
        The largest likelihood where the parameters of these ends have these values, from an initial state.
    """
    ends, outer = np.tile(estimates, 2), np.repeat(bounds, len(estimates))
    places = np.flatnonzero(ends != outer)
    inner = ends[places]
    shares, trembles = (np.tile(values, (1, len(places))) for values in (best.shares, best.trembles))
    near = Point(shares, trembles, best.log_likelihood, best.ratios)
    for _ in range(HALVINGS):
        middle = (inner + outer[places]) / 2.0
        near = fitted(places, middle, near)
        likely = best.log_likelihood - near.log_likelihood <= allowed[places]
        inner, outer[places] = np.where(likely, middle, inner), np.where(likely, outer[places], middle)
    low, high = outer.reshape(2, -1)
    return low, high


def _fitted(evidence: Evidence, fixed: Fixed, shares: Numbers, trembles: Numbers) -> Point:
    """The largest likelihood with what is fixed, from initial shares that EM can leave."""
    once = np.ones((len(evidence.subjects), 1))
    start = fixed.kept(0.9 * shares + 0.1 / len(shares))
    found = [
        summit(evidence, once, start[:, part], trembles[:, part], TOLERANCE, fixed.of(part))
        for part in parts(evidence, start.shape[1])
    ]
    return Point(*(np.concatenate(several, axis=-1) for several in zip(*found, strict=True)))
