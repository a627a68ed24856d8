"""Files: TOML that a user may write, read with errors that name the file; and writing one whole or not at all."""

import os
import tomllib
from pathlib import Path
from typing import Any

from understudy.envs.errors import InputError


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file; a file that is none is refused with its path and line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from None


def write_text(path: Path, text: str) -> None:
    """Write a file whole: a reader sees the old one or the new one."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
