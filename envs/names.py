"""Looking things up by name: the value, or an error that names the nearest known one."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from dilemmas.envs.errors import InputError

Value = TypeVar("Value")


class UnknownNameError(InputError, LookupError):
    """A name that nothing is known by; the message has the nearest one."""


def lookup(kind: str, name: str, known: Mapping[str, Value], place: str = "") -> Value:
    """`known[name]`, or `UnknownNameError` with the value, the place and the nearest name."""
    if isinstance(name, str) and name in known:
        return known[name]
    where = f" in {place}" if place else ""
    raise UnknownNameError(f"unknown {kind} '{name}'{where}{did_you_mean(str(name), known)}")


LISTED = 30
"""Most names that a message lists."""


def did_you_mean(name: str, known: Mapping[str, object]) -> str:
    """The end of an error message: the nearest known name, or the list of all, if it is not too long."""
    close = closest_name(name, known)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(known)}" if len(known) <= LISTED else f"; no name of {len(known)} is like it"


def closest_name(name: str, known: Iterable[str], least: float = 0.5) -> list[str]:
    """The known name that is most like a name, if it is alike by `least` or more, from 0 to 1 (`difflib`'s ratio)."""
    return get_close_matches(str(name).replace("-", "_"), known, n=1, cutoff=least)
