"""What a metric of the study consists of: how it is measured, and how the report shows it.

A new metric is one module of this package that defines a `Metric`, and one line in
`dilemmas.experiments.study.metrics.registry.METRICS`. Every function but `measure` and `ask` takes the whole dictionary
of results.json, so that a report can be written again from that file alone.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dilemmas.agents.models.backend import Backend
from dilemmas.experiments.reporting.format import NONE, Results
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.recipe import Recipe

Cells = tuple[tuple[str, ...], ...]
LAST = 100
"""Default rank: after all metrics that have a smaller one."""


def no_sections(results: Results) -> Iterable[Section]:
    """A metric without sections."""
    return ()


def no_sentences(results: Results) -> Iterable[str]:
    """A metric without a warning or a limitation."""
    return ()


def no_faults(results: Results, recipe: Recipe) -> Iterable[str]:
    """A metric whose results can be of any recipe."""
    return ()


def no_questions(recipe: Recipe, backend: Backend) -> Iterable[object]:
    """A metric that reads the run folder and asks the models nothing more."""
    return ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the study."""

    key: str
    """Key of the metric in results.json."""
    kind: Any
    """Type of the measurement, by which results.json is read: a dataclass with a docstring under every field, or tuples
    or mappings of such, or None."""
    measure: Callable[[StudyData], Any]
    """The measurement, of that type; the docstring of the function describes the key."""
    sections: Callable[[Results], Iterable[Section]] = no_sections
    """Its part of report.md and report.html; sections of the same title are joined, in the order of the ranks."""
    terminal: Callable[[Results], Iterable[Section]] = no_sections
    """Its part of what `dilemmas replicate` prints: tables that fit 80 columns."""
    warnings: Callable[[Results], Iterable[str]] = no_sentences
    """Sentences about values that a reader should be warned of."""
    limits: Callable[[Results], Iterable[str]] = no_sentences
    """Sentences about what the metric does not show."""
    ask: Callable[[Recipe, Backend], Iterable[object]] = no_questions
    """Puts to a model what `measure` will ask of it, in parts. It is called while the weights are loaded; the answers
    are remembered, so that `measure` gets them without the weights."""
    faults: Callable[[Results, Recipe], Iterable[str]] = no_faults
    """What in the results is not of the recipe, such as a missing row; see `other_rows`."""
    report_rank: int = LAST
    """Place in the report, by increasing rank; equal ranks are in the order of the registry."""
    terminal_rank: int = LAST
    """Place in the terminal, likewise."""


def is_above(value: float | None, limit: float) -> bool:
    """Whether there is a value and it is above a limit, as far as the six digits of results.json tell."""
    return value is not None and float(f"{value:.6g}") > limit


def other_rows(place: str, found: Iterable[Hashable], expected: Iterable[Hashable]) -> Iterator[str]:
    """A sentence if rows are not those that a recipe leads to, in their order; `place`: where they are."""
    rows, needed = list(found), list(expected)
    if missing := [row for row in needed if row not in rows]:
        yield f"{place}: {_named(missing[0])} is missing"
    elif rows != needed:
        odd = next((row for row in rows if row not in needed or rows.count(row) > 1), rows[0])
        yield f"{place}: {_named(odd)} is not part of the recipe, or there twice, or not in its place"


def _named(row: Hashable) -> str:
    return ", ".join(map(str, row)) if isinstance(row, tuple) else str(row)


def pivot(
    rows: Sequence[Results], keys: Mapping[str, Callable[[str], str]], cell: Callable[[Results], str]
) -> tuple[list[str], Cells]:
    """A table with one column per model.

    Parameters
    ----------
    rows : sequence of mappings
        Each has the key ``model`` besides `keys`.
    keys : mapping
        The keys that identify a row of the table, each with a function from its value to a title.
    cell : callable
        Text of a cell.

    Returns
    -------
    models : list of str
        The columns.
    cells : tuple of tuple of str
        The rows: titles, then a cell per model.
    """
    models = list(dict.fromkeys(row["model"] for row in rows))
    grid: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        grid.setdefault(tuple(title(row[key]) for key, title in keys.items()), {})[row["model"]] = cell(row)
    return models, tuple((*place, *(cells.get(model, NONE) for model in models)) for place, cells in grid.items())


def shown(table: Table) -> list[Table]:
    """The table, unless it has no rows."""
    return [table] if table.rows else []


def titled(tables: Iterable[Table]) -> list[Section]:
    """A section for each table that has rows, under the table's own title."""
    return [Section(table.title, (table,)) for table in tables if table.rows]
