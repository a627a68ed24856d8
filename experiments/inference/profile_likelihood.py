"""Profile-likelihood intervals of the shares of a mixture of strategies.

An interval has all values of a share at which the largest likelihood, over all other parameters, is not significantly
smaller than the largest of all (Venzon & Moolgavkar 1988, Appl. Stat. 37:87). Where hardly any choice distinguishes two
strategies the likelihood is flat and the interval is wide; the bootstrap misses that, because the samples that it draws
contain the same few choices.
"""

from collections.abc import Sequence

import numpy as np

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.expectation_maximisation import Fixed, Point, parts, summit
from dilemmas.experiments.inference.likelihoods import LEAST_TREMBLE, Evidence
from dilemmas.experiments.reporting.uncertainty.intervals import LEVEL

HALVINGS = 14
"""Bisections of each end, which is then known to 1/16,384."""
TOLERANCE = 1e-6
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

    allowed = float(chdtri(1, (1.0 - LEVEL) / at_once)) / 2.0 * len(evidence.subjects) / evidence.independent
    members = np.zeros((len(evidence.strategies), len(groups)), dtype=bool)
    for number, group in enumerate(groups):
        members[list(group), number] = True
    sums = (best.shares * members).sum(axis=0)
    sides = np.hstack([members, members])  # lower ends, then upper ends
    inner, outer = np.tile(sums, 2), np.repeat([0.0, 1.0], len(groups))
    shares, trembles = (np.tile(values, (1, len(inner))) for values in (best.shares, best.trembles))
    for _ in range(HALVINGS):
        middle = (inner + outer) / 2.0
        found = _fitted(evidence, Fixed(sides, middle), shares, trembles)
        likely = best.log_likelihood - found.log_likelihood <= allowed
        inner, outer = np.where(likely, middle, inner), np.where(likely, outer, middle)
        shares, trembles = found.shares, found.trembles
    return outer.reshape(2, -1).T


def _fitted(evidence: Evidence, fixed: Fixed, shares: Numbers, trembles: Numbers) -> Point:
    """The largest likelihood with these sums of shares, from initial values that EM can leave."""
    once = np.ones((len(evidence.subjects), 1))
    start = fixed.kept(0.9 * shares + 0.1 / len(shares))
    found = [
        summit(evidence, once, start[:, part], np.maximum(trembles[:, part], LEAST_TREMBLE), TOLERANCE, fixed.of(part))
        for part in parts(evidence, start.shape[1])
    ]
    return Point(*(np.concatenate(several, axis=-1) for several in zip(*found, strict=True)))
