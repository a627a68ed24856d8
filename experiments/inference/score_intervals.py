"""Confidence intervals of the trembles of a mixture of strategies, also where an estimate is 0.

A tremble is a proportion of the choices: its interval is the score interval of a proportion (Wilson 1927), with the
number of observations divided by the design effect (Dean & Pagano 2015, J. Surv. Stat. Methodol. 3:484). The design
effect is the variance between bootstrap samples over that of independent observations; it includes that the strategy of
a subject is not known for sure. Both variances are taken at the centre of the score interval, which is never 0 or 1:
where no bootstrap sample has another estimate, observations count in full.
"""

import numpy as np

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.expectation_maximisation import Point
from dilemmas.experiments.inference.likelihoods import LEAST_TREMBLE, Evidence
from dilemmas.experiments.reporting.uncertainty.intervals import LEVEL, ROUNDING, Z, wilson


def score_intervals(estimates: Numbers, replicates: Numbers, observations: Numbers, clusters: int) -> Numbers:
    """Intervals of proportions from bootstrap replicates.

    Parameters
    ----------
    estimates
        Proportions, shape (K,).
    replicates
        Bootstrap replicates, shape (K, B).
    observations
        Number of observations of each, 0 or more, shape (K,).
    clusters
        Number of independent clusters that the bootstrap draws from, 2 or more.

    Returns
    -------
    ndarray
        Shape (K, 2).
    """
    from scipy.special import stdtrit  # type: ignore[import-untyped, unused-ignore]

    variances = replicates.var(axis=1, ddof=1) * clusters / (clusters - 1)
    found = []
    for rate, variance, count in zip(estimates, variances, np.maximum(observations, ROUNDING), strict=True):
        centre = (rate + Z * Z / (2.0 * count)) / (1.0 + Z * Z / count)
        effect = max(1.0, float(variance * count / (centre * (1.0 - centre))))
        reach = float(stdtrit(clusters - 1, (1.0 + LEVEL) / 2.0)) if effect > 1.0 else Z
        found.append(wilson(rate * count / effect, count / effect, reach))
    return np.array(found)


def informative_choices(evidence: Evidence, point: Point) -> Numbers:
    """Number of choices that a tremble is a proportion of: the Fisher information of the tremble over that of a choice
    of a deterministic strategy.

    A choice of a mixed strategy shows little of a tremble, and one of a fair coin nothing. Subjects of one cluster
    count once.

    Returns
    -------
    ndarray
        Of the common tremble, shape (1,), or of that of each strategy, shape (K,).
    """
    made = np.einsum("ksl,ks->kl", evidence.counts, point.posterior[:, :, 0])
    trembles = np.maximum(point.trembles, LEAST_TREMBLE)  # (K, 1) or (1, 1)
    swapped = trembles * (1.0 - trembles) * (1.0 - 2.0 * evidence.follows) ** 2
    shown = swapped / (evidence.follows * (1.0 - evidence.follows) + swapped)  # (K, L)
    found: Numbers = (made * shown).sum(axis=1) * evidence.independent / len(evidence.subjects)
    return found if len(point.trembles) > 1 else found.sum(keepdims=True)


def bootstrap_errors(replicates: Numbers, tolerance: float) -> Numbers:
    """Standard deviation of each row of (K, B) bootstrap replicates; NaN where they differ by no more than their
    `tolerance`: the spread is then unknown."""
    found = replicates.std(axis=1, ddof=1)
    return np.where(np.ptp(replicates, axis=1) > tolerance, found, np.nan)
