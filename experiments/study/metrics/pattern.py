"""Whether the student follows the teacher from scenario to scenario, or only in level.

A student can close much of the gap by cooperating as much as the teacher does on average, or in each game. So the
correlation of its rates with the teacher's over scenarios stands beside two oracles: one that knows the teacher's mean
rate in each game of the set and nothing of contexts, and one that knows the mean in each context and nothing of games.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy.stats import rankdata

from dilemmas.agents.agent import Source
from dilemmas.envs.validation import Count
from dilemmas.experiments.reporting.format import Results, num
from dilemmas.experiments.reporting.page import Block, Figure, Paragraph, Section, Table
from dilemmas.experiments.reporting.scatter import ScatterPoint, scatter
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.reporting.uncertainty.equivalence import detectable
from dilemmas.experiments.study.alignment import null_player, null_rate
from dilemmas.experiments.study.answers import ROLES, Answers, ScenarioResult, distance
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, shown, titled
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import scenario_title, set_title

Array = NDArray[np.float64]
Correlation = Annotated[float, Ge(-1), Le(1)]
Closed = Annotated[float, Le(1)]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Agreement of the students with the teacher from scenario to scenario, over a set."""

    set: str
    """Name of the set."""
    scenarios: Count
    """Scenarios in which all three models have the estimate."""
    untuned: Correlation | None
    """Pearson correlation of the untuned student's cooperation with the teacher's; None where one does not vary."""
    tuned: Correlation | None
    """The same of the tuned student."""
    untuned_rank: Correlation | None
    """Spearman's rank correlation of the untuned student's cooperation with the teacher's."""
    tuned_rank: Correlation | None
    """The same of the tuned student."""
    student: Closed | None
    """Gap closed by the tuned student over all these scenarios; None without a gap."""
    game_oracle: Closed | None
    """Gap closed by the teacher's mean rate in each game."""
    context_oracle: Closed | None
    """Gap closed by the teacher's mean rate in each context."""
    null: Closed | None
    """Gap closed by the null player."""


def _measure(data: StudyData) -> list[Pattern]:
    """Correlations with the teacher over scenarios, and the gap closed by oracles, by set."""
    estimate = data.estimate
    rate = null_rate(data.training, estimate)
    return [
        pattern(name, [result for result in group if result.has(estimate)], rate or 0.0, estimate)
        for name, group in data.sets.items()
    ]


def pattern(name: str, group: Sequence[ScenarioResult], rate: float, estimate: Source) -> Pattern:
    """The pattern over the scenarios of a set, which all have the estimate.

    `rate`: of the null player, who is measured over the same scenarios.
    """
    rates = [[answers.rate(estimate) or 0.0 for answers in result.answers] for result in group]
    teacher, untuned, tuned = np.array(rates).reshape(-1, 3).T
    student, game_oracle, context_oracle, null = _gaps(group, rate, estimate) or (None,) * 4
    return Pattern(
        name,
        len(group),
        untuned=_correlation(teacher, untuned),
        tuned=_correlation(teacher, tuned),
        untuned_rank=_correlation(rankdata(teacher), rankdata(untuned)),
        tuned_rank=_correlation(rankdata(teacher), rankdata(tuned)),
        student=student,
        game_oracle=game_oracle,
        context_oracle=context_oracle,
        null=null,
    )


def _correlation(one: Array, other: Array) -> float | None:
    if len(one) < 3 or np.ptp(one) < 1e-9 or np.ptp(other) < 1e-9:
        return None
    return float(np.clip(np.corrcoef(one, other)[0, 1], -1, 1))


def _gaps(group: Sequence[ScenarioResult], null: float, estimate: Source) -> tuple[float, float, float, float] | None:
    """Gap closed by the tuned student, by the oracles of games and contexts, and by the null player of the given rate;
    None without a gap."""
    untuned = sum(_apart(result.teacher, result.untuned, estimate) for result in group)
    if untuned < 1e-9:
        return None
    tuned = sum(_apart(result.teacher, result.tuned, estimate) for result in group)
    games, contexts = (_means(group, key, estimate) for key in ("game", "context"))

    def left(rates: Iterable[float]) -> float:
        players = [null_player(rate, one.teacher.cooperation) for one, rate in zip(group, rates, strict=True)]
        return sum(distance(one, _shares(two.teacher, estimate)) for one, two in zip(players, group, strict=True))

    others = (left(games[one.game] for one in group), left(contexts[one.context] for one in group))
    student, game, context, level = (1 - apart / untuned for apart in (tuned, *others, left([null] * len(group))))
    return student, game, context, level


def _means(group: Sequence[ScenarioResult], key: str, estimate: Source) -> Mapping[str, float]:
    """The teacher's mean cooperation by game or context."""
    found: dict[str, list[float]] = {}
    for result in group:
        found.setdefault(getattr(result, key), []).append(result.teacher.rate(estimate) or 0.0)
    return {name: fmean(rates) for name, rates in found.items()}


def _shares(answers: Answers, estimate: Source) -> tuple[float, ...]:
    return answers.distribution(estimate) or ()


def _apart(one: Answers, other: Answers, estimate: Source) -> float:
    return distance(_shares(one, estimate), _shares(other, estimate))


def pattern_table(rows: Sequence[Results]) -> Table:
    """Correlations and oracles, one row per set."""
    keys = ("untuned", "tuned", "untuned_rank", "tuned_rank", "student", "null", "game_oracle", "context_oracle")
    return Table(
        "Level and pattern: the students beside the teacher over scenarios",
        ("set", "r untuned", "r tuned", "rank untuned", "rank tuned", "student", "null", "games", "contexts"),
        tuple((set_title(row["set"]), *(num(row[key]) for key in keys)) for row in rows if row["scenarios"]),
        words=1,
        note="r, rank: correlation and rank correlation with the teacher's cooperation over scenarios. The other "
        "columns: gap closed over all scenarios of the set, also those in which teacher and untuned student hardly "
        "differ, by the tuned student, by the null player, and by two oracles, which know the teacher's mean rate in "
        "each game, or in each context, and nothing else.",
        missing="fewer than three scenarios, or no variation",
    )


def pattern_figure(sets: Mapping[str, Sequence[Results]], alignment: Results) -> Figure:
    """Cooperation of the students against the teacher's, a point per scenario and a panel per set."""
    panels = {
        set_title(name): [
            ScatterPoint(scenario_title(row["name"]), *(row[role][alignment[name]["estimate"]] for role in ROLES))
            for row in rows
        ]
        for name, rows in sets.items()
        if rows
    }
    caption = (
        "Cooperation of the student against the teacher's, a point for each scenario. On the diagonal the student "
        "cooperates as the teacher does; points on a level line are a student that does not follow the teacher."
    )
    return Figure(responsive(partial(scatter, "The students against the teacher", caption, panels)), caption)


def _sections(results: Results) -> Iterator[Section]:
    texts = [text for row in results["pattern"] if (text := _verdict(row))]
    if any(row["test_tuned"] for rows in results["scenarios"].values() for row in rows):
        texts.append(_power(results["observations"]))
    figure = pattern_figure(results["scenarios"], results["alignment"])
    blocks: list[Block] = [*map(Paragraph, texts), figure, *shown(pattern_table(results["pattern"]))]
    yield Section("Level and pattern", tuple(blocks))


def _power(answers: int) -> str:
    """What the tests of sampled answers could have shown."""
    found = detectable(answers)
    if found is None:
        return f"With {answers} answers each, no difference between two rates is found four times in five."
    return (
        f"With {answers} answers each, a difference of {found:.2f} between two rates around one half is found four "
        "times in five by a test at the 5% level; smaller ones may be missed."
    )


def _verdict(row: Results) -> str:
    """What the oracles say about the student in words; empty where there is nothing to say."""
    if row["student"] is None or row["tuned"] is None:
        return ""
    name, tuned = set_title(row["set"]), num(row["tuned"])
    level = f"{name}: over all {row['scenarios']} scenarios the student closes {num(row['student'])}"
    kind = max(("game", "context"), key=lambda kind: row[f"{kind}_oracle"])
    oracle = f"the oracle that knows only each {kind}'s mean {num(row[f'{kind}_oracle'])}"
    null = f"the null player {num(row['null'])}"
    closed = f"{level}, {oracle}, {null}; the student's correlation with the teacher"
    if row["untuned"] is None:
        return f"{closed} is {tuned}."
    before = num(row["untuned"])
    moved = f"{'rises' if row['tuned'] > row['untuned'] else 'falls'} from {before} to"
    return f"{closed} {'stays at' if before == tuned else moved} {tuned}."


def _terminal(results: Results) -> list[Section]:
    return titled([pattern_table(results["pattern"])])


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    yield from other_rows("pattern", (row["set"] for row in results["pattern"]), recipe.sets())


PATTERN = Metric(
    "pattern", tuple[Pattern, ...], _measure, _sections, _terminal, faults=_faults, report_rank=2, terminal_rank=1
)
