"""Formats of numbers, intervals, durations and names in reports and terminals."""

from collections.abc import Mapping, Sequence
from typing import Any

Results = Mapping[str, Any]
"""Contents of a ``results.json``."""
NONE = "–"
"""Shown for a missing number."""


def words(name: str) -> str:
    """A name with spaces instead of underscores."""
    return name.replace("_", " ")


def num(value: float | None, decimals: int = 2) -> str:
    """A number with a typographic minus sign, or a dash for None."""
    return NONE if value is None else f"{value:z.{decimals}f}".replace("-", "−")


def bracketed(interval: Sequence[float] | None, decimals: int = 2) -> str:
    """An interval in brackets, or nothing for None."""
    return "" if interval is None else f"[{num(interval[0], decimals)}, {num(interval[1], decimals)}]"


def with_span(value: float | None, interval: Sequence[float] | None) -> str:
    """A number followed by its interval."""
    return f"{num(value)} {bracketed(interval)}".rstrip()


def duration(seconds: float) -> str:
    """A duration in seconds up to two minutes, otherwise in minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
