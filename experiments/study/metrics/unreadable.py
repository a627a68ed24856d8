"""Replies in which no action could be read, and how far they could move the cooperation rates."""

from collections.abc import Iterator, Sequence
from typing import Any

from dilemmas.experiments.reporting.format import Results, bracketed, num
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.answers import ROLES, Answers, weighted
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, shown
from dilemmas.experiments.study.titles import set_title

MAX_UNREADABLE = 0.05
"""Share of unreadable replies above which the report warns: at 5% the bounds of a rate are 5 points apart, about the
width of the 95% interval of 300 observations."""


def _measure(data: StudyData) -> list[dict[str, Any]]:
    """Each model's replies to the scenarios of each set."""
    return [
        {"set": name, "role": role, **unreadable([result.answers[player] for result in group])}
        for name, group in data.sets.items()
        for player, role in enumerate(ROLES)
        if any(result.answers[player].replies for result in group)
    ]


def unreadable(answers: Sequence[Answers]) -> dict[str, Any]:
    """Number of replies, number of unreadable ones, cooperation rate, and its bounds."""
    replies = sum(one.replies for one in answers)
    readable = sum(one.readable for one in answers)
    cooperation = sum(weighted(one.counts, one.cooperation) for one in answers)
    bounds = [one.bounds for one in answers if one.bounds]
    sizes = [one.replies for one in answers if one.bounds]
    return {
        "replies": replies,
        "unreadable": replies - readable,
        "rate": cooperation / readable if readable else None,
        "bounds": [weighted(sizes, ends) / replies for ends in zip(*bounds, strict=True)],
    }


def unreadable_table(rows: Sequence[Results]) -> Table:
    """Unreadable replies, and the bounds of the rates."""
    cells = (
        (
            set_title(row["set"]),
            row["role"],
            f"{row['replies']:,}",
            f"{row['unreadable']:,}",
            f"{row['unreadable'] / row['replies']:.1%}",
            num(row["rate"], 3),
            bracketed(row["bounds"], 3),
        )
        for row in rows
    )
    return Table(
        "Sampled replies from which no action could be read",
        ("set", "model", "replies", "unreadable", "share", "cooperation", "bounds"),
        tuple(cells),
        words=2,
        note="Unreadable replies are excluded from the rates. Bounds: the rate if all of them meant to defect, and if "
        "all meant to cooperate.",
    )


def _sections(results: Results) -> Iterator[Section]:
    yield Section("Unreadable replies", (*shown(unreadable_table(results["unreadable"])),))


def _warnings(results: Results) -> Iterator[str]:
    if results["training"]["scenarios"] and not results["training"]["examples"]:
        yield (
            "No reply of the teacher to the training scenarios could be read, so the student was not trained: the "
            "tuned student is the untuned one."
        )
    for row in results["unreadable"]:
        share = row["unreadable"] / row["replies"]
        if share > MAX_UNREADABLE:
            where = f"{row['role']} model (set: {set_title(row['set'])})"
            yield f"{share:.0%} of the replies of the {where} were unreadable."


UNREADABLE = Metric("unreadable", _measure, _sections, warnings=_warnings, report_rank=3)
