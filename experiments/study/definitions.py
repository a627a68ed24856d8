"""Games, contexts and templates of a recipe's own: from the tables of its file to values, and back for recipe.json."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from dilemmas.envs.data_files import read_toml
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import game_name, stage_game
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import did_you_mean
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.prompts.templates import Template, build_template, load_template, template_files

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""Names of games and contexts: they become parts of the names of files."""
CONTEXT_KEYS = ("title", "pair", "group")


class DefinitionError(InputError):
    """A game or a context of a recipe's own that cannot be used."""


@dataclass(frozen=True, slots=True)
class OwnGame:
    """A game of the catalogue with options and a name of the recipe's own."""

    entry: Mapping[str, Any]
    """Its table in the recipe: ``game``, the name of the game in the catalogue, and the game's options."""
    stage: StageGame
    """The game under its own name."""


def inside(place: str, name: str) -> str:
    """The place of a table in another one: ``r.toml`` -> ``r.toml [games]`` -> ``r.toml [games.my_game]``."""
    return f"{place[:-1]}.{name}]" if place.endswith("]") else f"{place} [{name}]"


def own_games(tables: Mapping[str, Any], place: str) -> dict[str, OwnGame]:
    """The games of a ``games`` table; errors name the game's table and the key."""
    return {name: _own_game(name, table, inside(place, name)) for name, table in _named(tables, place)}


def _own_game(name: str, table: Mapping[str, Any], place: str) -> OwnGame:
    options = {key: _hashable(value) for key, value in table.items() if key != "game"}
    if not isinstance(table.get("game"), str):
        raise DefinitionError(
            f"{place}: the key 'game' is missing; it names a game of the catalogue (`dilemmas games`)"
        )
    try:
        stage = replace(stage_game(game_name(table["game"]), **options), name=name)
    except (InputError, TypeError) as error:  # TypeError: a value of a type that no option has
        raise DefinitionError(f"{place}: {error}") from None
    return OwnGame(dict(table), stage)


def own_contexts(tables: Mapping[str, Any], place: str) -> dict[str, Context]:
    """The contexts of a ``contexts`` table; errors name the context's table and the key."""
    return {name: _own_context(name, table, inside(place, name)) for name, table in _named(tables, place)}


def _own_context(name: str, table: Mapping[str, Any], place: str) -> Context:
    for key, value in table.items():
        if key not in CONTEXT_KEYS:
            raise DefinitionError(f"{place}: unknown key '{key}'{did_you_mean(key, dict.fromkeys(CONTEXT_KEYS))}")
        if not isinstance(value, str):
            raise DefinitionError(f"{place}: {key} = {value!r}; needs a text in quotes")
    for key in CONTEXT_KEYS:
        if key not in table:
            raise DefinitionError(f"{place}: the key '{key}' is missing")
    return Context(name=name, **table)


def context_entry(context: Context) -> dict[str, str]:
    """The table of a context in a recipe."""
    return {key: value for key, value in asdict(context).items() if key in CONTEXT_KEYS}


def own_template(value: Any, place: str) -> Template:
    """The template that a recipe names or spells out."""
    if isinstance(value, Mapping):
        return build_template(value, inside(place, "template"))
    if not isinstance(value, str):
        raise DefinitionError(f"{place}: template = {value!r}; needs the name of a template, a path or a table")
    try:
        return load_template(value)
    except InputError as error:
        raise DefinitionError(f"{place}: {error}") from None


def spelled_out(template: str, folder: Path) -> Any:
    """The sentences of a template file, if it is one; a path is relative to `folder`, else to the working directory."""
    files = [path for path in (folder / template, Path(template)) if path.suffix == ".toml" and path.is_file()]
    if not files:
        return template
    return template_entry(build_template(read_toml(files[0], dict[str, Any]), str(files[0])))


def template_entry(template: Template) -> str | dict[str, Any]:
    """A template in a recipe: its name if it is built in, else all sentences."""
    if template.name in template_files() and load_template(template.name) == template:
        return template.name
    filled = {item.name: getattr(template, item.name) for item in fields(template)}
    return {key: value for key, value in filled.items() if value} | {"labels": list(template.labels)}


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


def _named(tables: Mapping[str, Any], place: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The tables with names that can be part of a file's name."""
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            raise DefinitionError(f"{place}: {name} = {table!r}; needs a table {inside(place, name).split()[-1]}")
        if not NAME.fullmatch(name):
            raise DefinitionError(f"{place}: '{name}' cannot be a name; use letters, digits, _ and -")
    return list(tables.items())


def _hashable(value: Any) -> Any:
    """Lists as tuples, which games take."""
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
