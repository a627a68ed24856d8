"""The table of matches: one line per match and player, as CSV or Parquet."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from dilemmas.envs.data_files import replacing
from dilemmas.experiments.reporting.csv_text import write_csv
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.tournaments.fixtures import Row

COLUMNS = {
    "match": "int64",
    "repetition": "int64",
    "seat": "int64",
    "player": "string",
    "engine": "string",
    "rounds": "float64",
    "payoff": "float64",
    "cooperation": "float64",
}
"""Columns of the table of matches, with their types in Parquet."""
LINES_AT_ONCE = 100_000
"""Number of lines of that table that are written at once."""


def write_matches(rows: Iterable[Row], path: Path) -> None:
    """Write a table with one line per repetition and player: CSV or Parquet, by the suffix of the path."""
    lines = (line for number, row in enumerate(rows) for line in _lines(number, row))
    if path.suffix not in (".csv", ".parquet"):
        raise RunError(f"{path}: needs the suffix .csv or .parquet")
    with replacing(path) as partial:
        if path.suffix == ".parquet":
            _write_parquet(lines, partial)
        else:
            with partial.open("w", encoding="utf-8", newline="") as file:
                write_csv(file, list(COLUMNS), lines)


def _write_parquet(lines: Iterator[list[Any]], path: Path) -> None:
    try:
        import pyarrow  # type: ignore[import-untyped, import-not-found, unused-ignore]
        from pyarrow import parquet  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise RunError('Parquet needs pyarrow: pip install "dilemmas[parquet]", or export a .csv file') from None
    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in COLUMNS.items()])
    with parquet.ParquetWriter(path, schema) as file:
        while block := list(islice(lines, LINES_AT_ONCE)):
            columns = [list(values) for values in zip(*block, strict=True)]
            file.write_table(pyarrow.table(columns, schema=schema))


def _lines(number: int, row: Row) -> Iterator[list[Any]]:
    """One line of the table per repetition and seat of a row."""
    fixture = row.fixture
    for place, (rounds, payoffs, cooperation) in enumerate(zip(row.rounds, row.payoffs, row.cooperation, strict=True)):
        for seat, name in enumerate(fixture.group):
            numbers = [float(rounds), float(payoffs[seat]), float(cooperation[seat])]
            yield [number, fixture.first + place, seat, name, fixture.engine, *numbers]
