"""How closely a tuned student answers as its teacher does, and how much of that is transfer.

The definitions are this project's own: the study (Lorè, Ilami & Heydari 2024, arXiv 2408.05241) does not
publish its formula of improvement. With d the distance between two models' answers, the gap closed is
1 - d(tuned, teacher) / d(untuned, teacher) for a scenario and the same of the sums of d for a set. The null
player, who plays the teacher's mean rate whatever the scenario, is measured in the same way; transfer is what
the student closes beyond it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Source
from dilemmas.experiments.reporting.intervals import (
    RESAMPLES,
    Interval,
    basic_interval,
    differ,
    percentile_interval,
    resampled,
)
from dilemmas.experiments.study.answers import Answers, ScenarioResult, distance, told_apart, weighted

MAX_DROP = 0.25
"""Share of the gap closed on new contexts that may be lost where the game is new too; more is a warning that
surface patterns were learned. Whether the study means a share or points is not said; a share is the stricter."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gap:
    """Gap closed over scenarios: 1 = as the teacher, 0 = no better than untuned, negative = worse."""

    value: float
    interval: Interval | None
    """95% bootstrap interval; None with fewer than two scenarios."""
    null: float
    """The null player's."""
    transfer: float
    """`value` - `null`: what the student closes beyond the null player."""
    transfer_interval: Interval | None
    """95% bootstrap interval of `transfer`, student and null player on the same resamples."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """A tuned student's alignment with its teacher over a set of scenarios, by one estimate."""

    estimate: Source
    """Exact: intervals resample scenarios. Sampled: scenarios, and the answers to every scenario drawn."""
    counted: tuple[str, ...]
    """Names of the scenarios in the figures."""
    undefined: tuple[str, ...]
    """Scenarios left out because teacher and untuned student do not differ beyond sampling error."""
    missing: tuple[str, ...]
    """Scenarios left out because a model has no probabilities, or no readable answer, there."""
    aggregate: Gap | None
    """1 - sum d(tuned, teacher) / sum d(untuned, teacher); None where no scenario is counted."""
    mean: Gap | None
    """Mean of the scenarios' gaps closed."""
    ceiling: float | None
    """Expected aggregate of a perfect copy of the teacher; below 1 for sampled answers, because two samples
    of one model differ too."""


def gap_closed(result: ScenarioResult, estimate: Source, observations: int) -> float | None:
    """1 - d(tuned, teacher) / d(untuned, teacher).

    None where the estimate is missing, or where teacher and untuned student are not `told_apart`.
    """
    teacher, untuned, tuned = (answers.distribution(estimate) for answers in result.answers)
    if teacher is None or untuned is None or tuned is None:
        return None
    if not told_apart(result.teacher, result.untuned, estimate, observations):
        return None
    return 1 - distance(tuned, teacher) / distance(untuned, teacher)


def null_rate(training: Sequence[Answers], estimate: Source) -> float | None:
    """The teacher's mean cooperation over the training scenarios; None without such an estimate."""
    rates = [rate for answers in training if (rate := answers.rate(estimate)) is not None]
    return sum(rates) / len(rates) if rates else None


def null_player(rate: float, cooperation: Sequence[float]) -> tuple[float, ...]:
    """How the null player answers: with the given mean cooperation, and otherwise as evenly as can be.

    With two actions that is (rate, 1 - rate). With more it is the distribution of largest entropy with that
    mean, p_a proportional to exp(t c_a) (Jaynes 1957, Phys. Rev. 106:620).
    """
    from scipy.optimize import brentq  # type: ignore[import-untyped, unused-ignore]

    def excess(t: float) -> float:
        return weighted(_tilted(t, cooperation), cooperation) - rate

    low, high = -700.0, 700.0  # at these tilts all probability is on one action, within the range of a float
    t = low if excess(low) >= 0 else high if excess(high) <= 0 else brentq(excess, low, high, xtol=1e-15, rtol=1e-15)
    return _tilted(t, cooperation)


def align(
    results: Sequence[ScenarioResult],
    rate: float | None,
    estimate: Source,
    observations: int,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Alignment:
    """Gap closed over a set of scenarios, beside that of the null player of cooperation `rate`.

    `observations`: see `told_apart`. `rng` draws the bootstrap samples.
    """
    missing = tuple(result.name for result in results if rate is None or not result.has(estimate))
    known = [result for result in results if result.name not in missing]
    counted = [result for result in known if gap_closed(result, estimate, observations) is not None]
    names = tuple(result.name for result in counted)
    undefined = tuple(result.name for result in known if result.name not in names)
    if rate is None or not counted:
        return Alignment(estimate, names, undefined, missing, None, None, None)
    shares = _shares(counted, rate, estimate)  # (4, S, K)
    values = _figures(shares, np.ones(len(counted), dtype=np.bool_))  # (6,)
    sizes = np.array([[answers.readable for answers in result.answers] for result in counted])  # (S, 3)
    sampled = estimate is Source.SAMPLED
    replicates = _replicates(shares, sizes if sampled else None, rng, resamples) if len(counted) > 1 else None
    aggregate, mean = (_gap(values, replicates, first, sampled) for first in (0, 3))
    ceiling = _ceiling(shares, sizes, rng, resamples) if sampled else 1.0
    return Alignment(estimate, names, undefined, missing, aggregate, mean, ceiling)


def transfer_drop(new_context: float, new_both: float) -> float | None:
    """Share of the gap closed on new contexts (a) that is lost where the game is new too (c): 1 - c / a.

    None where nothing was closed on new contexts: there is nothing to lose. Above `MAX_DROP` it is a warning.
    """
    return 1 - new_both / new_context if new_context > 0 else None


def _tilted(t: float, cooperation: Sequence[float]) -> tuple[float, ...]:
    top = max(t * value for value in cooperation)
    weights = [exp(t * value - top) for value in cooperation]
    return tuple(weight / sum(weights) for weight in weights)


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


def _figures(shares: Array, counted: NDArray[np.bool_]) -> Array:
    """From distributions (4, ..., S, K) to (6, ...): aggregate, null, transfer, and these of the mean.

    `counted` (..., S): the scenarios in the figures.
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

    Scenarios are drawn with replacement, all models together, so that the two sums of the ratio stay
    paired. With `sizes` (S, 3) every drawn scenario's answers are drawn anew as well, and counted only if
    they still tell teacher and untuned student apart: each resample goes through the whole procedure.
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
    """Reads one `Gap` from the rows `first`... of `_figures`."""
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
