"""Files: TOML that a user may write, read with errors that name the file; writing one whole or not at all; and what
two of them differ in."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dilemmas.envs.errors import InputError


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file; a file that is none is refused with its path and line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from None


def write_text(path: Path, text: str) -> None:
    """Write a file whole: a reader sees the old one or the new one."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when all has been written."""
    partial = path.with_name(path.name + ".partial")
    yield partial
    os.replace(partial, path)


def differences(there: Any, now: Any, place: str = "") -> Iterator[str]:
    """The places in which two values as of JSON differ: ``lora.rank: 16 there, 8 now``; lists count from 0."""
    if isinstance(there, list) and isinstance(now, list):
        there, now = dict(enumerate(there)), dict(enumerate(now))
    if isinstance(there, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*there, *now]):
            yield from differences(there.get(key), now.get(key), f"{place}.{key}" if place else str(key))
    elif there != now:
        yield f"{place}: {there!r} there, {now!r} now"
