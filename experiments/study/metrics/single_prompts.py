"""The gap closed in single prompts, one presentation at a time, beside two null players.

The first null player cooperates at the teacher's mean rate over the training scenarios; the second at the teacher's
mean rate in the presentation at hand. A student that takes over nothing but the teacher's preference for a label or a
place closes as much as the second does.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.experiments.reporting.format import Results, num
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.alignment import null_player
from dilemmas.experiments.study.answers import ROLES, ScenarioResult, distance, weighted
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, shown
from dilemmas.experiments.study.titles import SUMMARY, set_title

Array = NDArray[np.float64]
PLAYERS = ("student", "null", "null_by_presentation")


def _measure(data: StudyData) -> list[dict[str, Any]]:
    """Gap closed by set and player; empty where actions are shown in one presentation."""
    if not data.recipe.counterbalanced:
        return []
    rates = _rates(data)
    rows = []
    for name, group in data.sets.items():
        distances = np.sum([_distances(data, result, rates) for result in group], axis=0)
        closed = [None] * len(PLAYERS) if distances[0] < 1e-9 else (1 - distances[1:] / distances[0]).tolist()
        rows.append({"set": name, **dict(zip(PLAYERS, closed, strict=True))})
    return rows


def _rates(data: StudyData) -> Array:
    """The teacher's mean cooperation over the training scenarios by assignment of the labels and order, shape (2, 2)."""
    return np.mean([_cooperation(data, result) for result in data.training_results], axis=0)


def _cooperation(data: StudyData, result: ScenarioResult) -> Array:
    asked = data.answers["teacher"][result.name].presented
    rates = [weighted(one.exact, result.teacher.cooperation) for one in asked]
    return np.broadcast_to(np.array(rates).reshape(-1, 2), (2, 2))  # amounts are their own labels: one assignment


def _distances(data: StudyData, result: ScenarioResult, rates: Array) -> Array:
    """Sum over the presentations of a scenario of the distances to the teacher: of the untuned student and `PLAYERS`."""
    teacher, untuned, tuned = ([one.exact for one in data.answers[role][result.name].presented] for role in ROLES)
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


SINGLE_PROMPTS = Metric("single_prompts", _measure, _sections, report_rank=1)
