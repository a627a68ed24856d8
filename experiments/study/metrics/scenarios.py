"""Every scenario by itself: cooperation of the three models, the gap closed, and z-tests against the teacher."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from dilemmas.experiments.reporting.charts import Dumbbell, dumbbells
from dilemmas.experiments.reporting.format import NONE, Results, num
from dilemmas.experiments.reporting.page import Figure, Section, Table
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.study.alignment import gap_closed
from dilemmas.experiments.study.answers import ESTIMATES, ROLES, Answers, ScenarioResult, compare
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, shown
from dilemmas.experiments.study.titles import game_title, set_title

STUDENTS = {"untuned": "test_untuned", "tuned": "test_tuned"}
"""Role of a student -> key of its z-test."""


def _measure(data: StudyData) -> dict[str, list[dict[str, Any]]]:
    """A row per scenario, by set."""
    return {name: [_row(result, data.recipe.observations) for result in group] for name, group in data.sets.items()}


def _row(result: ScenarioResult, observations: int) -> dict[str, Any]:
    row: dict[str, Any] = {"name": result.name, "game": result.game, "context": result.context}
    row |= {role: _rates(answers) for role, answers in zip(ROLES, result.answers, strict=True)}
    for key, student in zip(STUDENTS.values(), (result.untuned, result.tuned), strict=True):
        test = compare(result.teacher, student)
        row[key] = asdict(test) if test else None
    row["gap_closed"] = {str(estimate): gap_closed(result, estimate, observations) for estimate in ESTIMATES}
    return row


def _rates(answers: Answers) -> dict[str, Any]:
    """What one model answered: its cooperation rate by each estimate, and what the rates are made from."""
    return {str(estimate): answers.rate(estimate) for estimate in ESTIMATES} | {
        "probabilities": answers.exact,
        "counts": answers.counts,
        "unreadable": answers.unreadable,
        "bounds": answers.bounds,
    }


def rate_table(rows: Sequence[Results]) -> Table:
    """Every scenario of a set: cooperation of the three models and the gap closed, by each estimate."""
    kinds = [kind for kind in map(str, ESTIMATES) if any(row["teacher"][kind] is not None for row in rows)]
    return Table(
        f"Cooperation in {len(rows)} scenarios, in numbers",
        ("game", "context", *(f"{part}, {kind}" for kind in kinds for part in (*ROLES, "gap"))),
        tuple((game_title(row["game"]), row["context"], *_rate_cells(row, kinds)) for row in rows),
        words=2,
        note="Gap: the gap closed.",
        missing="no readable answer; in a gap, teacher and untuned student do not differ significantly",
        folded=True,
    )


def _rate_cells(row: Results, kinds: Sequence[str]) -> Iterator[str]:
    for kind in kinds:
        yield from (num(row[role][kind]) for role in ROLES)
        yield num(row["gap_closed"][kind])


def z_test_table(rows: Sequence[Results]) -> Table:
    """z-tests of every scenario of a set."""
    columns = {"difference": "difference", "standard_error": "std. error", "p": "p"}
    cells = (
        (
            game_title(row["game"]),
            row["context"],
            *(_test_cell(row[test], key) for test in STUDENTS.values() for key in columns),
        )
        for row in rows
        if any(row[test] for test in STUDENTS.values())
    )
    return Table(
        "z-tests: teacher versus untuned student, and versus tuned student",
        ("game", "context", *(f"{student}: {name}" for student in STUDENTS for name in columns.values())),
        tuple(cells),
        words=2,
        note="Two-sided z-tests for the difference of two proportions: teacher minus student, sampled answers, pooled "
        "standard error. A large p means that the samples do not show a difference, not that there is none; one test "
        "in twenty falls below 0.05 by chance.",
        folded=True,
    )


def _test_cell(test: Results | None, key: str) -> str:
    if test is None:
        return NONE
    return "<0.001" if key == "p" and test["p"] < 0.001 else num(test[key], 3)


def _sections(results: Results) -> Iterator[Section]:
    for name, rows in results["scenarios"].items():
        figure = _figure(name, rows, results["alignment"][name])
        yield Section(set_title(name), (figure, rate_table(rows), *shown(z_test_table(rows))))


def _figure(name: str, rows: Sequence[Results], figures: Results) -> Figure:
    caption = f"Cooperation of the three models in every scenario, {figures['estimate']} estimate."
    if figures["undefined"] or figures["missing"]:
        caption += " Faint: excluded from the gap closed."
    return Figure(responsive(partial(dumbbells, set_title(name), caption, _dumbbells(rows, figures))), caption)


def _dumbbells(rows: Sequence[Results], figures: Results) -> dict[str, list[Dumbbell]]:
    estimate, out = figures["estimate"], {*figures["undefined"], *figures["missing"]}
    groups: dict[str, list[Dumbbell]] = {}
    for row in rows:
        teacher, untuned, tuned = (row[role][estimate] for role in ROLES)
        dumbbell = Dumbbell(row["context"], teacher, untuned, tuned, muted=row["name"] in out)
        groups.setdefault(game_title(row["game"]), []).append(dumbbell)
    return groups


SCENARIOS = Metric("scenarios", _measure, _sections, report_rank=1)
