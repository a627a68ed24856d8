"""Strict reading of TOML, JSON and JSON Lines; atomic writing; recovery of files cut short; comparison of values.

Each error names the file, the line or the key, and the value.
"""

import json
import os
import re
import tomllib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from dilemmas.envs.errors import InputError
from dilemmas.envs.names import did_you_mean
from dilemmas.envs.validation import explain, reader

Value = TypeVar("Value")

TOML_SIZE, JSON_SIZE, LINE_SIZE = 1 << 20, 1 << 28, 1 << 26
"""Largest size, in bytes, of a TOML file, of a JSON file, and of a line of JSON Lines."""
MOST_KEY_PARTS = 16
"""Largest number of parts of a dotted TOML key; tomllib needs memory that grows with their square."""


def read_bytes(path: Path, most: int, error: type[InputError] = InputError) -> bytes:
    """Read a file.

    Parameters
    ----------
    path
        Path of the file.
    most
        Largest size, in bytes.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If the file cannot be opened or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as reason:
        raise error(f"{path}: {reason.strerror}") from None
    if len(data) > most:
        raise error(f"{path}: larger than {most >> 20} MiB")
    return data


def read_toml(path: Path, kind: type[Value], error: type[InputError] = InputError) -> Value:
    """Read a TOML file.

    Parameters
    ----------
    path
        Path of the file.
    kind
        Type of the whole file, such as a dataclass with one field per key.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If the file is not TOML in UTF-8, or not a value of the type; the message has the line or the key.
    """
    data = read_bytes(path, TOML_SIZE, error)
    try:
        text = data.decode("utf-8")
        _check_dotted_keys(text)
        table = tomllib.loads(text)
    except RecursionError:
        raise error(f"{path}: not TOML: nested too deeply") from None
    except ValueError as reason:  # malformed TOML or UTF-8, a number of thousands of digits
        raise error(f"{path}: not TOML: {reason}") from None
    return check_value(table, kind, str(path), error)


_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_DOTTED = re.compile(
    r'"{3}(?:[^\\]|\\.)*?"{3}|' + rf"'{{3}}.*?'{{3}}|#[^\n]*+|({_PART}(?:[ \t]*\.[ \t]*{_PART})*+)", re.DOTALL
)
"""Long strings and comments of a TOML file; and its keys and other words, as the group."""


def _check_dotted_keys(text: str) -> None:
    for match in _DOTTED.finditer(text):
        parts = len(re.findall(_PART, match[1] or ""))
        if parts > MOST_KEY_PARTS:
            line = text.count("\n", 0, match.start()) + 1
            raise ValueError(f"line {line}: a key of {parts} parts; needs {MOST_KEY_PARTS} at most")


def read_json(path: Path, kind: type[Value], error: type[InputError] = InputError, remedy: str = "") -> Value:
    """Read a JSON file.

    Parameters
    ----------
    path
        Path of the file.
    kind
        Type of the whole file, such as a dataclass with one field per key.
    error
        Class of the exception to raise.
    remedy
        What the user can do about a damaged file; it ends the error message.

    Raises
    ------
    InputError
        If the file cannot be opened, is not JSON in UTF-8, or not a value of the type; the message has the key.
    """
    return parse_json(read_bytes(path, JSON_SIZE, error), kind, str(path), error, remedy)


def check_value(value: Any, kind: type[Value], place: str, error: type[InputError] = InputError) -> Value:
    """Convert a value of plain Python types as if it had been read from JSON; parameters as for `parse_json`."""
    try:
        data = json.dumps(value, allow_nan=False, default=_refuse)
    except RecursionError:
        raise error(f"{place}: nested too deeply") from None
    except ValueError as reason:  # dates, numbers that are not finite
        raise error(f"{place}: {reason}") from None
    return parse_json(data, kind, place, error)


def _refuse(value: Any) -> Any:
    raise ValueError(f"needs texts, numbers, true or false, lists and tables; got {value}")


def parse_json(
    data: str | bytes, kind: type[Value], place: str, error: type[InputError] = InputError, remedy: str = ""
) -> Value:
    """Parse JSON strictly: no unknown keys, no conversions, no NaN or infinite numbers, at most 200 levels deep.

    Parameters
    ----------
    data
        The text; bytes are decoded as UTF-8.
    kind
        Type of the value. Dataclasses are made from objects, their fields from the keys; arrays are read as tuples.
    place
        File and line of the text; it begins the error message.
    error
        Class of the exception to raise.
    remedy
        What the user can do about it; it ends the error message.

    Raises
    ------
    InputError
        If the text is not JSON or not a value of the type; the message has the key, what it needs and the value.
    """
    from pydantic import ValidationError

    adapter = reader(cast(Hashable, kind))
    try:
        value: Value = adapter.validate_json(data)
        return value
    except ValidationError as invalid:
        found = explain(invalid.errors(include_url=False), adapter)
        raise error(f"{place}: {found}{f'; {remedy}' if remedy else ''}") from None


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
        raise error(f"{path}: not JSON: {reason}{f'; {remedy}' if remedy else ''}") from None


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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Context manager: yields a temporary path, whose file replaces `path` if the block ends without an error."""
    partial = path.with_name(path.name + ".partial")
    yield partial
    os.replace(partial, path)


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
