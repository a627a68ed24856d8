"""Files of templates as tables: a template may name another one as its base and state only what differs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dilemmas.envs.data_files import check_value, read_toml
from dilemmas.envs.names import did_you_mean, lookup
from dilemmas.envs.prompts.wording import TemplateError
from dilemmas.envs.validation import overlay

TEMPLATE_FILES = Path(__file__).with_name("template_files")
"""Folder of the built-in templates."""
MOST_BASES = 8
"""Largest number of templates of which each is the base of the next one."""


def template_files() -> dict[str, Path]:
    """Files of the built-in templates by name."""
    return {file.stem: file for file in sorted(TEMPLATE_FILES.glob("*.toml"))}


def read_template_table(name_or_path: str, folder: Path = Path(), depth: int = 0) -> dict[str, Any]:
    """The table of a template with what its bases state.

    Parameters
    ----------
    name_or_path
        Name of a built-in template, or path of a TOML file, ending in ``.toml``.
    folder
        Folder from which the path is found.
    depth
        Number of templates whose base this one is.

    Raises
    ------
    TemplateError
        If the file does not exist or cannot be read, or a base is its own base.
    """
    known = template_files()
    path = folder / name_or_path if name_or_path.endswith(".toml") else known.get(name_or_path, TEMPLATE_FILES)
    if not path.is_file():
        raise TemplateError(
            f"unknown template '{name_or_path}'{did_you_mean(name_or_path, known)} (or the path of a .toml file)"
        )
    if depth > MOST_BASES:
        raise TemplateError(f"{path}: the template is its own base, or has more than {MOST_BASES} bases")
    return complete(read_toml(path, dict[str, Any], TemplateError), str(path), path.parent, depth)


def complete(table: Mapping[str, Any], place: str, folder: Path, depth: int = 0) -> dict[str, Any]:
    """A table with what its base states, and with the labels of the named set.

    Paraphrases of the base are kept, but for the sentences that the table states itself.

    Parameters
    ----------
    table
        Values by key; ``base`` is the name or path of another template, ``label_sets`` has pairs of labels by name, and
        ``label_set`` names one of them.
    place
        Source of the table; it begins the error message.
    folder
        Folder from which the path of the base is found.
    depth
        Number of templates whose base this one is.

    Raises
    ------
    TemplateError
        If the base does not exist or is invalid, or the label set is not known.
    """
    keys = check_value(table, dict[str, Any], place, TemplateError)
    below: dict[str, Any] = {}
    if "base" in keys:
        base = check_value(keys.pop("base"), str, f"{place}: base", TemplateError)
        below = read_template_table(base, folder, depth + 1)
        worded = check_value(below.get("paraphrases", []), list[dict[str, Any]], f"{base}: paraphrases", TemplateError)
        below["paraphrases"] = [_without(words, keys) for words in worded]
    joined = overlay(below, keys)
    sets = check_value(joined.get("label_sets", {}), dict[str, list[str]], f"{place}: label_sets", TemplateError)
    if "label_set" in joined:
        name = check_value(joined.pop("label_set"), str, f"{place}: label_set", TemplateError)
        joined["labels"] = lookup("label set", name, sets, place)
    return joined


def _without(words: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """The sentences of a paraphrase that a template does not state itself."""
    return {
        key: _without(value, stated[key]) if isinstance(value, dict) and isinstance(stated.get(key), dict) else value
        for key, value in words.items()
        if key not in stated or isinstance(value, dict)
    }
