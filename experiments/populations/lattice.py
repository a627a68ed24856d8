"""The population on a torus as a Mesa model: agents in the cells of a grid, and a data collector. Needs Mesa.

    python -m dilemmas.experiments.populations.lattice --table teacher.json --table student.json --out lattice

The decisions of a step are made by `dilemmas.experiments.populations.torus`, by one look-up for all agents.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.errors import InputError
from dilemmas.experiments.populations.torus import Curves, Torus, check_seed, load_tables, write_lattice

try:
    from mesa import DataCollector, Model  # type: ignore[import-untyped]
    from mesa.discrete_space import Cell, FixedAgent, OrthogonalMooreGrid  # type: ignore[import-untyped]
except ImportError:
    raise InputError("this model needs Mesa: pip install 'dilemmas[abm]'") from None


class LatticeAgent(FixedAgent):  # type: ignore[misc]
    """One agent in its cell."""

    def __init__(self, model: "Lattice", cell: Cell, row: int) -> None:
        super().__init__(model)
        self.cell = cell
        self.row = row
        """Index of the agent in the arrays of the model."""

    @property
    def cooperation(self) -> float:
        """How cooperative the agent was in the last step, in [0, 1]: the mean over its eight games."""
        return float(self.model.torus.rates[self.row])


class Lattice(Model):  # type: ignore[misc]
    """A torus of agents who all use one table.

    Parameters
    ----------
    table : PolicyTable
        Of a two-player game.
    size : int
        Side of the torus, 3 or more.
    seed : int
        0 or more.
    """

    def __init__(self, table: PolicyTable, size: int = 50, seed: int = 0) -> None:
        self.torus = Torus(table, size)
        super().__init__(rng=check_seed(seed))
        self.grid = OrthogonalMooreGrid((size, size), torus=True, capacity=1, random=self.random)
        cells = list(self.grid.all_cells)
        LatticeAgent.create_agents(self, len(cells), cells, list(range(len(cells))))
        self.datacollector = DataCollector(model_reporters={"cooperation": lambda model: model.torus.rates.mean()})

    def step(self) -> None:
        """Every two neighbours play one round."""
        self.torus.step(self.rng)
        self.datacollector.collect(self)


def run_model(table: PolicyTable, size: int, steps: int, seed: int) -> Lattice:
    """The model after a number of steps."""
    model = Lattice(table, size, seed)
    for _ in range(steps):
        model.step()
    return model


@click.command()
@click.option("--table", "files", type=Path, multiple=True, required=True, help="A policy table; may be repeated.")
@click.option("--size", type=click.IntRange(3), default=50, show_default=True, help="Side of the torus.")
@click.option("--steps", type=click.IntRange(1), default=100, show_default=True, help="Rounds between all neighbours.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the agents' decisions.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="lattice",
    show_default=True,
    help="Folder of lattice.csv and lattice.svg.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every step as JSON.")
def command(files: Sequence[Path], size: int, steps: int, seed: int, out: Path, as_json: bool) -> None:
    """Let populations of policy tables play on a lattice; write lattice.csv and lattice.svg."""
    models = {name: run_model(table, size, steps, seed) for name, table in load_tables(files).items()}
    curves: Curves = {name: np.array(model.datacollector.model_vars["cooperation"]) for name, model in models.items()}
    write_lattice(curves, out)
    if as_json:
        return click.echo(json.dumps({name: values.tolist() for name, values in curves.items()}))
    for name, values in curves.items():
        late = values[-max(1, steps // 4) :].mean()
        click.echo(f"{name}: cooperation {values[0]:.3f} in step 1, {late:.3f} in the last quarter")
    click.echo(f"{out / 'lattice.csv'} and lattice.svg", err=True)


if __name__ == "__main__":
    from dilemmas.experiments.commands.main import main

    main(command=command)
