"""Tables for the terminal: columns of words that wrap, columns of numbers that do not, and cells that are never markup.

console.print(terminal_table([word_column("strategy"), number_column("share")], [["tit_for_tat", "0.41"]]))
"""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Column, Table
from rich.text import Text

from dilemmas.agents.visible_text import visible


def word_column(title: str, whole: bool = False) -> Column:
    """A column of words at the left; `whole` keeps each cell on one line."""
    return Column(Text(visible(title)), overflow="fold", no_wrap=whole)


def number_column(title: str) -> Column:
    """A column of numbers at the right."""
    return Column(Text(visible(title)), justify="right", no_wrap=True)


def terminal_table(columns: Sequence[Column], rows: Iterable[Sequence[str | Text]]) -> Table:
    """A table without lines.

    Parameters
    ----------
    columns
        Made by `word_column` and `number_column`.
    rows
        A cell per column. Cells are shown as text: markup and control characters have no effect. A `Text` keeps its
        styles and must be visible text already.
    """
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(visible(cell)) for cell in row))
    return table


def fact_table(facts: Mapping[str, str]) -> Table:
    """One line per fact, with its name in bold at the left; both are shown as text."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in facts.items():
        table.add_row(Text(visible(name)), Text(visible(text)))
    return table
