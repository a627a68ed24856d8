"""Text of unknown origin, such as a model's, as text: nothing that a terminal or a page would obey."""

import unicodedata

from rich.cells import cell_len


def visible(text: str) -> str:
    """The text with every character to be seen: control characters as symbols, direction overrides and the like as �.

    Line breaks stay.
    """
    return "".join(char if char == "\n" or char.isprintable() else _symbol(char) for char in text)


def one_line(text: str) -> str:
    """The same in one line."""
    return visible(" ".join(text.split()))


def shortened(text: str, cells: int) -> str:
    """One line of at most so many cells of a terminal, 2 or more, without its middle where it is longer.

    The end of a name often tells the most. East Asian letters take two cells.
    """
    whole = short = one_line(text)
    kept = len(whole)
    while cell_len(short) > cells:
        kept -= 1
        short = f"{whole[: (kept + 1) // 2].rstrip()}…{whole[len(whole) - kept // 2 :].lstrip()}"
    return short


def _symbol(char: str) -> str:
    if unicodedata.category(char) != "Cc":
        return "\N{REPLACEMENT CHARACTER}"
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\N{SYMBOL FOR DELETE}"
