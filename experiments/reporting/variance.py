"""What a model's answers follow: the game and the context, or the label and the place of the actions."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Array = NDArray[np.float64]
FACTORS = ("place", "label", "context", "game")
"""What an answer may follow: the order in which the actions are named, their labels, the context, and the game."""


def variance_shares(values: Array, factors: Mapping[str, Sequence[object]]) -> dict[str, float] | None:
    """Share of the variance of N values that each factor explains by itself.

    The share of a factor is the sum of squares between the means of its levels, over the total sum of squares (eta
    squared of a main effect). In a design in which every combination of levels occurs equally often the shares add up
    to at most 1, and what is missing is due to interactions.

    Parameters
    ----------
    values
        Shape (N,).
    factors
        For each factor its level for every value, N of them.

    Returns
    -------
    dict or None
        Share of each factor, in [0, 1]; None if all values are equal.
    """
    deviations = values - values.mean()
    total = float(deviations @ deviations)
    if total <= len(values) * 1e-12:
        return None
    return {name: _between(deviations, levels) / total for name, levels in factors.items()}


def _between(deviations: Array, levels: Sequence[object]) -> float:
    _, group = np.unique(list(map(str, levels)), return_inverse=True)
    sums, sizes = np.bincount(group, deviations), np.bincount(group)
    return float((sums**2 / sizes).sum())


def homogeneity(rates: Array, observations: int) -> float:
    """p-value of Pearson's chi-squared test that all scenarios have the same rate of cooperation.

    Parameters
    ----------
    rates
        Rate of each scenario, shape (S,), in [0, 1].
    observations
        Answers per scenario.

    Returns
    -------
    The p-value; 1 if there is one scenario, or if all rates are 0 or 1.
    """
    mean = float(rates.mean())
    if len(rates) < 2 or mean * (1 - mean) == 0:
        return 1.0
    statistic = observations * float(((rates - mean) ** 2).sum()) / (mean * (1 - mean))
    return float(chi2.sf(statistic, len(rates) - 1))
