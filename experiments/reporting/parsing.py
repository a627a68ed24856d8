"""Values of command-line words."""

from ast import literal_eval
from pathlib import Path
from typing import Any

from dilemmas.envs.errors import InputError


def parsed(argument: str) -> tuple[str, Any]:
    """Parse ``NAME=VALUE``.

    The value is a Python literal, such as ``T=6``, or else a string, such as ``graph=ring``. ``true``, ``false`` and
    ``none`` may be in lower case.

    Raises
    ------
    InputError
        If there is no ``=``.
    """
    name, equals, text = argument.partition("=")
    if not equals:
        raise InputError(f"option '{argument}' has no value; write {argument}=VALUE")
    try:
        return name, literal_eval(text.title() if text in ("true", "false", "none") else text)
    except (ValueError, SyntaxError):
        return name, text


def listed(words: str) -> tuple[str, ...]:
    """Split a comma-separated list; commas in parentheses do not separate."""
    found, depth = [""], 0
    for letter in words:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth <= 0:
            found.append("")
        else:
            found[-1] += letter
    return tuple(word.strip() for word in found if word.strip())


def text_or_file(value: str) -> str:
    """A text, or the content of the file that it names; `InputError` if there is no such file, or no text in it."""
    path = Path(value)
    if len(value.split()) != 1 or not (path.suffix in (".txt", ".md") or (len(value) < 256 and path.is_file())):
        return value
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--system {value}: cannot be read as text ({error})") from None
    if not text.strip():
        raise InputError(f"--system {value}: the file is empty")
    return text
