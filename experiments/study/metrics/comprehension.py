"""Whether the models understand the scenarios: questions of fact with one right answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Annotated

from annotated_types import Ge

from dilemmas.agents.models.backend import Backend
from dilemmas.agents.models.comprehension import (
    ComprehensionCase,
    ComprehensionScore,
    comprehension_scores,
    understanding,
)
from dilemmas.envs.validation import Count
from dilemmas.experiments.reporting.format import NONE, Results, with_span, words
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.reporting.uncertainty.intervals import ShareInterval, wilson
from dilemmas.experiments.study.answers import ROLES, Role
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, pivot, shown, titled
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.teachers import AgentTeacher

UNDERSTOOD = 0.75
"""Share of questions answered correctly, beyond chance, below which the report warns."""


@dataclass(frozen=True, slots=True)
class Comprehension:
    """How many questions of fact about scenarios a model answers correctly."""

    model: Role
    """The model."""
    kind: str
    """Kind of question, as in `dilemmas.envs.prompts.comprehension`."""
    right: Count
    """Number of correct answers."""
    asked: Annotated[int, Ge(1)]
    """Number of questions, at least 1."""
    chance: Annotated[float, Ge(0)]
    """Expected number of correct answers if each known one is guessed among the possible answers."""
    interval: ShareInterval
    """95% interval of the share of correct answers among the known ones; from 0 to 1 if none is known."""
    unknown: Count
    """Number of questions whose answer is not known, because a server lists too few log-probabilities."""

    def __post_init__(self) -> None:
        known = self.asked - self.unknown
        if self.right > known:
            raise ValueError(f"right: needs a number of at most asked without unknown, {known}; got {self.right}")


def ask_questions_of_fact(recipe: Recipe, backend: Backend) -> list[ComprehensionScore]:
    """Ask a model about every game with two actions, in one context; by kind of question."""
    return comprehension_scores(backend, recipe.prompting.template, _cases(recipe), recipe.counterbalanced)


def _ask_ahead(recipe: Recipe, backend: Backend) -> Iterator[object]:
    """The same, game by game."""
    for case in _cases(recipe):
        yield comprehension_scores(backend, recipe.prompting.template, [case], recipe.counterbalanced)


def _cases(recipe: Recipe) -> list[ComprehensionCase]:
    return [(game, recipe.training_context, ()) for game in recipe.games_of_fact]


def _measure(data: StudyData) -> list[Comprehension]:
    """Correct answers by model and kind of question."""
    return [
        Comprehension(
            role,
            score.kind,
            score.right,
            score.asked,
            score.chance,
            wilson(score.right, score.known) if score.known else (0.0, 1.0),
            score.unknown,
        )
        for role in ROLES
        if not isinstance(model := data.backends.get(role), AgentTeacher | None)
        for score in ask_questions_of_fact(data.recipe, model)
    ]


def comprehension_table(rows: Sequence[Results]) -> Table:
    """Share of correct answers, one column per model."""
    known = sum(_score(row).known for row in rows)
    columns, cells = pivot(rows, {"kind": words}, _share_right)
    return Table(
        "Questions of fact answered correctly",
        ("about", *columns),
        cells,
        note="The choices of a model that misreads the payoffs are not informative (after Fontana, Pierri & Aiello "
        f"2024). In brackets: 95% Wilson intervals; {known:,} answers in total.",
    )


def _score(row: Results) -> ComprehensionScore:
    return ComprehensionScore(*(row[item.name] for item in fields(ComprehensionScore)))


def _share_right(row: Results) -> str:
    return with_span(row["right"] / known, row["interval"]) if (known := _score(row).known) else NONE


def _sections(results: Results) -> Iterator[Section]:
    yield Section("Comprehension of the scenarios", (*shown(comprehension_table(results["comprehension"])),))


def _terminal(results: Results) -> list[Section]:
    return titled([comprehension_table(results["comprehension"])])


def _warnings(results: Results) -> Iterator[str]:
    for role in ROLES:
        rows = [row for row in results["comprehension"] if row["model"] == role]
        yield from (f"The {role} model {text}" for text in misunderstood(list(map(_score, rows))))


def misunderstood(scores: Sequence[ComprehensionScore]) -> Iterator[str]:
    """The predicates of warnings: about answers that are not known, and about too little understanding of the games."""
    asked, known, right = (sum(getattr(one, key) for one in scores) for key in ("asked", "known", "right"))
    if known < asked:
        yield (
            f"has no known answer to {asked - known} of {asked} questions about the rules and payoffs, because its"
            " server lists too few log-probabilities; they count neither as right nor as wrong."
        )
    found = understanding(scores)
    if found is not None and found < UNDERSTOOD:
        yield (
            f"answers {right} of {known} questions about the rules and payoffs correctly, {found:.0%} beyond chance (at"
            f" least {UNDERSTOOD:.0%} are needed): its choices may not be about the game."
        )


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    rows = results["comprehension"]
    kinds = dict.fromkeys(row["kind"] for row in rows)
    expected = product(ROLES, kinds) if recipe.games_of_fact else ()
    yield from other_rows("comprehension", ((row["model"], row["kind"]) for row in rows), expected)


COMPREHENSION = Metric(
    "comprehension",
    tuple[Comprehension, ...],
    _measure,
    _sections,
    _terminal,
    warnings=_warnings,
    ask=_ask_ahead,
    faults=_faults,
    report_rank=5,
    terminal_rank=1,
)
