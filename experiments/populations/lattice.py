"""The population on a torus as a Mesa model: agents in the cells of a grid, and a data collector. Needs Mesa.

``dilemmas lattice`` runs it.
The decisions of a step are made by `dilemmas.experiments.populations.torus`, by one look-up for all agents.
"""

from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.errors import InputError
from dilemmas.experiments.populations.torus import Torus, check_seed

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
    """Run the model for a number of steps and return it."""
    model = Lattice(table, size, seed)
    for _ in range(steps):
        model.step()
    return model
