"""Policy tables as JSON files: writing, reading and checking.

A file is the JSON form of `PolicyTable.document`, with one row per line.
"""

import json
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from dilemmas.agents.agent import Source
from dilemmas.agents.tables.histories import History, histories
from dilemmas.agents.tables.policy_table import FORMAT, VERSION, Origin, PolicyTable, PolicyTableError, history_lists
from dilemmas.envs.data_files import check_keys, load_json, write_text, wrong_file
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.catalogue import Game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.seals import check_sealed

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


def load_table(path: str | Path) -> PolicyTable:
    """Read a table from a JSON file.

    Raises
    ------
    PolicyTableError
        If there is no such file or it is not a valid table; the message names the file and the key.
    """
    check_sealed(Path(path))
    document = load_json(Path(path), PolicyTableError, f"needs {EXPECTED}")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PolicyTableError(wrong_file(Path(path), EXPECTED))
    try:
        return parse_table(document)
    except InputError as error:
        raise PolicyTableError(f"{path}: {error}") from None


def parse_table(document: Any) -> PolicyTable:
    """Make a table from the plain values of its JSON form, as returned by `PolicyTable.document`.

    Raises
    ------
    InputError
        If a value is not valid; the message names the key.
    """
    keys = ("format", "version", "origin", "game", "memory", "rows")
    check_keys(document, keys, "policy table", optional=("player",), error=PolicyTableError)
    if (document["format"], document["version"]) != (FORMAT, VERSION):
        found = f"format = {document['format']!r}, version = {document['version']!r}"
        raise PolicyTableError(f"{found}; this version of dilemmas reads {FORMAT!r}, version {VERSION}")
    noted = document["origin"]
    check_keys(noted, [field.name for field in fields(Origin)], "origin", error=PolicyTableError)
    source = lookup("source", str(noted["source"]), {source.value: source for source in Source}, "origin")
    game = _read_game(document["game"])
    player = document.get("player", 0)
    if player not in range(game.n_players):
        raise PolicyTableError(f"player = {player!r}; needs a seat from 0 to {game.n_players - 1}")
    rows, masses = _read_rows(document["rows"], histories(game, document["memory"], player))
    return PolicyTable(game, document["memory"], rows, Origin(**noted | {"source": source}), masses, player)


GAME_CLASSES: dict[str, type[Game]] = {"T": MatrixGame, "row": BimatrixGame, "cooperate": CountGame}
"""Class of a game by a key that only this class has; games without any of these keys are public goods."""


def _read_game(values: Any) -> StageGame:
    """The game with the options in `values`; options that are absent have their defaults."""
    named = values if isinstance(values, dict) else {}
    kind = next((kind for key, kind in GAME_CLASSES.items() if key in named), PublicGoods)
    options = {field.name: field.default is MISSING for field in fields(kind)}
    needed = [name for name, is_needed in options.items() if is_needed]
    optional = [name for name in options if name not in needed]
    check_keys(values, needed, "game", optional, PolicyTableError)
    try:
        game: StageGame = kind(**values)
    except TypeError as error:  # a value of a type that the class does not accept
        raise PolicyTableError(f"game: {error}") from None
    return game


def _read_rows(rows: Any, asked: Sequence[History]) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...] | None]:
    """Probabilities and label masses; the rows must be those of the histories `asked`, in order."""
    if not isinstance(rows, list) or len(rows) != len(asked):
        raise PolicyTableError(f"rows: needs a list of {len(asked)}, one per history")
    for number, (row, history) in enumerate(zip(rows, asked, strict=True)):
        check_keys(row, ("history", "probabilities", "mass"), f"rows[{number}]", error=PolicyTableError)
        if row["history"] != history_lists(history) or not isinstance(row["probabilities"], list):
            wanted = f'"history": {history_lists(history)} and a list of probabilities'
            raise PolicyTableError(f"rows[{number}]: needs {wanted}; got {row}")
    masses = tuple(row["mass"] for row in rows if row["mass"] is not None)
    return tuple(tuple(row["probabilities"]) for row in rows), masses or None
