"""Paths that a file in a folder tells so that they hold wherever both are moved together."""

import os
from pathlib import Path


def told_from(path: Path | str, folder: Path) -> str:
    """How a file in a folder tells a path: from that folder on, beginning with a dot; in full if only the root contains
    both."""
    whole, start = os.path.realpath(os.path.expanduser(path)), os.path.realpath(folder)
    try:
        common = Path(os.path.commonpath([whole, start]))
    except ValueError:  # two drives of Windows
        return whole
    if common == Path(common.anchor):
        return whole
    told = Path(os.path.relpath(whole, start)).as_posix()
    return told if told.startswith("..") else f"./{told}"


def found_from(told: str, folder: Path) -> str:
    """The path that a file in a folder tells, in full if it begins with a dot and is there; else as it is told."""
    return os.path.realpath(folder / told) if told.startswith(".") and os.path.exists(folder / told) else told
