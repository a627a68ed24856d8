"""Text without characters that act on a terminal."""

import unicodedata


def visible(text: str) -> str:
    """Replace control characters by symbols and other unprintable characters, such as direction overrides, by �.

    Line breaks are kept.
    """
    return "\n".join(line if line.isprintable() else "".join(map(_symbol, line)) for line in text.split("\n"))


def _symbol(char: str) -> str:
    if char.isprintable():
        return char
    if unicodedata.category(char) != "Cc":
        return "\N{REPLACEMENT CHARACTER}"
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\N{SYMBOL FOR DELETE}"
