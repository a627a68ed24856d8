"""`dilemmas bench`: how fast things are, as ratios of what is measured side by side.

Rates on one machine mean little on another one, and little at another hour; so all contenders take turns in one run on
one core, time is CPU time, and a rate is the median of the turns.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dilemmas.experiments.benchmarks.race import Bar, Contender, Race, race
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column


def rates_table(run: Race) -> Table:
    """Rates, with the spread of the turns."""
    columns = [
        word_column("contender"),
        *map(number_column, ("per CPU-second", "worst turn", "best turn")),
        word_column("unit"),
    ]
    rows = [[one.name, *map(rate_text, (one.rate, one.slowest, one.fastest)), one.unit] for one in run.measured]
    return terminal_table(columns, rows)


def rate_text(value: float) -> str:
    """A rate without decimals, unless it is small."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def bars_table(run: Race) -> Table:
    """Bars and whether they are met."""
    rows = []
    for verdict in run.verdicts:
        what = f"{verdict.contender} / {verdict.rival or 'CPU-second'}"
        numbers = [f"{value:.2f}" if verdict.rival else rate_text(value) for value in (verdict.least, verdict.reached)]
        rows.append([what, *numbers, "yes" if verdict.met else "no"])
    return terminal_table([word_column("bar"), *map(number_column, ("at least", "reached", "met"))], rows)


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
        click.echo(f"not measured: {line} (pip install 'dilemmas[peers]')", err=True)


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
    from dilemmas.experiments.benchmarks.envs import BARS, CONTENDERS

    compete(CONTENDERS, BARS, turns, seconds, as_json)


@command.command("tournaments")
@options
def tournaments(turns: int, seconds: float, as_json: bool) -> None:
    """Tournaments per second, sampled and exact, and rounds per second, against Axelrod-Python."""
    from dilemmas.experiments.benchmarks.tournaments import BARS, CONTENDERS

    compete(CONTENDERS, BARS, turns, seconds, as_json)
