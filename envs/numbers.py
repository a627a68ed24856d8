"""Formatting of payoffs and lists in prompts and pictures."""

from collections.abc import Sequence
from decimal import Decimal


def format_number(value: float) -> str:
    """Format a payoff for a table or a picture: at most two decimals, without trailing zeros, as in ``3``, ``2.5``,
    ``-0.33``; two digits where that would leave fewer, as in ``0.004`` and ``1e-07``; never ``-0``."""
    exact = round(value, 12)
    return f"{exact:.2g}" if 0 < abs(exact) < 0.1 else f"{exact:z.2f}".rstrip("0").rstrip(".")


def tell_number(value: float) -> str:
    """Write a number as it is: ``3``, ``0.004``, ``1000000.5``.

    A number of more than twelve digits is written to ten of them and to twelve decimals, as in ``3.333333333``, which
    leaves out the error of computing with floating-point numbers. Prompts tell numbers like this.
    """
    text = f"{value:z.12g}"
    return f"{Decimal(text if float(text) == value else f'{round(value, 12):z.10g}').normalize():f}"


def join_choices(words: Sequence[str]) -> str:
    """Join alternatives with commas and a final "or": ``C``, ``C or D``, ``C, D or E``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
