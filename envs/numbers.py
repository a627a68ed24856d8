"""Formatting of payoffs and lists in prompts and pictures."""

from collections.abc import Sequence
from decimal import Decimal


def format_number(value: float) -> str:
    """Format a payoff for a table or a picture: at most two decimals, without trailing zeros, as in ``3``, ``2.5``,
    ``-0.33``; never ``-0``."""
    return f"{value:z.2f}".rstrip("0").rstrip(".")


def tell_number(value: float) -> str:
    """Write a number as it is, to ten significant digits and at most twelve decimals: ``3``, ``0.004``, ``1000000.5``,
    ``3.333333333``.

    Prompts tell numbers like this; what is left out is the error of computing with floating-point numbers.
    """
    return f"{Decimal(f'{round(value, 12):z.10g}').normalize():f}"


def join_choices(words: Sequence[str]) -> str:
    """Join alternatives with commas and a final "or": ``C``, ``C or D``, ``C, D or E``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
