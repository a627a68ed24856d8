"""Numbers, intervals and names as reports and terminals show them."""

from collections.abc import Mapping, Sequence
from typing import Any

Results = Mapping[str, Any]


NONE = "–"
"""Stands where there is no number."""


def words(name: str) -> str:
    """A catalogue name as words."""
    return name.replace("_", " ")


def num(value: float | None, decimals: int = 2) -> str:
    """A number with a true minus sign, or a dash where there is none."""
    return NONE if value is None else f"{value:z.{decimals}f}".replace("-", "−")


def span(interval: Sequence[float] | None, decimals: int = 2) -> str:
    """An interval in brackets; nothing where there is none."""
    return "" if interval is None else f"[{num(interval[0], decimals)}, {num(interval[1], decimals)}]"


def with_span(value: float | None, interval: Sequence[float] | None) -> str:
    """A number and its interval."""
    return f"{num(value)} {span(interval)}".rstrip()


def duration(seconds: float) -> str:
    """Seconds up to two minutes, then minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
