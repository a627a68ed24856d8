"""Tables as CSV (RFC 4180) that a spreadsheet does not run: text that would be read as a formula is quoted."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from dilemmas.agents.visible_text import visible

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\n")
"""Characters with which a spreadsheet recognises a formula in a cell of text (OWASP, "CSV injection")."""


def write_csv(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table to an open file.

    Parameters
    ----------
    file
        Opened with ``newline=""``.
    header
        Names of the columns.
    rows
        Cells; None is written as an empty cell, text that begins like a formula with an apostrophe before it, and
        characters that cannot be printed as by `visible`.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_safe(name) for name in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as CSV, see `write_csv`."""
    text = io.StringIO()
    write_csv(text, header, rows)
    return text.getvalue()


def _safe(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    text = visible(cell)
    return f"'{text}" if text.startswith(FORMULA) else text
