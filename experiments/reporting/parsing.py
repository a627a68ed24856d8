"""Values of command-line words."""

from ast import literal_eval
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
