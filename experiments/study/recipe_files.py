"""Recipes as files: TOML that opens with its question and its command, or the recipe.json of a run.

A recipe may name another one as `base` and state only what differs. Unknown keys and values of the wrong type are
refused with the file, the place and the nearest known name.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from dilemmas.envs.data_files import json_object, read_toml
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import did_you_mean
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.templates import Template
from dilemmas.experiments.study.definitions import OwnGame, inside, own_contexts, own_games, own_template, spelled_out
from dilemmas.experiments.study.recipe import Recipe, RecipeError

Section = TypeVar("Section")


def load_recipe(name_or_path: str) -> Recipe:
    """A built-in recipe by name, or your own by the path of a TOML file or of a run's recipe.json."""
    table, path = _read(name_or_path)
    seen = [path]
    while "base" in table:
        below, path = _read(str(table.pop("base")), near=path)
        if path in seen:
            raise RecipeError(f"{path}: the recipe is its own base ({' -> '.join(str(p) for p in [*seen, path])})")
        seen.append(path)
        table = _overlay(below, table)
    return build_section(Recipe, table, str(seen[0]))


def built_in_recipes() -> dict[str, Path]:
    """The files of the built-in recipes, by name."""
    return {file.stem: file for file in sorted(Path(__file__).with_name("recipes").glob("*.toml"))}


def _read(name_or_path: str, near: Path | None = None) -> tuple[dict[str, Any], Path]:
    """The table of a recipe, its template's file spelled out, and the path of the recipe."""
    built_in = built_in_recipes()
    path = built_in.get(name_or_path, Path(name_or_path))
    if near is not None and not path.is_file():
        path = near.parent / name_or_path
    if not path.is_file():
        raise RecipeError(
            f"unknown recipe '{name_or_path}'{did_you_mean(name_or_path, built_in)} (or the path of a .toml file)"
        )
    table = json_object(path.read_bytes(), str(path), RecipeError) if path.suffix == ".json" else read_toml(path)
    prompting = table.get("prompting")
    if isinstance(prompting, dict) and isinstance(prompting.get("template"), str):
        prompting["template"] = spelled_out(prompting["template"], path.parent)
    return table, path


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `above`, and those of `below` where it has none; tables are merged key by key."""
    joined = dict(below)
    for key, value in above.items():
        old = joined.get(key)
        joined[key] = _overlay(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return joined


def build_section(kind: type[Section], table: Mapping[str, Any], place: str) -> Section:
    """A dataclass from plain data; every error states the place, the key and the remedy."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}
    for key in table:
        if key not in known:
            raise RecipeError(f"{place}: unknown key '{key}'{did_you_mean(key, known)}")
    values = {key: _field(hints[key], key, value, place) for key, value in table.items()}
    missing = [n for n, f in known.items() if n not in values and f.default is MISSING and f.default_factory is MISSING]
    if missing:
        raise RecipeError(f"{place}: the key '{missing[0]}' is missing")
    try:
        built: Section = kind(**values)
    except InputError as error:
        raise RecipeError(f"{place}: {error}") from None
    return built


def _field(wanted: Any, key: str, value: Any, place: str) -> Any:
    """The value of one key: a section, a definition of the recipe's own, or a plain value."""
    if wanted is Template:
        return own_template(value, place)
    is_section = is_dataclass(wanted) or wanted in DEFINITIONS
    if is_section and not isinstance(value, Mapping):
        raise RecipeError(f"{place}: {key} = {value!r}; needs a table [{key}]")
    if wanted in DEFINITIONS:
        return DEFINITIONS[wanted](value, inside(place, key))
    return build_section(wanted, value, inside(place, key)) if is_section else _value(wanted, value, f"{place}: {key}")


DEFINITIONS: Mapping[Any, Callable[[Mapping[str, Any], str], Any]] = {
    Mapping[str, OwnGame]: own_games,
    Mapping[str, Context]: own_contexts,
}
"""Types of tables whose keys are names that the recipe chooses, and what makes their values."""


def _value(wanted: Any, value: Any, place: str) -> Any:
    """The value in the type that is needed; integers are accepted as floats, lists as tuples."""
    if get_args(wanted):  # tuple[str, ...] is the only generic of a recipe
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise RecipeError(f"{place} = {value!r}; needs a list of words")
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise RecipeError(f"{place} = {value!r}; needs {_NAMES[wanted]}")
    return value


_NAMES = {int: "a whole number", float: "a number", str: "a word in quotes", bool: "true or false"}
