"""The gap closed in single prompts, one presentation at a time, beside two null players.

The first null player cooperates at the teacher's mean rate over the training scenarios; the second at the teacher's
mean rate in the presentation at hand. A student that takes over nothing but the teacher's preference for a label or a
place closes as much as the second does.

Beside it, how far answers follow the wording: the template's own, and its paraphrases with the same content.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Annotated

import numpy as np
from annotated_types import Le
from numpy.typing import NDArray

from dilemmas.envs.validation import Share
from dilemmas.experiments.reporting.format import Results, num
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.alignment import null_player
from dilemmas.experiments.study.answers import ROLES, Role, ScenarioResult, distance, weighted
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, shown
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import SUMMARY, set_title

Array = NDArray[np.float64]
Closed = Annotated[float, Le(1)]


@dataclass(frozen=True, slots=True)
class SinglePrompts:
    """Gap closed in single prompts; None where teacher and untuned student answer alike."""

    set: str
    """Name of the set."""
    student: Closed | None
    """By the tuned student."""
    null: Closed | None
    """By the null player."""
    null_by_presentation: Closed | None
    """By the null player that knows the teacher's rate in each presentation."""


PLAYERS = tuple(item.name for item in fields(SinglePrompts))[1:]


def _measure(data: StudyData) -> list[SinglePrompts]:
    """Gap closed by set and player; empty where actions are shown in one presentation."""
    if not data.recipe.counterbalanced:
        return []
    rates = _rates(data)
    rows = []
    for name, group in data.sets.items():
        distances = np.sum([_distances(data, result, rates) for result in group], axis=0)
        closed = [None] * len(PLAYERS) if distances[0] < 1e-9 else (1 - distances[1:] / distances[0]).tolist()
        rows.append(SinglePrompts(name, *closed))
    return rows


def _rates(data: StudyData) -> Array:
    """The teacher's mean cooperation over the training scenarios, by assignment of the labels and order; (2, 2)."""
    rates: Array = np.mean([_cooperation(data, result) for result in data.training_results], axis=0)
    return rates


def _cooperation(data: StudyData, result: ScenarioResult) -> Array:
    rates = [weighted(one, result.teacher.cooperation) for one in _presented(data, "teacher", result)]
    return np.broadcast_to(np.array(rates).reshape(-1, 2), (2, 2))  # amounts are their own labels: one assignment


def _presented(data: StudyData, role: Role, result: ScenarioResult) -> list[tuple[float, ...]]:
    """Probability of every action in each presentation, the mean over the wordings."""
    asked = data.answers[role][result.name].by_wording(len(data.recipe.prompting.wordings))
    return list(map(tuple, asked.mean(axis=0).tolist()))


def _distances(data: StudyData, result: ScenarioResult, rates: Array) -> Array:
    """Distances to the teacher of the untuned student and of `PLAYERS`, summed over the presentations."""
    teacher, untuned, tuned = (_presented(data, role, result) for role in ROLES)
    cooperation = result.teacher.cooperation
    by_presentation = (rates if len(teacher) == 4 else rates.mean(axis=0)).ravel()
    nulls = [
        [null_player(float(rate), cooperation) for rate in some]
        for some in ([rates.mean()] * len(teacher), by_presentation)
    ]
    return np.array([sum(map(distance, teacher, player)) for player in (untuned, tuned, *nulls)])


def single_prompts_table(rows: list[Results]) -> Table:
    """Gap closed in single prompts, one row per set."""
    return Table(
        "Gap closed in single prompts, one presentation at a time",
        ("set", "tuned student", "null", "null by presentation"),
        tuple((set_title(row["set"]), *(num(row[key]) for key in PLAYERS)) for row in rows),
        words=1,
        note="Here preferences for a label or a position do not cancel. The null player by presentation knows the "
        "teacher's mean rate in each presentation, and nothing of games and contexts: what the student closes beyond "
        "it is more than the order of the options.",
        missing="teacher and untuned student answer alike",
    )


def _sections(results: Results) -> Iterator[Section]:
    yield Section(SUMMARY, (*shown(single_prompts_table(results["single_prompts"])),))


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    expected = recipe.sets() if recipe.counterbalanced else ()
    yield from other_rows("single_prompts", (row["set"] for row in results["single_prompts"]), expected)


SINGLE_PROMPTS = Metric("single_prompts", tuple[SinglePrompts, ...], _measure, _sections, faults=_faults, report_rank=1)


@dataclass(frozen=True, slots=True)
class WordingSpread:
    """Mean cooperation of a model over the scenarios of a set, by its own probabilities, in each wording."""

    set: str
    """Name of the set."""
    model: Role
    """The model."""
    rates: tuple[Share, ...]
    """By wording, in the order of `Prompting.wordings`, the template's own first."""


def _rates_by_wording(data: StudyData) -> list[WordingSpread]:
    """Mean cooperation by set, model and wording; empty if scenarios are asked in one wording."""
    wordings = len(data.recipe.prompting.wordings)
    rows = []
    for (name, group), role in product(data.sets.items(), ROLES) if wordings > 1 else ():
        rates = [
            data.answers[role][result.name].by_wording(wordings).mean(axis=1) @ np.array(result.teacher.cooperation)
            for result in group
        ]  # one array per scenario, shape (wordings,)
        rows.append(WordingSpread(name, role, tuple(np.clip(np.mean(rates, axis=0), 0, 1).tolist())))
    return rows


def wording_table(rows: Sequence[Results]) -> Table:
    """The interval from the lowest to the highest wording, one row per set and model."""
    return Table(
        "Mean cooperation by wording",
        ("set", "model", "lowest", "highest", "all wordings"),
        tuple(
            (
                set_title(row["set"]),
                row["model"],
                num(min(row["rates"])),
                num(max(row["rates"])),
                ", ".join(map(num, row["rates"])),
            )
            for row in rows
        ),
        words=2,
        note="The template's own wording first, then its paraphrases, which say the same in other words. All other "
        "figures are means over the wordings.",
    )


def _wording_sections(results: Results) -> Iterator[Section]:
    yield Section("Sensitivity to the wording", (*shown(wording_table(results["wording"])),))


def _wording_faults(results: Results, recipe: Recipe) -> Iterator[str]:
    expected = product(recipe.sets(), ROLES) if len(recipe.prompting.wordings) > 1 else ()
    yield from other_rows("wording", ((row["set"], row["model"]) for row in results["wording"]), expected)


WORDING = Metric(
    "wording", tuple[WordingSpread, ...], _rates_by_wording, _wording_sections, faults=_wording_faults, report_rank=6
)
