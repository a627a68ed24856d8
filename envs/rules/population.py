"""A population: many players, each of whom plays a game for two with its neighbours or with random partners.

Each player takes one action a round, which meets the actions of all its neighbours on a graph (Nowak & May 1992, Nature
359:826) or that of one random partner (Kandori 1992, Review of Economic Studies 59:63).
"""

from dataclasses import dataclass
from functools import cached_property
from math import isqrt

from dilemmas.envs.checks import MOST_PLAYERS, whole_number
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.networks import Edges, as_edges, lattice, neighbours

PAYOFFS = ("mean", "sum")
"""How the payoffs of a player's games are combined."""


@dataclass(frozen=True)
class Population:
    """Who plays with whom, as part of the rules of a match (`Repeated.population`).

    Raises
    ------
    GameError
        Where the size is out of range, an edge names no player, or a player has no neighbour.
    """

    size: int = 9
    """Number of players, 2 or more."""
    edges: Edges | None = None
    """Pairs of neighbours. None: random pairs in each round; one player sits out where the number is odd."""
    payoff: str = "mean"
    """Whether a player gets the ``mean`` or the ``sum`` of its payoffs in a round; 0 if it met no one."""

    def __post_init__(self) -> None:
        lookup("payoff", self.payoff, dict.fromkeys(PAYOFFS), place="population")
        object.__setattr__(self, "size", whole_number(self.size, "population: size", 2, MOST_PLAYERS))
        if self.edges is not None:
            object.__setattr__(self, "edges", as_edges(self.edges, self.size))

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """The players whom each player meets in every round; empty tuples where pairs are random."""
        return neighbours(self.edges or (), self.size)

    @cached_property
    def side(self) -> int:
        """Number of players in a row of the square lattice; 0 where the graph is no lattice."""
        side = isqrt(self.size)
        square = side >= 3 and side * side == self.size
        return side if square and any(self.edges == lattice(self.size, degree) for degree in (4, 8)) else 0

    def company(self, player: int) -> int:
        """Number of players who meet in a round from the view of one player, who is included."""
        return 2 if self.edges is None else 1 + len(self.neighbours[player])
