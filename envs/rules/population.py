"""A population: many players, each of whom plays a two-player game with its neighbours or with random partners.

Each player takes one action per round, which is matched with the actions of all its neighbours on a graph (Nowak & May
1992, Nature 359:826) or with that of one random partner (Kandori 1992, Review of Economic Studies 59:63).
"""

from dataclasses import dataclass
from functools import cached_property
from math import isqrt

from dilemmas.envs.checks import MOST_PLAYERS, whole_number
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.networks import Edges, as_edges, lattice, neighbours

PAYOFFS = ("mean", "sum")
"""Ways to combine the payoffs that a player gets from its neighbours or partner in a round."""


@dataclass(frozen=True)
class Population:
    """The interaction structure of a population, as part of the rules of a match (`Repeated.population`).

    Raises
    ------
    GameError
        If the size is out of range, an edge contains an index that is not a player, or a player has no neighbour.
    """

    size: int = 9
    """Number of players, from 2 to `MOST_PLAYERS`."""
    edges: Edges | None = None
    """Pairs of neighbours. None: random pairs in each round; if `size` is odd, one player has no partner."""
    payoff: str = "mean"
    """Whether a player gets the ``mean`` or the ``sum`` of its payoffs in a round; 0 without a partner."""

    def __post_init__(self) -> None:
        lookup("payoff", self.payoff, dict.fromkeys(PAYOFFS), place="population")
        object.__setattr__(self, "size", whole_number(self.size, "population: size", 2, MOST_PLAYERS))
        if self.edges is not None:
            object.__setattr__(self, "edges", as_edges(self.edges, self.size))

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """The neighbours of each player; empty tuples if pairs are random."""
        return neighbours(self.edges or (), self.size)

    @cached_property
    def side(self) -> int:
        """Side of the square lattice, in players; 0 if the graph is not a lattice."""
        side = isqrt(self.size)
        square = side >= 3 and side * side == self.size
        return side if square and any(self.edges == lattice(self.size, degree) for degree in (4, 8)) else 0

    def company(self, player: int) -> int:
        """Number of players whom one player interacts with in a round, including itself."""
        return 2 if self.edges is None else 1 + len(self.neighbours[player])
