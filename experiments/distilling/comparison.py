"""How closely agents decide as a teacher does: in situations, and in the histories that matches lead to.

The overlap has an interval; the divergence has none, because its rare terms are too large for one that covers it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.errors import InputError
from dilemmas.experiments.distilling.situations import FramedDecision
from dilemmas.experiments.distilling.teaching import policies
from dilemmas.experiments.reporting.uncertainty.distance_intervals import mean_distance
from dilemmas.experiments.reporting.uncertainty.intervals import Estimate, ratio
from dilemmas.experiments.study.teachers import Teacher

LEAST = 1e-6
"""Least probability in a divergence, which would be infinite where an agent rules out what the teacher does."""
OTHERS = "compare agents that give them there, as language models and uniform do, or in other situations"
"""Way out where an agent that is compared gives no probabilities."""
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Closeness:
    """How closely an agent decides as the teacher does, in situations of one kind."""

    on: str
    """The situations."""
    agent: str
    """The agent."""
    situations: int
    """Number of decisions that are compared."""
    divergence: float
    """Mean Kullback-Leibler divergence of the agent's distribution from the teacher's, in nats, 0 or more."""
    overlap: Estimate
    """Mean of 1 - total variation distance between the two distributions, in [0, 1]. The interval is over situations,
    or over matches against the same opponents; None where the situations are all there are."""
    agreement: float
    """Mean probability that the two do the same, each drawing from its own distribution, in [0, 1]."""
    level: float
    """Mean cooperation of the agent minus that of the teacher, in [-1, 1]."""
    correlation: float | None
    """Pearson's, of cooperation over the situations, in [-1, 1]; None where one of them does not vary."""
    gap_closed: float | None
    """1 - sum of the agent's distances to the teacher / the same of the first agent; None for that one, or where it
    decides as the teacher does."""


def compare_agents(
    on: str,
    situations: Sequence[FramedDecision],
    teacher: Teacher,
    agents: dict[str, Teacher],
    drawn: bool = True,
) -> list[Closeness]:
    """Compare agents with a teacher.

    Parameters
    ----------
    on
        Name of the situations.
    situations
        The decisions, N of them.
    teacher, agents
        Who is asked; agents by name, the first one is that to which a gap is measured.
    drawn
        Whether the situations are a sample, and not all that there are. Of those that were decided in matches, the
        matches are the sample, and their opponents are fixed.

    Raises
    ------
    InputError
        If there are no situations, or an agent gives no probabilities.
    """
    if not situations:
        raise InputError(f"{on}: there is nothing to decide")
    truth = _padded(policies(teacher, situations, OTHERS))
    scale = [_cooperation(one) for one in situations]
    found: list[Closeness] = []
    first: float | None = None
    for name, agent in agents.items():
        own = _padded(policies(agent, situations, OTHERS))
        distance = np.abs(own - truth).sum(axis=1) / 2
        total = float(distance.sum())
        rates = [
            np.array([row[: len(one)] @ one for row, one in zip(side, scale, strict=True)]) for side in (truth, own)
        ]
        found.append(
            Closeness(
                on,
                name,
                len(situations),
                float(_divergence(truth, own).mean()),
                mean_overlap(distance, situations, drawn),
                float((truth * own).sum(axis=1).mean()),
                float((rates[1] - rates[0]).mean()),
                _correlation(*rates),
                None if not first else 1 - total / first,
            )
        )
        first = total if first is None else first
    return found


def _cooperation(situation: FramedDecision) -> Array:
    """How cooperative each option is; in phases of talk and sanctions, of the first one."""
    view = situation.view
    if view.phase == "act":
        return np.array([view.game.cooperation(action, view.seat) for action in range(view.game.options[view.seat])])
    return np.array([1.0])


def _padded(rows: Sequence[Sequence[float]]) -> Array:
    """Distributions over numbers of actions that may differ, shape (N, K); padded with 0."""
    table = np.zeros((len(rows), max(map(len, rows))))
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def _divergence(truth: Array, own: Array) -> Array:
    """Kullback-Leibler divergence by row, shape (N,)."""
    least = np.maximum(own, LEAST)
    terms: Array = np.where(truth > 0, truth * np.log(np.where(truth > 0, truth, 1.0) / least), 0.0).sum(axis=1)
    return np.maximum(terms, 0.0)


def mean_overlap(distance: Array, situations: Sequence[FramedDecision], drawn: bool) -> Estimate:
    """Mean overlap in situations with these distances, shape (N,)."""
    if not drawn:
        return Estimate(1 - float(distance.mean()), None)
    if any(one.match is None for one in situations):
        found = mean_distance(distance)
        return Estimate(1 - found.value, found.interval and (1 - found.interval[1], 1 - found.interval[0]))
    _, first, cluster = np.unique([one.match for one in situations], return_index=True, return_inverse=True)
    opponents = [situations[place].opponent for place in first]
    return ratio(np.bincount(cluster, 1 - distance), np.bincount(cluster), opponents, (0.0, 1.0))


def _correlation(one: Array, other: Array) -> float | None:
    if len(one) < 3 or np.ptp(one) < 1e-12 or np.ptp(other) < 1e-12:
        return None
    return float(np.corrcoef(one, other)[0, 1])
