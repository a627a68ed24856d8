"""Interaction graphs of populations: rings, lattices, small worlds, and any list of edges."""

from collections.abc import Iterable
from math import isqrt
from numbers import Integral
from typing import Any

import numpy as np

from dilemmas.envs.checks import MOST_PLAYERS, GameError, probability, whole_number
from dilemmas.envs.names import lookup

Edges = tuple[tuple[int, int], ...]
"""Pairs of neighbours, each listed once with the smaller index first, sorted."""


def ring(n: int, degree: int) -> Edges:
    """A ring: each player is connected to the ``degree / 2`` nearest players on both sides.

    Parameters
    ----------
    n
        Number of players.
    degree
        Number of neighbours of each player, an even number from 2 to n - 1.

    Raises
    ------
    GameError
        If there are fewer than 3 players, or `degree` is not such a number.
    """
    if n < 3:
        raise GameError(f"n_players = {n}; a ring or small world needs at least 3 players")
    if not isinstance(degree, Integral) or degree % 2 or not 2 <= degree < n:
        most = (n - 1) // 2 * 2
        raise GameError(f"degree = {degree!r}; a ring or small world of {n} needs an even number from 2 to {most}")
    return as_edges(((i, (i + step) % n) for i in range(n) for step in range(1, degree // 2 + 1)), n)


def lattice(n: int, degree: int) -> Edges:
    """A square lattice with periodic borders (a torus).

    Parameters
    ----------
    n
        Number of players, a square number of at least 9.
    degree
        Number of neighbours of each player: 4 (von Neumann) or 8 (Moore).

    Raises
    ------
    GameError
        If there is no such lattice.
    """
    side = isqrt(n)
    if side * side != n or side < 3:
        raise GameError(f"n_players = {n}; a lattice needs the square of a whole number of at least 3")
    if not (isinstance(degree, Integral) and degree in (4, 8)):
        raise GameError(f"degree = {degree!r}; a lattice has 4 or 8 neighbours")
    steps = [(0, 1), (1, 0), (1, 1), (1, -1)][: degree // 2]
    places = ((row, column) for row in range(side) for column in range(side))
    return as_edges(
        (
            (row * side + column, (row + down) % side * side + (column + right) % side)
            for row, column in places
            for down, right in steps
        ),
        n,
    )


def small_world(n: int, degree: int, rewiring: float, seed: int) -> Edges:
    """A ring with randomly rewired edges (Watts & Strogatz 1998, Nature 393:440).

    Parameters
    ----------
    n, degree
        Number of players and of neighbours, as in `ring`.
    rewiring
        Probability, in [0, 1], that an edge is replaced by one from the same player to a random other player.
    seed
        Seed of the random generator, 0 or more.

    Raises
    ------
    GameError
        If a value is outside its range, or rewiring leaves a player without a neighbour.
    """
    rewiring = probability(rewiring, "rewiring")
    rng = np.random.default_rng(whole_number(seed, "graph_seed", 0))
    edges = set(ring(n, degree))
    for edge in sorted(edges):
        near, far = edge
        if rng.random() >= rewiring:
            continue
        free = [k for k in range(n) if k != near and (min(near, k), max(near, k)) not in edges]
        if free:
            edges.remove((near, far))
            new = free[int(rng.integers(len(free)))]
            edges.add((min(near, new), max(near, new)))
    return as_edges(edges, n)


NETWORKS = ("lattice", "ring", "small_world", "random")
"""Names of the graphs; ``random`` has no edges: pairs are drawn in each round."""
PLAYERS, REWIRING = 25, 0.1
"""Defaults of `build_network`."""
DEGREES = {"ring": 2, "lattice": 4, "small_world": 4}
"""Default numbers of neighbours: of a ring the two beside a player, of a lattice those of von Neumann."""


def build_network(
    graph: str | Iterable[Any] = "lattice",
    n_players: int | None = None,
    degree: int | None = None,
    rewiring: float | None = None,
    seed: int | None = None,
) -> tuple[int, Edges | None]:
    """Build the interaction graph of a population.

    Parameters
    ----------
    graph
        One of `NETWORKS`, or pairs of player indices, such as networkx's ``graph.edges``.
    n_players
        Number of players, from 2 to `MOST_PLAYERS`. None: 25, or with a list of edges the highest index plus 1.
    degree
        Number of neighbours of each player in a lattice, ring or small world. None: 2 in a ring, otherwise 4.
    rewiring
        Probability, in [0, 1], that an edge of a small world is rewired. None: 0.1.
    seed
        Seed of the rewiring of a small world, 0 or more. None: 0.

    Returns
    -------
    Number of players, and the edges; None for random pairs.

    Raises
    ------
    GameError
        If a value is outside its range, or an option is given that the graph does not use.
    """
    if isinstance(graph, str):
        lookup("graph", graph, dict.fromkeys(NETWORKS), place="population")
    else:
        graph = list(_pairs(graph))
    rewired, regular = graph == "small_world", isinstance(graph, str) and graph in DEGREES
    for option, value, used in (
        ("degree", degree, regular),
        ("rewiring", rewiring, rewired),
        ("graph_seed", seed, rewired),
    ):
        if value is not None and not used:
            shown = repr(graph) if isinstance(graph, str) else "a list of edges"
            raise GameError(f"{option} = {value!r}, graph = {shown}; this graph does not use the option")
    n = (PLAYERS if isinstance(graph, str) else 1 + max(map(max, graph))) if n_players is None else n_players
    n = whole_number(n, "n_players", 2, MOST_PLAYERS)
    if not isinstance(graph, str):
        return n, as_edges(graph, n)
    if graph == "random":
        return n, None
    degree = DEGREES[graph] if degree is None else degree
    if graph == "small_world":
        return n, small_world(n, degree, REWIRING if rewiring is None else rewiring, 0 if seed is None else seed)
    return n, ring(n, degree) if graph == "ring" else lattice(n, degree)


def as_edges(pairs: Iterable[Any], n: int) -> Edges:
    """Check and sort the edges of a graph.

    Parameters
    ----------
    pairs
        Pairs of player indices, in any order; an edge may occur more than once.
    n
        Number of players.

    Raises
    ------
    GameError
        If a pair is not an edge between two different players, or a player has no neighbour.
    """
    edges = set()
    for one, other in _pairs(pairs):
        for end in (one, other):
            if not 0 <= end < n:
                raise GameError(f"edge {(one, other)} of the graph has the node {end}; the players are 0..{n - 1}")
        if one == other:
            raise GameError(f"edge {(one, other)} of the graph connects a player to itself")
        edges.add((min(one, other), max(one, other)))
    alone = set(range(n)) - {end for edge in edges for end in edge}
    if alone:
        raise GameError(f"player {min(alone)} of the graph has no neighbour; each player of 0..{n - 1} needs an edge")
    return tuple(sorted(edges))


def neighbours(edges: Edges, n: int) -> tuple[tuple[int, ...], ...]:
    """The neighbours of each of `n` players, in the order of the edges."""
    met: list[list[int]] = [[] for _ in range(n)]
    for one, other in edges:
        met[one].append(other)
        met[other].append(one)
    return tuple(map(tuple, met))


def _pairs(graph: Iterable[Any]) -> Iterable[tuple[int, int]]:
    """The edges of a graph as pairs of integers; `GameError` if an element is not such a pair."""
    try:
        listed = list(graph)
    except TypeError:
        raise GameError(f"graph = {graph!r}; needs one of {', '.join(NETWORKS)}, or a list of edges") from None
    if not listed:
        raise GameError("graph = []; needs one edge or more")
    for pair in listed:
        ends = tuple(pair) if isinstance(pair, Iterable) else ()
        if len(ends) != 2 or not all(isinstance(end, Integral) for end in ends):
            raise GameError(f"edge {pair!r} of the graph; needs two player indices")
        yield int(ends[0]), int(ends[1])
