"""Automata with chance or noise: expected counts and variances without sampling error, for many groups at once.

What a group will do depends on its joint state alone, so a match is a finite Markov chain. A round goes along an edge:
one joint state, one joint action. One pass forward over the rounds carries two things per joint state: how likely it
is, and the points that each player has by then, weighted with that. Expected counts need the first; the variance of
the total needs both, since a square of a sum over rounds is the sum of 2 x (points so far) x (points now) and
(points now)^2. How long a match lasts never depends on play, and only weights the rounds. The joint states of many
groups lie side by side in flat arrays.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.horizons import geometric, survival
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import EngineError, only_two_actions, outcome_numbers, stakes
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

Counts = NDArray[np.int64]

CHUNK = 1 << 15
"""Edges that are followed side by side, at least one group: few enough for a processor's cache."""
LARGEST = 1 << 22
"""Most edges of one group, reachable or not; 4 to a joint state where two play. They take some 400 MB."""
DENSE = 1 << 12
"""Most joint states of a group where the continuation alone ends matches, which takes a matrix of them: 128 MB."""


class Seats(NamedTuple):
    """Who sits where: automata by number, their tables one below the other."""

    groups: Counts
    """Automaton of each group and seat, shape (G, n)."""
    base: Counts
    """The first row of each automaton."""
    sizes: Counts
    """States of each automaton."""
    cooperate: Numbers
    """Probability that C happens, trembling hand included, by row."""
    after: Counts
    """The next state by row and what the round brought, shape (rows, 2n)."""


class Chain(NamedTuple):
    """Joint states that groups can reach, S in all, one group after the other."""

    first: Counts
    """Where each group begins; its matches begin there too, shape (G,)."""
    cooperate: Numbers
    """Probability that each player plays C, shape (n, S)."""
    chance: Numbers
    """Probability of each joint action, shape (A, S) with A = 2^n."""
    after: Counts
    """The next joint state by joint action, shape (A, S)."""
    gain: Numbers
    """Points of each player by joint action, times its probability: shape (n, A, S)."""


class Visits(NamedTuple):
    """Sums over the rounds, weighted with how likely a match lasts so long."""

    now: Numbers
    """Probability of a joint state, shape (S,)."""
    on: Numbers
    """The same, weighted with how likely there is one more round: shape (S,)."""
    points: Numbers
    """Points that each player has before the round, times that probability: shape (n, S)."""


def chain(rules: Repeated, groups: Sequence[Sequence[Automaton]]) -> list[Tally]:
    """Expected counts of one match of each group, and the variance of each player's points.

    Raises `EngineError` for groups with too many joint states, and for rules under which more than C and D can happen.
    """
    only_two_actions(rules)
    if not groups:
        return []
    seats = _seats(rules, groups)
    parts = list(_parts(rules, seats))
    patterns, kind = np.unique([[one.punishes for one in group] for group in groups], axis=0, return_inverse=True)
    points = np.array([stakes(rules, pattern).reshape(-1, rules.n_players) for pattern in patterns])  # (kinds, A, n)
    stationary = geometric(rules)
    weights = np.empty(0) if stationary else survival(rules)
    rounds = 1.0 / (1.0 - rules.continuation) if stationary else float(weights.sum())
    tallies: list[Tally] = []
    for part in parts:
        stake = points[kind[part].ravel()]  # (G, A, n)
        found = _chain(seats, seats.groups[part], stake)
        visits = _endless(rules.continuation, found) if stationary else _finite(weights, found)
        tallies += _tallies(rounds, found, visits, stake)
    return tallies


def _seats(rules: Repeated, groups: Sequence[Sequence[Automaton]]) -> Seats:
    """The groups as numbers; every automaton is laid out once."""
    n = rules.n_players
    for group in groups:
        if len(group) != n:
            raise EngineError(f"{len(group)} strategies for the {n} players of {rules.stage.name}")
    everyone = {id(one): one for group in groups for one in group}
    number = {one: place for place, one in enumerate(everyone)}
    automata = [one.for_players(n) for one in everyone.values()]
    sizes = np.array([len(one.cooperate) for one in automata])
    meant = np.concatenate([one.cooperate for one in automata])
    return Seats(
        np.array([[number[id(one)] for one in group] for group in groups]),
        np.cumsum(sizes) - sizes,
        sizes,
        meant * (1.0 - rules.noise) + (1.0 - meant) * rules.noise,
        np.concatenate([np.array(one.after, dtype=np.int64) for one in automata]),
    )


def _parts(rules: Repeated, seats: Seats) -> Iterator[slice]:
    """Groups that are followed together."""
    edges = np.prod(seats.sizes[seats.groups].astype(np.float64), axis=1) * 2.0**rules.n_players
    if edges.max() > LARGEST:
        raise EngineError(
            f"a group with {edges.max():.3g} pairs of a joint state and a joint action, more than {LARGEST}:"
            " take the engine 'lockstep'"
        )
    begin, total = 0, 0.0
    for group, count in enumerate(edges):
        if total and total + count > CHUNK:
            yield slice(begin, group)
            begin, total = group, 0.0
        total += count
    yield slice(begin, len(edges))


def _chain(seats: Seats, groups: Counts, points: Numbers) -> Chain:
    """The joint states that some groups can reach, and what happens in each."""
    sizes = seats.sizes[groups]  # (G, n)
    strides = np.cumprod(sizes, axis=1) // sizes
    total = np.prod(sizes, axis=1)
    start = np.cumsum(total) - total  # the number of the joint state (0, ..., 0) of each group
    owner = np.repeat(np.arange(len(groups)), total)

    def edges(states: Counts) -> tuple[Numbers, Numbers, Counts]:
        """Probability of C of each player, of each joint action, and the next joint state."""
        group = owner[states]
        own = (states - start[group])[:, None] // strides[group] % sizes[group] + seats.base[groups[group]]  # (S, n)
        cooperate = seats.cooperate[own].T
        columns = outcome_numbers(len(cooperate)).reshape(-1, len(cooperate))  # (A, n)
        then = (seats.after[own, columns[:, None, :]] * strides[group]).sum(axis=-1)
        return cooperate, _joint(cooperate), start[group] + then

    reached = np.zeros(total.sum(), dtype=np.bool_)
    new = start
    while new.size:
        reached[new] = True
        _, chance, after = edges(new)
        ahead = after[chance > 0.0]
        new = np.unique(ahead[~reached[ahead]])
    states = np.flatnonzero(reached)
    cooperate, chance, after = edges(states)
    number = np.cumsum(reached) - 1
    after = np.where(chance > 0.0, number[after], np.arange(len(states)))  # what cannot happen leads nowhere else
    gain = chance * points.transpose(2, 1, 0)[:, :, owner[states]]
    return Chain(number[start], cooperate, chance, after, gain)


def _joint(cooperate: Numbers) -> Numbers:
    """Probability of each joint action, the first player's first, from that of C of each player: (n, S) to (2^n, S)."""
    chance = np.ones((1, cooperate.shape[1]))
    for one in cooperate:
        chance = (chance[:, None] * np.array([one, 1.0 - one])).reshape(-1, len(one))
    return chance


def _finite(weights: Numbers, chain: Chain) -> Visits:
    """Round by round. `weights`: how likely each round is played."""
    n, _, states = chain.gain.shape
    target = (chain.after + states * np.arange(n + 1)[:, None, None]).ravel()
    sums = np.zeros((n + 1, states))  # probability of a joint state; then the points of each player times that
    sums[0, chain.first] = 1.0
    visits, on = np.zeros_like(sums), np.zeros(states)
    flow, earned = np.empty((n + 1, *chain.chance.shape)), np.empty_like(chain.gain)
    for weight, following in zip(weights, np.append(weights[1:], 0.0), strict=True):
        visits += weight * sums
        on += following * sums[0]
        np.multiply(chain.chance, sums[:, None], out=flow)
        np.multiply(chain.gain, sums[0], out=earned)
        flow[1:] += earned
        sums = np.bincount(target, flow.ravel(), sums.size).reshape(sums.shape)
    return Visits(visits[0], on, visits[1:])


def _endless(continuation: float, chain: Chain) -> Visits:
    """Matches that only the continuation ends: the same sums without end are linear systems."""
    states = chain.chance.shape[1]
    begin = np.zeros((1, states))
    begin[0, chain.first] = 1.0
    (now,) = _solved(continuation, chain, begin)
    earned = np.empty((len(chain.gain), states))
    for seat, gain in enumerate(chain.gain):
        earned[seat] = np.bincount(chain.after.ravel(), (gain * now).ravel(), states)
    return Visits(now, continuation * now, _solved(continuation, chain, continuation * earned))


def _solved(continuation: float, chain: Chain, arriving: Numbers) -> Numbers:
    """What flows through each joint state where so much arrives and the fraction `continuation` goes on: (k, S) both.

    One system for each group, those of one size together.
    """
    through = np.empty_like(arriving)
    sizes = np.diff(chain.first, append=arriving.shape[1])
    if sizes.max() > DENSE:
        raise EngineError(
            f"a group with {sizes.max()} joint states, more than {DENSE} where only chance ends matches: set rounds,"
            " or take the engine 'lockstep'"
        )
    for size in np.unique(sizes):
        at = chain.first[sizes == size, None] + np.arange(size)  # (G, size)
        system = np.tile(np.eye(size), (len(at), 1, 1))
        to = chain.after[:, at] - at[:, :1]  # (A, G, size)
        np.subtract.at(system, (np.arange(len(at))[:, None], to, np.arange(size)), continuation * chain.chance[:, at])
        solution = np.linalg.solve(system, arriving[:, at].transpose(1, 2, 0))  # (G, size, k)
        through[:, at] = solution.transpose(2, 0, 1)
    return through


def _tallies(rounds: float, chain: Chain, visits: Visits, points: Numbers) -> list[Tally]:
    """The counts of each group. `points`: by group, joint action and player, shape (G, A, n)."""
    n, first = len(chain.cooperate), chain.first
    saw = np.eye(2 * n)[outcome_numbers(n).reshape(-1, n)]  # (A, n, 2n), 1 at what a player sees of a joint action
    joints = _per_group(visits.now * chain.chance, first)  # (A, G)
    outcomes = np.einsum("ag,aio->gio", joints, saw)
    totals = np.einsum("ag,gai->gi", joints, points)
    squares = np.einsum("ag,gai->gi", joints, points**2)
    squares += 2.0 * _per_group(visits.points * chain.gain.sum(axis=1), first).T
    variance = np.maximum(0.0, squares - totals**2)
    leaving = visits.on * chain.chance
    moves = np.empty((len(first), n, 1 + 2 * n, 2))
    moves[:, :, 0] = np.array([chain.cooperate[:, first], 1.0 - chain.cooperate[:, first]]).T
    for seat, cooperate in enumerate(chain.cooperate):
        then = cooperate[chain.after]  # (A, S)
        for action, chance in enumerate((then, 1.0 - then)):
            moves[:, seat, 1:, action] = _per_group(leaving * chance, first).T @ saw[:, seat]
    lasted = np.full(1, rounds)
    return [
        Tally("chain", lasted, total[None], move[None], outcome[None], spread)
        for total, move, outcome, spread in zip(totals, moves, outcomes, variance, strict=True)
    ]


def _per_group(values: Numbers, first: Counts) -> Numbers:
    """Sums over the joint states of each group: (..., S) to (..., G)."""
    return np.asarray(np.add.reduceat(values, first, axis=-1))
