"""Checks of arguments: a value of the right kind and range, or an error with the value, the place and the way out."""

from math import inf, isfinite
from numbers import Integral, Real
from typing import Any

import numpy as np

from dilemmas.envs.errors import InputError

MOST_PLAYERS = 1 << 20
"""Most players of a game."""


class GameError(InputError):
    """A game that cannot be what it is called; the message names the value, the place and the way out."""


def finite_payoff(value: Any, place: str) -> float:
    """A payoff in points as a float; `GameError` with the place if it is not a finite number."""
    if not (_number(value) and -1e9 < value < 1e9):
        raise GameError(f"{place} = {value!r} is not a finite payoff within ±1e9")
    return float(value)


def from_zero(value: Any, place: str) -> float:
    """A number that is not negative as a float; `GameError` with the place for what is none."""
    if not (_number(value) and 0 <= value < 1e9):
        raise GameError(f"{place} = {value!r}; needs a number from 0 to below 1e9")
    return float(value)


def probability(value: Any, place: str) -> float:
    """A probability as a float; `GameError` with the place for what is none."""
    if not (_number(value) and 0 <= value <= 1):
        raise GameError(f"{place} = {value!r}; a probability lies in [0, 1]")
    return float(value)


def whole_number(value: Any, place: str, least: int, most: int | None = None) -> int:
    """A whole number as an int; `GameError` with the place for what is none, or outside the range."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole and least <= value and (most is None or value <= most)):
        span = f"from {least} up" if most is None else f"from {least} to {most}"
        raise GameError(f"{place} = {value!r}; needs a whole number {span}")
    return int(value)


def flag(value: Any, place: str) -> bool:
    """Yes or no as a bool; `GameError` with the place for what is neither."""
    if not isinstance(value, bool | np.bool_):
        raise GameError(f"{place} = {value!r}; needs True or False")
    return bool(value)


def _number(value: Any) -> bool:
    """Whether it is a real number; a yes or no is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_numbers(settings: Any, names: str, least: float, most: float = inf) -> None:
    """`InputError` where a field of `settings` is not a number from `least` to `most`; `names`: with blanks between."""
    for name in names.split():
        value = getattr(settings, name)
        if not (isfinite(value) and least <= value <= most):
            span = f"{least} up" if most == inf else f"{least} to {most}"
            raise InputError(f"{name} = {value}; needs a number from {span}")
