"""Benchmarks: contenders with comparable work take turns, and their rates are compared."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

Play = Callable[[], float]
"""Function that does a short piece of work and returns its amount, in the unit of the contender."""
Clock = Callable[[], float]
"""Function that returns a time in seconds: CPU time of this process, or real time where another device works."""


@dataclass(frozen=True)
class Contender:
    """An implementation that is measured."""

    name: str
    unit: str
    """Unit of the work, such as ``rounds``."""
    prepare: Callable[[], Play]
    """Function that returns the work; it raises ImportError if a package is not installed."""


@dataclass(frozen=True)
class Bar:
    """Minimum of a rate, or of a ratio of two rates."""

    contender: str
    least: float
    """Minimum rate, in units per second; with a rival, minimum ratio of the rates."""
    rival: str | None = None
    """Contender whose rate is the denominator of the ratio; None for a rate."""


@dataclass(frozen=True)
class Measured:
    """The rates of a contender."""

    name: str
    unit: str
    rate: float
    """Units per second, median of the turns."""
    slowest: float
    """Units per second in the worst turn."""
    fastest: float
    """Units per second in the best turn."""


@dataclass(frozen=True)
class Verdict:
    """A bar and whether it was reached."""

    contender: str
    rival: str | None
    least: float
    reached: float
    met: bool


@dataclass(frozen=True)
class Race:
    """A complete run."""

    measured: tuple[Measured, ...]
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]
    """Contenders that were not measured and why, one line each."""


def rate(play: Play, seconds: float, clock: Clock = process_time) -> float:
    """Units per second over a turn of at least `seconds` on a clock."""
    done, start = 0.0, clock()
    while True:
        done += play()
        spent = clock() - start
        if spent >= seconds:
            return done / spent


def race(
    contenders: Sequence[Contender],
    bars: Sequence[Bar],
    turns: Iterable[object],
    seconds: float,
    clock: Clock = process_time,
) -> Race:
    """Measure all contenders in turns, after one piece of work to warm up.

    Parameters
    ----------
    contenders
        Implementations to measure; those with missing packages are skipped.
    bars
        Minima to check.
    turns
        Iterable with one item per turn.
    seconds
        Minimum time of each contender per turn, above 0.
    clock
        Measures the time.
    """
    ready: dict[Contender, Play] = {}
    missing = []
    for contender in contenders:
        try:
            ready[contender] = contender.prepare()
            ready[contender]()
        except ImportError as error:
            missing.append(f"{contender.name}: {error.msg}")
    rates: dict[Contender, list[float]] = {contender: [] for contender in ready}
    for _ in turns:
        for contender, play in ready.items():
            rates[contender].append(rate(play, seconds, clock))
    measured = [Measured(c.name, c.unit, median(found), min(found), max(found)) for c, found in rates.items()]
    verdicts = [verdict for bar in bars if (verdict := judged(bar, rates)) is not None]
    return Race(tuple(measured), tuple(verdicts), tuple(missing))


def judged(bar: Bar, rates: dict[Contender, list[float]]) -> Verdict | None:
    """Check whether a bar is met; None if one of its contenders is missing. A ratio is the median over the turns."""
    found = {contender.name: turns for contender, turns in rates.items()}
    own = found.get(bar.contender)
    rival = [1.0] * len(own or ()) if bar.rival is None else found.get(bar.rival)
    if own is None or rival is None:
        return None
    reached = median(mine / theirs for mine, theirs in zip(own, rival, strict=True))
    return Verdict(bar.contender, bar.rival, bar.least, reached, reached >= bar.least)
