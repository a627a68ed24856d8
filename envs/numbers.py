"""Numbers and lists as people write them."""

from collections.abc import Sequence


def format_number(value: float) -> str:
    """A payoff as people write it: at most two decimals, none where there are none, and no minus before a 0."""
    return f"{value:z.2f}".rstrip("0").rstrip(".")


def join_choices(words: Sequence[str]) -> str:
    """``C``, ``C or D``, ``C, D or E``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
