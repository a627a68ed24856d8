"""The report of an experiment: written from the content of its results.json."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from dilemmas.envs.data_files import write_text
from dilemmas.experiments.reporting.format import Results, with_span
from dilemmas.experiments.reporting.page import (
    Block,
    Bullets,
    Figure,
    Notice,
    Paragraph,
    Section,
    Table,
    html,
    markdown,
)
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.series.curves import CurvePoint, DotRow, curves_with_intervals, dots
from dilemmas.experiments.series.measures import WHATS, place_title

DRAWN = ("overlap", "disagreement", "cooperation")
"""Measures of which the first one that was measured is drawn; of studies it is the gap closed, with the null player."""


def write_series_report(folder: Path, results: Results) -> None:
    """Write report.md and report.html into the folder of an experiment."""
    parts, title = [*report_of(results)], f"Experiment: {results['name']}"
    write_text(folder / "report.md", markdown(title, parts))
    write_text(folder / "report.html", html(title, parts))


def report_of(results: Results) -> Iterator[Section]:
    """The whole report."""
    first, *others = results["commands"]
    yield Section("Question", (Paragraph(results["question"]), *_limits(results), Paragraph(_what(results))))
    if figure := _figure(results):
        yield Section("Overview", (figure,))
    yield Section("Numbers", tuple(_tables(results, results["measures"], "")))
    if others:
        yield Section(f"Differences from {first}", tuple(_tables(results, results["differences"], f" minus {first}")))
    yield Section("Commands", tuple(_commands(results)))


def terminal_report(results: Results) -> list[Section]:
    """What is printed: limits and tables, without the commands."""
    first, *others = results["commands"]
    sections = [Section(results["question"], (*_limits(results), Paragraph(_seeds(results))))]
    sections += [Section(table.title, (table,)) for table in _tables(results, results["measures"], "")]
    if others:
        tables = _tables(results, results["differences"], f" minus {first}")
        sections += [Section(table.title, (table,)) for table in tables]
    return sections


def _limits(results: Results) -> Iterator[Block]:
    for one in results["limits"]:
        yield Notice(one["text"]) if one["warning"] else Paragraph(one["text"])


def _seeds(results: Results) -> str:
    number = len(results["seeds"])
    if number == 1:
        return "One seed: there are no intervals, and another seed may differ by more than the variants do."
    return f"Means over {number} seeds, with 95% intervals of Student's t; differences are paired by seed."


def _what(results: Results) -> str:
    return f"Teacher {results['teacher']}, student {results['student']}, recipe {results['recipe']}. {_seeds(results)}"


def _tables(results: Results, rows: Sequence[Results], minus: str) -> Iterator[Table]:
    """A table for every place of measurement: a row for each variant, a column for each measure.

    What is the same in all variants is one row, and as a difference none.
    """
    for where in dict.fromkeys(row["where"] for row in rows):
        found = {(row["variant"], row["what"]): row for row in rows if row["where"] == where}
        whats = [what for what in WHATS if any(key[1] == what for key in found)]
        shown = [name for name in results["commands"] if any(key[0] == name for key in found)]
        values = {name: [_cell(found.get((name, what))) for what in whats] for name in shown}
        same = len(shown) > 1 and all(one == values[shown[0]] for one in values.values())
        if minus and not any(row["mean"] or any(row["interval"] or ()) for row in found.values()):
            continue
        if same and not minus:
            values = {"all": values[shown[0]]}
        yield Table(
            place_title(where),
            ("variant", *(WHATS[what][0] for what in whats)),
            tuple((f"{name}{minus}", *cells) for name, cells in values.items()),
            note="; ".join(f"{title}: {text}" for title, text, _ in map(WHATS.__getitem__, whats)) + ".",
            missing="not defined, such as a gap where there is none",
        )


def _cell(row: Results | None) -> str:
    return with_span(row["mean"], row["interval"]) if row else ""


def _figure(results: Results) -> Figure | None:
    """The main measure with its intervals."""
    measured = {row["what"] for row in results["measures"]}
    what = next((one for one in ("gap_closed" if "null" in measured else "", *DRAWN) if one in measured), None)
    if what is None:
        return None
    rows = [row for row in results["measures"] if row["what"] in (what, "null") and row["mean"] is not None]
    title = WHATS[what][0]
    caption = f"{title.capitalize()}: {WHATS[what][1]}. Lines through the dots: 95% intervals over seeds."
    if not rows:
        return None
    if results["axis"] and len(results["commands"]) > 1:
        panels: dict[str, dict[str, list[CurvePoint]]] = {}
        for row in rows:
            point = CurvePoint(float(row["variant"]), row["mean"], row["interval"])
            name = "null player" if row["what"] == "null" else title
            panels.setdefault(place_title(row["where"]), {}).setdefault(name, []).append(point)
        return Figure(
            responsive(partial(curves_with_intervals, title.capitalize(), caption, panels, results["axis"])), caption
        )
    groups: dict[str, list[DotRow]] = {}
    for row in rows:
        if row["what"] == what:
            found = (row["mean"], row["interval"])
            one = DotRow(row["variant"], *found, with_span(*found))
            groups.setdefault(place_title(row["where"]), []).append(one)
    return Figure(responsive(partial(dots, title.capitalize(), caption, groups, title)), caption)


def _commands(results: Results) -> Iterator[Block]:
    yield Paragraph("Every variant was carried out with each seed, in a folder VARIANT/seed-N.")
    rows = ((name, f"dilemmas {line}") for name, lines in results["commands"].items() for line in lines)
    yield Table("Commands of the variants", ("variant", "command"), tuple(rows), words=2)
    if results["then"]:
        yield Paragraph("To go on, with the folder of the experiment in the place of OUT:")
        yield Bullets(results["then"])
