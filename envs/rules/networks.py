"""Who meets whom in a population: a ring, a lattice, a small world, or any list of edges."""

from collections.abc import Iterable
from math import isqrt
from numbers import Integral
from typing import Any

import numpy as np

from dilemmas.envs.checks import MOST_PLAYERS, GameError, probability, whole_number
from dilemmas.envs.names import lookup

Edges = tuple[tuple[int, int], ...]
"""Pairs of neighbours, each once, the smaller index first, in order."""


def ring(n: int, degree: int) -> Edges:
    """Everybody next to the `degree` / 2 nearest on both sides of a circle of `n`."""
    if not isinstance(degree, Integral) or degree % 2 or not 2 <= degree < n:
        raise GameError(f"degree = {degree!r}; a ring of {n} needs an even number from 2 to {n - 1}")
    return as_edges(((i, (i + step) % n) for i in range(n) for step in range(1, degree // 2 + 1)), n)


def lattice(n: int, degree: int) -> Edges:
    """A square lattice whose borders meet (a torus), with 4 neighbours (von Neumann) or 8 (Moore)."""
    side = isqrt(n)
    if side * side != n or side < 3:
        raise GameError(f"n_players = {n}; a lattice needs the square of a whole number from 3 up")
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
    """A ring in which each edge is, with probability `rewiring`, led to somebody else (Watts & Strogatz 1998)."""
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
"""The networks that are known by name; ``random`` has no edges: pairs are drawn in every round."""
PLAYERS, DEGREE, REWIRING = 25, 4, 0.1
"""What is not said."""


def build_network(
    graph: str | Iterable[Any] = "lattice",
    n_players: int | None = None,
    degree: int | None = None,
    rewiring: float | None = None,
    seed: int | None = None,
) -> tuple[int, Edges | None]:
    """Number of players and their edges, by the name of a network or by a list of edges; None for random pairs.

    `graph`: a name, or pairs of player indices, as networkx's ``graph.edges`` has them. `n_players`: 25, or with a list
    of edges one more than its highest index. `degree`: neighbours of each, 4. `rewiring`: probability, 0.1, and `seed`,
    0, of a small world. Raises `GameError` for what cannot be, and for an option that the graph has no use for.
    """
    if isinstance(graph, str):
        lookup("graph", graph, dict.fromkeys(NETWORKS), place="population")
    else:
        graph = list(_pairs(graph))
    rewired, regular = graph == "small_world", graph in ("lattice", "ring", "small_world")
    for option, value, used in (
        ("degree", degree, regular),
        ("rewiring", rewiring, rewired),
        ("graph_seed", seed, rewired),
    ):
        if value is not None and not used:
            shown = repr(graph) if isinstance(graph, str) else "a list of edges"
            raise GameError(f"{option} = {value!r}, graph = {shown}; such a graph has no use for it")
    n = (PLAYERS if isinstance(graph, str) else 1 + max(map(max, graph))) if n_players is None else n_players
    n = whole_number(n, "n_players", 2, MOST_PLAYERS)
    degree = DEGREE if degree is None else degree
    if not isinstance(graph, str):
        return n, as_edges(graph, n)
    if graph == "random":
        return n, None
    if graph == "small_world":
        return n, small_world(n, degree, REWIRING if rewiring is None else rewiring, 0 if seed is None else seed)
    return n, ring(n, degree) if graph == "ring" else lattice(n, degree)


def as_edges(pairs: Iterable[Any], n: int) -> Edges:
    """The edges in order; GameError for a node that is no player, for a loop, and for somebody without a neighbour."""
    edges = set()
    for one, other in _pairs(pairs):
        for end in (one, other):
            if not 0 <= end < n:
                raise GameError(f"edge {(one, other)} of the graph has the node {end}; the players are 0..{n - 1}")
        if one == other:
            raise GameError(f"edge {(one, other)} of the graph leads from a player to itself")
        edges.add((min(one, other), max(one, other)))
    alone = set(range(n)) - {end for edge in edges for end in edge}
    if alone:
        raise GameError(f"player {min(alone)} of the graph has no neighbour; every one of 0..{n - 1} needs an edge")
    return tuple(sorted(edges))


def neighbours(edges: Edges, n: int) -> tuple[tuple[int, ...], ...]:
    """The neighbours of each of `n` players, in the order of the edges."""
    met: list[list[int]] = [[] for _ in range(n)]
    for one, other in edges:
        met[one].append(other)
        met[other].append(one)
    return tuple(map(tuple, met))


def _pairs(graph: Iterable[Any]) -> Iterable[tuple[int, int]]:
    """The edges of a graph as pairs of numbers; GameError for what is none."""
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
