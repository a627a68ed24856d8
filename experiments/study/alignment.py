"""How closely a tuned student answers as its teacher does, and how much of that is transfer.

The definitions are this project's own: the study (Lorè, Ilami & Heydari 2024, arXiv 2408.05241) does not publish its
formula of improvement. With d the distance between the answers of two models, the gap closed is
1 - d(tuned, teacher) / d(untuned, teacher) for a scenario, and the same with sums of d for a set. The null player, who
cooperates at the teacher's mean rate in every scenario, is measured in the same way; transfer is what the student
closes beyond it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax

from dilemmas.agents.agent import Source
from dilemmas.experiments.reporting.intervals import (
    RESAMPLES,
    Interval,
    basic_interval,
    differ,
    percentile_interval,
    resampled,
)
from dilemmas.experiments.study.answers import Answers, ScenarioResult, distance, distinguishable, weighted

STEEPEST = 700.0
"""Largest |t| of a null player's distribution: beyond it, exp(-t) underflows."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gap:
    """Gap closed over scenarios: 1 = as the teacher, 0 = no closer than the untuned student, negative = farther."""

    value: float
    interval: Interval | None
    """95% bootstrap interval; None with fewer than two scenarios."""
    null: float
    """Gap closed by the null player."""
    transfer: float
    """`value` - `null`: what the student closes beyond the null player."""
    transfer_interval: Interval | None
    """95% bootstrap interval of `transfer`; student and null player are evaluated on the same resamples."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """A tuned student's alignment with its teacher over a set of scenarios, by one estimate."""

    estimate: Source
    """Exact: intervals resample scenarios. Sampled: intervals resample scenarios and the answers to each of them."""
    counted: tuple[str, ...]
    """Names of the scenarios that are counted."""
    undefined: tuple[str, ...]
    """Scenarios excluded because teacher and untuned student do not differ significantly."""
    missing: tuple[str, ...]
    """Scenarios excluded because a model has no probabilities, or no readable answer."""
    aggregate: Gap | None
    """1 - sum d(tuned, teacher) / sum d(untuned, teacher); None where no scenario is counted."""
    mean: Gap | None
    """Mean of the scenarios' gaps closed."""
    ceiling: float | None
    """Expected aggregate of a perfect copy of the teacher; below 1 for sampled answers, because two samples
    of one model differ."""


def gap_closed(result: ScenarioResult, estimate: Source, observations: int) -> float | None:
    """1 - d(tuned, teacher) / d(untuned, teacher).

    None where the estimate is missing, or where teacher and untuned student do not differ: see `distinguishable`.
    """
    teacher, untuned, tuned = (answers.distribution(estimate) for answers in result.answers)
    if teacher is None or untuned is None or tuned is None:
        return None
    if not distinguishable(result.teacher, result.untuned, estimate, observations):
        return None
    return 1 - distance(tuned, teacher) / distance(untuned, teacher)


def null_rate(training: Sequence[Answers], estimate: Source) -> float | None:
    """The teacher's mean cooperation over the training scenarios; None without such an estimate."""
    rates = [rate for answers in training if (rate := answers.rate(estimate)) is not None]
    return sum(rates) / len(rates) if rates else None


def null_player(rate: float, cooperation: Sequence[float]) -> tuple[float, ...]:
    """How the null player answers: with the given mean cooperation, and otherwise as evenly as possible.

    With two actions that is (rate, 1 - rate). With more it is the distribution of maximum entropy with that mean, p_a
    proportional to exp(t c_a) (Jaynes 1957, Phys. Rev. 106:620).

    Parameters
    ----------
    rate : float
        Mean cooperation, in [0, 1].
    cooperation : sequence of float
        How cooperative each action is, in [0, 1].

    Returns
    -------
    tuple of float
        Probability of each action.
    """

    def excess(t: float) -> float:
        return weighted(_tilted(t, cooperation), cooperation) - rate

    if excess(-STEEPEST) >= 0:
        return _tilted(-STEEPEST, cooperation)
    if excess(STEEPEST) <= 0:
        return _tilted(STEEPEST, cooperation)
    return _tilted(brentq(excess, -STEEPEST, STEEPEST, xtol=1e-13), cooperation)


def align(
    results: Sequence[ScenarioResult],
    rate: float | None,
    estimate: Source,
    observations: int,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Alignment:
    """Gap closed over a set of scenarios, by the student and by the null player.

    Parameters
    ----------
    results : sequence of ScenarioResult
        The answers of the three models.
    rate : float or None
        Cooperation rate of the null player; None where it is unknown.
    estimate : Source
        Exact or sampled.
    observations : int
        Answers per scenario and model; see `distinguishable`.
    rng : numpy.random.Generator
        Draws the bootstrap samples.
    resamples : int
        Number of bootstrap samples.
    """
    missing = tuple(result.name for result in results if rate is None or not result.has(estimate))
    known = [result for result in results if result.name not in missing]
    counted = _counted(known, estimate, observations)
    names = tuple(result.name for result in counted)
    undefined = tuple(result.name for result in known if result.name not in names)
    if rate is None or not counted:
        return Alignment(estimate, names, undefined, missing, None, None, None)
    shares = _shares(counted, rate, estimate)  # (4, S, K)
    values = _values(shares)  # (6,)
    sizes = np.array([[answers.readable for answers in result.answers] for result in counted])  # (S, 3)
    sampled = estimate is Source.SAMPLED
    replicates = _replicates(shares, sizes if sampled else None, rng, resamples) if len(counted) > 1 else None
    aggregate, mean = (_gap(values, replicates, first, sampled) for first in (0, 3))
    ceiling = _ceiling(shares, sizes, rng, resamples) if sampled else 1.0
    return Alignment(estimate, names, undefined, missing, aggregate, mean, ceiling)


def aggregate_gap(
    results: Sequence[ScenarioResult], rate: float | None, estimate: Source, observations: int
) -> float | None:
    """`Alignment.aggregate` without its intervals: the value alone, None where no scenario is counted."""
    counted = _counted(results, estimate, observations)
    return None if rate is None or not counted else float(_values(_shares(counted, rate, estimate))[0])


def main_estimate(sets: Mapping[str, Sequence[ScenarioResult]]) -> Source:
    """The exact estimate if all models give probabilities in all sets, else the sampled one."""
    everywhere = all(result.has(Source.EXACT) for group in sets.values() for result in group)
    return Source.EXACT if everywhere else Source.SAMPLED


def _counted(results: Sequence[ScenarioResult], estimate: Source, observations: int) -> list[ScenarioResult]:
    """The scenarios in which the gap closed is defined."""
    return [result for result in results if gap_closed(result, estimate, observations) is not None]


def _tilted(t: float, cooperation: Sequence[float]) -> tuple[float, ...]:
    """p_a proportional to exp(t c_a)."""
    return tuple(softmax(t * np.asarray(cooperation)).tolist())


def _shares(results: Sequence[ScenarioResult], rate: float, estimate: Source) -> Array:
    """Distributions of teacher, untuned, tuned and null player, shape (4, S, K); padded with 0."""
    shares = np.zeros((4, len(results), max(len(result.teacher.counts) for result in results)))
    for s, result in enumerate(results):
        cooperation = result.teacher.cooperation
        players = [answers.distribution(estimate) for answers in result.answers]
        for player, values in enumerate([*players, null_player(rate, cooperation)]):
            shares[player, s, : len(cooperation)] = values
    return shares


def _distance(shares: Array, other: Array) -> Array:
    total: Array = np.abs(shares - other).sum(axis=-1)
    return total / 2


def _values(shares: Array) -> Array:
    """`_figures` of all scenarios, shape (6,)."""
    return _figures(shares, np.ones(shares.shape[1], dtype=np.bool_))


def _figures(shares: Array, counted: NDArray[np.bool_]) -> Array:
    """From distributions (4, ..., S, K) to (6, ...): aggregate, null, transfer, and these of the mean.

    `counted` (..., S): which scenarios are counted.
    """
    untuned, tuned, null = (_distance(shares[player], shares[0]) * counted for player in (1, 2, 3))  # (..., S)
    student, chance = (_closed(distances, untuned, counted) for distances in (tuned, null))  # (2, ...)
    return np.stack([student, chance, student - chance], axis=1).reshape(6, *student.shape[1:])


def _closed(student: Array, untuned: Array, counted: NDArray[np.bool_]) -> Array:
    """From distances to the teacher (..., S) to (2, ...): aggregate gap closed and mean gap closed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        aggregate = 1 - student.sum(axis=-1) / untuned.sum(axis=-1)
        mean = 1 - np.where(counted, student / untuned, 0).sum(axis=-1) / counted.sum(axis=-1)
    return np.stack([aggregate, mean])


def _replicates(shares: Array, sizes: NDArray[np.int64] | None, rng: np.random.Generator, resamples: int) -> Array:
    """`_figures` of bootstrap samples, shape (6, B).

    Scenarios are drawn with replacement, all models together, so that the two sums of the ratio stay paired. With
    `sizes` (S, 3) the answers to every drawn scenario are drawn again as well, and the scenario is counted only if
    teacher and untuned student still differ: each resample goes through the whole procedure.
    """
    index = resampled(shares.shape[1], rng, resamples)  # (B, S)
    drawn = shares[:, index]  # (4, B, S, K)
    if sizes is None:
        return _figures(drawn, np.ones(index.shape, dtype=np.bool_))
    n = np.moveaxis(sizes[index], -1, 0)  # (3, B, S)
    for player in range(3):
        drawn[player] = _sample(drawn[player], n[player], rng)
    return _figures(drawn, differ(drawn[0] * n[0, ..., None], drawn[1] * n[1, ..., None]))


def _sample(shares: Array, sizes: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Shares (..., K) observed in samples of `sizes` (...)."""
    counts: Array = rng.multinomial(sizes, shares).astype(np.float64)
    return counts / sizes[..., None]


def _gap(values: Array, replicates: Array | None, first: int, sampled: bool) -> Gap:
    """One `Gap` from three consecutive rows of `_figures`, the first of which is `first`."""
    value, null, transfer = (float(x) for x in values[first : first + 3])
    if replicates is None:
        return Gap(value, None, null, transfer, None)
    ends = [
        basic_interval(center, replicates[row]) if sampled else percentile_interval(replicates[row])
        for center, row in ((value, first), (transfer, first + 2))
    ]
    return Gap(value, (ends[0][0], min(1.0, ends[0][1])), null, transfer, ends[1])


def _ceiling(shares: Array, sizes: NDArray[np.int64], rng: np.random.Generator, resamples: int) -> float:
    """Expected aggregate of a student with the teacher's own distributions and the sampled sizes (S, 3)."""
    teacher = np.broadcast_to(shares[0], (resamples, *shares[0].shape))  # (B, S, K)
    first, second = (_sample(teacher, np.broadcast_to(sizes[:, i], teacher.shape[:2]), rng) for i in (0, 2))
    return float(1 - _distance(first, second).sum(axis=-1).mean() / _distance(shares[1], shares[0]).sum())
