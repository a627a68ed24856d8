"""Lookup of values by name; an unknown name raises an error that suggests the most similar known name."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from dilemmas.envs.errors import InputError

Value = TypeVar("Value")


class UnknownNameError(InputError, LookupError):
    """An unknown name; the message suggests the most similar known one."""


def lookup(kind: str, name: str, known: Mapping[str, Value], place: str = "") -> Value:
    """Return the value of a name.

    Parameters
    ----------
    kind
        What the names denote, such as ``"game"``; part of the error message.
    name
        Name to look up.
    known
        Values by name.
    place
        Where the name was given; part of the error message.

    Returns
    -------
    The value ``known[name]``.

    Raises
    ------
    UnknownNameError
        If `name` is not a key of `known`.
    """
    if isinstance(name, str) and name in known:
        return known[name]
    where = f" in {place}" if place else ""
    raise UnknownNameError(f"unknown {kind} '{name}'{where}{did_you_mean(str(name), known)}")


MAX_LISTED = 30
"""Largest number of names that a message lists."""
SIMILAR = 0.6
"""Similarity from which one name is suggested in place of a list of all."""


def did_you_mean(name: str, known: Mapping[str, object]) -> str:
    """End of an error message about an unknown name: the most similar known name, or all names if they are few."""
    begun = [one for one in known if name and one.startswith(name)]
    close = begun[0] if len(begun) == 1 else closest_name(name, known, 0.5 if len(known) > MAX_LISTED else SIMILAR)
    if close:
        return f"; did you mean '{close}'?"
    if not known:
        return "; there is none"
    if len(known) <= MAX_LISTED:
        return f"; known: {', '.join(known)}"
    return f"; none of the {len(known)} known names is similar"


def closest_name(name: str, known: Iterable[str], min_similarity: float = 0.5) -> str | None:
    """Return the known name that is most similar to a name.

    Parameters
    ----------
    name
        Name to compare; its hyphens are read as underscores.
    known
        Names to choose from.
    min_similarity
        Smallest accepted similarity, in [0, 1], as defined by `difflib.SequenceMatcher.ratio`.

    Returns
    -------
    The name, or None if no name is similar enough.
    """
    return next(iter(closest_names(name, known, 1, min_similarity)), None)


def closest_names(name: str, known: Iterable[str], most: int, min_similarity: float = 0.5) -> list[str]:
    """Return up to `most` similar names, the most similar first; see `closest_name`."""
    return get_close_matches(str(name).replace("-", "_"), known, n=most, cutoff=min_similarity)
