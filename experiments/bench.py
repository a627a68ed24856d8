"""`understudy bench`: how fast things are, as ratios of what is measured side by side.

Rates on one machine mean little on another one, and little at another hour; so all contenders take turns in one run on
one core, time is CPU time, and a rate is the median of the turns.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

Play = Callable[[], int]
"""Does a short piece of work and returns how much it was, in the contender's unit."""


@dataclass(frozen=True)
class Contender:
    """Somebody who does the work."""

    name: str
    unit: str
    """What is counted, such as ``rounds``."""
    prepare: Callable[[], Play]
    """Sets up; raises ImportError where something is not installed."""


@dataclass(frozen=True)
class Bar:
    """What a rate has to reach."""

    contender: str
    least: float
    """In units per CPU-second; or as a ratio, where there is somebody to compare with."""
    rival: str | None = None
    """Whose rate is the measure."""


@dataclass(frozen=True)
class Measured:
    """How a contender did."""

    name: str
    unit: str
    rate: float
    """Units per CPU-second, median of the turns."""
    slowest: float
    """Units per CPU-second in the worst turn."""
    fastest: float
    """Units per CPU-second in the best turn."""


@dataclass(frozen=True)
class Verdict:
    """A bar and what came of it."""

    contender: str
    rival: str | None
    least: float
    reached: float
    met: bool


@dataclass(frozen=True)
class Race:
    """A whole run."""

    measured: tuple[Measured, ...]
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]
    """Why somebody is not in it, one line each."""


def rate(play: Play, seconds: float) -> float:
    """Units per CPU-second over a turn of at least so many CPU-seconds."""
    done, start = 0, process_time()
    while True:
        done += play()
        spent = process_time() - start
        if spent >= seconds:
            return done / spent


def race(contenders: Sequence[Contender], bars: Sequence[Bar], turns: Iterable[object], seconds: float) -> Race:
    """Let all take turns of `seconds` CPU-seconds each, one after the other, after one piece to warm up.

    There are as many turns as `turns` has members.
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
            rates[contender].append(rate(play, seconds))
    measured = [Measured(c.name, c.unit, median(found), min(found), max(found)) for c, found in rates.items()]
    verdicts = [verdict for bar in bars if (verdict := judged(bar, rates)) is not None]
    return Race(tuple(measured), tuple(verdicts), tuple(missing))


def judged(bar: Bar, rates: dict[Contender, list[float]]) -> Verdict | None:
    """Whether a bar is met; None where somebody it is about is missing. A ratio is the median over the turns."""
    found = {contender.name: turns for contender, turns in rates.items()}
    own = found.get(bar.contender)
    rival = [1.0] * len(own or ()) if bar.rival is None else found.get(bar.rival)
    if own is None or rival is None:
        return None
    reached = median(mine / theirs for mine, theirs in zip(own, rival, strict=True))
    return Verdict(bar.contender, bar.rival, bar.least, reached, reached >= bar.least)


def rates_table(run: Race) -> Table:
    """Rates, with the spread of the turns."""
    table = Table(box=None, pad_edge=False)
    table.add_column("contender", overflow="fold")
    for heading in ("per CPU-second", "worst turn", "best turn"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    for one in run.measured:
        rates = [rate_text(value) for value in (one.rate, one.slowest, one.fastest)]
        table.add_row(Text(one.name), *rates, one.unit)
    return table


def rate_text(value: float) -> str:
    """A rate without decimals, unless it is small."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def bars_table(run: Race) -> Table:
    """Bars and whether they are met."""
    table = Table(box=None, pad_edge=False)
    table.add_column("bar", overflow="fold")
    for heading in ("at least", "reached", "met"):
        table.add_column(heading, justify="right")
    for verdict in run.verdicts:
        what = f"{verdict.contender} / {verdict.rival or 'CPU-second'}"
        numbers = [f"{value:.2f}" if verdict.rival else rate_text(value) for value in (verdict.least, verdict.reached)]
        table.add_row(Text(what), *numbers, "yes" if verdict.met else "no")
    return table


def show(run: Race, as_json: bool) -> None:
    """Print a run. What is missing goes to stderr, or into the JSON."""
    if as_json:
        click.echo(json.dumps(asdict(run), ensure_ascii=False))
        return
    console = Console()
    console.print(rates_table(run))
    console.print()
    console.print(bars_table(run))
    for line in run.missing:
        click.echo(f"not measured: {line} (pip install 'understudy[peers]')", err=True)


def compete(contenders: Sequence[Contender], bars: Sequence[Bar], turns: int, seconds: float, as_json: bool) -> None:
    """Hold a race, with a bar on stderr, and print it."""
    watched = track(range(turns), "turns", console=Console(stderr=True), transient=True, refresh_per_second=1)
    show(race(contenders, bars, watched, seconds), as_json)


@click.group()
def command() -> None:
    """Measure how fast things are here, against others in the same run."""


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What every bench can be asked."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        click.option(
            "--seconds", type=click.FloatRange(0.001), default=0.3, show_default=True, help="CPU time of a turn."
        ),
        click.option("--turns", type=click.IntRange(1), default=7, show_default=True, help="Turns of each contender."),
    ):
        function = option(function)
    return function


@command.command("envs")
@options
def envs(turns: int, seconds: float, as_json: bool) -> None:
    """Rounds per second of the environments, one by one and many at once, against PettingZoo and OpenSpiel."""
    from understudy.experiments.bench_envs import BARS, CONTENDERS

    compete(CONTENDERS, BARS, turns, seconds, as_json)


@command.command("tournaments")
@options
def tournaments(turns: int, seconds: float, as_json: bool) -> None:
    """Tournaments per second, sampled and exact, and rounds per second, against Axelrod-Python."""
    from understudy.experiments.bench_tournaments import BARS, CONTENDERS

    compete(CONTENDERS, BARS, turns, seconds, as_json)
