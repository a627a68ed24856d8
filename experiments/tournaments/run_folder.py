"""The run folder of a tournament: written row by row, resumed by repeating the command, the same for any workers.

settings.json   all that results depend on   provenance.json  versions, git commit, command
rows.jsonl      one line per group           matches/         trajectories of matches played in environments
questions.jsonl what language models answered
server.json     what their servers can do, also in log.txt
results.json    the results                  payoffs.csv, ranking.csv, report.html, report.md
seals.jsonl     what is finished, with checksums
seconds.json    the time spent
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.matches.match import AgentError
from dilemmas.agents.matches.trajectory import SUFFIX, check_recorded
from dilemmas.envs.data_files import (
    append_text,
    complete_lines,
    drop_incomplete_line,
    plain_value,
    write_text,
)
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.locks import locked_folder
from dilemmas.envs.seals import PROVENANCE, RESULTS, SEALS, Seals, check_described, check_sealed
from dilemmas.experiments.reporting.csv_text import csv_text
from dilemmas.experiments.run_folder import (
    LOG,
    QUESTIONS,
    SECONDS,
    SERVERS,
    RunError,
    add_seconds,
    check_folder,
    delete_files,
    json_values,
    provenance,
    read_run_json,
    record_servers,
    recover,
    with_lower_mass,
    write_json,
    write_sealed,
)
from dilemmas.experiments.tournaments.costs import check_playing
from dilemmas.experiments.tournaments.documents import ResultsFile, SettingsFile
from dilemmas.experiments.tournaments.fixtures import Fixture, Row, batches
from dilemmas.experiments.tournaments.group_means import habits
from dilemmas.experiments.tournaments.pairings import Pairings
from dilemmas.experiments.tournaments.standings import Standings, standings
from dilemmas.experiments.tournaments.tournament import Tournament
from dilemmas.experiments.tournaments.workers import rows_of

FORMAT, VERSION = "dilemmas-tournament", 1
SETTINGS, ROWS = "settings.json", "rows.jsonl"
MADE = (
    SEALS,
    RESULTS,
    ROWS,
    QUESTIONS,
    PROVENANCE,
    SERVERS,
    LOG,
    SECONDS,
    "payoffs.csv",
    "ranking.csv",
    "report.html",
    "report.md",
    f"matches/{'[0-9]' * 5}*-{'[0-9]' * 6}{SUFFIX}",
)
"""Files of a tournament besides the settings."""

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
    again: bool = False,
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
    again
        Whether a tournament in the folder is deleted first, whatever its settings.

    Raises
    ------
    RunError
        If the folder contains a tournament with other settings, or anything else.
    InUseError
        If another process is playing in the folder.
    WorkerError
        If workers cannot be started or one is killed.
    AgentError
        If an agent failed in a match, after all other groups have been played, which a folder keeps.
    """
    if folder is None or not tournament.backends:  # an invalid tournament creates no folder
        _check(tournament, workers)

    def rows(fixtures: Sequence[Fixture], done: float) -> Iterator[list[Row]]:
        failed: list[AgentError] = []
        work = sum(one.weight for one in tournament.fixtures)
        tell(done, work)
        for batch in rows_of(tournament, batches(fixtures), workers, executor, address):
            played = [row for row in batch if isinstance(row, Row)]
            failed += [error for error in batch if isinstance(error, AgentError)]
            yield played
            done += sum(row.fixture.weight for row in played)
            tell(done, work)
        if failed:
            raise _all_in_one(failed)

    if folder is None:
        return _table(tournament, [row for batch in rows(tournament.fixtures, 0) for row in batch])
    with locked_folder(folder):
        seals = begin(folder, tournament, again, workers)
        table = _table(tournament, _play_rest(tournament, folder, seals, rows))
        write_results(folder, tournament_data(described(tournament), table))
        seals.add(folder / ROWS, folder / RESULTS)
    return table


def _table(tournament: Tournament, rows: Sequence[Row]) -> Standings:
    return standings(tuple(tournament.agents), rows, tournament.settings.seed, tournament.symmetric, tournament.draws)


def _all_in_one(failed: Sequence[AgentError]) -> AgentError:
    """One error for the groups in which an agent failed."""
    more = f"; agents failed in {len(failed) - 1} more groups" if len(failed) > 1 else ""
    return AgentError(f"{failed[0]}{more}; all other groups were played")


def _check(tournament: Tournament, workers: int) -> None:
    """Check that a tournament can be played; language models that are compiled are asked first."""
    check_playing(tournament.rules, tournament.engines, tournament.settings.repetitions, workers)
    _ = tournament.fixtures


def begin(folder: Path, tournament: Tournament, again: bool, workers: int) -> Seals:
    """Open or create the folder; `RunError` lists the differences from other settings.

    Until language models that are compiled have answered, a new folder has only their answers, of use to any settings.
    """
    begun, asked = settings_in(folder), settings_data(tournament)
    kept = None if begun is None else plain_value(begun, SettingsFile)
    if again and kept is not None:
        delete_files(folder, (*MADE, SETTINGS))  # the settings last: they say until the end whose folder it is
        kept = None
    else:
        check_described(folder)
        if kept is not None:
            del kept["sources"]  # known as soon as the language models have answered
            kept["framing"] = with_lower_mass(kept["framing"], asked["framing"])
        check_folder(folder, "tournament", SETTINGS, kept, asked, ", or start again with --force")
    if tournament.backends:
        for backend in tournament.backends:
            backend.keep(folder / QUESTIONS)
        _check(tournament, workers)
    seals = recover(folder)
    write_sealed(seals, SETTINGS, described(tournament))
    write_sealed(seals, PROVENANCE, provenance())
    record_servers(seals, tournament.servers)
    (folder / ROWS).touch()
    drop_incomplete_line(folder / ROWS)
    return seals


def _play_rest(
    tournament: Tournament,
    folder: Path,
    seals: Seals,
    rows: Callable[[Sequence[Fixture], float], Iterator[list[Row]]],
) -> list[Row]:
    """Play what is missing: matches without a row, and those whose trajectory is not as it was; returns all rows."""
    kept = {row.fixture: row for row in read_rows(folder / ROWS, tournament.fixtures)}
    whole = {one for one in kept if all(map(seals.fits, _trajectories(tournament, folder, [one])))}
    start = time.monotonic()
    left = [one for one in tournament.fixtures if one not in whole]
    try:
        for batch in rows(left, sum(one.weight for one in whole)):
            for row in batch:
                if row.fixture in kept and row.line() != kept[row.fixture].line():
                    names = ", ".join(row.fixture.group)
                    raise RunError(f"{folder}: {names} play differently than recorded; start again with --force")
            seals.add(*_trajectories(tournament, folder, [row.fixture for row in batch]))
            if new := {row.fixture: row for row in batch if row.fixture not in kept}:
                append_text(folder / ROWS, "".join(row.line() + "\n" for row in new.values()))
                seals.add(folder / ROWS, finished=False)
                kept |= new
    finally:
        add_seconds(folder, "playing", time.monotonic() - start)
    return [kept[fixture] for fixture in tournament.fixtures]


def _trajectories(tournament: Tournament, folder: Path, fixtures: Iterable[Fixture]) -> list[Path]:
    """The trajectories of the fixtures in the run folder."""
    return [path for path in tournament.record_paths(fixtures) if path.is_relative_to(folder)]


def settings_in(folder: Path) -> SettingsFile | None:
    """The settings of the tournament in a folder; None without settings, `RunError` if the file is something else."""
    path = folder / SETTINGS
    return read_run_json(path, SettingsFile) if path.is_file() else None


def read_rows(path: Path, fixtures: tuple[Fixture, ...] | None = None) -> Iterator[Row]:
    """Read the rows of a file; `fixtures`: those that rows may be about, if they are known.

    An incomplete last line of an interrupted tournament is ignored. `RunError` if a line is damaged or a row is there
    twice, `SealError` if the file was cut or changed.
    """
    check_sealed(path)
    seen: set[Fixture] = set()
    known = None if fixtures is None else frozenset(fixtures)
    for number, line in complete_lines(path):
        try:
            row = Row.read(line.decode())
            if known is not None and row.fixture not in known:
                raise ValueError
        except (ValueError, KeyError, TypeError, IndexError, OverflowError):
            raise RunError(
                f"{path}, line {number} is damaged, or not a row of this tournament; restore it from a copy,"
                " or start again with --force"
            ) from None
        if row.fixture in seen:
            raise RunError(f"{path}, line {number} is there twice, so two processes wrote it; start again with --force")
        seen.add(row.fixture)
        yield row


def settings_data(tournament: Tournament) -> dict[str, Any]:
    """The settings and the players of a tournament as JSON values."""
    who = {"players": list(tournament.agents), "alike": tournament.symmetric, "identities": tournament.identities}
    values: dict[str, Any] = json_values(
        {"format": FORMAT, "version": VERSION, **tournament.settings.as_table(), **who}
    )
    return values


def described(tournament: Tournament) -> dict[str, Any]:
    """The content of settings.json: `settings_data`, and what is known after language models have been compiled."""
    return {**settings_data(tournament), "sources": dict(tournament.sources)}


def tournament_data(settings: Mapping[str, Any], table: Standings) -> dict[str, Any]:
    """The results as JSON values, null for pairs that never met. `settings`: from `described`."""
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
        check_sealed(results)
        return dict(plain_value(read_run_json(results, ResultsFile), ResultsFile))
    rows = list(read_rows(folder / ROWS)) if (folder / ROWS).is_file() else []
    if not rows:
        raise RunError(f"{folder}: nothing has been played yet; repeat the command that started it")
    met, size = {name for row in rows for name in row.fixture.group}, len(rows[0].fixture.group)
    draws = Pairings(begun, begun.players, size, begun.alike).draws()
    if not met <= set(begun.players) or (draws and any(row.fixture.group not in draws for row in rows)):
        raise RunError(f"{folder / ROWS} has players or groups that are not those of {folder / SETTINGS}")
    table = standings([name for name in begun.players if name in met], rows, begun.seed, begun.alike, draws)
    return tournament_data(plain_value(begun, SettingsFile), table)


def begun_settings(folder: Path) -> SettingsFile:
    """The settings of a tournament; `RunError` if the folder has none, `SealError` if the folder is not whole."""
    check_sealed(folder / ROWS)
    check_recorded(folder)
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


def nested(values: Numbers) -> list[list[float | None]]:
    """A matrix as lists, with None for NaN."""
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]
