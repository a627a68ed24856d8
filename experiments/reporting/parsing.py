"""Words of the command line as values."""

from ast import literal_eval
from typing import Any

from dilemmas.envs.errors import InputError


def parsed(argument: str) -> tuple[str, Any]:
    """``T=6`` as a name and a value; a value that is no Python literal is a text, such as ``graph=ring``.

    ``true``, ``false`` and ``none`` may be written small.
    """
    name, equals, text = argument.partition("=")
    if not equals:
        raise InputError(f"option '{argument}' has no value; write {argument}=VALUE")
    try:
        return name, literal_eval(text.title() if text in ("true", "false", "none") else text)
    except (ValueError, SyntaxError):
        return name, text


def listed(words: str) -> tuple[str, ...]:
    """The words of a list with commas; those in parentheses separate nothing."""
    found, depth = [""], 0
    for letter in words:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth <= 0:
            found.append("")
        else:
            found[-1] += letter
    return tuple(word.strip() for word in found if word.strip())
