"""The duration of a run, estimated before it starts: a long one is announced, one for which nobody can wait refused."""

from dilemmas.envs.errors import InputError
from dilemmas.experiments.reporting.format import duration
from dilemmas.experiments.reporting.terminal_text import echo

ANNOUNCED = 60.0
"""Seconds from which on the duration is announced."""
MOST_SECONDS = 7 * 86_400.0
"""Longest run that is started, in seconds: a week."""


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
