"""The population on a torus as a Mesa model: agents in the cells of a grid, and a data collector. Needs Mesa.

``dilemmas lattice`` runs it.
The decisions of a step are made by `dilemmas.experiments.populations.torus`, by one look-up for all agents.
"""

from functools import cached_property
from typing import Any

import numpy as np

from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.checks import whole_number
from dilemmas.envs.errors import InputError
from dilemmas.experiments.populations.torus import LatticeError, Torus, check_seed

try:
    from mesa import DataCollector, Model  # type: ignore[import-untyped]
    from mesa.discrete_space import Cell, FixedAgent, OrthogonalMooreGrid  # type: ignore[import-untyped]
except ImportError:
    raise InputError('this model needs Mesa: pip install "dilemmas[abm]"') from None


class LatticeAgent(FixedAgent):  # type: ignore[misc]
    """One agent in its cell."""

    def __init__(self, model: "Lattice", cell: Cell, row: int) -> None:
        super().__init__(model)
        self.cell = cell
        self.row = row
        """Index of the agent in the arrays of the model."""

    @property
    def cooperation(self) -> float:
        """Cooperation of the agent in the last step, in [0, 1]: the mean over its eight games."""
        return float(self.model.torus.rates[self.row])


def mean_cooperation(model: "Lattice") -> float:
    """Cooperation in the last step, in [0, 1]: the mean over all agents."""
    return float(model.torus.rates.mean())


MOST_RNG = 2**128 - 1
"""Largest seed of Mesa, which are of the size of NumPy's."""


class Lattice(Model):  # type: ignore[misc]
    """A torus of agents who all use one table.

    The arrays of `torus` have the state of all agents. Cells and agents, as Mesa has them, are created when `grid` or
    `agents` is first asked for: for a million agents they take half a minute and two gigabytes, the arrays a second.

    Parameters
    ----------
    table : PolicyTable
        Of a two-player game.
    size : int
        Side of the torus, from 3 to `LARGEST`.
    seed : int
        0 or more; None for `rng`.
    rng : int or numpy.random.Generator
        Seed or generator of random numbers, as in Mesa's models, whose `batch_run` passes one of the two. None for
        both: every run is another one.

    Raises
    ------
    LatticeError
        If `seed` or `rng` is negative or of another type, or both are specified; and as `Torus`.
    """

    def __init__(self, table: PolicyTable, size: int = 50, seed: int | None = None, rng: Any = None) -> None:
        if seed is not None and rng is not None:
            raise LatticeError(f"seed = {seed!r}, rng = {rng!r}; give one of them")
        self.torus = Torus(table, size)
        if not (rng is None or isinstance(rng, np.random.Generator)):
            rng = whole_number(rng, "rng", 0, MOST_RNG, LatticeError)
        super().__init__(rng=rng if seed is None else check_seed(seed))
        self.size = size
        self.datacollector = DataCollector(model_reporters={"cooperation": mean_cooperation})

    @cached_property
    def grid(self) -> OrthogonalMooreGrid:
        """The cells, each with its agent."""
        grid = OrthogonalMooreGrid((self.size, self.size), torus=True, capacity=1, random=self.random)
        cells = list(grid.all_cells)
        LatticeAgent.create_agents(self, len(cells), cells, list(range(len(cells))))
        return grid

    @property
    def agents(self) -> Any:
        """All agents, in the order of the arrays of the model."""
        self.grid  # noqa: B018  # the agents are created with their cells
        return super().agents

    def step(self) -> None:
        """Every two neighbours play one round."""
        self.torus.step(self.rng)
        self.datacollector.collect(self)


def run_model(table: PolicyTable, size: int, steps: int, seed: int) -> Lattice:
    """Run the model for a number of steps and return it."""
    model = Lattice(table, size, seed)
    for _ in range(steps):
        model.step()
    return model
