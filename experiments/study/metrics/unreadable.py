"""Replies in which no action could be read, and how far they could move the cooperation rates; and what models wrote
before they chose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import Annotated

from annotated_types import Ge

from dilemmas.envs.validation import Count, Share
from dilemmas.experiments.reporting.format import Results, bracketed, num
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.reporting.uncertainty.intervals import ShareInterval
from dilemmas.experiments.study.answers import ROLES, Answers, Asked, Role, weighted
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, shown, titled
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
    if results["unreadable"] and results["training"]["scenarios"] and not results["training"]["examples"]:
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
    yield from other_rows(
        "unreadable", ((row["set"], row["role"]) for row in rows), product(recipe.sets() if recipe.drawn else (), ROLES)
    )
    for place, row in enumerate(rows):
        asked = len(recipe.sets().get(row["set"], ())) * recipe.drawn
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


@dataclass(frozen=True, slots=True)
class WrittenTexts:
    """What a model wrote before it chose an action in the scenarios of a set: reasonings, or stated probabilities."""

    set: str
    """Name of the set."""
    model: Role
    """The model."""
    texts: Annotated[int, Ge(1)]
    """How many it wrote: those over which the exact estimate is the mean, and those of the sampled replies."""
    words: Annotated[float, Ge(0)]
    """Mean length in words."""
    longest: Count
    """Words of the longest."""
    unreadable: Count
    """How many of them tell no choice."""

    def __post_init__(self) -> None:
        if self.unreadable > self.texts:
            raise ValueError(f"unreadable: needs a number of at most texts, {self.texts}; got {self.unreadable}")


def _texts(data: StudyData) -> list[WrittenTexts]:
    """What each model wrote before it chose, by set; no rows for templates in which it writes nothing first."""
    if not data.recipe.prompting.template.writes:
        return []
    return [
        written_texts(name, role, [data.answers[role][result.name] for result in group])
        for name, group in data.sets.items()
        for role in ROLES
        if group
    ]


def written_texts(name: str, role: Role, asked: Sequence[Asked]) -> WrittenTexts:
    """The texts that a model wrote before it chose, of a set; at least one."""
    thoughts = [one for answer in asked for way in answer.presented for one in way.deliberations]
    replies = [reply for answer in asked for reply in answer.replies]
    texts = [one.text for one in thoughts] + [motivation or text for text, _, motivation in replies]
    lengths = [len(text.split()) for text in texts]
    silent = [one.probabilities is None for one in thoughts] + [action is None for _, action, _ in replies]
    return WrittenTexts(name, role, len(texts), fmean(lengths), max(lengths), sum(silent))


def texts_table(rows: Sequence[Results]) -> Table:
    """What models wrote before they chose."""
    return Table(
        "What the models wrote before they chose",
        ("set", "model", "texts", "words", "longest", "unreadable"),
        tuple(
            (
                set_title(row["set"]),
                row["model"],
                f"{row['texts']:,}",
                f"{row['words']:.1f}",
                f"{row['longest']:,}",
                f"{row['unreadable'] / row['texts']:.1%}",
            )
            for row in rows
        ),
        words=2,
        note="Texts: reasonings or stated probabilities, before exact estimates and in sampled replies. Words: mean "
        "length. Unreadable: share of the texts that tell no choice; where nothing that was written about a question "
        "is readable, the model is asked again, and only the last attempt counts here.",
    )


def _limits_of_texts(results: Results) -> Iterator[str]:
    if results["deliberations"]:
        yield (
            "The estimate called exact is a mean over texts that the models wrote before they chose. These were "
            "sampled, so it has a sampling error; decision.samples in the template is their number per question."
        )


def _faults_of_texts(results: Results, recipe: Recipe) -> Iterator[str]:
    rows = ((row["set"], row["model"]) for row in results["deliberations"])
    writes = recipe.prompting.template.writes
    yield from other_rows("deliberations", rows, product(recipe.sets(), ROLES) if writes else ())


DELIBERATIONS = Metric(
    "deliberations",
    tuple[WrittenTexts, ...],
    _texts,
    lambda results: titled([texts_table(results["deliberations"])]),
    limits=_limits_of_texts,
    faults=_faults_of_texts,
    report_rank=3,
)
