"""What the students would have done where the teacher decided, on the histories of the teacher's matches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from dilemmas.agents.models.answers import exact_distributions
from dilemmas.agents.models.backend import Backend
from dilemmas.envs.validation import Share
from dilemmas.experiments.reporting.format import Results, num, with_span
from dilemmas.experiments.reporting.intervals import Interval, ShareEstimate, ratio
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.answers import ROLES, Role
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, shown, titled
from dilemmas.experiments.study.recipe import Recipe

Array = NDArray[np.float64]
UNIT: Interval = (0.0, 1.0)
STUDENTS = ROLES[1:]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a model would decide where the teacher decided in recorded matches."""

    model: Role
    """The student."""
    decisions: Annotated[int, Ge(1)]
    """Number of decisions."""
    overlap: ShareEstimate
    """Mean of 1 - total variation distance between the two models' probabilities: 1 = identical everywhere."""
    expected: ShareEstimate
    """Share of decisions on which independent draws from the two models are the same action."""
    ceiling: Share
    """`expected` of the teacher with itself: below 1 where the teacher's choices are mixed."""


def agreement(
    model: Role, teacher: Array, student: Array, match: NDArray[np.int64], pairing: NDArray[np.int64]
) -> Agreement:
    """Compare two models' probabilities on the same decisions.

    Parameters
    ----------
    model : Role
        The student.
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


def _measure(data: StudyData) -> list[Agreement]:
    """Agreement of the untuned and the tuned student with the teacher; empty without recorded decisions."""
    decisions = teacher_decisions(data)
    if not decisions.match:
        return []
    teacher, match, pairing = map(np.array, (decisions.probabilities, decisions.match, decisions.pairing))
    return [
        agreement(role, teacher, _probabilities(data.backends[role], decisions), match, pairing) for role in STUDENTS
    ]


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


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    yield from other_rows("agreement", (row["model"] for row in results["agreement"]), STUDENTS)


AGREEMENT = Metric(
    "agreement",
    tuple[Agreement, ...],
    _measure,
    _sections,
    _terminal,
    faults=_faults,
    report_rank=8,
    terminal_rank=3,
)
