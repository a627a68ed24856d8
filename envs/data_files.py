"""Data files that a user may write: TOML, with errors that name the file."""

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
