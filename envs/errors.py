"""The error that is the user's to mend: one line with the value, the place and the way out."""

from math import inf, isfinite
from typing import Any


class InputError(ValueError):
    """Something given to understudy cannot be used. The command line prints the message and exits with code 2."""


def check_numbers(settings: Any, names: str, least: float, most: float = inf) -> None:
    """`InputError` where a field of `settings` is not a number from `least` to `most`; `names`: with blanks between."""
    for name in names.split():
        value = getattr(settings, name)
        if not (isfinite(value) and least <= value <= most):
            span = f"{least} up" if most == inf else f"{least} to {most}"
            raise InputError(f"{name} = {value}; needs a number from {span}")
