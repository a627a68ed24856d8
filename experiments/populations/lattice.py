"""A first model of a population: agents on a torus play their eight neighbours by a policy table. Needs Mesa.

    python -m dilemmas.experiments.populations.lattice --table teacher.json --table student.json --out lattice

It is a Mesa model as any other, with agents in the cells of a grid and a data collector; only the decisions
of a step are taken at once, by one look-up for all. An agent remembers the last rounds with each neighbour apart.
Nobody moves, learns or is replaced: what is seen is what a table does to itself, not what evolution makes of it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.data_files import write_text
from dilemmas.envs.errors import InputError
from dilemmas.experiments.reporting.charts import lines
from dilemmas.experiments.reporting.csv_text import csv_text

try:
    from mesa import DataCollector, Model  # type: ignore[import-untyped]
    from mesa.discrete_space import Cell, FixedAgent, OrthogonalMooreGrid  # type: ignore[import-untyped]
except ImportError:
    raise InputError("populations need Mesa: pip install 'dilemmas[abm]'") from None


Curves = dict[str, NDArray[np.float64]]
"""Mean cooperation in every step, from 0 to 1, shape (steps,), by the name of the table."""


class LatticeError(InputError):
    """A population that cannot be set up; the message names the value and the way out."""


class Player(FixedAgent):  # type: ignore[misc]
    """One agent in its cell."""

    def __init__(self, model: "Lattice", cell: Cell, row: int) -> None:
        super().__init__(model)
        self.cell = cell
        self.row = row
        """Place of the agent in the arrays of the model."""

    @property
    def cooperation(self) -> float:
        """How cooperative the agent was in the last step, from 0 to 1: the mean over its eight games."""
        return float(self.model.rates[self.row])


class Lattice(Model):  # type: ignore[misc]
    """A torus of players who all use one table."""

    def __init__(self, table: PolicyTable, size: int = 50, seed: int = 0) -> None:
        """`table`: of a game for two; `size`: side of the torus, 3 or more; `seed`: 0 or more."""
        if table.game.n_players != 2:
            players = f"{table.game.name} is a game of {table.game.n_players} players"
            raise LatticeError(f"{table.name}: {players}; neighbours on the lattice play in pairs")
        if size < 3 or seed < 0:
            raise LatticeError(f"size = {size}, seed = {seed}; needs a size from 3 up and a seed from 0 up")
        super().__init__(rng=seed)
        self.table = table
        self.grid = OrthogonalMooreGrid((size, size), torus=True, capacity=1, random=self.random)
        cells = list(self.grid.all_cells)
        Player.create_agents(self, len(cells), cells, list(range(len(cells))))
        self._connect(cells)
        self.known = table.start(self.neighbours.shape)  # (agents, 8): what happened with each neighbour
        self.rates = np.zeros(len(cells))  # (agents,)
        self.degrees = np.array([table.game.cooperation(action) for action in range(table.game.n_actions)])
        self.datacollector = DataCollector(model_reporters={"cooperation": lambda model: model.rates.mean()})

    def _connect(self, cells: Sequence[Cell]) -> None:
        """The edges of the grid as arrays: `neighbours` (agents, 8), and `back` (8,), the directions back."""
        directions = list(cells[0].connections)  # the eight (row, column) offsets
        place = {cell: i for i, cell in enumerate(cells)}
        self.neighbours = np.array([[place[cell.connections[d]] for d in directions] for cell in cells])
        self.back = np.array([directions.index((-row, -column)) for row, column in directions])

    def step(self) -> None:
        """Every two neighbours play one round."""
        own = self.table.act(self.known, self.rng)  # (agents, 8)
        theirs = own[self.neighbours, self.back]
        self.known = self.table.after(self.known, own, theirs)
        self.rates = self.degrees[own].mean(axis=1)
        self.datacollector.collect(self)


def run_lattice(tables: Mapping[str, PolicyTable], size: int, steps: int, seed: int) -> Curves:
    """Let one population per table play `steps` steps.

    All populations get the same random numbers, so a curve depends on its table, the size and the seed alone.
    """
    curves = {}
    for name, table in tables.items():
        model = Lattice(table, size, seed)
        for _ in range(steps):
            model.step()
        curves[name] = np.array(model.datacollector.model_vars["cooperation"])
    return curves


def as_csv(curves: Curves) -> str:
    """A line per step, counted from 1, and a column per table."""
    steps = enumerate(zip(*curves.values(), strict=True), start=1)
    return csv_text(["step", *curves], ([step, *map(float, values)] for step, values in steps))


def write_lattice(curves: Curves, folder: Path) -> None:
    """Write the curves as lattice.csv and lattice.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "lattice.csv", as_csv(curves))
    panel = {"every agent plays its eight neighbours": {name: values.tolist() for name, values in curves.items()}}
    figure = lines("Cooperation on a lattice", "Mean cooperation in every step.", panel, x_title="step")
    write_text(folder / "lattice.svg", figure)


def load_tables(files: Sequence[Path]) -> dict[str, PolicyTable]:
    """Tables by the name of their file, which has to be different for each."""
    tables = {file.stem: PolicyTable.load(file) for file in files}
    if len(tables) < len(files):
        raise LatticeError(f"two tables have one name among {', '.join(map(str, files))}; rename a file")
    return tables


@click.command()
@click.option("--table", "files", type=Path, multiple=True, required=True, help="A policy table; may be repeated.")
@click.option("--size", type=click.IntRange(3), default=50, show_default=True, help="Side of the torus.")
@click.option("--steps", type=click.IntRange(1), default=100, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="lattice", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print every step as JSON.")
def command(files: Sequence[Path], size: int, steps: int, seed: int, out: Path, as_json: bool) -> None:
    """Let populations of policy tables play on a lattice; write lattice.csv and lattice.svg."""
    curves = run_lattice(load_tables(files), size, steps, seed)
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
