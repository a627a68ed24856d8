"""`dilemmas lattice`: populations of policy tables on a torus, as a Mesa model."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from dilemmas.envs.checks import check_memory
from dilemmas.envs.locks import locked_folder
from dilemmas.experiments.commands.options import Location, json_option, print_json, seed_option
from dilemmas.experiments.reporting.cost import check_duration
from dilemmas.experiments.reporting.terminal_text import echo


@click.command()
@click.option(
    "--table",
    "files",
    type=Location(),
    multiple=True,
    required=True,
    metavar="FILE",
    help="Policy table, as written by `dilemmas compile`; repeatable.",
)
@click.option(
    "--size",
    type=click.IntRange(3, 10_000),
    default=50,
    show_default=True,
    help="Number of rows and columns of the torus.",
)
@click.option(
    "--steps",
    type=click.IntRange(1, 10**9),
    default=100,
    show_default=True,
    help="Number of steps, in which all neighbours play one round.",
)
@seed_option("the agents' decisions")
@click.option(
    "--out",
    type=Location(file_okay=False),
    default="lattice",
    show_default=True,
    help="Folder to write lattice.csv and lattice.svg to.",
)
@json_option
def command(files: Sequence[Path], size: int, steps: int, seed: int, out: Path, as_json: bool) -> None:
    """Play populations of policy tables on a square lattice with periodic boundaries, one population per table.

    Writes the cooperation rates to lattice.csv and lattice.svg.
    """
    from dilemmas.experiments.populations.lattice import run_model
    from dilemmas.experiments.populations.torus import Curves, load_tables, write_lattice

    tables = load_tables(files)
    what = f"{len(tables)} lattices of {size} x {size} players"
    check_memory(what, 500.0 * size * size, "take a smaller --size")
    check_duration(
        f"{what} and {steps:,} steps", len(tables) * steps * (1e-4 + 5e-7 * size * size), "take fewer --steps"
    )
    curves: Curves = {}
    with locked_folder(out):
        for name, table in tables.items():
            model = run_model(table, size, steps, seed)
            curves[name] = np.array(model.datacollector.model_vars["cooperation"])
        write_lattice(curves, out)
    if as_json:
        return print_json({name: values.tolist() for name, values in curves.items()})
    for name, values in curves.items():
        late = values[-max(1, steps // 4) :].mean()
        echo(f"{name}: cooperation {values[0]:.3f} in step 1, {late:.3f} in the last quarter")
    echo(f"{out / 'lattice.csv'} and lattice.svg", err=True)
