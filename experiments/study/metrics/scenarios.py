"""Every scenario by itself: cooperation, the gap closed, z-tests against the teacher, and what models are asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Annotated

from annotated_types import Le

from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.validation import Count, Share
from dilemmas.experiments.reporting.charts import Dumbbell, dumbbells
from dilemmas.experiments.reporting.format import NONE, Results, num
from dilemmas.experiments.reporting.page import Figure, Section, Table, Verbatim
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.reporting.uncertainty.equivalence import MARGIN
from dilemmas.experiments.reporting.uncertainty.intervals import ShareInterval, ZTest
from dilemmas.experiments.study.alignment import gap_closed
from dilemmas.experiments.study.answers import (
    ESTIMATES,
    ROLES,
    Answers,
    ScenarioResult,
    ShareByEstimate,
    compare,
    equivalent,
    weighted,
)
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, shown
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import game_title, scenario_title, set_title

STUDENTS = {"untuned": "test_untuned", "tuned": "test_tuned"}
"""Role of a student -> key of its z-test."""
ALIKE = ("tuned: alike", "adjusted alike")
"""Columns of the test whether the tuned student answers as the teacher does."""


SUM_DIGITS = 1e-4
"""How far the sum of probabilities of six digits may be from 1."""


@dataclass(frozen=True, slots=True)
class AnswerRates(ShareByEstimate):
    """Answers of a model to a scenario: its cooperation by each estimate, and what the rates are made from."""

    probabilities: tuple[Share, ...] | None
    """The model's own probability of each action; null where unknown."""
    counts: tuple[Count, ...]
    """Readable replies by action."""
    unreadable: Count
    """Unreadable replies."""
    bounds: ShareInterval | None
    """Cooperation if all unreadable replies meant to defect, and if all meant to cooperate; null without replies."""

    def __post_init__(self) -> None:
        if (self.exact is None) != (self.probabilities is None):
            raise ValueError("exact: needs a number where there are probabilities, and only there")
        if self.probabilities and len(self.probabilities) != len(self.counts):
            raise ValueError(f"counts: needs {len(self.probabilities)} numbers, one for each of the probabilities")
        if self.probabilities is not None and abs(sum(self.probabilities) - 1) > SUM_DIGITS:
            raise ValueError(f"probabilities: needs numbers that add up to 1; got {list(self.probabilities)}")
        if (self.sampled is None) != (not any(self.counts)):
            raise ValueError("sampled: needs a number where there are counts, and only there")
        if (self.bounds is None) != (not any((*self.counts, self.unreadable))):
            raise ValueError("bounds: needs two numbers where there are replies, and only there")


@dataclass(frozen=True, slots=True)
class GapByEstimate:
    """A gap closed by estimate; null where there is none."""

    exact: Annotated[float, Le(1)] | None
    """From the models' own probabilities."""
    sampled: Annotated[float, Le(1)] | None
    """From readable replies."""


@dataclass(frozen=True, slots=True)
class AdjustedTests:
    """p-values adjusted for the number of scenarios of the set (Benjamini & Hochberg 1995); null without a test."""

    untuned: Share | None
    """Of `test_untuned`."""
    tuned: Share | None
    """Of `test_tuned`."""
    alike: Share | None
    """Of `alike_tuned`."""


@dataclass(frozen=True, slots=True)
class ScenarioRow:
    """A scenario."""

    name: str
    """``game/context``."""
    game: str
    """Name of the game."""
    context: str
    """Title of the context."""
    teacher: AnswerRates
    """Answers of the teacher."""
    untuned: AnswerRates
    """Answers of the untuned student."""
    tuned: AnswerRates
    """Answers of the tuned student."""
    test_untuned: ZTest | None
    """Teacher against untuned student; null without readable replies of both."""
    test_tuned: ZTest | None
    """Teacher against tuned student."""
    alike_tuned: Share | None
    """p-value of the hypothesis that teacher and tuned student differ by a rate of 0.1 or more; null without readable
    replies of both."""
    adjusted: AdjustedTests
    """p-values of the three tests, adjusted for the number of scenarios of the set."""
    gap_closed: GapByEstimate
    """Gap closed by estimate."""

    def __post_init__(self) -> None:
        for role, key in STUDENTS.items():
            student = getattr(self, role)
            if (getattr(self, key) is None) != (self.teacher.sampled is None or student.sampled is None):
                raise ValueError(f"{key}: needs a test where both models have readable replies, and only there")
            if len(student.counts) != len(self.teacher.counts):
                raise ValueError(f"{role}.counts: needs {len(self.teacher.counts)} numbers, as the teacher has")
        found = (_p_of(self.test_untuned), _p_of(self.test_tuned), self.alike_tuned)
        for item, p in zip(fields(AdjustedTests), found, strict=True):
            adjusted = getattr(self.adjusted, item.name)
            if (adjusted is None) != (p is None) or (adjusted is not None and adjusted < (p or 0) - SUM_DIGITS):
                raise ValueError(f"adjusted.{item.name}: needs a number not below that of the test; got {adjusted}")


def _p_of(test: ZTest | None) -> float | None:
    return None if test is None else test.p


def _measure(data: StudyData) -> dict[str, list[ScenarioRow]]:
    """Every scenario, by set."""
    return {name: _rows(group) for name, group in data.sets.items()}


def _rows(group: Sequence[ScenarioResult]) -> list[ScenarioRow]:
    untuned, tuned = ([compare(one.teacher, getattr(one, role)) for one in group] for role in STUDENTS)
    alike = [equivalent(one.teacher, one.tuned) for one in group]
    found = (list(map(_p_of, untuned)), list(map(_p_of, tuned)), alike)
    adjusted = [AdjustedTests(*one) for one in zip(*map(_adjusted, found), strict=True)]
    return [_row(*one) for one in zip(group, untuned, tuned, alike, adjusted, strict=True)]


def _row(
    result: ScenarioResult,
    test_untuned: ZTest | None,
    test_tuned: ZTest | None,
    alike: float | None,
    adjusted: AdjustedTests,
) -> ScenarioRow:
    teacher, untuned, tuned = map(_rates, result.answers)
    return ScenarioRow(
        result.name,
        result.game,
        result.context,
        teacher,
        untuned,
        tuned,
        test_untuned=test_untuned,
        test_tuned=test_tuned,
        alike_tuned=alike,
        adjusted=adjusted,
        gap_closed=GapByEstimate(*(gap_closed(result, estimate) for estimate in ESTIMATES)),
    )


def _rates(answers: Answers) -> AnswerRates:
    exact, sampled = (answers.rate(estimate) for estimate in ESTIMATES)
    return AnswerRates(exact, sampled, answers.exact, answers.counts, answers.unreadable, answers.bounds)


@dataclass(frozen=True, slots=True)
class QuotedPrompt:
    """A question of a set."""

    set: str
    """Name of the set."""
    scenario: str
    """``game/context``."""
    prompt: str
    """What the student was asked, in the first of its presentations."""


def _quote(data: StudyData) -> list[QuotedPrompt]:
    """The question about the first scenario of every set, as the student was asked."""
    first = {name: group[0].name for name, group in data.sets.items() if group and data.answers}
    return [QuotedPrompt(name, one, data.answers["untuned"][one].presented[0].prompt) for name, one in first.items()]


def _quotations(results: Results) -> Iterator[Section]:
    for row in results["prompts"]:
        title = f"What the student is asked: {scenario_title(row['scenario'])}"
        yield Section(set_title(row["set"]), (Verbatim(title, row["prompt"]),))


def _other_prompts(results: Results, recipe: Recipe) -> Iterator[str]:
    expected = ((name, group[0].name) for name, group in recipe.sets().items() if group)
    yield from other_rows("prompts", ((row["set"], row["scenario"]) for row in results["prompts"]), expected)


def rate_table(rows: Sequence[Results]) -> Table:
    """Every scenario of a set: cooperation of the three models and the gap closed, by each estimate."""
    kinds = [kind for kind in map(str, ESTIMATES) if any(row["teacher"][kind] is not None for row in rows)]
    return Table(
        f"Cooperation in {len(rows)} scenarios, in numbers",
        ("game", "context", *(f"{part}, {kind}" for kind in kinds for part in (*ROLES, "gap"))),
        tuple((game_title(row["game"]), row["context"], *_rate_cells(row, kinds)) for row in rows),
        words=2,
        note="Gap: the gap closed.",
        missing="no readable answer; in a gap, too small a difference between teacher and untuned student",
        folded=True,
    )


def _rate_cells(row: Results, kinds: Sequence[str]) -> Iterator[str]:
    for kind in kinds:
        yield from (num(row[role][kind]) for role in ROLES)
        yield num(row["gap_closed"][kind])


def z_test_table(rows: Sequence[Results]) -> Table:
    """z-tests of every scenario of a set."""
    tested = [row for row in rows if any(row[test] for test in STUDENTS.values())]
    cells = (
        (
            game_title(row["game"]),
            row["context"],
            *(cell for role, test in STUDENTS.items() for cell in _test_cells(row[test], row["adjusted"][role])),
            _p(row["alike_tuned"]),
            _p(row["adjusted"]["alike"]),
        )
        for row in tested
    )
    columns = ("difference", "std. error", "p", "adjusted p")
    return Table(
        "Tests: teacher versus untuned student, and versus tuned student",
        ("game", "context", *(f"{student}: {name}" for student in STUDENTS for name in columns), *ALIKE),
        tuple(cells),
        words=2,
        note="Two-sided z-tests for the difference of two proportions: teacher minus student, sampled answers, pooled "
        "standard error. A large p means that the samples do not show a difference, not that there is none. Adjusted: "
        "for the number of scenarios (Benjamini & Hochberg 1995): of the differences with an adjusted p below 0.05, "
        "at most one in twenty is expected to be by chance. Alike: p of two one-sided tests that the rates differ by "
        f"{MARGIN} or more; below 0.05, the rates of tuned student and teacher are closer than that.",
        folded=True,
    )


def _adjusted(tests: Sequence[float | None]) -> list[float | None]:
    """p-values, adjusted for their number."""
    from scipy.stats import false_discovery_control  # type: ignore[import-untyped, unused-ignore]

    known = [p for p in tests if p is not None]
    found = iter(false_discovery_control(known).tolist() if known else ())
    return [None if p is None else next(found) for p in tests]


def _test_cells(test: Results | None, adjusted: float | None) -> tuple[str, ...]:
    if test is None:
        return (NONE,) * 4
    return num(test["difference"], 3), num(test["standard_error"], 3), _p(test["p"]), _p(adjusted)


def _p(value: float | None) -> str:
    return "<0.001" if value is not None and value < 0.001 else num(value, 3)


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


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    sets, found = recipe.sets(), results["scenarios"]
    yield from other_rows("scenarios", found, sets)
    for name, rows in found.items():
        scenarios = sets.get(name, ())
        expected = ((one.name, one.game.name, one.context.title) for one in scenarios)
        yield from other_rows(
            f"scenarios.{name}", ((row["name"], row["game"], row["context"]) for row in rows), expected
        )
        for place, (row, scenario) in enumerate(zip(rows, scenarios, strict=False)):
            for role in ROLES:
                yield from _other_answers(f"scenarios.{name}[{place}].{role}", row[role], scenario, recipe.drawn)


def _other_answers(place: str, answers: Results, scenario: Scenario, drawn: int) -> Iterator[str]:
    """What of the answers of a model cannot be answers to a scenario."""
    counts, replies = answers["counts"], sum(answers["counts"]) + answers["unreadable"]
    if len(counts) != scenario.game.n_actions:
        yield f"{place}.counts: needs {scenario.game.n_actions} numbers, one for each action; got {len(counts)}"
        return
    if replies != drawn:
        yield f"{place}.counts: needs {drawn} replies, with the unreadable ones; got {replies}"
    cooperation = [scenario.game.cooperation(action) for action in range(len(counts))]
    made_from = {"exact": answers["probabilities"], "sampled": [count / max(1, sum(counts)) for count in counts]}
    for estimate, shares in made_from.items():
        if answers[estimate] is not None and abs(answers[estimate] - weighted(shares, cooperation)) > SUM_DIGITS:
            yield f"{place}.{estimate}: needs {weighted(shares, cooperation):g}; got {answers[estimate]}"


SCENARIOS = Metric(
    "scenarios", Mapping[str, tuple[ScenarioRow, ...]], _measure, _sections, faults=_faults, report_rank=1
)
PROMPTS = Metric("prompts", tuple[QuotedPrompt, ...], _quote, _quotations, faults=_other_prompts, report_rank=1)
