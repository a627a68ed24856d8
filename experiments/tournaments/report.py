"""Reports of a tournament: a page with figures, the same text in Markdown, and tables for a terminal.

All are made from the dictionary of results.json (`run_folder.tournament_data`), so a report can be made again from that
file. Names of players are always escaped.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dilemmas.envs.data_files import write_text
from dilemmas.experiments.reporting.format import words
from dilemmas.experiments.reporting.page import Notice, Paragraph, Section, Table, fits, html, markdown, print_sections
from dilemmas.experiments.tournaments.sections import about_errors, order, sections, tournament_warnings
from dilemmas.experiments.tournaments.tables import (
    Results,
    engine_table,
    group_table,
    matrix_table,
    ranking_table,
    seat_count,
)

NAMES = (None, 32, 20, 12)
"""Maximum widths of a name in a terminal, tried in this order; None is unlimited."""


def write_report(folder: Path, data: Results) -> None:
    """Write report.md and report.html into a folder, atomically; the page is self-contained."""
    title = f"Tournament of {len(data['players'])} players: {words(data['settings']['game'])}"
    parts = sections(data)
    write_text(folder / "report.md", markdown(title, parts))
    write_text(folder / "report.html", html(title, parts))


def print_tables(console: Console, data: Results) -> None:
    """Print the main tables at the width of a terminal, with shortened names if necessary."""
    places, engines = order(data), engine_table(data["groups"])
    rankings = [ranking_table(data, cells) for cells in NAMES]
    matrices = [matrix_table(data, places, cells) for cells in NAMES]
    matrices.append(matrix_table(data, places, NAMES[-1], digits=1))
    ranking, matrix = _fitting(console, rankings) or rankings[0], _fitting(console, matrices)
    parts = [
        Section(ranking.title, (ranking, Paragraph(ranking.note), *map(Notice, tournament_warnings(data)))),
        Section(matrices[0].title, (matrix or Paragraph(_too_wide(data)),)),
        Section(engines.title, (engines, Paragraph(about_errors(data)))),
    ]
    if seat_count(data) > 2:
        groups = group_table(data["groups"])
        parts.append(Section(groups.title, (groups,)))
    print_sections(console, parts)


def _fitting(console: Console, tables: Sequence[Table]) -> Table | None:
    """The first table that fits."""
    return next((table for table in tables if fits(console, table)), None)


def _too_wide(data: Results) -> str:
    return (
        f"{len(data['players'])} columns are too many for this terminal. All of them are in what --json prints, and in"
        " the folder of --out: payoffs.csv, report.html."
    )
