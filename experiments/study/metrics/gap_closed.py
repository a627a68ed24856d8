"""The gap between teacher and untuned student that the tuned student closes, on each set of scenarios.

The definitions are in `dilemmas.experiments.study.alignment`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Annotated

from annotated_types import Le

from dilemmas.agents.agent import Source
from dilemmas.envs.validation import Count
from dilemmas.experiments.reporting.charts import GapRow, gaps
from dilemmas.experiments.reporting.format import NONE, Results, num, with_span
from dilemmas.experiments.reporting.page import Block, Bullets, Figure, Paragraph, Section, Table
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.reporting.uncertainty.gap_intervals import Gap
from dilemmas.experiments.reporting.uncertainty.intervals import Interval
from dilemmas.experiments.study.alignment import align, null_rate
from dilemmas.experiments.study.answers import ESTIMATES, WEIGHT, ScenarioResult
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import ABOUT, SUMMARY, game_title, set_title

PERFECT = (
    "Perfect copy: the gap closed that is expected of a student identical to the teacher; below 1 for sampled answers, "
    "because two samples of the same model differ."
)
TOO_CLOSE = {
    "exact": f"teacher and untuned student are so alike that {WEIGHT} answers of each would not differ significantly",
    "sampled": "the answers of teacher and untuned student do not differ significantly",
}
"""Why a scenario has no gap, by estimate."""
NO_GAP = "in no scenario teacher and untuned student differ enough, or there is no interval"

AtMostOne = Annotated[float, Le(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapFigures:
    """A gap closed; every key is null if no scenario is counted."""

    gap_closed: AtMostOne | None
    """Of the tuned student."""
    interval: Interval | None
    """Its 95% interval; null with fewer than two scenarios, or if nothing was learned in any."""
    null: AtMostOne | None
    """Gap closed by the null player."""
    transfer: float | None
    """`gap_closed` minus `null`."""
    transfer_interval: Interval | None
    """Its 95% interval; always null for a mean over the scenarios, which has too long a tail."""
    ceiling: AtMostOne | None
    """Expected gap closed of a perfect copy of the teacher."""

    def __post_init__(self) -> None:
        if self.gap_closed is None or self.null is None or self.transfer is None or self.ceiling is None:
            if any(getattr(self, item.name) is not None for item in fields(GapFigures)):
                raise ValueError("needs gap_closed, null, transfer and ceiling, or none of the numbers")
            return
        scale = max(1.0, abs(self.gap_closed), abs(self.null))
        if abs(self.transfer - (self.gap_closed - self.null)) > 1e-5 * scale:
            raise ValueError(f"transfer: needs gap_closed minus null, {self.gap_closed - self.null:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateFigures(GapFigures):
    """The gap closed on a set of scenarios by one estimate."""

    mean: GapFigures
    """The same as a mean over the scenarios."""
    estimate: Source
    """Source of the probabilities."""
    counted: Count
    """Number of scenarios counted."""
    undefined: tuple[str, ...]
    """Scenarios without a gap, which are left out."""
    missing: tuple[str, ...]
    """Scenarios without answers."""

    def __post_init__(self) -> None:
        GapFigures.__post_init__(self)
        if not (self.gap_closed is None) == (self.mean.gap_closed is None) == (not self.counted):
            raise ValueError("gap_closed: needs a number where scenarios are counted, also as a mean, and only there")


@dataclass(frozen=True, slots=True)
class FiguresByEstimate:
    """The gap closed on a set of scenarios by both estimates."""

    exact: EstimateFigures
    """From the models' own probabilities."""
    sampled: EstimateFigures
    """From readable replies."""

    def __post_init__(self) -> None:
        for name in ESTIMATES:
            if getattr(self, name).estimate != name:
                raise ValueError(f"{name}.estimate: needs '{name}'")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFigures(EstimateFigures):
    """The gap closed on a set of scenarios. The first keys are those of the main estimate."""

    scenarios: Count
    """Number of scenarios."""
    estimates: FiguresByEstimate
    """All keys by estimate."""

    def __post_init__(self) -> None:
        EstimateFigures.__post_init__(self)
        main = getattr(self.estimates, self.estimate)
        for item in fields(EstimateFigures):
            if getattr(self, item.name) != getattr(main, item.name):
                raise ValueError(f"{item.name}: needs that of estimates.{self.estimate}")
        for name in ESTIMATES:
            found = getattr(self.estimates, name)
            if found.counted + len(found.undefined) + len(found.missing) != self.scenarios:
                raise ValueError(f"scenarios: needs the counted, undefined and missing ones of estimates.{name}")


def _measure(data: StudyData) -> dict[str, SetFigures]:
    """Gap closed, null player and transfer, by set; the main estimate is the exact one if all models give
    probabilities."""
    main = data.estimate
    figures = {}
    for name, group in data.sets.items():
        exact, sampled = (_figures(data, name, group, estimate) for estimate in ESTIMATES)
        best = exact if main is Source.EXACT else sampled
        shared = {item.name: getattr(best, item.name) for item in fields(EstimateFigures)}
        figures[name] = SetFigures(**shared, scenarios=len(group), estimates=FiguresByEstimate(exact, sampled))
    return figures


def _figures(data: StudyData, name: str, group: Sequence[ScenarioResult], estimate: Source) -> EstimateFigures:
    rng, rate = data.stream("student", name, estimate), null_rate(data.training, estimate)
    found = align(group, rate, estimate, rng, data.resamples)
    return EstimateFigures(
        **asdict(_gap(found.aggregate)),
        mean=_gap(found.mean),
        estimate=found.estimate,
        counted=len(found.counted),
        undefined=found.undefined,
        missing=found.missing,
    )


def _gap(gap: Gap | None) -> GapFigures:
    values = asdict(gap) if gap else {item.name: None for item in fields(Gap)}
    return GapFigures(gap_closed=values.pop("value"), **values)


def gap_table(alignment: Results, ceiling: bool = True) -> Table:
    """Gap closed on each set, beside the null player. `ceiling`: with the column of the perfect copy."""
    rows = (
        (
            set_title(name),
            row["estimate"],
            f"{row['counted']}/{row['scenarios']}",
            with_span(row["gap_closed"], row["interval"]),
            num(row["null"]),
            with_span(row["transfer"], row["transfer_interval"]),
            *([num(row["ceiling"])] if ceiling else []),
        )
        for name, row in _estimates(alignment)
    )
    return Table(
        "Gap closed, aggregated over the scenarios of a set",
        ("set", "estimate", "n", "gap closed", "null", "beyond null", *(["perfect copy"] if ceiling else [])),
        tuple(rows),
        words=2,
        note="n: scenarios counted, of all scenarios of the set. null: the null player. In brackets: 95% intervals "
        "over scenarios, of the value without noise of sampling. Distances between sampled answers are too large, so "
        f"the sampled gap closed is often below the middle of its interval.{f' {PERFECT}' if ceiling else ''}",
        missing=NO_GAP,
    )


def mean_table(alignment: Results) -> Table:
    """The mean of the scenarios' gaps closed, and what a perfect copy would show."""
    rows = (
        (
            set_title(name),
            row["estimate"],
            num(row["mean"]["gap_closed"]),
            num(row["mean"]["null"]),
            num(row["mean"]["ceiling"]),
        )
        for name, row in _estimates(alignment)
    )
    return Table(
        "Gap closed, mean of the scenarios",
        ("set", "estimate", "mean gap closed", "null", "perfect copy"),
        tuple(rows),
        words=2,
        note="The mean gives every scenario the same weight, also where the gap is small; it therefore has no "
        f"reliable interval. {PERFECT}",
        missing=NO_GAP,
    )


def _estimates(alignment: Results) -> Iterator[tuple[str, Results]]:
    """(set, figures) of every estimate for which there are answers."""
    for name, row in alignment.items():
        for figures in row["estimates"].values():
            if figures["counted"] or figures["undefined"]:
                yield name, {**figures, "scenarios": row["scenarios"]}


def _sections(results: Results) -> Iterator[Section]:
    yield Section(SUMMARY, tuple(_summary(results)))
    for name, figures in results["alignment"].items():
        verdict = _verdict(figures)
        sentence = Paragraph(f"{ABOUT.get(name, '')} {verdict[0].upper()}{verdict[1:]}".strip())
        left_out = _left_out(results["scenarios"][name], figures)
        yield Section(set_title(name), (sentence, *left_out))


def _summary(results: Results) -> Iterator[Block]:
    alignment = results["alignment"]
    yield Paragraph(
        "The gap closed is 1 if the tuned student answers as the teacher does, 0 if tuning brought it no closer, and "
        "negative if it moved away. The null player cooperates at the teacher's mean rate over the training scenarios, "
        f"{_null_rates(results)}, in every game and context. Only what the student closes beyond the null player is "
        "transfer."
    )
    yield Bullets(tuple(f"{set_title(name)}: {_verdict(row)}" for name, row in alignment.items()))
    rows = [*_gap_rows(alignment)]
    if rows:
        caption = "Gap closed on each set of scenarios. Filled: exact estimates; hollow: sampled estimates."
        yield Figure(responsive(partial(gaps, "Gap closed on each set", caption, rows)), caption)
    yield gap_table(alignment)
    yield mean_table(alignment)


def _null_rates(results: Results) -> str:
    rates = results["training"]["null_rate"].items()
    return " and ".join(f"{num(rate)} ({estimate})" for estimate, rate in rates if rate is not None) or NONE


def _verdict(row: Results) -> str:
    """The figures of a set as a sentence."""
    if row["gap_closed"] is None:
        reason = TOO_CLOSE[row["estimate"]] if row["undefined"] else "a model gave no answer that can be read"
        return f"no gap can be measured: in all scenarios {reason}."
    closed = f"the tuned student closes {with_span(row['gap_closed'], row['interval'])} of the gap"
    null = f"the null player {num(row['null'])}"
    if row["transfer_interval"] is None:
        return f"{closed}, {null}."
    low, high = row["transfer_interval"]
    difference = with_span(row["transfer"], row["transfer_interval"])
    if low <= 0 <= high:
        return f"{closed}, {null}; the difference, {difference}, is not significant."
    return f"{closed}, {null}: significantly {'more' if low > 0 else 'less'} (difference {difference})."


def _gap_rows(alignment: Results) -> Iterator[GapRow]:
    for name, row in _estimates(alignment):
        if row["gap_closed"] is not None:
            label = f"{set_title(name)}, {row['estimate']}"
            numbers = with_span(row["gap_closed"], row["interval"])
            hollow = row["estimate"] == "sampled"
            yield GapRow(label, row["gap_closed"], row["interval"], row["null"], numbers, hollow)


def _left_out(rows: Sequence[Results], figures: Results) -> Iterator[Block]:
    """Which scenarios of a set are not part of the figures of its main estimate, and why."""
    estimate = figures["estimate"]
    reasons = {"undefined": TOO_CLOSE[estimate], "missing": "one of the models has none"}
    for key, reason in reasons.items():
        games: dict[str, list[str]] = {}
        for row in rows:
            if row["name"] in figures[key]:
                games.setdefault(game_title(row["game"]), []).append(row["context"])
        if games:
            listed = "; ".join(f"{game} ({', '.join(contexts)})" for game, contexts in games.items())
            yield Paragraph(f"Excluded from the {estimate} estimate, because {reason}: {listed}.")


def _terminal(results: Results) -> Iterator[Section]:
    yield Section(
        "Gap closed: 1 = answers as the teacher, 0 = as the untuned student",
        (gap_table(results["alignment"], ceiling=False),),
    )


def _limits(results: Results) -> Iterator[str]:
    yield (
        "These numbers cannot be compared with those of the study (46% within sample, 18% on new contexts, 28% on new "
        "games, LLaMa2-70b to 7b), which publishes neither its formula nor its payoffs and prompts."
    )
    yield (
        "One student was trained, from one seed. The intervals cover the choice of scenarios and answers, not the "
        "training; a second student may differ by more."
    )
    yield (
        "The intervals treat the scenarios as a sample of similar ones. They do not cover other wordings, payoffs or "
        "labels."
    )


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    sets, found = recipe.sets(), results["alignment"]
    yield from other_rows("alignment", found, sets)
    for name, figures in found.items():
        scenarios = [scenario.name for scenario in sets.get(name, ())]
        if figures["scenarios"] != len(scenarios):
            yield f"alignment.{name}.scenarios: needs {len(scenarios)}; got {figures['scenarios']}"
        for estimate, row in figures["estimates"].items():
            left_out = [*row["undefined"], *row["missing"]]
            place = f"alignment.{name}.estimates.{estimate}"
            yield from other_rows(place, sorted(left_out), sorted({*left_out} & {*scenarios}))


GAP_CLOSED = Metric(
    "alignment",
    Mapping[str, SetFigures],
    _measure,
    _sections,
    _terminal,
    limits=_limits,
    faults=_faults,
    report_rank=0,
    terminal_rank=0,
)
