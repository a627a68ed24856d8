"""A layout that several metrics share: one column per model."""

from collections.abc import Callable, Mapping, Sequence

from dilemmas.experiments.reporting.format import NONE, Results

Cells = tuple[tuple[str, ...], ...]


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
