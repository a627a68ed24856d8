"""The folder of a tournament: written row by row, resumed by repeating the command, the same whoever did the work.

settings.json   what all depends on      provenance.json  versions, git commit, command
rows.jsonl      a line per group         matches/         trajectories of what was played in environments
results.json    the table                payoffs.csv, ranking.csv, report.html, report.md
"""

import csv
import io
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.data_files import replacing, write_text
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.run_folder import RunError, open_folder, plain, provenance, read_json, write_json
from dilemmas.experiments.tournaments.fixtures import Fixture, Row, batches
from dilemmas.experiments.tournaments.standings import Standings, habits, standings
from dilemmas.experiments.tournaments.tournament import Tournament
from dilemmas.experiments.tournaments.workers import rows_of

FORMAT, VERSION = "dilemmas-tournament", 1
SETTINGS, ROWS = "settings.json", "rows.jsonl"

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
TOGETHER = 100_000
"""Lines of that table that are written at once."""

Tell = Callable[[float, float], None]
"""Is told how much of the work is done, and how much there is."""


def play_tournament(
    tournament: Tournament,
    folder: Path | None = None,
    *,
    workers: int = 1,
    executor: str = "process",
    address: str = "",
    tell: Tell = lambda done, work: None,
) -> Standings:
    """Play what has not been played yet and make the table; with a folder, all of it is kept there."""
    work = sum(one.weight for one in tournament.fixtures)  # what cannot be played leaves no folder behind
    rows = list(begin(folder, tournament)) if folder else []
    left, done = tournament.fixtures[len(rows) :], sum(row.fixture.weight for row in rows)
    before = seconds(folder) if folder else 0.0
    start = time.monotonic()
    tell(done, work)
    try:
        for batch in rows_of(tournament, batches(left), workers, executor, address):
            if folder:
                append(folder, batch)
            rows.extend(batch)
            done += sum(row.fixture.weight for row in batch)
            tell(done, work)
    finally:
        if folder:
            write_json(folder / "seconds.json", {"playing": before + time.monotonic() - start})
    table = standings(tuple(tournament.players), rows, tournament.settings.seed, tournament.symmetric)
    if folder:
        write_results(folder, as_data(told(tournament), table))
    return table


def begin(folder: Path, tournament: Tournament) -> Iterator[Row]:
    """Open the folder, or make it, and give the rows it holds; one of other settings is refused with the difference."""
    kept, asked = settings_in(folder), told(tournament)
    open_folder(folder, "tournament", SETTINGS, kept, asked, ", or --force to begin anew")
    if kept is None:
        write_json(folder / SETTINGS, asked)
    write_json(folder / "provenance.json", provenance())
    path = folder / ROWS
    path.touch()
    whole = path.read_bytes()
    whole = whole[: whole.rfind(b"\n") + 1]  # killed while it wrote the line behind it
    with path.open("r+b") as file:
        file.truncate(len(whole))
    return read_rows(path, tournament.fixtures)


def settings_in(folder: Path) -> dict[str, Any] | None:
    """The settings of the tournament in a folder; None where there are none, `RunError` where they are of something
    else."""
    path = folder / SETTINGS
    if not path.is_file():
        return None
    kept = read_json(path)
    if not isinstance(kept, dict) or not {"game", "players", "seed"} <= set(kept):
        raise RunError(f"{path} holds no settings of a tournament; choose another folder")
    return kept


def read_rows(path: Path, fixtures: tuple[Fixture, ...] | None = None) -> Iterator[Row]:
    """The rows of a file, which have to be those of the first of the `fixtures`, where these are known.

    A last line without an end, which was being written when the tournament was stopped, is left out.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if not line.endswith(b"\n"):
                return
            try:
                row = Row.read(line.decode())
                if fixtures is not None and row.fixture != fixtures[number]:
                    raise ValueError
            except (ValueError, KeyError, TypeError, IndexError, OverflowError):
                raise RunError(
                    f"{path}, line {number + 1} is damaged, or no row of this tournament; take it from a copy, or"
                    " begin anew with --force"
                ) from None
            yield row


def append(folder: Path, rows: list[Row]) -> None:
    with (folder / ROWS).open("a", encoding="utf-8") as file:
        file.write("".join(row.line() + "\n" for row in rows))


def seconds(folder: Path) -> float:
    """Seconds spent so far, over all attempts."""
    path = folder / "seconds.json"
    try:
        return float(read_json(path)["playing"]) if path.is_file() else 0.0
    except (KeyError, TypeError, ValueError):
        raise RunError(f"{path} is damaged; delete it, and only the time spent so far is forgotten") from None


def told(tournament: Tournament) -> dict[str, Any]:
    """The settings of a tournament and who plays, as plain values."""
    who = {
        "players": list(tournament.players),
        "alike": tournament.symmetric,
        "identities": tournament.identities,
    }
    values: dict[str, Any] = plain({"format": FORMAT, "version": VERSION, **tournament.settings.as_table(), **who})
    return values


def as_data(settings: Mapping[str, Any], table: Standings) -> dict[str, Any]:
    """The table as plain values; null stands where two never met. `settings`: as `told` tells them."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "settings": settings,
        "players": list(table.players),
        "payoff_matrix": nested(table.payoffs),
        "standard_errors": nested(table.errors),
        "cooperation_matrix": nested(table.cooperation),
        "ranking": [asdict(standing) for standing in table.ranking],
        "rank_distribution": None if table.ranks is None else _shares(table.ranks),
        "fingerprints": {name: [asdict(habit) for habit in found] for name, found in habits(table.groups).items()},
        "engines": dict(Counter(means.engine for means in table.groups)),
        "groups": [
            {
                "players": list(means.group),
                "engine": means.engine,
                "matches": means.matches,
                "aborted": means.aborted,
                "rounds": means.rounds,
                "payoffs": means.payoffs.tolist(),
                "cooperation": means.cooperation.tolist(),
            }
            for means in table.groups
        ],
    }


def _shares(ranks: NDArray[np.int64]) -> list[list[float]]:
    """How often each player had each rank, from 1 to N: shape (N, N)."""
    count = ranks.shape[1]
    return [(np.bincount(of_one, minlength=count + 1)[1:] / len(ranks)).tolist() for of_one in ranks.T]


def write_results(folder: Path, data: dict[str, Any]) -> None:
    """Everything that is read off the rows."""
    from dilemmas.experiments.tournaments.report import write_report

    write_json(folder / "results.json", data)
    matrix = [[name, *row] for name, row in zip(data["players"], data["payoff_matrix"], strict=True)]
    write_text(folder / "payoffs.csv", as_csv(["player", *data["players"]], matrix))
    columns = ["rank", "player", "score", "low", "high", "first", "cooperation"]
    ranking = [[one.get(key) for key in columns] for one in map(_flat, data["ranking"])]
    write_text(folder / "ranking.csv", as_csv(columns, ranking))
    write_report(folder, data)


def _flat(standing: dict[str, Any]) -> dict[str, Any]:
    low, high = standing["interval"] or (None, None)
    return {**standing, "low": low, "high": high}


def write_matches(rows: Iterable[Row], path: Path) -> None:
    """A table with a line per repetition and player: CSV, or Parquet by the ending of the path."""
    lines = (line for number, row in enumerate(rows) for line in _lines(number, row))
    if path.suffix not in (".csv", ".parquet"):
        raise RunError(f"{path}: needs a name that ends with .csv or .parquet")
    with replacing(path) as partial:
        if path.suffix == ".parquet":
            _write_parquet(lines, partial)
        else:
            with partial.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(chain([list(COLUMNS)], lines))


def _write_parquet(lines: Iterator[list[Any]], path: Path) -> None:
    try:
        import pyarrow  # type: ignore[import-untyped, import-not-found, unused-ignore]
        from pyarrow import parquet  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise RunError("Parquet needs pyarrow: pip install 'dilemmas[parquet]', or export a .csv file") from None
    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in COLUMNS.items()])
    with parquet.ParquetWriter(path, schema) as file:
        while block := list(islice(lines, TOGETHER)):
            columns = [list(values) for values in zip(*block, strict=True)]
            file.write_table(pyarrow.table(columns, schema=schema))


def _lines(number: int, row: Row) -> Iterator[list[Any]]:
    """Of every repetition and seat of a row."""
    fixture = row.fixture
    for place, (rounds, payoffs, cooperation) in enumerate(zip(row.rounds, row.payoffs, row.cooperation, strict=True)):
        for seat, name in enumerate(fixture.group):
            told_ = [float(rounds), float(payoffs[seat]), float(cooperation[seat])]
            yield [number, fixture.first + place, seat, name, fixture.engine, *told_]


def as_csv(head: list[str], rows: list[list[Any]]) -> str:
    """A table as CSV (RFC 4180); None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([head, *rows])
    return text.getvalue()


def nested(values: Numbers) -> list[list[float | None]]:
    """A matrix as lists; None where there is no number."""
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]
