"""`dilemmas tournament evolve`: population dynamics of the strategies of a tournament.

dilemmas tournament evolve runs/axelrod --dynamics ecological --svg shares.svg
dilemmas tournament evolve runs/axelrod --dynamics moran --players tit_for_tat,always_defect --start tit_for_tat=1
"""

from math import inf
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from dilemmas.agents.visible_text import visible
from dilemmas.envs.data_files import write_text
from dilemmas.envs.names import lookup
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.options import (
    SEED,
    Finite,
    Location,
    check_overwrite,
    degree_option,
    force_option,
    json_option,
    print_json,
)
from dilemmas.experiments.dynamics.fixation import FITNESS, GAMES, RULES
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, read_payoffs
from dilemmas.experiments.dynamics.summaries import DYNAMICS, DynamicsSummary, Settings
from dilemmas.experiments.reporting.charts import leading, lines
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.experiments.tournaments.settings import GRAPHS

WORDS = ("player", "resident", "stability", "invaded by")
"""Headings of columns with words, not numbers."""
NAMES = ("player", "resident")
"""Columns of names, which are not wrapped."""


@click.command(short_help="Compute how the strategies evolve in a population.")
@click.argument("folder", type=Location())
@click.option(
    "--dynamics",
    default="ecological",
    show_default=True,
    shell_complete=completion.dynamics,
    help=f"Population dynamics to compute: {', '.join(DYNAMICS)}.",
)
@click.option("--players", metavar="A,B,...", show_default="all", help="Only these players, comma-separated.")
@click.option(
    "--start",
    metavar="NAME=SHARE,...",
    show_default="equal shares",
    help="Initial shares from 0 to 1 (moran: NAME=COUNT,...); the other players have equal parts of the rest.",
)
@click.option(
    "--generations", type=click.IntRange(1, 10**9), show_default="100; 1000 with moran", help="Number of generations."
)
@click.option(
    "--mutation",
    type=Finite(0, 1000),
    show_default="0",
    help="ecological, moran: probability that an offspring has another strategy, up to 1; replicator: mutation rate.",
)
@click.option("--baseline", type=Finite(-1e9, 1e9), show_default="0", help="ecological: points added to every payoff.")
@click.option(
    "--revising",
    type=Finite(0, 1, min_open=True),
    show_default="0.1",
    help="best-response: share of players who revise their strategy per generation.",
)
@click.option(
    "--temperature",
    type=Finite(0, 1e9),
    show_default="0",
    help="best-response: temperature of the logit response; 0 is the best response.",
)
@click.option(
    "--population",
    type=click.IntRange(2, 1_000_000),
    show_default="100; 50 with alpha-rank",
    help="moran, invasion, alpha-rank: number of players.",
)
@click.option("--runs", type=click.IntRange(1, 1_000_000), show_default="100", help="moran: number of runs.")
@click.option("--seed", type=SEED, show_default="0", help="moran: seed of the runs.")
@click.option(
    "--graph",
    metavar="GRAPH",
    show_default="well-mixed",
    shell_complete=completion.graphs,
    help=f"moran: graph of the neighbours: {', '.join(GRAPHS)}.",
)
@degree_option("moran, with --graph")
@click.option("--rule", show_default=RULES[0], help=f"moran, invasion: update rule: {', '.join(RULES)}.")
@click.option(
    "--fitness",
    show_default=FITNESS[0],
    help=f"moran, invasion: fitness as a function of payoff: {', '.join(FITNESS)}.",
)
@click.option(
    "--games",
    show_default=GAMES[0],
    help="moran, invasion, with the rule death-birth: whether fitness comes from all games, or only from those with"
    f" players who survive: {', '.join(GAMES)}.",
)
@click.option("--intensity", type=Finite(0, 1e6), show_default="1", help="moran, invasion: intensity of selection.")
@click.option(
    "--alpha", type=Finite(0, inf), show_default="inf", help="alpha-rank: ranking intensity, up to 1e200, or inf."
)
@click.option("--svg", type=Location(dir_okay=False), help="Chart of the shares to write.")
@force_option("Overwrite the chart.")
@json_option
def command(
    folder: Path, dynamics: str, players: str | None, svg: Path | None, force: bool, as_json: bool, **options: Any
) -> None:
    """Compute how the strategies of the tournament in FOLDER evolve in a population, from their payoffs.

    Only two-player games are supported; in asymmetric ones, each player has each seat equally often.
    """
    run, _ = lookup("dynamics", dynamics, DYNAMICS)
    check_overwrite(svg, "--svg", force)
    settings = settled(dynamics, options)
    matrix = read_payoffs(folder, None if players is None else listed(players))
    with SafeConsole(stderr=True).status(Text(dynamics)):
        outcome = run(matrix, settings)
    if svg is not None:
        write_text(svg, dynamics_figure(dynamics, outcome))
    if as_json:
        return print_json({"dynamics": dynamics, **outcome.data})
    console = SafeConsole()
    console.print(table(outcome))
    for note in outcome.notes:
        console.print(Text(visible(note), style="dim"))


def settled(dynamics: str, given: Settings) -> Settings:
    """The options of the dynamics, with defaults; `DynamicsError` for an option that they do not have."""
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
