"""The duration of a run, estimated before it starts, or from its first part where it depends on the speed of a model:
a long one is announced, one for which nobody can wait refused."""

import time
from collections.abc import Callable

from dilemmas.envs.errors import InputError
from dilemmas.experiments.reporting.format import duration
from dilemmas.experiments.reporting.terminal_text import echo

ANNOUNCED = 60.0
"""Seconds from which on the duration is announced."""
MOST_SECONDS = 7 * 86_400.0
"""Longest run that is started, in seconds: a week."""


MEASURED = 5.0
"""Seconds of work from which the duration of the rest is estimated."""


class CostError(InputError):
    """A run that would take too long."""


def check_duration(what: str, seconds: float, way_out: str) -> None:
    """Announce a long run on stderr; `CostError` for one of more than `MOST_SECONDS`.

    Parameters
    ----------
    what
        The work, with its numbers.
    seconds
        Estimated upper limit of its duration.
    way_out
        How to make it shorter.
    """
    if seconds > MOST_SECONDS:
        raise CostError(f"{what}: up to about {duration(seconds)}, and at most {duration(MOST_SECONDS)}; {way_out}")
    if seconds > ANNOUNCED:
        echo(f"{what}: this may take up to {duration(seconds)}", err=True)


class MeasuredDuration:
    """The duration of work that is known by its first part, checked once, as by `check_duration`.

    What is done up to the first progress does not count: a model is loaded meanwhile.
    """

    def __init__(self, what: str, way_out: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`what`, `way_out`: as for `check_duration`. `clock`: time in seconds."""
        self._what, self._way_out, self._clock = what, way_out, clock
        self._before: float | None = None
        self._begun: tuple[float, float] | None = None
        self._checked = False

    def follow(self, done: float, total: float | None) -> None:
        """Take note of how much is done; `CostError` if the rest would take too long.

        `total`: all of it; None where it is not known yet.
        """
        if self._checked or total is None:
            return
        if self._before is None:
            self._before = done
        elif self._begun is None and done > self._before:
            self._begun = done, self._clock()
        elif self._begun is not None:
            since, spent = done - self._begun[0], self._clock() - self._begun[1]
            if since > 0 and spent >= MEASURED:
                self._checked = True
                check_duration(self._what, spent / since * (total - done), self._way_out)
