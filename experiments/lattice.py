"""A first model of a population: agents on a torus, each plays its eight neighbours with a policy table. Needs Mesa.

    python -m understudy.experiments.lattice --table teacher.json --table student.json --out lattice

A Mesa model as any other, with agents in the cells of a grid and a data collector; only the decisions of a step are
taken for all at once, by one look-up. Every agent remembers the last rounds with each neighbour separately, and
nobody moves, learns or is replaced: what is seen is what the tables do, not what evolution makes of them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np
from mesa import DataCollector, Model
from mesa.discrete_space import FixedAgent, OrthogonalMooreGrid
from numpy.typing import NDArray

from understudy.agents.policy_table import PolicyTable
from understudy.envs.errors import InputError


class LatticeError(InputError):
    """A population that cannot be set up; the message names the value and the way out."""


class Player(FixedAgent):
    """One agent in its cell."""

    def __init__(self, model: "Lattice", cell: Cell) -> None:
        super().__init__(model)
        self.cell = cell

    @property
    def cooperation(self) -> float:
        """How cooperative the agent was in the last step, from 0 to 1: the mean over its games."""
        return float(self.cell.cooperation)


class Lattice(Model):
    """A size x size torus of players that all use one table."""

    def __init__(self, table: PolicyTable, size: int, seed: int) -> None:
        """`table` of a game for two, `size` of 3 or more, `seed` of 0 or more; `LatticeError` otherwise."""
        _check(table, size, seed)
        super().__init__(rng=seed)
        self.table = table
        self.grid = OrthogonalMooreGrid((size, size), torus=True, capacity=1, random=self.random)
        self.grid.create_property_layer("cooperation", default_value=1.0, dtype=float)
        cells = list(self.grid.all_cells)
        Player.create_agents(self, len(cells), cell=cells)
        directions = list(cells[0].connections)  # the eight (row, column) offsets
        place = {cell: i for i, cell in enumerate(cells)}
        self.neighbours = np.array([[place[cell.connections[d]] for d in directions] for cell in cells])  # (agents, 8)
        self.opposite = np.array([directions.index((-row, -column)) for row, column in directions])  # (8,)
        self.known = table.start(self.neighbours.shape)  # (agents, 8): what each has seen of each neighbour
        self.degree = np.array([table.game.cooperation(action) for action in range(table.game.n_actions)])
        self.datacollector = DataCollector(model_reporters={"cooperation": Lattice.cooperation})

    def step(self) -> None:
        """Every pair of neighbours plays one round."""
        own = self.table.act(self.known, self.rng)  # (agents, 8)
        theirs = own[self.neighbours, self.opposite]  # what the neighbour did towards the agent
        self.known = self.table.after(self.known, own, theirs)
        rates = self.degree[own].mean(axis=1)
        self.grid.cooperation.set_cells(rates.reshape(self.grid.dimensions))
        self.datacollector.collect(self)

    def cooperation(self) -> float:
        """Mean cooperation of all agents in the last step, from 0 to 1."""
        return float(self.grid.cooperation.data.mean())
