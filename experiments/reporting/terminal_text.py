"""Safe display of text of unknown origin, such as replies of a model: no control characters."""

import unicodedata

from rich.cells import cell_len


def visible(text: str) -> str:
    """Replace control characters by symbols and other unprintable characters, such as direction overrides, by �.

    Line breaks are kept.
    """
    return "".join(char if char == "\n" or char.isprintable() else _symbol(char) for char in text)


def one_line(text: str) -> str:
    """As `visible`, with all whitespace collapsed to single spaces."""
    return visible(" ".join(text.split()))


def shortened(text: str, cells: int) -> str:
    """Shorten text to one line of a terminal by omitting its middle.

    The end is kept because names often differ there.

    Parameters
    ----------
    cells
        Available width, 2 or more; East Asian characters take two cells.
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
