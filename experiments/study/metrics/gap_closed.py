"""The gap between teacher and untuned student that the tuned student closes, on each set of scenarios.

The definitions are in `dilemmas.experiments.study.alignment`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from dilemmas.experiments.reporting.charts import GapRow, gaps
from dilemmas.experiments.reporting.format import NONE, Results, num, with_span, words
from dilemmas.experiments.reporting.page import Block, Bullets, Figure, Notice, Paragraph, Section, Table
from dilemmas.experiments.study.alignment import Alignment, Gap, align, main_estimate, null_rate
from dilemmas.experiments.study.answers import ESTIMATES, ScenarioResult
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric
from dilemmas.experiments.study.titles import ABOUT, SUMMARY, set_title


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
        "ceiling": alignment.ceiling,
    }


def _gap(gap: Gap | None) -> dict[str, Any]:
    keys = ("gap_closed", "interval", "null", "transfer", "transfer_interval")
    values = (gap.value, gap.interval, gap.null, gap.transfer, gap.transfer_interval) if gap else (None,) * 5
    return dict(zip(keys, values, strict=True))


def gap_table(alignment: Results) -> Table:
    """Gap closed on each set, beside the null player."""
    rows = (
        (
            set_title(name),
            row["estimate"],
            f"{row['counted']}/{row['scenarios']}",
            with_span(row["gap_closed"], row["interval"]),
            num(row["null"]),
            with_span(row["transfer"], row["transfer_interval"]),
        )
        for name, row in _estimates(alignment)
    )
    return Table(
        "Gap closed, all scenarios of a set together",
        ("set", "estimate", "n", "gap closed", "null", "beyond null"),
        tuple(rows),
        words=2,
        note="n: scenarios counted, of those asked. In brackets 95% bootstrap intervals: over scenarios "
        "for exact estimates, over scenarios and answers for sampled ones.",
    )


def mean_table(alignment: Results) -> Table:
    """The mean of the scenarios' gaps closed, and what a perfect copy would show."""
    rows = (
        (
            set_title(name),
            row["estimate"],
            with_span(row["mean"]["gap_closed"], row["mean"]["interval"]),
            num(row["mean"]["null"]),
            num(row["ceiling"]),
        )
        for name, row in _estimates(alignment)
    )
    return Table(
        "Gap closed, mean of the scenarios",
        ("set", "estimate", "mean gap closed", "null", "perfect copy"),
        tuple(rows),
        words=2,
        note="The mean weighs every scenario alike, also those where the gap is small. Perfect copy: the "
        "gap closed, all scenarios together, to be expected of the teacher itself in the student's place; "
        "two samples of one model differ too.",
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
        told = Paragraph(f"{ABOUT.get(name, '')} {verdict[0].upper()}{verdict[1:]}".strip())
        left_out = _left_out(results["scenarios"][name], figures, results["observations"])
        yield Section(set_title(name), (told, *left_out))


def _summary(results: Results) -> Iterator[Block]:
    alignment = results["alignment"]
    yield Paragraph(
        "The gap closed is 1 where the tuned student answers as the teacher does, 0 where tuning brought "
        "it no closer, and negative where it moved away. The null player repeats the teacher's mean "
        f"cooperation over the training scenarios, {_null_rates(results)}, whatever the game and the "
        "context. Only what the student closes beyond the null player is transfer."
    )
    yield Bullets(tuple(f"{set_title(name)}: {_verdict(row)}" for name, row in alignment.items()))
    yield from (Notice(text) for text in results["warnings"])
    rows = [*_gap_rows(alignment)]
    if rows:
        caption = "Gap closed on each set of scenarios. Exact estimates are filled, sampled ones hollow."
        yield Figure(gaps("Gap closed on each set", caption, rows), caption)
    yield gap_table(alignment)
    yield mean_table(alignment)


def _null_rates(results: Results) -> str:
    rates = results["training"]["null_rate"].items()
    return " and ".join(f"{num(rate)} ({estimate})" for estimate, rate in rates if rate is not None) or NONE


def _verdict(row: Results) -> str:
    """The figures of a set as a sentence."""
    if row["gap_closed"] is None:
        return "no scenario tells the teacher and the untuned student apart."
    closed = f"the tuned student closes {with_span(row['gap_closed'], row['interval'])} of the gap"
    null = f"the null player {num(row['null'])}"
    if row["transfer_interval"] is None:
        return f"{closed}, {null}."
    low, high = row["transfer_interval"]
    difference = with_span(row["transfer"], row["transfer_interval"])
    if low <= 0 <= high:
        return f"{closed}, {null}: the two are not told apart (difference {difference})."
    return f"{closed}, {null}: {'more' if low > 0 else 'less'} than the null player (difference {difference})."


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
        "undefined": "teacher and untuned student do not differ beyond the sampling error "
        f"of {observations} answers (5% level)",
        "missing": "a model has no such estimate",
    }
    for key, reason in reasons.items():
        games: dict[str, list[str]] = {}
        for row in rows:
            if row["name"] in figures[key]:
                games.setdefault(words(row["game"]), []).append(words(row["context"]))
        if games:
            listed = "; ".join(f"{game} ({', '.join(contexts)})" for game, contexts in games.items())
            yield Paragraph(f"Left out, because {reason}: {listed}.")


def _terminal(results: Results) -> Iterator[Section]:
    warnings = tuple(Notice(text) for text in results["warnings"])
    yield Section("Gap closed: 1 as the teacher, 0 as untuned", (gap_table(results["alignment"]), *warnings))


def _limits(results: Results) -> Iterator[str]:
    yield (
        "They are not the study's figures (46% within sample, 18% on new contexts, 28% on new games, "
        "LLaMa2-70b to 7b) and cannot be set against them: the study publishes neither its formula nor its "
        "payoffs and prompts."
    )
    yield (
        "One student was tuned, from one seed. The intervals are about scenarios and answers, not about "
        "tuning again; a second student may differ by more."
    )
    yield (
        "The intervals treat the scenarios as drawn from many like them. They do not reach to other "
        "wordings, payoffs or labels."
    )


GAP_CLOSED = Metric("alignment", _measure, _sections, _terminal, limits=_limits, report_rank=0, terminal_rank=0)
