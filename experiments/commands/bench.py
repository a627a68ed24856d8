"""`dilemmas bench`: speed, as ratios of rates measured in the same run.

Rates depend on the machine and its load. Therefore all contenders take turns in one run, time is CPU time (real time
where a GPU works), and a rate is the median over the turns.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from time import perf_counter, process_time
from typing import Any

import click
from rich.progress import track
from rich.table import Table

from dilemmas.agents.models.networks.number_formats import PLAIN_FORMATS
from dilemmas.envs.names import lookup
from dilemmas.experiments.benchmarks.race import Bar, Contender, Race, race
from dilemmas.experiments.commands.options import Finite, json_option, print_json, with_options
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import echo


def rates_table(run: Race, second: str) -> Table:
    """Rates per `second`, with the spread of the turns."""
    columns = [
        word_column("contender"),
        *map(number_column, (f"per {second}", "worst turn", "best turn")),
        word_column("unit"),
    ]
    rows = [[one.name, *map(rate_text, (one.rate, one.slowest, one.fastest)), one.unit] for one in run.measured]
    return terminal_table(columns, rows)


def rate_text(value: float) -> str:
    """A rate without decimals, or with three significant digits below 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def bars_table(run: Race, second: str) -> Table:
    """Bars and whether they are met; a rate is per `second`."""
    rows = []
    for verdict in run.verdicts:
        what = f"{verdict.contender} / {verdict.rival or second}"
        numbers = [f"{value:.2f}" if verdict.rival else rate_text(value) for value in (verdict.least, verdict.reached)]
        rows.append([what, *numbers, "yes" if verdict.met else "no"])
    return terminal_table([word_column("bar"), *map(number_column, ("at least", "reached", "met"))], rows)


def print_race(run: Race, extra: str, as_json: bool, second: str = "CPU-second") -> None:
    """Print a run; missing contenders are named on stderr with the extra that installs them, or in the JSON."""
    if as_json:
        return print_json(asdict(run))
    console = SafeConsole()
    console.print(rates_table(run, second))
    console.print()
    console.print(bars_table(run, second))
    for line in run.missing:
        echo(f'not measured: {line} (pip install "dilemmas[{extra}]")', err=True)


def compete(
    contenders: Sequence[Contender],
    bars: Sequence[Bar],
    extra: str,
    turns: int,
    seconds: float,
    as_json: bool,
    real_time: bool = False,
) -> None:
    """Run a race, with a progress bar on stderr, and print it; time is CPU time or real time."""
    watched = track(range(turns), "turns", console=SafeConsole(stderr=True), transient=True, refresh_per_second=1)
    run = race(contenders, bars, watched, seconds, perf_counter if real_time else process_time)
    print_race(run, extra, as_json, "second" if real_time else "CPU-second")


class BenchmarkGroup(click.Group):
    """A group that names its commands where another one is asked for."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and not args[0].startswith("-"):
            lookup("benchmark", args[0], self.commands)
        return super().resolve_command(ctx, args)


@click.group(cls=BenchmarkGroup)
def command() -> None:
    """Measure speed on this machine, compared with other libraries in the same run."""


def race_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every benchmark."""
    options = (
        click.option(
            "--turns",
            type=click.IntRange(1, 1000),
            default=7,
            show_default=True,
            help="Number of measurements of each contender.",
        ),
        click.option(
            "--seconds",
            type=Finite(0, 3600, min_open=True),
            default=0.3,
            show_default=True,
            help="Time of one measurement, in seconds.",
        ),
        json_option,
    )
    return with_options(function, options)


@command.command("envs", short_help="Environments, in rounds per second.")
@race_options
def envs(turns: int, seconds: float, as_json: bool) -> None:
    """Measure rounds per second of environments, single and vectorised, compared with PettingZoo and OpenSpiel."""
    from dilemmas.experiments.benchmarks.envs import BARS, CONTENDERS

    compete(CONTENDERS, BARS, "peers", turns, seconds, as_json)


@command.command("tournaments", short_help="Tournaments, in tournaments and rounds per second.")
@race_options
def tournaments(turns: int, seconds: float, as_json: bool) -> None:
    """Measure tournaments and rounds per second, sampled and exact, compared with the Axelrod library."""
    from dilemmas.experiments.benchmarks.tournaments import BARS, CONTENDERS

    compete(CONTENDERS, BARS, "axelrod", turns, seconds, as_json)


def model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose a model with random weights."""
    options = (
        click.option(
            "--size", type=click.Choice(["135m", "7b"]), default="135m", show_default=True, help="Size of the model."
        ),
        click.option("--device", default="auto", show_default=True, help="cpu, cuda or cuda:N; auto uses a GPU."),
        click.option(
            "--dtype",
            type=click.Choice(("auto", *PLAIN_FORMATS)),
            default="auto",
            show_default=True,
            help="Number format of the weights.",
        ),
    )
    return with_options(function, options)


@command.command("models", short_help="Language models, in answered questions per second.")
@model_options
@click.option("--model", help="A model on this machine, instead of one with random weights.")
@click.option(
    "--batch-tokens", type=click.IntRange(1, 2**24), default=16_384, show_default=True, help="Tokens processed at once."
)
@click.option(
    "--questions",
    type=click.IntRange(1, 100_000),
    default=40,
    show_default=True,
    help="Number of different questions that are answered together.",
)
@race_options
def bench_models(
    size: str,
    device: str,
    dtype: str,
    model: str | None,
    batch_tokens: int,
    questions: int,
    turns: int,
    seconds: float,
    as_json: bool,
) -> None:
    """Measure exact answers of a language model, compared with its bare forward pass and with matrix products.

    Unless --model is given, the model is a Llama with random weights, so nothing is downloaded.
    """
    from dilemmas.agents.models.open_model import open_local
    from dilemmas.experiments.benchmarks.models import BARS, random_backend, scoring_contenders, scoring_work

    if model is None:
        backend = random_backend(size, device, dtype, batch_tokens)
    else:
        backend = open_local(model, device=device, dtype=dtype, batch_tokens=batch_tokens).loaded()
    given = scoring_work(backend, questions)
    compete(scoring_contenders(given), BARS, "llm", turns, seconds, as_json, given.backend.model.device.type != "cpu")


@command.command("matches", short_help="Repeated matches of a language model, in decisions per second.")
@race_options
def bench_matches(turns: int, seconds: float, as_json: bool) -> None:
    """Measure repeated matches of the built-in student, compared with one generate call per decision."""
    from dilemmas.agents.models.model_files import check_installed
    from dilemmas.experiments.benchmarks.model_matches import BARS, match_contenders

    check_installed()
    compete(match_contenders(), BARS, "llm", turns, seconds, as_json)


@command.command("training", short_help="LoRA training, in observations per second.")
@model_options
@race_options
def bench_training(size: str, device: str, dtype: str, turns: int, seconds: float, as_json: bool) -> None:
    """Measure LoRA training steps, compared with a plain loop of peft and with matrix products.

    The model is a Llama with random weights, so nothing is downloaded.
    """
    from dilemmas.experiments.benchmarks.training import BARS, training_contenders, training_work

    given = training_work(size, device, dtype)
    compete(training_contenders(given), BARS, "llm", turns, seconds, as_json, given.adapted.device.type != "cpu")


@command.command("servers", short_help="A model server, in decisions per second.")
@click.option(
    "--in-flight",
    type=click.IntRange(1, 1000),
    default=32,
    show_default=True,
    help="Requests at the same time.",
)
@race_options
def bench_servers(in_flight: int, turns: int, seconds: float, as_json: bool) -> None:
    """Measure decisions of a model behind a server, compared with a bare HTTP client.

    The server answers at once and is a process of its own: only the time of the client counts.
    """
    from dilemmas.experiments.benchmarks.servers import BARS, server_contenders, stub_server

    with stub_server() as url:
        compete(server_contenders(url, in_flight), BARS, "api", turns, seconds, as_json)
