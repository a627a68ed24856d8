"""`dilemmas tournament evolve`: what becomes of the strategies of a tournament in a population.

dilemmas tournament evolve runs/axelrod --dynamics ecological --svg shares.svg
dilemmas tournament evolve runs/axelrod --dynamics moran --players tit_for_tat,always_defect --start tit_for_tat=1
"""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dilemmas.envs.data_files import write_text
from dilemmas.envs.names import lookup
from dilemmas.experiments.dynamics.fixation import FITNESS, RULES
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, read_payoffs
from dilemmas.experiments.dynamics.summaries import DYNAMICS, DynamicsSummary, Settings
from dilemmas.experiments.reporting.charts import leading, lines
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import visible

WORDS = ("player", "resident", "stability", "invaded by")
"""Headings of columns that hold words, not numbers."""
NAMES = ("player", "resident")
"""Those that are kept in one line."""


@click.command(short_help="What becomes of the strategies in a population.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dynamics", default="ecological", show_default=True, help=f"{', '.join(DYNAMICS)}.")
@click.option("--players", help="Only these, with commas.")
@click.option("--start", help="NAME=SHARE,... at first, or players with moran; the others have the rest evenly.")
@click.option("--generations", type=click.IntRange(1), help="How long.  [default: 100; 1000 with moran]")
@click.option("--mutation", type=float, help="Chance that a child takes to another strategy.  [default: 0]")
@click.option("--baseline", type=float, help="ecological: points that everybody has besides.  [default: 0]")
@click.option("--revising", type=float, help="best-response: share that looks around at a time.  [default: 0.1]")
@click.option("--temperature", type=float, help="best-response: above 0 it is logit.  [default: 0]")
@click.option("--population", type=int, help="moran, invasion, alpha-rank: players.  [default: 100, 100, 50]")
@click.option("--runs", type=int, help="moran: runs.  [default: 100]")
@click.option("--seed", type=click.IntRange(0), help="moran: seeds the runs.  [default: 0]")
@click.option("--graph", help="moran: neighbours on a ring, lattice or small_world.")
@click.option("--rule", help=f"moran, invasion: {' or '.join(RULES)}.  [default: {RULES[0]}]")
@click.option("--fitness", help=f"moran, invasion: {' or '.join(FITNESS)}.  [default: {FITNESS[0]}]")
@click.option("--intensity", type=float, help="moran, invasion: of selection.  [default: 1]")
@click.option("--alpha", type=float, help="alpha-rank: ranking intensity.  [default: inf]")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw the shares over time.")
@click.option("--force", is_flag=True, help="Overwrite the drawing.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def command(
    folder: Path, dynamics: str, players: str | None, svg: Path | None, force: bool, as_json: bool, **options: Any
) -> None:
    """What becomes of the strategies of a tournament, kept in FOLDER, when the successful ones spread.

    Where the seats of a game are unlike, everybody takes either seat as often.
    """
    run, _ = lookup("dynamics", dynamics, DYNAMICS)
    if svg is not None and svg.exists() and not force:
        raise DynamicsError(f"{svg} is there; choose another --svg, or --force to overwrite it")
    settings = settled(dynamics, options)
    matrix = read_payoffs(folder, listed(players) if players else None)
    with Console(stderr=True).status(Text(dynamics)):
        outcome = run(matrix, settings)
    if svg is not None:
        write_text(svg, drawn(dynamics, outcome))
    if as_json:
        return click.echo(json.dumps({"dynamics": dynamics, **outcome.data}, ensure_ascii=False, allow_nan=False))
    console = Console()
    console.print(table(outcome))
    for note in outcome.notes:
        console.print(Text(visible(note), style="dim"))


def settled(dynamics: str, given: Settings) -> Settings:
    """The options that some dynamics have a use for, with defaults; `DynamicsError` for others that are given."""
    _, used = DYNAMICS[dynamics]
    for option, value in given.items():
        if value is not None and option not in used:
            others = [name for name, (_, known) in DYNAMICS.items() if option in known]
            raise DynamicsError(f"--{option} = {value}: {dynamics} has no use for it; it is for {', '.join(others)}")
    return {**used, **{option: value for option, value in given.items() if value is not None}}


def table(outcome: DynamicsSummary) -> Table:
    """The rows for the terminal; names are text, never markup."""
    columns = [
        word_column(title, title in NAMES) if title in WORDS else number_column(title) for title in outcome.headings
    ]
    return terminal_table(columns, outcome.rows)


def drawn(dynamics: str, outcome: DynamicsSummary) -> str:
    """A line chart of the shares over time."""
    if not outcome.series:
        raise DynamicsError(f"--svg: {dynamics} has no shares over time to draw")
    panel = {"share of each strategy": leading(outcome.series)}
    return lines(f"Strategies in a population: {dynamics}", "Shares from 0 to 1.", panel, outcome.unit, first=0)
