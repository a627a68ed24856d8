"""`dilemmas tournament evolve`: population dynamics of the strategies of a tournament.

dilemmas tournament evolve runs/axelrod --dynamics ecological --svg shares.svg
dilemmas tournament evolve runs/axelrod --dynamics moran --players tit_for_tat,always_defect --start tit_for_tat=1
"""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dilemmas.envs.data_files import write_text
from dilemmas.envs.names import lookup
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.options import check_overwrite, force_option, json_option, print_json
from dilemmas.experiments.dynamics.fixation import FITNESS, RULES
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, read_payoffs
from dilemmas.experiments.dynamics.summaries import DYNAMICS, DynamicsSummary, Settings
from dilemmas.experiments.reporting.charts import leading, lines
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import visible

WORDS = ("player", "resident", "stability", "invaded by")
"""Headings of columns with words, not numbers."""
NAMES = ("player", "resident")
"""Those that are kept on one line."""


@click.command(short_help="Compute what becomes of the strategies in a population.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--dynamics",
    default="ecological",
    show_default=True,
    shell_complete=completion.dynamics,
    help=f"Dynamics: {', '.join(DYNAMICS)}.",
)
@click.option("--players", help="Only these players, comma-separated.  [default: all]")
@click.option(
    "--start",
    help="Initial state, NAME=SHARE,... (moran: NAME=COUNT,...); the others share the rest.  [default: equal shares]",
)
@click.option("--generations", type=click.IntRange(1), help="Number of generations.  [default: 100; 1000 with moran]")
@click.option("--mutation", type=float, help="Probability that a child has another strategy.  [default: 0]")
@click.option("--baseline", type=float, help="ecological: points added to every payoff.  [default: 0]")
@click.option("--revising", type=float, help="best-response: share that revises per generation.  [default: 0.1]")
@click.option("--temperature", type=float, help="best-response: logit response above 0.  [default: 0]")
@click.option("--population", type=int, help="moran, invasion, alpha-rank: size.  [default: 100, 100, 50]")
@click.option("--runs", type=int, help="moran: number of runs.  [default: 100]")
@click.option("--seed", type=click.IntRange(0), help="moran: seed of the runs.  [default: 0]")
@click.option("--graph", help="moran: graph of the neighbours: ring, lattice, small_world.  [default: well-mixed]")
@click.option("--rule", help=f"moran, invasion: update rule: {', '.join(RULES)}.  [default: {RULES[0]}]")
@click.option("--fitness", help=f"moran, invasion: fitness: {', '.join(FITNESS)}.  [default: {FITNESS[0]}]")
@click.option("--intensity", type=float, help="moran, invasion: intensity of selection, 0 or more.  [default: 1]")
@click.option("--alpha", type=float, help="alpha-rank: intensity of ranking, 0 or more.  [default: inf]")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="File for a chart of the shares.")
@force_option("Overwrite the chart.")
@json_option
def command(
    folder: Path, dynamics: str, players: str | None, svg: Path | None, force: bool, as_json: bool, **options: Any
) -> None:
    """Compute how the strategies of the tournament in FOLDER spread in a population, by their payoffs.

    In games with different seats, each player takes every seat equally often.
    """
    run, _ = lookup("dynamics", dynamics, DYNAMICS)
    check_overwrite(svg, "--svg", force)
    settings = settled(dynamics, options)
    matrix = read_payoffs(folder, listed(players) if players else None)
    with Console(stderr=True).status(Text(dynamics)):
        outcome = run(matrix, settings)
    if svg is not None:
        write_text(svg, dynamics_figure(dynamics, outcome))
    if as_json:
        return print_json({"dynamics": dynamics, **outcome.data})
    console = Console()
    console.print(table(outcome))
    for note in outcome.notes:
        console.print(Text(visible(note), style="dim"))


def settled(dynamics: str, given: Settings) -> Settings:
    """The options of some dynamics, with defaults; `DynamicsError` for an option that they do not have."""
    _, used = DYNAMICS[dynamics]
    for option, value in given.items():
        if value is not None and option not in used:
            others = [name for name, (_, known) in DYNAMICS.items() if option in known]
            raise DynamicsError(f"--{option} {value}: not an option of {dynamics}, but of {', '.join(others)}")
    return {**used, **{option: value for option, value in given.items() if value is not None}}


def table(outcome: DynamicsSummary) -> Table:
    """The rows for the terminal; names are text, never markup."""
    columns = [
        word_column(title, title in NAMES) if title in WORDS else number_column(title) for title in outcome.headings
    ]
    return terminal_table(columns, outcome.rows)


def dynamics_figure(dynamics: str, outcome: DynamicsSummary) -> str:
    """A line chart of the shares over time."""
    if not outcome.series:
        raise DynamicsError(f"--svg: {dynamics} has no shares over time")
    panel = {"share of each strategy": leading(outcome.series)}
    return lines(f"Strategies in a population: {dynamics}", "Shares from 0 to 1.", panel, outcome.unit, first=0)
