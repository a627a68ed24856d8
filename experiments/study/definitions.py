"""Games, contexts and templates of a recipe's own: from the tables of its file to values, and back for recipe.json."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import game_name, stage_game
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.prompts.contexts import Context, check_openings
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.prompts.template_tables import template_files
from dilemmas.envs.prompts.templates import Template, build_template, load_template

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""Names of games and contexts: they become parts of the names of files."""


class DefinitionError(InputError):
    """A game or a context of a recipe's own that cannot be used."""


@dataclass(frozen=True, slots=True)
class OwnContext:
    """A context of a recipe's own."""

    title: str
    """Title for tables, a few words."""
    pair: str
    """First sentence of the prompt of a two-player game."""
    group: str
    """First sentence of the prompt of a game with more players; ``{others}`` is the number of other players."""

    def __post_init__(self) -> None:
        check_openings(self.pair, self.group)


def own_games(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, StageGame]:
    """The games of a ``games`` table under their own names; `DefinitionError` names the game's table and the key."""
    return {name: _own_game(name, table) for name, table in tables.items()}


def _own_game(name: str, table: Mapping[str, Any]) -> StageGame:
    place = f"[games.{name}]"
    options = {key: _hashable(value) for key, value in table.items() if key != "game"}
    if not isinstance(table.get("game"), str):
        raise DefinitionError(
            f"{place}: the key 'game' is missing; it names a game of the catalogue (`dilemmas games`)"
        )
    try:
        return replace(stage_game(game_name(table["game"]), **options), name=name)
    except (InputError, TypeError) as error:  # TypeError: a value of a type that no option has
        raise DefinitionError(f"{place}: {error}") from None


def own_contexts(tables: Mapping[str, OwnContext]) -> dict[str, Context]:
    """The contexts of a ``contexts`` table, under their names."""
    return {name: Context(name, own.title, own.pair, own.group) for name, own in tables.items()}


def check_names(place: str, names: Iterable[str]) -> None:
    """`DefinitionError` for a name that cannot be part of a file's name."""
    for name in names:
        if not NAME.fullmatch(name):
            raise DefinitionError(f"{place}: {name!r} cannot be a name; use letters, digits, _ and -")


def spelled_out(template: object, folder: Path) -> object:
    """A template of a recipe as a table of all keys.

    Parameters
    ----------
    template
        The name of a built-in template, the path of its file from `folder` or the working directory, or a table with a
        ``base``; anything else is returned as it is.
    folder
        Folder of the recipe.

    Raises
    ------
    InputError
        If there is no such template or it is invalid.
    """
    if isinstance(template, dict) and "base" in template:
        return asdict(build_template(template, "table", folder))
    if not isinstance(template, str):
        return template
    files = [path for path in (folder / template, Path(template)) if path.suffix == ".toml" and path.is_file()]
    if not files:
        return asdict(load_template(template))
    return asdict(build_template({"base": str(files[0].resolve())}, template))


def template_entry(template: Template) -> str | dict[str, Any]:
    """A template in a recipe: its name if it is built in, else its table."""
    if template.name in template_files() and load_template(template.name) == template:
        return template.name
    return template.filled() | {"labels": list(template.labels)}


def check_askable(scenario: Scenario, template: Template, place: str) -> None:
    """`DefinitionError` for a game that models cannot be asked about; the message names it."""
    game = scenario.game
    if 0 in game.options or len(set(game.options)) > 1:
        counts = ", ".join(str(count or "any amount") for count in game.options)
        needs = "needs the same number of actions for every player"
        raise DefinitionError(f"{place}: actions of '{game.name}', by player: {counts}; {needs}")
    try:
        scenario_prompt(template, game, scenario.context)
    except InputError as error:
        raise DefinitionError(f"{place}: {error}") from None


def _hashable(value: Any) -> Any:
    """Lists as tuples, which games take."""
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
