"""The gap between teacher and untuned student that the tuned student closes, on each set of scenarios.

The definitions are in `dilemmas.experiments.study.alignment`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from functools import partial
from typing import Any

from dilemmas.experiments.reporting.charts import GapRow, gaps
from dilemmas.experiments.reporting.format import NONE, Results, num, with_span
from dilemmas.experiments.reporting.page import Block, Bullets, Figure, Notice, Paragraph, Section, Table
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.study.alignment import Alignment, align, main_estimate, null_rate
from dilemmas.experiments.study.answers import ESTIMATES, ScenarioResult
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.gap_intervals import Gap
from dilemmas.experiments.study.metrics.metric import Metric
from dilemmas.experiments.study.titles import ABOUT, SUMMARY, game_title, set_title

PERFECT = (
    "Perfect copy: the gap closed that is expected of a student identical to the teacher; below 1 for sampled answers, "
    "because two samples of the same model differ."
)


def _measure(data: StudyData) -> dict[str, Any]:
    """Figures per set; at the top the exact ones if all models give probabilities, else the sampled ones."""
    main = str(main_estimate(data.sets))
    figures = {}
    for name, group in data.sets.items():
        by_estimate = _by_estimate(data, name, group)
        figures[name] = by_estimate[main] | {"scenarios": len(group), "estimates": by_estimate}
    return figures


def _by_estimate(data: StudyData, name: str, group: Sequence[ScenarioResult]) -> dict[str, dict[str, Any]]:
    figures = {}
    for estimate in ESTIMATES:
        rng = data.stream("student", name, estimate)
        rate = null_rate(data.training, estimate)
        figures[str(estimate)] = _row(align(group, rate, estimate, data.recipe.observations, rng, data.resamples))
    return figures


def _row(alignment: Alignment) -> dict[str, Any]:
    return {
        **_gap(alignment.aggregate),
        "mean": _gap(alignment.mean),
        "estimate": str(alignment.estimate),
        "counted": len(alignment.counted),
        "undefined": alignment.undefined,
        "missing": alignment.missing,
    }


def _gap(gap: Gap | None) -> dict[str, Any]:
    values = asdict(gap) if gap else {field.name: None for field in fields(Gap)}
    return {"gap_closed": values.pop("value"), **values}


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
        left_out = _left_out(results["scenarios"][name], figures, results["observations"])
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
    yield from (Notice(text) for text in results["warnings"])
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
        return "teacher and untuned student do not differ significantly in any scenario."
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


def _left_out(rows: Sequence[Results], figures: Results, observations: int) -> Iterator[Block]:
    """Which scenarios of a set are not part of its figures, and why."""
    reasons = {
        "undefined": f"teacher and untuned student do not differ significantly with {observations} answers (5% level)",
        "missing": "one of the models has no estimate",
    }
    for key, reason in reasons.items():
        games: dict[str, list[str]] = {}
        for row in rows:
            if row["name"] in figures[key]:
                games.setdefault(game_title(row["game"]), []).append(row["context"])
        if games:
            listed = "; ".join(f"{game} ({', '.join(contexts)})" for game, contexts in games.items())
            yield Paragraph(f"Excluded, because {reason}: {listed}.")


def _terminal(results: Results) -> Iterator[Section]:
    warnings = tuple(Notice(text) for text in results["warnings"])
    yield Section(
        "Gap closed: 1 = answers as the teacher, 0 = as the untuned student",
        (gap_table(results["alignment"], ceiling=False), *warnings),
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


GAP_CLOSED = Metric("alignment", _measure, _sections, _terminal, limits=_limits, report_rank=0, terminal_rank=0)
