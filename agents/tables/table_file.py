"""Policy tables as JSON files: writing, reading and checking.

A file is the JSON form of `PolicyTable.document`, with one row per line.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dilemmas.agents.tables.histories import histories
from dilemmas.agents.tables.policy_table import Origin, PolicyTable, PolicyTableError, history_lists
from dilemmas.envs.data_files import check_value, read_json, write_text
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import Game
from dilemmas.envs.seals import check_sealed
from dilemmas.envs.validation import Count, One, Share

EXPECTED = "a policy table, as `dilemmas compile` writes it"


def save_table(table: PolicyTable, path: str | Path) -> None:
    """Write a table to a JSON file, one row per line; the file is replaced atomically.

    Raises
    ------
    PolicyTableError
        If the game is not one of the catalogue's classes, which alone can be written to a file.
    """
    document = table.document()
    rows = ",\n".join(f"    {json.dumps(row)}" for row in document.pop("rows"))
    head = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in document.items())
    write_text(Path(path), f'{{\n{head}  "rows": [\n{rows}\n  ]\n}}\n')


@dataclass(frozen=True, slots=True)
class TableRow:
    """The probabilities after one history."""

    history: tuple[tuple[Count, ...], ...]
    """Actions by round, oldest first; own action first."""
    probabilities: tuple[Share, ...]
    """By action."""
    mass: Share | None
    """Label mass; null unless a model was compiled."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A policy table."""

    format: Literal["dilemmas-policy-table"]
    """Name of the format."""
    version: One
    """Version of the format."""
    origin: Origin
    """Where the probabilities come from."""
    game: Game
    """The game with its payoffs."""
    memory: Count
    """Number of past rounds on which the probabilities depend."""
    rows: tuple[TableRow, ...]
    """One row per history, in order."""
    player: Count
    """Seat of the agent in an asymmetric game; otherwise 0."""


TABLE = "table:"
"""Prefix by which a specification may say that it names the file of a policy table."""


def table_path(spec: str) -> str:
    """The path of the file that a specification of a policy table names, with its prefix or without."""
    return spec.removeprefix(TABLE)


def load_table(path: str | Path) -> PolicyTable:
    """Read a table from a JSON file.

    Raises
    ------
    PolicyTableError
        If there is no such file or it is not a valid table; the message names the file and the key.
    """
    check_sealed(Path(path))
    found = read_json(Path(path), TableFile, PolicyTableError, f"needs {EXPECTED}")
    try:
        return _table(found)
    except InputError as error:
        raise PolicyTableError(f"{path}: {error}") from None


def parse_table(document: Any) -> PolicyTable:
    """Make a table from the plain values of its JSON form, as returned by `PolicyTable.document`.

    Raises
    ------
    InputError
        If a value is not valid; the message names the key.
    """
    return _table(check_value(document, TableFile, "policy table", PolicyTableError))


def _table(found: TableFile) -> PolicyTable:
    game, player = found.game, found.player
    if player not in range(game.n_players):
        raise PolicyTableError(f"player: needs a seat from 0 to {game.n_players - 1}; got {player}")
    asked = histories(game, found.memory, player)
    if len(found.rows) != len(asked):
        raise PolicyTableError(f"rows: needs a list of {len(asked)}, one per history; got {len(found.rows)}")
    for number, (row, history) in enumerate(zip(found.rows, asked, strict=True)):
        if row.history != history:
            raise PolicyTableError(
                f"rows[{number}].history: needs {history_lists(history)}; got {history_lists(row.history)}"
            )
    masses = tuple(row.mass for row in found.rows if row.mass is not None)
    rows = tuple(row.probabilities for row in found.rows)
    return PolicyTable(game, found.memory, rows, found.origin, masses or None, player)
