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


def number_of(count: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is 1."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


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
    """A duration in the largest unit of which it has two or more: seconds, minutes, hours, days or years."""
    units = {"s": 1, "min": 60, "h": 3600, "days": 86_400, "years": 31_557_600}
    unit = max((unit for unit, size in units.items() if seconds >= 2 * size), key=units.__getitem__, default="s")
    return f"{seconds / units[unit]:,.0f} {unit}"
