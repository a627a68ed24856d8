"""Simulation of the Moran process with any number of types, well mixed or on a graph.

Many runs are simulated side by side. Each run has its own random stream, so its result does not depend on the number of
runs, and types are drawn in alphabetical order, so the result does not depend on their order in the matrix. Players do
not meet themselves. Exact results are in `dilemmas.experiments.dynamics.fixation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import check_number, generator, whole_number
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.networks import Edges, as_edges, neighbours
from dilemmas.experiments.dynamics.fixation import Process, check_population
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

Whole = NDArray[np.int64]

DRAWS = 3
"""Random numbers per step: parent, dying player, and mutation."""
AT_ONCE = 64
"""Steps whose random numbers are drawn together."""
ROOM = 1 << 21
"""Largest number of random numbers in memory."""


@dataclass(frozen=True, eq=False)
class Runs:
    """Results of several runs of the process."""

    names: tuple[str, ...]
    """Types, k of them."""
    times: Whole
    """Steps after which players were counted, shape (T,); the first is 0."""
    counts: Whole
    """Players of each type at these times, shape (T, runs, k)."""
    winners: Whole
    """Index of the type that has taken over, shape (runs,); -1 if none has, or with mutation."""
    steps: Whole
    """Steps until then, shape (runs,); all simulated steps if no type has taken over."""

    @property
    def shares(self) -> Numbers:
        """Mean shares over the runs, shape (T, k)."""
        return np.asarray(self.counts.mean(axis=1) / self.counts[0, 0].sum())

    def series(self) -> dict[str, list[float]]:
        """Mean shares over time by strategy, in the form that charts take."""
        return dict(zip(self.names, self.shares.T.tolist(), strict=True))

    def taken_over(self) -> dict[str, int]:
        """Number of runs in which each strategy has taken over."""
        return {name: int((self.winners == place).sum()) for place, name in enumerate(self.names)}


def start_counts(matrix: PayoffMatrix, n: int, given: Mapping[str, int] | None = None) -> dict[str, int]:
    """Initial number of players of each strategy.

    Parameters
    ----------
    n
        Players in the population, 2 or more.
    given
        Initial players of some strategies by name. The rest is divided among the others as equally as possible; the
        first in alphabetical order have one more.

    Raises
    ------
    DynamicsError
        If a number is negative, or the numbers do not sum to `n`.
    """
    given = matrix.by_name(given or {}, "the initial players")
    for name, count in given.items():
        whole_number(count, f"start: {name}", 0, error=DynamicsError)
    total, free = sum(given.values()), sorted(name for name in matrix.names if name not in given)
    check_population(n)
    if total > n or (not free and total < n):
        listed = ", ".join(f"{name} = {count}" for name, count in given.items())
        raise DynamicsError(f"start: {listed} sum to {total}; the population is {n}")
    rest = {name: (n - total) // len(free) + (place < (n - total) % len(free)) for place, name in enumerate(free)}
    return {name: given.get(name, rest.get(name, 0)) for name in matrix.names}


def moran(
    matrix: PayoffMatrix,
    start: Mapping[str, int],
    rng: np.random.Generator,
    *,
    steps: int,
    runs: int = 1,
    process: Process | None = None,
    mutation: float = 0.0,
    edges: Edges | None = None,
    every: int | None = None,
) -> Runs:
    """Simulate the Moran process.

    The payoff of a player is its mean over the games with all other players, or on a graph with its neighbours;
    `Process.games` leaves out those with the player who has died.

    Parameters
    ----------
    matrix
        Payoffs of the types.
    start
        Initial players by name, see `start_counts`; on a graph they are placed at random.
    rng
        Generator from which each run has its own stream.
    steps
        Largest number of steps. Without mutation a run ends when one type has taken over.
    runs
        Number of runs.
    process
        Update rule and fitness; the defaults of `Process` if None.
    mutation
        Probability that offspring has one of the other types, each with equal probability.
    edges
        Pairs of neighbours, from `dilemmas.envs.rules.networks`; offspring replaces a neighbour. None: well mixed.
    every
        Steps between counts; None counts at the beginning and the end only.

    Raises
    ------
    DynamicsError
        If an argument is out of range or a fitness is negative.
    """
    process = process or Process()
    counts = start_counts(matrix, sum(start.values()), start)
    process.check(matrix.payoffs)
    for name, value in {"steps": steps, "runs": runs, "every": 1 if every is None else every}.items():
        whole_number(value, name, 1, error=DynamicsError)
    check_number("mutation", mutation, 0, 1, DynamicsError)
    order = sorted(range(len(matrix.names)), key=matrix.names.__getitem__)
    sorted_counts = np.array([counts[matrix.names[place]] for place in order])
    payoffs, streams = matrix.payoffs[np.ix_(order, order)], generator(rng, "rng", DynamicsError).spawn(runs)
    life = _Life(payoffs, process, mutation)
    habitat = _WellMixed(life, sorted_counts, runs) if edges is None else _OnGraph(life, sorted_counts, edges, streams)
    times, seen, winners, ended = _play(habitat, streams, steps, every or steps, lasting=mutation == 0)
    back = np.argsort(order)
    named = np.where(winners < 0, -1, np.array(order)[winners])
    return Runs(matrix.names, times, seen[..., back], named, ended)


class Habitat(Protocol):
    """Populations simulated side by side, one per run."""

    counts: Whole
    """Players of each type, shape (runs, k)."""

    def step(self, luck: Numbers) -> None:
        """One birth and one death in each, from random numbers in [0, 1), shape (runs, DRAWS)."""
        ...

    def keep(self, runs: NDArray[np.bool_]) -> None:
        """Drop the other runs."""
        ...


@dataclass(frozen=True, eq=False)
class _Life:
    """Payoffs, selection and mutation, the same in every habitat."""

    payoffs: Numbers
    process: Process
    mutation: float

    def child(self, parent: Whole, luck: Numbers) -> Whole:
        """Type of the offspring, shape (runs,)."""
        k = len(self.payoffs)
        if not self.mutation or k == 1:
            return parent
        other = (luck / self.mutation * (k - 1)).astype(np.int64)  # 0 to k - 2 if it mutates
        return np.asarray(np.where(luck < self.mutation, other + (other >= parent), parent))

    def born(self, earned: Numbers, candidates: Numbers, luck: Numbers) -> Whole:
        """Index of the parent among candidates with given payoffs and numbers, both of shape (runs, m)."""
        log_fitness = np.where(candidates > 0, self.process.log_fitness(earned), -np.inf)
        return _drawn(candidates * np.exp(log_fitness - log_fitness.max(axis=1, keepdims=True)), luck)


class _WellMixed:
    """Each player meets all others."""

    def __init__(self, life: _Life, counts: Whole, runs: int) -> None:
        self.life = life
        self.counts = np.tile(counts, (runs, 1))
        self.n = int(counts.sum())

    def step(self, luck: Numbers) -> None:
        payoffs, runs = self.life.payoffs, np.arange(len(self.counts))
        earned = (self.counts[:, None, :] * payoffs).sum(axis=-1) - payoffs.diagonal()  # games with all others
        games = self.n - 1
        dead = _drawn(self.counts, luck[:, 1])
        candidates = self.counts.astype(np.float64)
        if self.life.process.rule == "death-birth":
            candidates[runs, dead] -= 1
        if self.life.process.games == "survivors":
            earned, games = earned - payoffs[:, dead].T, max(games - 1, 1)
        parent = self.life.born(earned / games, candidates, luck[:, 0])
        child = self.life.child(parent, luck[:, 2])
        self.counts[runs, dead] -= 1
        self.counts[runs, child] += 1

    def keep(self, runs: NDArray[np.bool_]) -> None:
        self.counts = self.counts[runs]


class _OnGraph:
    """Each player meets its neighbours, and offspring replaces a neighbour."""

    def __init__(self, life: _Life, counts: Whole, edges: Edges, streams: list[np.random.Generator]) -> None:
        self.life = life
        self.counts = np.tile(counts, (len(streams), 1))
        n = int(counts.sum())
        self.near, self.there = _padded(neighbours(as_edges(edges, n), n))  # (n, d)
        self.degree = self.there.sum(axis=1)
        types = np.repeat(np.arange(len(counts)), counts)
        self.types = np.array([stream.permutation(types) for stream in streams])  # (runs, n)
        self.earned = self._earned(np.tile(np.arange(len(types)), (len(streams), 1)))  # (runs, n)

    def step(self, luck: Numbers) -> None:
        runs = np.arange(len(self.types))
        if self.life.process.rule == "death-birth":
            dead = (luck[:, 1] * len(self.near)).astype(np.int64)
            around = self.near[dead]  # (runs, d)
            earned, candidates = self._competing(dead, around), self.there[dead].astype(np.float64)
            parent = around[runs, self.life.born(earned, candidates, luck[:, 0])]
        else:
            parent = self.life.born(self.earned, np.ones_like(self.earned), luck[:, 0])
            dead = self.near[parent, (luck[:, 1] * self.degree[parent]).astype(np.int64)]
        child = self.life.child(self.types[runs, parent], luck[:, 2])
        self.counts[runs, self.types[runs, dead]] -= 1
        self.counts[runs, child] += 1
        self.types[runs, dead] = child
        touched = np.concatenate([dead[:, None], self.near[dead]], axis=1)
        self.earned[runs[:, None], touched] = self._earned(touched)

    def keep(self, runs: NDArray[np.bool_]) -> None:
        self.counts, self.types, self.earned = self.counts[runs], self.types[runs], self.earned[runs]

    def _competing(self, dead: Whole, around: Whole) -> Numbers:
        """Payoffs of those who compete for the place of a dead player, shape (runs, d)."""
        runs = np.arange(len(self.types))
        earned = self.earned[runs[:, None], around]
        if self.life.process.games == "all":
            return earned
        lost = self.life.payoffs[self.types[runs[:, None], around], self.types[runs, dead][:, None]]
        games = self.degree[around]
        return np.asarray((earned * games - lost) / np.maximum(games - 1, 1))

    def _earned(self, places: Whole) -> Numbers:
        """Mean payoff of the players on some places, shape (runs, m)."""
        runs = np.arange(len(self.types))[:, None]
        own = self.types[runs, places][..., None]  # (runs, m, 1)
        theirs = self.types[runs[..., None], self.near[places]]  # (runs, m, d)
        points = (self.life.payoffs[own, theirs] * self.there[places]).sum(axis=-1)
        return np.asarray(points / self.degree[places])


def _play(
    habitat: Habitat, streams: list[np.random.Generator], steps: int, every: int, lasting: bool
) -> tuple[Whole, Whole, Whole, Whole]:
    """Times (T,), counts (T, runs, k), winners (runs,) and steps (runs,); `lasting`: there is no mutation."""
    alive, now = np.arange(len(streams)), habitat.counts.copy()  # (runs, k), including runs that have ended
    winners, ended = np.full(len(now), -1), np.full(len(now), steps)
    times, seen, played = [0], [now.copy()], 0

    def watch() -> NDArray[np.bool_]:
        """Record new winners; returns whether each run continues, shape (alive,)."""
        over = (habitat.counts > 0).sum(axis=1) == 1 if lasting else np.zeros(len(alive), dtype=np.bool_)
        new = over & (winners[alive] < 0)
        winners[alive[new]], ended[alive[new]] = habitat.counts[new].argmax(axis=1), played
        return np.asarray(~over)

    def count() -> None:
        times.append(played)
        seen.append(now.copy())

    going = watch()
    while played < steps and going.any():
        habitat.keep(going)
        alive = alive[going]
        ahead = min(AT_ONCE, steps - played, max(1, ROOM // (DRAWS * len(alive))))
        luck = np.array([streams[run].random((ahead, DRAWS)) for run in alive])  # (alive, steps, DRAWS)
        for chances in np.moveaxis(luck, 1, 0):
            habitat.step(chances)
            played += 1
            going = watch()
            now[alive] = habitat.counts
            if played % every == 0:
                count()
            if not going.any():
                break
    if times[-1] < played:
        count()
    return np.array(times), np.array(seen), winners, ended


def _drawn(weights: Numbers | Whole, luck: Numbers) -> Whole:
    """Sample an index per row with probability proportional to its weights, shape (runs, m), from numbers in [0, 1)."""
    heights = np.cumsum(weights, axis=1)
    # A float below 1 times a height rounds to less than the height, so an index with weight 0 is never drawn.
    return np.asarray((heights <= (luck * heights[:, -1])[:, None]).sum(axis=1))


def _padded(near: Sequence[Sequence[int]]) -> tuple[Whole, NDArray[np.bool_]]:
    """Neighbours of each place, shape (n, largest degree), padded with the place itself, and which are real."""
    width = max(map(len, near))
    filled = [[*found, *[place] * (width - len(found))] for place, found in enumerate(near)]
    there = [[True] * len(found) + [False] * (width - len(found)) for found in near]
    return np.array(filled, dtype=np.int64), np.array(there)
