"""Recipes as files: TOML that opens with its question and its command, or the recipe.json of a run.

A recipe may name another one as `base` and state only what differs. Unknown keys and values of the wrong type are
refused with the file, the place and the nearest known name.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dilemmas.envs.data_files import check_value, read_json, read_toml
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import did_you_mean
from dilemmas.envs.validation import overlay
from dilemmas.experiments.study.definitions import spelled_out
from dilemmas.experiments.study.recipe import Recipe, RecipeError


def load_recipe(name_or_path: str, settings: Mapping[str, Any] | None = None) -> Recipe:
    """A built-in recipe by name, or your own by the path of a TOML file or of a run's recipe.json.

    `settings`: values that take the place of those in the file, by dotted key, such as ``lora.rank``.
    """
    table, path = _read(name_or_path)
    seen = [path]
    while "base" in table:
        below, path = _read(str(table.pop("base")), near=path)
        if path in seen:
            raise RecipeError(f"{path}: the recipe is its own base ({' -> '.join(str(p) for p in [*seen, path])})")
        seen.append(path)
        table = overlay(below, table)
    recipe = check_value(table, Recipe, str(seen[0]), RecipeError)
    return changed_recipe(recipe, settings) if settings else recipe


def changed_recipe(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """A recipe with other values; `settings`: by dotted key, such as ``lora.rank``. `RecipeError` if it has none so."""
    above: dict[str, Any] = {}
    for key, value in settings.items():
        place = above
        *tables, last = key.split(".")
        for name in tables:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise RecipeError(f"--set {key}: '{key.rpartition('.')[0]}' is set too")
        if last in place:
            raise RecipeError(f"--set {key}: a part of '{key}' is set too")
        place[last] = value
    table = overlay(recipe.as_table(), above)
    if isinstance(table["prompting"], dict):
        table["prompting"]["template"] = spelled_out(table["prompting"].get("template"), Path())
    return check_value(table, Recipe, "--set", RecipeError)


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
    read: Callable[..., dict[str, Any]] = read_json if path.suffix == ".json" else read_toml
    table = read(path, dict[str, Any], RecipeError)
    prompting = table.get("prompting")
    if isinstance(prompting, dict) and "template" in prompting:
        try:
            prompting["template"] = spelled_out(prompting["template"], path.parent)
        except InputError as error:
            raise RecipeError(f"{path}: prompting.template: {error}") from None
    return table, path
