"""How closely a tuned student answers as its teacher does, and how much of that is transfer.

The definitions are this project's own: the study (Lorè, Ilami & Heydari 2024, arXiv 2408.05241) does not publish its
formula of improvement. With d the distance between the answers of two models, the gap closed is
1 - d(tuned, teacher) / d(untuned, teacher) for a scenario, and the same with sums of d for a set. The null player, who
cooperates at the teacher's mean rate in every scenario, is measured in the same way; transfer is what the student
closes beyond it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import softmax

from dilemmas.agents.agent import Source
from dilemmas.envs.checks import generator
from dilemmas.experiments.reporting.uncertainty.gap_intervals import Distances, Gap, measured_gap
from dilemmas.experiments.reporting.uncertainty.intervals import RESAMPLES
from dilemmas.experiments.study.answers import Answers, ScenarioResult, distance, distinguishable, weighted

STEEPEST = 700.0
"""Largest |t| of a null player's distribution: beyond it, exp(-t) underflows."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alignment:
    """A tuned student's alignment with its teacher over a set of scenarios, by one estimate."""

    estimate: Source
    """Exact or sampled."""
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


def gap_closed(result: ScenarioResult, estimate: Source) -> float | None:
    """1 - d(tuned, teacher) / d(untuned, teacher).

    None where the estimate is missing, or where teacher and untuned student do not differ: see `distinguishable`.
    """
    teacher, untuned, tuned = (answers.distribution(estimate) for answers in result.answers)
    if teacher is None or untuned is None or tuned is None:
        return None
    if not distinguishable(result.teacher, result.untuned, estimate):
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
    rng : numpy.random.Generator
        Draws the answers again whose noise is measured.
    resamples : int
        Number of such draws.
    """
    generator(rng, "rng")
    missing = tuple(result.name for result in results if rate is None or not result.has(estimate))
    known = [result for result in results if result.name not in missing]
    counted = _counted(known, estimate)
    names = tuple(result.name for result in counted)
    undefined = tuple(result.name for result in known if result.name not in names)
    if rate is None or not counted:
        return Alignment(estimate, names, undefined, missing, None, None)
    shares = _shares(counted, rate, estimate)  # (4, S, K)
    found, again, copy = _distances(shares), None, np.zeros((1, len(counted)))
    if estimate is Source.SAMPLED:
        sizes = np.array([[answers.readable for answers in result.answers] for result in counted])  # (S, 3)
        again, copy = _redrawn(shares, sizes, rng, resamples)
    ceilings = 1 - copy.sum(axis=-1).mean() / found.untuned.sum(), 1 - (copy / found.untuned).mean()
    aggregate, mean = (measured_gap(found, again, float(ceilings[way]), mean=bool(way)) for way in (0, 1))
    return Alignment(estimate, names, undefined, missing, aggregate, mean)


def aggregate_gap(results: Sequence[ScenarioResult], rate: float | None, estimate: Source) -> float | None:
    """`Alignment.aggregate` without its intervals: the value alone, None where no scenario is counted."""
    counted = _counted(results, estimate)
    if rate is None or not counted:
        return None
    found = _distances(_shares(counted, rate, estimate))
    return float(1 - found.tuned.sum() / found.untuned.sum())


def _counted(results: Sequence[ScenarioResult], estimate: Source) -> list[ScenarioResult]:
    """The scenarios in which the gap closed is defined."""
    return [result for result in results if gap_closed(result, estimate) is not None]


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


def _distances(shares: Array) -> Distances:
    """Distances to the teacher, from the distributions of all players, shape (4, S, K)."""
    return Distances(*(_distance(shares[player], shares[0]) for player in (1, 2, 3)))


def _redrawn(
    shares: Array, sizes: NDArray[np.int64], rng: np.random.Generator, resamples: int
) -> tuple[Distances, Array]:
    """Mean distances between answers drawn again from the shares (4, S, K), and distances of copies of the teacher.

    `sizes`: readable answers by scenario and model, shape (S, 3). Copies have the teacher's own distributions and the
    sizes of the tuned student; their distances have shape (B, S).
    """
    drawn = np.broadcast_to(shares[:, None], (4, resamples, *shares.shape[1:])).copy()  # (4, B, S, K)
    for player in range(3):
        drawn[player] = _sample(drawn[player], sizes[:, player], rng)
    means = (_distance(drawn[player], drawn[0]).mean(axis=0) for player in (1, 2, 3))
    copies = _sample(np.broadcast_to(shares[0], drawn[0].shape), sizes[:, 2], rng)
    return Distances(*means), _distance(copies, drawn[0])


def _sample(shares: Array, sizes: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Shares (..., S, K) observed in samples of `sizes` (S,)."""
    counts: Array = rng.multinomial(np.broadcast_to(sizes, shares.shape[:-1]), shares).astype(np.float64)
    return counts / sizes[:, None]
