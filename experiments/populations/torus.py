"""A population on a torus: every agent plays its eight neighbours by a policy table. Plain numpy.

All agents use the same table. An agent remembers the last rounds with each neighbour separately. Agents do not move,
learn or reproduce: the curves show the play of a table against itself, without evolution.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.agents.tables.table_file import load_table, table_path
from dilemmas.envs.checks import check_numbers, whole_number
from dilemmas.envs.data_files import write_text
from dilemmas.envs.errors import InputError
from dilemmas.envs.validation import Count
from dilemmas.experiments.reporting.charts import lines
from dilemmas.experiments.reporting.csv_text import csv_text

DIRECTIONS = tuple(offset for offset in product((-1, 0, 1), repeat=2) if offset != (0, 0))
"""(row, column) offsets of the neighbours: the Moore neighbourhood."""
BACK = np.array([DIRECTIONS.index((-row, -column)) for row, column in DIRECTIONS])
"""Index of the opposite direction, by direction."""

LARGEST = 10_000
"""Largest side of a torus: its hundred million agents take 50 gigabytes."""

Curves = dict[str, NDArray[np.float64]]
"""Mean cooperation in every step, in [0, 1], shape (steps,), by the name of the table."""


@dataclass(frozen=True, slots=True)
class LatticeSettings:
    """The lattice on which the compiled policy tables play."""

    game: str = "prisoners_dilemma"
    """A symmetric two-player game with two actions."""
    context: str = "team"
    """Context of the policy tables."""
    size: Count = 50
    """Side of the lattice, which has size x size agents."""
    steps: Count = 100
    """Rounds between all neighbours."""

    def __post_init__(self) -> None:
        check_numbers(self, "size", 3)
        check_numbers(self, "steps", 1)


class LatticeError(InputError):
    """A population that cannot be set up; the message names the value and the remedy."""


class Torus:
    """A torus of players who all use one table.

    Parameters
    ----------
    table : PolicyTable
        Of a two-player game.
    size : int
        Side of the torus, from 3 to `LARGEST`; there are size x size agents, numbered row by row.

    Raises
    ------
    LatticeError
        For a table of a game for more players, anything else than a table, or another size.
    """

    def __init__(self, table: PolicyTable, size: int = 50) -> None:
        if not isinstance(table, PolicyTable):
            raise LatticeError(f"table = {table!r:.60}; needs a PolicyTable, as `load_table` returns it")
        if table.game.n_players != 2:
            players = f"{table.game.name} is a game of {table.game.n_players} players"
            raise LatticeError(f"{table.name}: {players}; neighbours on the lattice play in pairs")
        self.table = table
        self.neighbours = moore_neighbours(size)
        self.known = table.start(self.neighbours.shape)  # (agents, 8): history with each neighbour
        self.rates = np.zeros(len(self.neighbours))
        """Cooperation of each agent in the last step, in [0, 1]: the mean over its eight games, shape (agents,)."""
        self._degrees = np.array([table.game.cooperation(action) for action in range(table.game.n_actions)])

    def step(self, rng: np.random.Generator) -> None:
        """Every two neighbours play one round."""
        own = self.table.act(self.known, rng)  # (agents, 8)
        theirs = own[self.neighbours, BACK]
        self.known = self.table.after(self.known, own, theirs)
        self.rates = self._degrees[own].mean(axis=1)


def moore_neighbours(size: int) -> NDArray[np.intp]:
    """Indices of the neighbours of every cell of a torus in each of `DIRECTIONS`, shape (size * size, 8).

    `size`: from 3, so that no two neighbours are the same cell, to `LARGEST`; otherwise `LatticeError`.
    """
    whole_number(size, "size", 3, LARGEST, LatticeError)
    row, column = np.divmod(np.arange(size * size), size)
    places = [(row + down) % size * size + (column + right) % size for down, right in DIRECTIONS]
    return np.stack(places, axis=1)


def run_lattice(tables: Mapping[str, PolicyTable], size: int, steps: int, seed: int) -> Curves:
    """One population per table, each for `steps` steps.

    All populations use the same random numbers, so a curve depends only on its table, the size and the seed.
    """
    return {name: _curve(Torus(table, size), steps, seed) for name, table in tables.items()}


def _curve(torus: Torus, steps: int, seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(check_seed(seed))
    rates = np.empty(whole_number(steps, "steps", 1, error=LatticeError))
    for step in range(steps):
        torus.step(rng)
        rates[step] = torus.rates.mean()
    return rates


def check_seed(seed: int) -> int:
    """Return the seed; `LatticeError` if it is not a whole number of at least 0."""
    return whole_number(seed, "seed", 0, error=LatticeError)


def curves_csv(curves: Curves) -> str:
    """One line per step, counted from 1, and one column per table."""
    steps = enumerate(zip(*(values.tolist() for values in curves.values()), strict=True), start=1)
    return csv_text(["step", *curves], ([step, *values] for step, values in steps))


LATTICE_FILES = ("lattice.csv", "lattice.svg")


def write_lattice(curves: Curves, folder: Path) -> None:
    """Write the curves as lattice.csv and lattice.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    table, chart = (folder / name for name in LATTICE_FILES)
    write_text(table, curves_csv(curves))
    panel = {"every agent plays its eight neighbours": {name: values.tolist() for name, values in curves.items()}}
    figure = lines("Cooperation on a lattice", "Mean cooperation in every step.", panel, x_title="step")
    write_text(chart, figure)


def load_tables(files: Sequence[Path]) -> dict[str, PolicyTable]:
    """Policy tables by the name of their file, which must be different for each."""
    paths = [Path(table_path(str(file))) for file in files]
    tables = {path.stem: load_table(path) for path in paths}
    if len(tables) < len(files):
        raise LatticeError(f"two tables have the same name among {', '.join(map(str, files))}; rename a file")
    return tables
