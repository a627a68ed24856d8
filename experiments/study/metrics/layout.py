"""A layout that several metrics share: one column per model."""

from collections.abc import Callable, Sequence

from dilemmas.experiments.reporting.format import NONE, Results
from dilemmas.experiments.study.titles import scenario_title

Cells = tuple[tuple[str, ...], ...]


def pivot(rows: Sequence[Results], keys: Sequence[str], cell: Callable[[Results], str]) -> tuple[list[str], Cells]:
    """The models, and for each combination of the keys' values a row with one cell per model."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    grid: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows:
        grid.setdefault(tuple(scenario_title(row[key]) for key in keys), {})[row["model"]] = cell(row)
    return models, tuple((*place, *(cells.get(model, NONE) for model in models)) for place, cells in grid.items())
