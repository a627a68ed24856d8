"""Profile-likelihood intervals of the shares of a mixture of strategies.

An interval has all values of a share at which the largest likelihood, over all other parameters, is not significantly
smaller than the largest of all (Venzon & Moolgavkar 1988, Appl. Stat. 37:87). Where hardly any choice distinguishes two
strategies the likelihood is flat and the interval is wide; a bootstrap misses that, because the samples that it draws
contain the same few choices. The critical value has the correction of Bartlett (1937, Proc. R. Soc. A 160:268): the
ratio for a proportion p of n has the mean 1 + (1/p + 1/(1 - p) - 1) / (6n). The interval of a share of 0 or 1 extends
at least as far as the score interval of a proportion (Wilson 1927), because the likelihood of none in n subjects
decreases too fast.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.expectation_maximisation import Fixed, Point, parts, summit
from dilemmas.experiments.inference.likelihoods import LEAST_TREMBLE, Evidence
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
    from scipy.special import chdtri  # type: ignore[import-untyped, unused-ignore]

    subjects, critical = evidence.independent, float(chdtri(1, (1.0 - LEVEL) / at_once))
    members = np.zeros((len(evidence.strategies), len(groups)), dtype=bool)
    for number, group in enumerate(groups):
        members[list(group), number] = True
    sums = (best.shares * members).sum(axis=0)
    centres = (sums + Z * Z / (2.0 * subjects)) / (1.0 + Z * Z / subjects)
    corrections = 1.0 + (1.0 / centres + 1.0 / (1.0 - centres) - 1.0) / (6.0 * subjects)
    allowed = np.tile(corrections, 2) * critical / 2.0 * len(evidence.subjects) / subjects
    ends, outer = np.tile(sums, 2), np.repeat([0.0, 1.0], len(groups))  # lower ends, then upper ends
    open_ends = np.flatnonzero(ends != outer)
    inner, sides = ends[open_ends], np.hstack([members, members])[:, open_ends]
    shares, trembles = (np.tile(values, (1, len(open_ends))) for values in (best.shares, best.trembles))
    for _ in range(HALVINGS):
        middle = (inner + outer[open_ends]) / 2.0
        found = _fitted(evidence, Fixed(sides, middle), shares, trembles)
        likely = best.log_likelihood - found.log_likelihood <= allowed[open_ends]
        inner, outer[open_ends] = np.where(likely, middle, inner), np.where(likely, outer[open_ends], middle)
        shares, trembles = found.shares, found.trembles
    low, high = outer.reshape(2, -1)
    room = critical / (subjects + critical)
    low = np.where(sums == 1.0, np.minimum(low, 1.0 - room), low)
    return np.column_stack([low, np.where(sums == 0.0, np.maximum(high, room), high)])


def of_parts(intervals: Numbers, sizes: NDArray[np.int64]) -> Numbers:
    """Intervals of the share of each of `sizes` strategies that are not distinguished: any part of their sum's."""
    return np.column_stack([np.where(sizes > 1, 0.0, intervals[:, 0]), intervals[:, 1]])


def _fitted(evidence: Evidence, fixed: Fixed, shares: Numbers, trembles: Numbers) -> Point:
    """The largest likelihood with these sums of shares, from initial values that EM can leave."""
    once = np.ones((len(evidence.subjects), 1))
    start = fixed.kept(0.9 * shares + 0.1 / len(shares))
    found = [
        summit(evidence, once, start[:, part], np.maximum(trembles[:, part], LEAST_TREMBLE), TOLERANCE, fixed.of(part))
        for part in parts(evidence, start.shape[1])
    ]
    return Point(*(np.concatenate(several, axis=-1) for several in zip(*found, strict=True)))
