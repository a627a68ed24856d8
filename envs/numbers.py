"""Formatting of payoffs and lists in prompts and pictures."""

from collections.abc import Sequence


def format_number(value: float) -> str:
    """Format a payoff with at most two decimals, without trailing zeros: ``3``, ``2.5``, ``-0.33``; never ``-0``."""
    return f"{value:z.2f}".rstrip("0").rstrip(".")


def join_choices(words: Sequence[str]) -> str:
    """Join alternatives with commas and a final "or": ``C``, ``C or D``, ``C, D or E``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
