"""Files: strict reading of TOML, JSON and JSON Lines, atomic writing, recovery after a kill, and comparison.

Every error names the file, the line or the key, and the value.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dilemmas.envs.errors import InputError
from dilemmas.envs.names import nearest


def read_toml(path: Path, error: type[InputError] = InputError) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If the file is not TOML in UTF-8; the message has the path and the line. `error` is the class to raise.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise error(f"{path}: {reason}") from None


def load_json(path: Path, error: type[InputError] = InputError, remedy: str = "") -> Any:
    """Read a JSON file.

    Parameters
    ----------
    error
        Class of the exception to raise.
    remedy
        What the user can do about a damaged file; it ends the message.

    Raises
    ------
    InputError
        If the file cannot be opened or is not JSON in UTF-8.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise error(f"{path}: {reason.strerror}") from None
    except ValueError as reason:  # malformed JSON or UTF-8
        raise error(f"{path}: not JSON: {reason}{f'; {remedy}' if remedy else ''}") from None


def json_object(text: str | bytes, place: str, error: type[InputError] = InputError) -> dict[str, Any]:
    """Parse text that must be a JSON object.

    Parameters
    ----------
    place
        File and line of the text; it begins the message of an error.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If the text is not JSON, or JSON of another type.
    """
    try:
        value = json.loads(text)
    except ValueError as reason:
        raise error(f"{place}: not JSON: {reason}") from None
    if not isinstance(value, dict):
        raise error(f"{place}: not a JSON object: {str(value)[:40]}")
    return value


def check_keys(
    table: Any,
    required: Iterable[str],
    place: str,
    optional: Iterable[str] = (),
    error: type[InputError] = InputError,
) -> None:
    """Check the keys of a table that was read from a file.

    Parameters
    ----------
    place
        File and table; it begins the message of an error.
    optional
        Keys that may be absent.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If `table` is no mapping, has an unknown key (the message has the nearest known one) or lacks a required key.
    """
    needed = tuple(required)
    known = dict.fromkeys((*needed, *optional))
    if not isinstance(table, Mapping):
        raise error(f"{place}: needs the keys {', '.join(known)}; got {table!r}")
    for key in table:
        if key not in known:
            raise error(f"{place}: unknown key '{key}'{nearest(key, known)}")
    for key in needed:
        if key not in table:
            raise error(f"{place}: the key '{key}' is missing")


def complete_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number, from 1, and bytes of each line that ends with a newline; a last line cut by a kill is skipped."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield number, line


def drop_incomplete_line(path: Path) -> None:
    """Remove what follows the last newline of a file: a line that a killed process did not finish."""
    with path.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: a reader sees the old text or the new one, never a part."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; the file replaces `path` when the block ends without an error."""
    partial = path.with_name(path.name + ".partial")
    yield partial
    os.replace(partial, path)


def differences(there: Any, now: Any, place: str = "") -> Iterator[str]:
    """The places in which two JSON values differ, such as ``lora.rank: 16 there, 8 now``; lists count from 0."""
    if isinstance(there, list) and isinstance(now, list):
        there, now = dict(enumerate(there)), dict(enumerate(now))
    if isinstance(there, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*there, *now]):
            yield from differences(there.get(key), now.get(key), f"{place}.{key}" if place else str(key))
    elif there != now:
        yield f"{place}: {there!r} there, {now!r} now"
