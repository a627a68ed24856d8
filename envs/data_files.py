"""Strict reading of TOML, JSON and JSON Lines; atomic writing; recovery of files cut short; comparison of values.

Each error names the file, the line or the key, and the value.
"""

import json
import os
import re
import tomllib
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from dilemmas.envs.errors import InputError
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
        data = json.dumps(value, default=_refuse)
    except RecursionError:
        raise error(f"{place}: nested too deeply") from None
    except ValueError as reason:  # dates
        raise error(f"{place}: {reason}") from None
    return parse_json(data, kind, place, error)


def plain_value(value: Value, kind: type[Value]) -> Any:
    """A value of the type as dictionaries, lists, texts and numbers; the reverse of `check_value`."""
    return reader(cast(Hashable, kind)).dump_python(value, mode="json")


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


def numbered_lines(path: Path, error: type[InputError] = InputError) -> Iterator[tuple[int, bytes]]:
    """Read the lines of a file.

    Yields
    ------
    Number of the line, counted from 1, and its bytes including the newline, which the last line may lack.

    Raises
    ------
    InputError
        If the file cannot be opened or a line is too long.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LINE_SIZE), b""), 1):
                if len(line) == LINE_SIZE:
                    raise error(f"{path}, line {number}: longer than {LINE_SIZE >> 20} MiB")
                yield number, line
    except OSError as reason:
        raise error(f"{path}: {reason.strerror}") from None


def complete_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file as `numbered_lines`, but for a last line without a newline.

    It was cut short when the writing process was killed.
    """
    return ((number, line) for number, line in numbered_lines(path) if line.endswith(b"\n"))


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
