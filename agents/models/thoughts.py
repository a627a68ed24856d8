"""Thoughts in what a model wrote, which are recorded beside its reply and are no part of it."""

import re

TAG = r"[\w:]*(?:think|thought|reason)\w*>"
"""The end of a tag of thoughts."""
OPENS, ENDS = (re.compile(f"<{slash}{TAG}", re.IGNORECASE) for slash in ("", "/"))
"""Tags that open and that end thoughts."""


def split_thoughts(text: str) -> tuple[str, str]:
    """The thoughts in a text, and the text without them.

    Thoughts end with the last closing tag and begin with the first opening tag, or at the beginning of the text without
    one. Without a closing tag there are none.
    """
    ends = list(ENDS.finditer(text))
    if not ends:
        return "", text.strip()
    written, rest = text[: ends[-1].start()], text[ends[-1].end() :]
    opened = OPENS.search(written)
    before, thoughts = (written[: opened.start()], written[opened.end() :]) if opened else ("", written)
    return thoughts.strip(), f"{before}{rest}".strip()
