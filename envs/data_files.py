"""Strict reading of TOML, JSON and JSON Lines; atomic writing; recovery of files cut short; comparison of values.

Each error names the file, the line or the key, and the value.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dilemmas.envs.errors import InputError, naming
from dilemmas.envs.locks import locked_file
from dilemmas.envs.names import did_you_mean

PARTIAL = ".dilemmas-partial"
"""Suffix of a file that is being written and will replace another one."""


def read_toml(path: Path, error: type[InputError] = InputError) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path
        Path of the file.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If the file is not TOML in UTF-8; the message has the path and the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        raise error(f"{path}: not TOML: {reason}") from None


def load_json(path: Path, error: type[InputError] = InputError, remedy: str = "") -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path
        Path of the file.
    error
        Class of the exception to raise.
    remedy
        What the user can do about a damaged file; it ends the error message.

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
        raise error(f"{path}: not JSON: {reason}; it is {content_of(path)}{f'; {remedy}' if remedy else ''}") from None


def json_object(text: str | bytes, place: str, error: type[InputError] = InputError) -> dict[str, Any]:
    """Parse text that must be a JSON object.

    Parameters
    ----------
    text
        The text; bytes are decoded as UTF-8.
    place
        File and line of the text; it begins the error message.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If the text is not JSON or not an object.
    """
    try:
        value = json.loads(text)
    except ValueError as reason:
        raise error(f"{place}: not JSON: {reason}") from None
    if not isinstance(value, dict):
        raise error(f"{place}: not a JSON object: {str(value)[:40]}")
    return value


def wrong_file(path: Path, expected: str) -> str:
    """Error message for a file of another kind than expected: what was expected, and what the file is."""
    return f"{path}: needs {expected}; it is {content_of(path)}"


def content_of(path: Path) -> str:
    """What a file contains, in words, as far as its content tells: ``JSON with the keys 'T', 'R'``, ``a TOML file``."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return "a binary file"
    first = text.strip().partition("\n")[0]
    if not first:
        return "an empty file"
    for part in (text, first):
        with suppress(ValueError):
            return _json_content(json.loads(part))
    if first.startswith(("{", "[{")):
        return "damaged JSON"
    with suppress(tomllib.TOMLDecodeError):
        return f"a TOML file with the keys {_first_keys(tomllib.loads(text))}"
    return f"text that begins with {first[:40]!r}"


def _json_content(value: Any) -> str:
    if not isinstance(value, dict):
        return "JSON, but not an object"
    return (
        f"a file of the format {value['format']!r}" if "format" in value else f"JSON with the keys {_first_keys(value)}"
    )


def _first_keys(table: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, list(table)[:4])) + (", ..." if len(table) > 4 else "")


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
    table
        The table; anything but a mapping is an error.
    required
        Keys that must be present.
    place
        File and name of the table; it begins the error message.
    optional
        Keys that may be absent.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If `table` is not a mapping, has an unknown key (the message suggests the most similar known one) or lacks a
        required key.
    """
    needed = tuple(required)
    known = dict.fromkeys((*needed, *optional))
    if not isinstance(table, Mapping):
        raise error(f"{place}: needs the keys {', '.join(known)}; got {table!r}")
    for key in table:
        if key not in known:
            raise error(f"{place}: unknown key '{key}'{did_you_mean(key, known)}")
    for key in needed:
        if key not in table:
            raise error(f"{place}: the key '{key}' is missing")


def complete_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read the complete lines of a file.

    A last line without a newline is skipped: it was cut short when the writing process was killed.

    Yields
    ------
    Number of the line, counted from 1, and its bytes including the newline.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n"):
                yield number, line


def drop_incomplete_line(path: Path) -> None:
    """Remove everything after the last newline of a file: a line that was cut short when its process was killed."""
    with path.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: a reader sees either the old text or the new text, never a part of it."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def json_text(value: Any, indent: int | None = None, **options: Any) -> str:
    """JSON in which characters that cannot be printed are escaped, as JSON allows, and all others are written as such.

    Parameters
    ----------
    indent, options
        As for `json.dumps`.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, **options)
    return "\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n"))


def _escaped(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Context manager: yields a temporary path, whose file replaces `path` if the block ends without an error.

    The file has reached the disk before it replaces the old one. `InUseError` if another process is writing the file.
    """
    partial = path.with_name(path.name + PARTIAL)
    with locked_file(path), naming(path):
        try:
            yield partial
            to_disk(partial)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def append_text(path: Path, text: str) -> None:
    """Append text to a file; it has reached the disk when the call returns."""
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def to_disk(path: Path) -> None:
    """Wait until the content of a file has reached the disk."""
    with naming(path), path.open("r+b") as file:
        os.fsync(file.fileno())


def differences(recorded: Any, now: Any, place: str = "") -> Iterator[str]:
    """Compare two JSON values.

    Parameters
    ----------
    recorded
        The recorded value.
    now
        The present value.
    place
        Path of the values within a larger value.

    Yields
    ------
    A line for each difference, such as ``lora.rank: 16 recorded, 8 now``; elements of lists are numbered from 0.
    """
    if isinstance(recorded, list) and isinstance(now, list):
        recorded, now = dict(enumerate(recorded)), dict(enumerate(now))
    if isinstance(recorded, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*recorded, *now]):
            yield from differences(recorded.get(key), now.get(key), f"{place}.{key}" if place else str(key))
    elif recorded != now:
        yield f"{place}: {recorded!r} recorded, {now!r} now"
