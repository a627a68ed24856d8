"""The Moran process, simulated: one birth and one death at a time, well mixed or on a graph, with any number of types.

Many runs go side by side. Every run has a stream of random numbers of its own, so it is the same however many others
there are; and strategies are drawn in the order of their names, so it does not matter how they are listed. Nobody meets
itself. What can be known exactly is in `dilemmas.experiments.dynamics.fixation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.networks import Edges, as_edges, neighbours
from dilemmas.experiments.dynamics.fixation import Process
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

Whole = NDArray[np.int64]

DRAWS = 3
"""Random numbers of a step: who is born, who dies, and whether and to what it mutates."""
AT_ONCE = 64
"""Steps whose random numbers are drawn at once."""
ROOM = 1 << 21
"""Most random numbers that are held at once."""


@dataclass(frozen=True, eq=False)
class Runs:
    """What came of some runs of the process."""

    names: tuple[str, ...]
    times: Whole
    """Steps after which players were counted, shape (T,); the first is 0."""
    counts: Whole
    """Players of each type then, shape (T, runs, k)."""
    winners: Whole
    """Who has taken over, as an index of `names`, shape (runs,); -1 where nobody has, or where there is mutation."""
    steps: Whole
    """Steps until then, shape (runs,); all that were played where nobody has taken over."""

    @property
    def shares(self) -> Numbers:
        """Mean shares over the runs, shape (T, k)."""
        return np.asarray(self.counts.mean(axis=1) / self.counts[0, 0].sum())

    def series(self) -> dict[str, list[float]]:
        """Mean shares over time by strategy, as charts take them."""
        return dict(zip(self.names, self.shares.T.tolist(), strict=True))

    def taken_over(self) -> dict[str, int]:
        """In how many runs each strategy has taken over."""
        return {name: int((self.winners == place).sum()) for place, name in enumerate(self.names)}


def start_counts(matrix: PayoffMatrix, n: int, given: Mapping[str, int] | None = None) -> dict[str, int]:
    """Players of each strategy at the start. Those that are not named have the rest in parts as equal as can be, one
    more for the first in the alphabet.
    """
    given = given or {}
    for name, count in given.items():
        lookup("player", name, dict.fromkeys(matrix.names), "the players at the start")
        if count < 0:
            raise DynamicsError(f"start: {name} = {count}; needs a number of players from 0 up")
    total, free = sum(given.values()), sorted(name for name in matrix.names if name not in given)
    if n < 2:
        raise DynamicsError(f"a population of {n}; needs 2 players or more")
    if total > n or (not free and total < n):
        told = ", ".join(f"{name} = {count}" for name, count in given.items())
        raise DynamicsError(f"start: {told} add up to {total}; the population is {n}")
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
    """Play `runs` runs of up to `steps` steps, until one type has taken over wherever there is no mutation.

    `start`: players by name, see `start_counts`; `mutation`: chance that a child is of one of the other types, each as
    likely; `edges`: pairs of neighbours, from `dilemmas.envs.rules.networks`; players earn the mean of their games with
    everybody else, or on a graph with their neighbours, compete with them for a place, and start on places at random;
    `every`: steps between counts, only the first and the last where it is None.
    """
    process = process or Process()
    counts = start_counts(matrix, sum(start.values()), start)
    process.check(matrix.payoffs)
    _check(steps, runs, mutation, every)
    order = sorted(range(len(matrix.names)), key=matrix.names.__getitem__)
    sorted_counts = np.array([counts[matrix.names[place]] for place in order])
    payoffs, streams = matrix.payoffs[np.ix_(order, order)], rng.spawn(runs)
    life = _Life(payoffs, process, mutation)
    habitat = _WellMixed(life, sorted_counts, runs) if edges is None else _OnGraph(life, sorted_counts, edges, streams)
    times, seen, winners, ended = _play(habitat, streams, steps, every or steps, lasting=mutation == 0)
    back = np.argsort(order)
    named = np.where(winners < 0, -1, np.array(order)[winners])
    return Runs(matrix.names, times, seen[..., back], named, ended)


class Habitat(Protocol):
    """Populations that live side by side, one per run."""

    counts: Whole
    """Players of each type, shape (runs, k)."""

    def step(self, luck: Numbers) -> None:
        """A birth and a death in each, by random numbers in [0, 1), shape (runs, DRAWS)."""
        ...

    def keep(self, runs: NDArray[np.bool_]) -> None:
        """Leave out the other runs."""
        ...


@dataclass(frozen=True, eq=False)
class _Life:
    """What holds in every habitat."""

    payoffs: Numbers
    process: Process
    mutation: float

    def child(self, parent: Whole, luck: Numbers) -> Whole:
        """The type of a child, shape (runs,)."""
        k = len(self.payoffs)
        if not self.mutation or k == 1:
            return parent
        other = (luck / self.mutation * (k - 1)).astype(np.int64)  # 0 to k - 2 where it mutates
        return np.asarray(np.where(luck < self.mutation, other + (other >= parent), parent))

    def born(self, earned: Numbers, candidates: Numbers, luck: Numbers) -> Whole:
        """Which of some candidates, of whom there are so many (0: none), is the parent: all of shape (runs, m)."""
        log_fitness = np.where(candidates > 0, self.process.log_fitness(earned), -np.inf)
        return _drawn(candidates * np.exp(log_fitness - log_fitness.max(axis=1, keepdims=True)), luck)


class _WellMixed:
    """Everybody meets everybody else."""

    def __init__(self, life: _Life, counts: Whole, runs: int) -> None:
        self.life = life
        self.counts = np.tile(counts, (runs, 1))
        self.n = int(counts.sum())

    def step(self, luck: Numbers) -> None:
        payoffs, runs = self.life.payoffs, np.arange(len(self.counts))
        earned = (self.counts[:, None, :] * payoffs).sum(axis=-1) - payoffs.diagonal()  # all games but with oneself
        dead = _drawn(self.counts, luck[:, 1])
        candidates = self.counts.astype(np.float64)
        if self.life.process.rule == "death-birth":
            candidates[runs, dead] -= 1
        parent = self.life.born(earned / (self.n - 1), candidates, luck[:, 0])
        child = self.life.child(parent, luck[:, 2])
        self.counts[runs, dead] -= 1
        self.counts[runs, child] += 1

    def keep(self, runs: NDArray[np.bool_]) -> None:
        self.counts = self.counts[runs]


class _OnGraph:
    """Everybody meets its neighbours and leaves its child on a neighbour's place."""

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
            earned, candidates = self.earned[runs[:, None], around], self.there[dead].astype(np.float64)
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

    def _earned(self, places: Whole) -> Numbers:
        """Mean points of the players on some places, shape (runs, m)."""
        runs = np.arange(len(self.types))[:, None]
        own = self.types[runs, places][..., None]  # (runs, m, 1)
        theirs = self.types[runs[..., None], self.near[places]]  # (runs, m, d)
        points = (self.life.payoffs[own, theirs] * self.there[places]).sum(axis=-1)
        return np.asarray(points / self.degree[places])


def _play(
    habitat: Habitat, streams: list[np.random.Generator], steps: int, every: int, lasting: bool
) -> tuple[Whole, Whole, Whole, Whole]:
    """Times (T,), counts (T, runs, k), winners (runs,) and steps (runs,); `lasting`: who has taken over stays alone."""
    alive, now = np.arange(len(streams)), habitat.counts.copy()  # (runs, k), also of the runs that have ended
    winners, ended = np.full(len(now), -1), np.full(len(now), steps)
    times, seen, played = [0], [now.copy()], 0

    def watch() -> NDArray[np.bool_]:
        """Note who has just taken over; whether a run goes on, shape (alive,)."""
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
    """An index for each row in proportion to its weights, shape (runs, m), by numbers in [0, 1)."""
    heights = np.cumsum(weights, axis=1)
    # A float below 1 times a height always rounds to less than the height, so the last weight above 0 is the last hit.
    return np.asarray((heights <= (luck * heights[:, -1])[:, None]).sum(axis=1))


def _padded(near: Sequence[Sequence[int]]) -> tuple[Whole, NDArray[np.bool_]]:
    """Neighbours of each place, shape (n, most neighbours), filled up with the place itself, and which are real."""
    width = max(map(len, near))
    filled = [[*found, *[place] * (width - len(found))] for place, found in enumerate(near)]
    there = [[True] * len(found) + [False] * (width - len(found)) for found in near]
    return np.array(filled, dtype=np.int64), np.array(there)


def _check(steps: int, runs: int, mutation: float, every: int | None) -> None:
    for name, value in (("steps", steps), ("runs", runs), ("every", every)):
        if value is not None and value < 1:
            raise DynamicsError(f"{name} = {value}; needs a number from 1 up")
    if not 0 <= mutation <= 1:
        raise DynamicsError(f"mutation = {mutation}; needs a probability, from 0 to 1")
