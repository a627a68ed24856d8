"""Text of unknown origin, such as a model's, as text: nothing that a terminal or a page would obey."""

import unicodedata


def visible(text: str) -> str:
    """The text with every character to be seen: control characters as symbols, direction overrides and the like as �.

    Line breaks stay.
    """
    return "".join(char if char == "\n" or char.isprintable() else _symbol(char) for char in text)


def one_line(text: str) -> str:
    """The same in one line."""
    return visible(" ".join(text.split()))


def _symbol(char: str) -> str:
    if unicodedata.category(char) != "Cc":
        return "\N{REPLACEMENT CHARACTER}"
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\N{SYMBOL FOR DELETE}"
