"""What the students would have done where the teacher decided, on the histories of the teacher's matches."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.models.answers import exact_distributions
from dilemmas.agents.models.backend import Backend
from dilemmas.experiments.reporting.format import Results, num, with_span
from dilemmas.experiments.reporting.intervals import Estimate, Interval, ratio
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, shown, titled

Array = NDArray[np.float64]
UNIT: Interval = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a model would decide where the teacher decided in recorded matches."""

    model: str
    decisions: int
    overlap: Estimate
    """Mean of 1 - total variation distance between the two models' probabilities: 1 = identical everywhere."""
    expected: Estimate
    """Share of decisions on which independent draws from the two models are the same action."""
    ceiling: float
    """`expected` of the teacher with itself: below 1 where the teacher's choices are mixed."""


def agreement(
    model: str, teacher: Array, student: Array, match: NDArray[np.int64], pairing: NDArray[np.int64]
) -> Agreement:
    """Compare two models' probabilities on the same decisions.

    Parameters
    ----------
    model : str
        Name of the student.
    teacher, student : array, shape (N, K)
        Probability of each of K actions in each of N decisions.
    match, pairing : array of int, shape (N,)
        The match of each decision, and its game, context and opponent, by number. Decisions of one match are
        dependent; the matches of a pairing are a sample, the pairings are fixed.

    Raises
    ------
    ValueError
        Where there are no decisions.
    """
    if not len(teacher):
        raise ValueError("no recorded decisions to compare")
    _, first, cluster = np.unique(match, return_index=True, return_inverse=True)  # cluster: (N,)
    sizes = np.bincount(cluster)
    overlap = np.minimum(teacher, student).sum(axis=1)  # (N,): 1 - total variation distance
    expected = (teacher * student).sum(axis=1)
    return Agreement(
        model,
        decisions=len(teacher),
        overlap=ratio(np.bincount(cluster, overlap), sizes, pairing[first], UNIT),
        expected=ratio(np.bincount(cluster, expected), sizes, pairing[first], UNIT),
        ceiling=float((teacher**2).sum(axis=1).mean()),
    )


@dataclass(frozen=True, slots=True)
class Decisions:
    """The teacher's recorded decisions."""

    prompts: list[tuple[str, tuple[str, ...]]]
    """Prompt and labels of each decision."""
    probabilities: list[tuple[float, ...]]
    """The teacher's probability of every action."""
    match: list[int]
    """Number of the match of each decision."""
    pairing: list[int]
    """Index of the pairing of each decision: its game, context and opponent."""


def teacher_decisions(data: StudyData) -> Decisions:
    """Every decision of the teacher in the matches in which it sits first."""
    found = Decisions([], [], [], [])
    played = (
        (place, record)
        for place, pairing in enumerate(data.pairings)
        if pairing.model == "teacher"
        for record in data.records(pairing)
    )
    for number, (place, record) in enumerate(played):
        for mine, *_ in record.steps:
            decision = mine.decision
            assert decision.prompt is not None
            assert decision.labels is not None
            assert decision.probabilities is not None
            found.prompts.append((decision.prompt, decision.labels))
            found.probabilities.append(decision.probabilities)
            found.match.append(number)
            found.pairing.append(place)
    return found


def _measure(data: StudyData) -> list[dict[str, Any]]:
    """Agreement of the untuned and the tuned student with the teacher; empty without recorded decisions."""
    decisions = teacher_decisions(data)
    if not decisions.match:
        return []
    teacher, match, pairing = map(np.array, (decisions.probabilities, decisions.match, decisions.pairing))
    students = {role: _probabilities(data.backends[role], decisions) for role in ("untuned", "tuned")}
    return [asdict(agreement(role, teacher, student, match, pairing)) for role, student in students.items()]


def _probabilities(backend: Backend, decisions: Decisions) -> Array:
    return np.array([found.probabilities for found in exact_distributions(backend, decisions.prompts)])


def agreement_table(rows: Sequence[Results]) -> Table:
    """How the students would decide where the teacher decided."""
    cells = (
        (
            row["model"],
            f"{row['decisions']:,}",
            *(with_span(row[key]["value"], row[key]["interval"]) for key in ("overlap", "expected")),
            num(row["ceiling"]),
        )
        for row in rows
    )
    return Table(
        "Students on the histories of the teacher's matches",
        ("model", "decisions", "overlap", "same action", "teacher itself"),
        tuple(cells),
        note="Overlap: 1 minus the total variation distance between the probabilities of student and teacher; 1 means "
        "identical. Same action: probability that independent draws from student and teacher agree. Teacher itself: "
        "the same for two draws from the teacher, which is what a perfect copy reaches. In brackets: 95% intervals "
        "over matches.",
    )


def _sections(results: Results) -> Iterator[Section]:
    yield Section("Agreement on the teacher's histories", (*shown(agreement_table(results["agreement"])),))


def _terminal(results: Results) -> list[Section]:
    return titled([agreement_table(results["agreement"])])


AGREEMENT = Metric("agreement", _measure, _sections, _terminal, report_rank=8, terminal_rank=3)
