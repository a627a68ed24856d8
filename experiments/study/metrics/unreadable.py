"""Replies in which no action could be read, and how far they could move the cooperation rates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated

from annotated_types import Ge

from dilemmas.envs.validation import Count, Share
from dilemmas.experiments.reporting.format import Results, bracketed, num
from dilemmas.experiments.reporting.intervals import ShareInterval
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.answers import ROLES, Answers, Role, weighted
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, shown
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import set_title

MAX_UNREADABLE = 0.05
"""Share of unreadable replies above which the report warns: at 5% the bounds of a rate are 5 points apart, about the
width of the 95% interval of 300 observations."""


@dataclass(frozen=True, slots=True)
class UnreadableReplies:
    """The replies of a model to the scenarios of a set."""

    set: str
    """Name of the set."""
    role: Role
    """The model."""
    replies: Annotated[int, Ge(1)]
    """Number of replies."""
    unreadable: Count
    """Of which unreadable."""
    rate: Share | None
    """Cooperation of the readable ones; None without one."""
    bounds: ShareInterval
    """Cooperation if all unreadable replies meant to defect, and if all meant to cooperate."""

    def __post_init__(self) -> None:
        if self.unreadable > self.replies:
            raise ValueError(f"unreadable: needs a number of at most replies, {self.replies}; got {self.unreadable}")
        if (self.rate is None) != (self.unreadable == self.replies):
            raise ValueError("rate: needs a number with a readable reply, and only then")


def _measure(data: StudyData) -> list[UnreadableReplies]:
    """Each model's replies to the scenarios of each set."""
    return [
        unreadable(name, role, [result.answers[player] for result in group])
        for name, group in data.sets.items()
        for player, role in enumerate(ROLES)
        if any(result.answers[player].replies for result in group)
    ]


def unreadable(name: str, role: Role, answers: Sequence[Answers]) -> UnreadableReplies:
    """Unreadable replies among the answers of a model to the scenarios of a set; at least one reply."""
    replies = sum(one.replies for one in answers)
    readable = sum(one.readable for one in answers)
    cooperation = sum(weighted(one.counts, one.cooperation) for one in answers)
    bounds = [one.bounds for one in answers if one.bounds]
    sizes = [one.replies for one in answers if one.bounds]
    low, high = (weighted(sizes, ends) / replies for ends in zip(*bounds, strict=True))
    rate = cooperation / readable if readable else None
    return UnreadableReplies(name, role, replies, replies - readable, rate, (low, high))


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


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    rows = results["unreadable"]
    yield from other_rows("unreadable", ((row["set"], row["role"]) for row in rows), product(recipe.sets(), ROLES))
    for place, row in enumerate(rows):
        asked = len(recipe.sets().get(row["set"], ())) * recipe.observations
        if row["replies"] != asked:
            yield f"unreadable[{place}].replies: needs {asked}; got {row['replies']}"


UNREADABLE = Metric(
    "unreadable",
    tuple[UnreadableReplies, ...],
    _measure,
    _sections,
    warnings=_warnings,
    faults=_faults,
    report_rank=3,
)
