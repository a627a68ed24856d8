"""Checks of arguments: each returns a valid value, or raises an error with the value, its place and the valid ones."""

import os
from collections.abc import Iterable
from math import inf
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.envs.errors import InputError

MOST_WHOLE = 2**63 - 1
"""Largest whole number that is accepted anywhere: what a signed integer of 64 bits holds."""
MOST_PLAYERS = 1 << 20
"""Largest number of players of a game."""


class GameError(InputError):
    """An invalid game or match; the message names the value, the place and the valid values."""


def finite_payoff(value: Any, place: str) -> float:
    """Return a payoff as a float.

    Parameters
    ----------
    value
        A real number in (-1e9, 1e9).
    place
        Name of the argument; it begins the error message.

    Raises
    ------
    GameError
        If `value` is not such a number.
    """
    if not (_is_number(value) and -1e9 < value < 1e9):
        raise GameError(f"{place} = {value!r}; needs a finite number above -1e9 and below 1e9")
    return float(value)


def from_zero(value: Any, place: str) -> float:
    """Return a nonnegative number as a float.

    Parameters
    ----------
    value
        A real number in [0, 1e9).
    place
        Name of the argument; it begins the error message.

    Raises
    ------
    GameError
        If `value` is not such a number.
    """
    if not (_is_number(value) and 0 <= value < 1e9):
        raise GameError(f"{place} = {value!r}; needs a number in [0, 1e9)")
    return float(value)


def probability(value: Any, place: str) -> float:
    """Return a probability as a float.

    Parameters
    ----------
    value
        A real number in [0, 1].
    place
        Name of the argument; it begins the error message.

    Raises
    ------
    GameError
        If `value` is not such a number.
    """
    if not (_is_number(value) and 0 <= value <= 1):
        raise GameError(f"{place} = {value!r}; a probability lies in [0, 1]")
    return float(value)


def whole_number(
    value: Any, place: str, least: int, most: int = MOST_WHOLE, error: type[InputError] = GameError
) -> int:
    """Return an integer as an int.

    Parameters
    ----------
    value
        An integer of Python or NumPy; booleans are not accepted.
    place
        Name of the argument; it begins the error message.
    least
        Smallest valid value.
    most
        Largest valid value.
    error
        Class of the exception to raise.

    Raises
    ------
    GameError
        If `value` is not an integer in the range.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole and least <= value <= most):
        limited = most < MOST_WHOLE or (whole and value > most)
        valid = f"from {least} to {most}" if limited else f"of at least {least}"
        raise error(f"{place} = {value!r}; needs a whole number {valid}")
    return int(value)


def flag(value: Any, place: str) -> bool:
    """Return a boolean of Python or NumPy as a bool; `GameError` for other values."""
    if not isinstance(value, bool | np.bool_):
        raise GameError(f"{place} = {value!r}; needs True or False")
    return bool(value)


def items(values: Any) -> tuple[Any, ...]:
    """Return the items of a list, tuple or array; TypeError for other values, such as text."""
    if isinstance(values, str | bytes):
        raise TypeError(f"{values!r} is text, not a list")
    return tuple(values)


def _is_number(value: Any) -> bool:
    """Whether a value is a real number; booleans are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_number(
    name: str, value: float, least: float, most: float = inf, error: type[InputError] = InputError
) -> None:
    """Check that a number is finite, at most `MOST_WHOLE` and in a range.

    Parameters
    ----------
    name
        Name of the number in the error message.
    value
        The number.
    least, most
        Smallest and largest valid value.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If the number is not finite or outside the range.
    """
    if not (-MOST_WHOLE <= value <= MOST_WHOLE and least <= value <= most):  # also False for nan
        valid = (
            f"of at least {least}"
            if most == inf and not value > MOST_WHOLE
            else f"from {least} to {min(most, MOST_WHOLE)}"
        )
        raise error(f"{name} = {value}; needs a number {valid}")


def check_numbers(settings: Any, names: str, least: float, most: float = inf) -> None:
    """Check that attributes of `settings` are finite numbers in a range.

    Parameters
    ----------
    settings
        The object.
    names
        Names of the attributes, separated by spaces.
    least, most
        Smallest and largest valid value.

    Raises
    ------
    InputError
        If a number is not finite or outside the range.
    """
    for name in names.split():
        check_number(name, getattr(settings, name), least, most)


def unmasked(values: ArrayLike, place: str, error: type[InputError] = InputError) -> NDArray[Any]:
    """Return values as an array; an error with the place if some of them are masked (`numpy.ma`), and so unknown."""
    _refuse_masked(values, place, error)
    return np.asarray(values)


def _refuse_masked(values: ArrayLike, place: str, error: type[InputError]) -> None:
    if _is_masked(values):
        raise error(f"{place}: an array with masked entries; needs a value in each, such as values.filled(0)")


def _is_masked(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(map(_is_masked, values))
    return isinstance(values, np.ma.MaskedArray) and bool(np.ma.is_masked(values))


def generator(value: Any, place: str, error: type[InputError] = InputError) -> np.random.Generator:
    """Return a random generator of NumPy; an error with the place for anything else, such as a seed."""
    if not isinstance(value, np.random.Generator):
        raise error(f"{place} = {value!r}; needs a generator, such as numpy.random.default_rng(0)")
    return value


def number_array(
    values: ArrayLike,
    place: str,
    shape: tuple[int | str, ...],
    least: float = -inf,
    most: float = inf,
    error: type[InputError] = InputError,
) -> NDArray[np.float64]:
    """Return finite numbers in a range as an array.

    Parameters
    ----------
    values
        The numbers; booleans and text are none.
    place
        Name of the argument; it begins the error message.
    shape
        Length of each axis, or a letter: axes with the same letter have the same length. A first ``...`` stands for
        any axes.
    least, most
        Smallest and largest valid value.
    error
        Class of the exception to raise.

    Raises
    ------
    InputError
        If the shape differs, or a value is no such number, or masked.
    """
    _refuse_masked(values, place, error)
    try:
        array = np.asarray(values)
    except ValueError:
        raise error(f"{place}: lists of different lengths; needs shape {_shown(shape)}") from None
    if not _has_shape(array.shape, shape):
        raise error(f"{place} of shape {array.shape}; needs shape {_shown(shape)}")
    if array.dtype.kind not in "iuf":
        raise error(f"{place} of type {array.dtype}; needs numbers")
    valid = np.isfinite(array) & (array >= least) & (array <= most)
    for index in np.argwhere(~valid)[:1].tolist():
        at = f"[{', '.join(map(str, index))}]" if index else ""
        raise error(f"{place}{at} = {array[tuple(index)].item()}; needs a finite number from {least:g} to {most:g}")
    return array.astype(np.float64, copy=False)


def _has_shape(found: tuple[int, ...], shape: tuple[int | str, ...]) -> bool:
    """Whether an array has a shape, as in `number_array`."""
    if shape[:1] == ("...",):
        shape = shape[1:]
        found = found[max(0, len(found) - len(shape)) :]
    lengths: dict[int | str, int] = {}
    return len(found) == len(shape) and all(
        length == (wanted if isinstance(wanted, int) else lengths.setdefault(wanted, length))
        for length, wanted in zip(found, shape, strict=True)
    )


def _shown(shape: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def check_memory(what: str, size: float, way_out: str) -> None:
    """Check that arrays fit into half of the memory of this machine.

    Parameters
    ----------
    what
        What the arrays hold, with its numbers; it begins the error message.
    size
        Their size at the peak, in bytes.
    way_out
        How to make them smaller.

    Raises
    ------
    GameError
        If they do not fit.
    """
    here = machine_memory()
    if size > here / 2:
        needed = f"needs about {size / 1e9:,.3g} GB, more than half of the {here / 1e9:,.3g} GB of memory here"
        raise GameError(f"{what}: {needed}; {way_out}")


def machine_memory() -> float:
    """Memory of this machine in bytes; infinite where the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        return inf


def check_different_files(paths: Iterable[Path]) -> None:
    """`InputError` if two paths, however they are spelled, lead to the same file or folder; those to none pass."""
    seen: dict[tuple[int, int], Path] = {}
    for path in filter(Path.exists, paths):
        state = path.stat()
        other = seen.setdefault((state.st_dev, state.st_ino), path)
        if other is not path:
            raise InputError(f"{path} is given twice{'' if other == path else f', also as {other}'}; give it once")
