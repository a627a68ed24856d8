"""Strict reading of TOML, JSON and JSON Lines; atomic writing; recovery of files cut short; comparison of values.

Each error names the file, the line or the key, and the value.
"""

import json
import os
import re
import tomllib
from codecs import getincrementaldecoder
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from dilemmas.envs.errors import InputError, naming
from dilemmas.envs.locks import locked_file
from dilemmas.envs.validation import NOT_JSON, explain, reader, repeated_key, short_repr

Value = TypeVar("Value")

TOML_SIZE, JSON_SIZE, LINE_SIZE = 1 << 20, 1 << 28, 1 << 26
"""Largest size, in bytes, of a TOML file, of a JSON file, and of a line of JSON Lines."""
MOST_KEY_PARTS = 16
"""Largest number of parts of a dotted TOML key; tomllib needs memory that grows with their square."""

PARTIAL = ".dilemmas-partial"
"""Suffix of a file that is being written and will replace another one."""


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
    except UnicodeDecodeError as reason:
        raise error(f"{path}: not TOML: {reason}") from None
    return check_value(_parse_toml(text, f"{path}: ", error), kind, str(path), error)


def _parse_toml(text: str, place: str, error: type[InputError] = InputError) -> dict[str, Any]:
    try:
        _check_dotted_keys(text)
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{place}not TOML: nested too deeply") from None
    except ValueError as reason:  # malformed TOML, a number of thousands of digits
        raise error(f"{place}not TOML: {reason}") from None


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
    try:
        return _validate(read_bytes(path, JSON_SIZE, error), kind)
    except _InvalidError as reason:
        what = f"; it is {content_of(path)}" if str(reason).startswith(NOT_JSON) else ""
        raise error(f"{path}: {reason}{what}{f'; {remedy}' if remedy else ''}") from None


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
    """Parse JSON strictly: no unknown or repeated keys, no conversions, no NaN or infinite numbers, at most 200 levels.

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
    try:
        return _validate(data, kind)
    except _InvalidError as reason:
        raise error(f"{place}: {reason}{f'; {remedy}' if remedy else ''}") from None


class _InvalidError(Exception):
    """JSON that is not a value of the type; the message has the key, what it needs and the value."""


def _validate(data: str | bytes, kind: type[Value]) -> Value:
    adapter = reader(cast(Hashable, kind))
    try:
        value: Value = adapter.validate_json(data)
    except ValueError as invalid:  # a ValidationError; to import it for every line would take time
        raise _InvalidError(explain(cast(Any, invalid).errors(include_url=False), adapter)) from None
    if repeated := repeated_key(data):
        raise _InvalidError(repeated)
    return value


def wrong_file(path: Path, expected: str) -> str:
    """Error message for a file of another kind than expected: what was expected, and what the file is."""
    return f"{path}: needs {expected}; it is {content_of(path)}"


def content_of(path: Path) -> str:
    """What a file contains, in words, as far as its beginning tells: ``JSON with the keys 'T'``, ``a TOML file``."""
    with path.open("rb") as file:
        data = file.read(TOML_SIZE)
    try:
        text = getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return "a binary file"
    first = text.strip().partition("\n")[0]
    if not first:
        return "an empty file"
    for part in (text, first):
        with suppress(InputError):
            return _json_content(parse_json(part, cast(type[Any], Any), ""))
    if first.startswith(("{", "[{")):
        return "damaged JSON"
    with suppress(InputError):
        return f"a TOML file with the keys {_first_keys(_parse_toml(text, ''))}"
    return f"text that begins with {first[:40]!r}"


def _json_content(value: Any) -> str:
    if not isinstance(value, dict):
        return "JSON, but not an object"
    if "format" in value:
        return f"a file of the format {short_repr(value['format'])}"
    return f"JSON with the keys {_first_keys(value)}"


def _first_keys(table: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, list(table)[:4])) + (", ..." if len(table) > 4 else "")


def numbered_lines(path: Path, error: type[InputError] = InputError, begin: int = 0) -> Iterator[tuple[int, bytes]]:
    """Read the lines of a file, from the byte `begin` on.

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
            file.seek(begin)
            for number, line in enumerate(iter(lambda: file.readline(LINE_SIZE), b""), 1):
                if len(line) == LINE_SIZE:
                    raise error(f"{path}, line {number}: longer than {LINE_SIZE >> 20} MiB")
                yield number, line
    except OSError as reason:
        raise error(f"{path}: {reason.strerror}") from None


def complete_lines(path: Path, begin: int = 0) -> Iterator[tuple[int, bytes]]:
    """The lines of a file as `numbered_lines`, but for a last line without a newline.

    It was cut short when the writing process was killed.
    """
    return ((number, line) for number, line in numbered_lines(path, begin=begin) if line.endswith(b"\n"))


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
    return "\n".join(map(printable, text.split("\n")))


def printable(text: str) -> str:
    """The text, with the escapes of JSON in place of characters that cannot be printed, line ends among them."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


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


def differences(recorded: Any, now: Any) -> Iterator[str]:
    """A line for each difference between a recorded JSON value and the present one, such as
    ``lora.rank: 16 recorded, 8 now``; see `different_values`."""
    for place, before, after in different_values(recorded, now):
        yield f"{place}: {before!r} recorded, {after!r} now"


def different_values(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Compare two JSON values, which have the path `place` within larger ones.

    Lists whose elements have parts are compared element by element, numbered from 0; others, such as lists of names, as
    wholes.

    Yields
    ------
    The path of each difference, such as ``lora.rank``, and both values, None where there is none.
    """
    if isinstance(one, list) and isinstance(other, list) and any(isinstance(item, list | dict) for item in one + other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            yield from different_values(one.get(key), other.get(key), f"{place}.{key}" if place else str(key))
    elif one != other:
        yield place, one, other
