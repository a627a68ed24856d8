"""What the students would have done where the teacher decided, on the histories of the teacher's matches.

All three are compared by their policies: counterbalanced, the mean over all presentations.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.validation import Share
from dilemmas.experiments.reporting.format import Results, num, with_span
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.reporting.uncertainty.intervals import Interval, ShareEstimate, ratio
from dilemmas.experiments.study.answers import ROLES, Role
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, shown, titled
from dilemmas.experiments.study.playing import compile_table
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


def _measure(data: StudyData) -> list[Agreement]:
    """Agreement of the untuned and the tuned student with the teacher; empty without matches of the teacher."""
    policies: dict[Role, list[Array]] = {role: [] for role in ROLES}
    places = []
    for place, pairing in enumerate(data.pairings):
        if pairing.model == "teacher":
            game, context = pairing.game.name, pairing.context
            tables = {role: compile_table(data.recipe, data.backends[role], game, context) for role in ROLES}
            for record in data.records(pairing):
                seen = _histories(tables["teacher"], record)
                for role, table in tables.items():
                    policies[role].append(table.probabilities[seen])
                places.append(place)
    if not places:
        return []
    lengths = [len(one) for one in policies["teacher"]]
    match, pairing_of = np.repeat(np.arange(len(lengths)), lengths), np.repeat(places, lengths)
    teacher, *students = (np.concatenate(policies[role]) for role in ROLES)
    return [
        agreement(role, teacher, student, match, pairing_of) for role, student in zip(STUDENTS, students, strict=True)
    ]


def _histories(table: PolicyTable, record: MatchRecord) -> NDArray[np.intp]:
    """The history, numbered as in a table, before each decision of the first player of a match."""
    played = np.array([[move.decision.action for move in moves] for moves in record.steps], dtype=np.intp)
    return np.array([table.index(played[max(0, t - table.memory) : t]) for t in range(len(played))], dtype=np.intp)


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
