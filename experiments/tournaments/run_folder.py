"""The run folder of a tournament: written row by row, resumed by repeating the command, the same for any workers.

settings.json   all that results depend on   provenance.json  versions, git commit, command
rows.jsonl      one line per group           matches/         trajectories of matches played in environments
results.json    the results                  payoffs.csv, ranking.csv, report.html, report.md
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.data_files import complete_lines, drop_incomplete_line, plain_value, read_json, replacing, write_text
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.reporting.csv_text import csv_text, write_csv
from dilemmas.experiments.run_folder import RunError, json_values, open_folder, provenance, read_run_json, write_json
from dilemmas.experiments.tournaments.documents import ResultsFile, SettingsFile
from dilemmas.experiments.tournaments.fixtures import Fixture, Row, batches
from dilemmas.experiments.tournaments.standings import Standings, habits, standings
from dilemmas.experiments.tournaments.tournament import Tournament
from dilemmas.experiments.tournaments.workers import rows_of

FORMAT, VERSION = "dilemmas-tournament", 1
SETTINGS, ROWS, RESULTS = "settings.json", "rows.jsonl", "results.json"
TIME_ONLY = "delete it (it contains only the time spent so far)"

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

Tell = Callable[[float, float], None]
"""Function called with the work done so far and the total work, both in estimated seconds."""


def play_tournament(
    tournament: Tournament,
    folder: Path | None = None,
    *,
    workers: int = 1,
    executor: str = "process",
    address: str = "",
    tell: Tell = lambda done, work: None,
) -> Standings:
    """Play the remaining matches of a tournament and compute the standings.

    Parameters
    ----------
    tournament
        The tournament.
    folder
        Run folder to create or resume; None stores nothing.
    workers, executor, address
        As for `dilemmas.experiments.tournaments.workers.rows_of`.
    tell
        Called with the progress.

    Raises
    ------
    RunError
        If the folder contains a tournament with other settings, or anything else.
    WorkerError
        If workers cannot be started or one is killed.
    """
    work = sum(one.weight for one in tournament.fixtures)  # an invalid tournament creates no folder
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
        write_results(folder, tournament_data(settings_data(tournament), table))
    return table


def begin(folder: Path, tournament: Tournament) -> Iterator[Row]:
    """Open or create the folder and return its rows; `RunError` lists the differences from other settings."""
    kept, asked = settings_in(folder), settings_data(tournament)
    open_folder(folder, "tournament", SETTINGS, kept, asked, ", or start again with --force")
    if kept is None:
        write_json(folder / SETTINGS, asked)
    write_json(folder / "provenance.json", provenance())
    path = folder / ROWS
    path.touch()
    drop_incomplete_line(path)
    return read_rows(path, tournament.fixtures)


def settings_in(folder: Path) -> dict[str, Any] | None:
    """The settings of the tournament in a folder; None without settings, `RunError` if the file is something else."""
    path = folder / SETTINGS
    if not path.is_file():
        return None
    found: dict[str, Any] = plain_value(read_run_json(path, SettingsFile), SettingsFile)
    return found


def read_rows(path: Path, fixtures: tuple[Fixture, ...] | None = None) -> Iterator[Row]:
    """Read the rows of a file; `fixtures`: the fixtures of the rows in order, if they are known.

    An incomplete last line of an interrupted tournament is ignored.
    """
    for number, line in complete_lines(path):
        try:
            row = Row.read(line.decode())
            if fixtures is not None and row.fixture != fixtures[number - 1]:
                raise ValueError
        except (ValueError, KeyError, TypeError, IndexError, OverflowError):
            raise RunError(
                f"{path}, line {number} is damaged, or not a row of this tournament; restore it from a copy,"
                " or start again with --force"
            ) from None
        yield row


def append(folder: Path, rows: list[Row]) -> None:
    with (folder / ROWS).open("a", encoding="utf-8") as file:
        file.write("".join(row.line() + "\n" for row in rows))


def seconds(folder: Path) -> float:
    """Seconds spent so far, over all attempts."""
    path = folder / "seconds.json"
    return read_json(path, dict[str, float], RunError, TIME_ONLY).get("playing", 0.0) if path.is_file() else 0.0


def settings_data(tournament: Tournament) -> dict[str, Any]:
    """The settings and the players of a tournament as JSON values."""
    who = {
        "players": list(tournament.players),
        "alike": tournament.symmetric,
        "identities": tournament.identities,
    }
    values: dict[str, Any] = json_values(
        {"format": FORMAT, "version": VERSION, **tournament.settings.as_table(), **who}
    )
    return values


def tournament_data(settings: Mapping[str, Any], table: Standings) -> dict[str, Any]:
    """The results as JSON values, null for pairs that never met. `settings`: from `settings_data`."""
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


def kept_data(folder: Path) -> dict[str, Any]:
    """The results in a folder; of an incomplete tournament, those of the matches played so far."""
    results, begun = folder / RESULTS, begun_settings(folder)
    if results.is_file():
        data: dict[str, Any] = plain_value(read_run_json(results, ResultsFile), ResultsFile)
        return data
    rows = list(read_rows(folder / ROWS)) if (folder / ROWS).is_file() else []
    if not rows:
        raise RunError(f"{folder}: nothing has been played yet; repeat the command that started it")
    if not {name for row in rows for name in row.fixture.group} <= set(begun["players"]):
        raise RunError(f"{folder / ROWS} has players that are not in {folder / SETTINGS}")
    return tournament_data(begun, standings(begun["players"], rows, begun["seed"], begun["alike"]))


def begun_settings(folder: Path) -> dict[str, Any]:
    """The settings of the tournament in a folder; `RunError` if there is none."""
    if (settings := settings_in(folder)) is None:
        raise RunError(f"{folder} does not contain a tournament (no {SETTINGS})")
    return settings


def _shares(ranks: NDArray[np.int64]) -> list[list[float]]:
    """How often each player had each rank, from 1 to N: shape (N, N)."""
    count = ranks.shape[1]
    return [(np.bincount(of_one, minlength=count + 1)[1:] / len(ranks)).tolist() for of_one in ranks.T]


def write_results(folder: Path, data: dict[str, Any]) -> None:
    """Write all files that are derived from the rows."""
    from dilemmas.experiments.tournaments.report import write_report

    write_json(folder / RESULTS, data)
    matrix = [[name, *row] for name, row in zip(data["players"], data["payoff_matrix"], strict=True)]
    write_text(folder / "payoffs.csv", csv_text(["player", *data["players"]], matrix))
    columns = ["rank", "player", "score", "low", "high", "first", "cooperation"]
    ranking = [[one.get(key) for key in columns] for one in map(_flat, data["ranking"])]
    write_text(folder / "ranking.csv", csv_text(columns, ranking))
    write_report(folder, data)


def _flat(standing: dict[str, Any]) -> dict[str, Any]:
    low, high = standing["interval"] or (None, None)
    return {**standing, "low": low, "high": high}


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


def nested(values: Numbers) -> list[list[float | None]]:
    """A matrix as lists, with None for NaN."""
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]
