"""Exact expectations and variances for automata with random actions or noise, for many groups at once.

The future of a group depends on its joint state alone, so a match is a finite Markov chain, whose edges are the pairs
of a joint state and a joint action. One forward pass over the rounds carries two quantities per joint state: its
probability, and the payoff of each player so far weighted by that probability. Expected counts need the first; the
variance of the total payoff needs both, since the square of a sum over rounds is the sum of
2 * (payoff so far) * (payoff now) + (payoff now)^2. The length of a match does not depend on play and only weights the
rounds. The joint states of many groups are concatenated in flat arrays.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dilemmas.agents.engines.horizons import geometric, survival
from dilemmas.agents.engines.requirements import require
from dilemmas.agents.engines.tally import Counts, Tally
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import outcome_indices, payoff_table
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

CHUNK = 1 << 15
"""Edges that are processed together, of at least one group: few enough for a processor's cache."""


class AutomatonTables(NamedTuple):
    """The automata of all groups, their tables concatenated."""

    groups: Counts
    """Index of the automaton of each group and seat, shape (G, n)."""
    base: Counts
    """The first row of each automaton."""
    sizes: Counts
    """Number of states of each automaton."""
    cooperate: Numbers
    """Probability of C by row, noise included."""
    after: Counts
    """The next state by row and outcome of the round, shape (rows, 2n)."""


class MarkovChain(NamedTuple):
    """The S joint states that the groups can reach, one group after the other."""

    first: Counts
    """The first joint state of each group, in which its matches begin, shape (G,)."""
    cooperate: Numbers
    """Probability that each player plays C, shape (n, S)."""
    chance: Numbers
    """Probability of each joint action, shape (A, S) with A = 2^n."""
    after: Counts
    """The next joint state by joint action, shape (A, S)."""
    gain: Numbers
    """Payoff of each player by joint action, times its probability: shape (n, A, S)."""


class Visits(NamedTuple):
    """Sums over the rounds, weighted by the probability that each is played."""

    now: Numbers
    """Probability of a joint state, shape (S,)."""
    on: Numbers
    """The same, weighted by the probability that the next round is played: shape (S,)."""
    points: Numbers
    """Payoff of each player before the round, times that probability: shape (n, S)."""


def play_chains(rules: Repeated, groups: Sequence[Sequence[Automaton]]) -> list[Tally]:
    """Expected counts of one match of each group, and the variance of each player's total payoff.

    Parameters
    ----------
    rules
        Rules of the matches.
    groups
        Automata of each group by seat.

    Raises
    ------
    EngineError
        If the engine `chain` cannot play a group; see `dilemmas.agents.engines.requirements`.
    """
    require("chain", rules, groups)
    if not groups:
        return []
    tables = _concatenated(rules, groups)
    parts = list(_parts(rules, tables))
    patterns, kind = np.unique([[one.punishes for one in group] for group in groups], axis=0, return_inverse=True)
    points = np.array([payoff_table(rules, kinds).reshape(-1, rules.n_players) for kinds in patterns])  # (kinds, A, n)
    stationary = geometric(rules)
    weights = np.empty(0) if stationary else survival(rules)
    rounds = 1.0 / (1.0 - rules.continuation) if stationary else float(weights.sum())
    tallies: list[Tally] = []
    for part in parts:
        stake = points[kind[part].ravel()]  # (G, A, n)
        found = _chain(tables, tables.groups[part], stake)
        visits = _geometric(rules.continuation, found) if stationary else _finite(weights, found)
        tallies += _tallies(rounds, found, visits, stake)
    return tallies


def _concatenated(rules: Repeated, groups: Sequence[Sequence[Automaton]]) -> AutomatonTables:
    """The tables of all automata, each once."""
    n = rules.n_players
    everyone = {id(one): one for group in groups for one in group}
    number = {one: place for place, one in enumerate(everyone)}
    automata = [one.for_players(n) for one in everyone.values()]
    sizes = np.array([len(one.cooperate) for one in automata])
    meant = np.concatenate([one.cooperate for one in automata])
    return AutomatonTables(
        np.array([[number[id(one)] for one in group] for group in groups]),
        np.cumsum(sizes) - sizes,
        sizes,
        meant * (1.0 - rules.noise) + (1.0 - meant) * rules.noise,
        np.concatenate([np.array(one.after, dtype=np.int64) for one in automata]),
    )


def _parts(rules: Repeated, tables: AutomatonTables) -> Iterator[slice]:
    """Groups that are processed together."""
    edges = np.prod(tables.sizes[tables.groups].astype(np.float64), axis=1) * 2.0**rules.n_players
    begin, total = 0, 0.0
    for group, count in enumerate(edges):
        if total and total + count > CHUNK:
            yield slice(begin, group)
            begin, total = group, 0.0
        total += count
    yield slice(begin, len(edges))


def _chain(tables: AutomatonTables, groups: Counts, points: Numbers) -> MarkovChain:
    """The joint states that some groups can reach, and their edges."""
    sizes = tables.sizes[groups]  # (G, n)
    strides = np.cumprod(sizes, axis=1) // sizes
    total = np.prod(sizes, axis=1)
    start = np.cumsum(total) - total  # index of the joint state (0, ..., 0) of each group
    owner = np.repeat(np.arange(len(groups)), total)

    def edges(states: Counts) -> tuple[Numbers, Numbers, Counts]:
        """Probability of C of each player, of each joint action, and the next joint state."""
        group = owner[states]
        own = (states - start[group])[:, None] // strides[group] % sizes[group] + tables.base[groups[group]]  # (S, n)
        cooperate = tables.cooperate[own].T
        columns = outcome_indices(len(cooperate)).reshape(-1, len(cooperate))  # (A, n)
        then = (tables.after[own, columns[:, None, :]] * strides[group]).sum(axis=-1)
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
    after = np.where(chance > 0.0, number[after], np.arange(len(states)))  # impossible edges lead back
    gain = chance * points.transpose(2, 1, 0)[:, :, owner[states]]
    return MarkovChain(number[start], cooperate, chance, after, gain)


def _joint(cooperate: Numbers) -> Numbers:
    """Probability of each joint action from the probability of C of each player: (n, S) to (2^n, S)."""
    chance = np.ones((1, cooperate.shape[1]))
    for one in cooperate:
        chance = (chance[:, None] * np.array([one, 1.0 - one])).reshape(-1, len(one))
    return chance


def _finite(weights: Numbers, chain: MarkovChain) -> Visits:
    """Sums over the rounds one by one; `weights` are the probabilities that each is played."""
    n, _, states = chain.gain.shape
    target = (chain.after + states * np.arange(n + 1)[:, None, None]).ravel()
    sums = np.zeros((n + 1, states))  # probability of a joint state; then the payoff of each player times that
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


def _geometric(continuation: float, chain: MarkovChain) -> Visits:
    """Infinite sums, for matches that only the continuation probability ends, by solving linear systems."""
    states = chain.chance.shape[1]
    begin = np.zeros((1, states))
    begin[0, chain.first] = 1.0
    (now,) = _solved(continuation, chain, begin)
    sizes = np.diff(chain.first, append=states)
    now /= np.repeat(_per_group(now, chain.first) * (1.0 - continuation), sizes)  # in all 1 / (1 - continuation)
    earned = np.empty((len(chain.gain), states))
    for seat, gain in enumerate(chain.gain):
        earned[seat] = np.bincount(chain.after.ravel(), (gain * now).ravel(), states)
    return Visits(now, continuation * now, _solved(continuation, chain, continuation * earned))


def _solved(continuation: float, chain: MarkovChain, arriving: Numbers) -> Numbers:
    """Flow through each joint state from the inflow, if the fraction `continuation` continues: (k, S) to (k, S).

    There is one linear system per group; those of one size are solved together.
    """
    through = np.empty_like(arriving)
    sizes = np.diff(chain.first, append=arriving.shape[1])
    for size in np.unique(sizes):
        at = chain.first[sizes == size, None] + np.arange(size)  # (G, size)
        system = np.tile(np.eye(size), (len(at), 1, 1))
        to = chain.after[:, at] - at[:, :1]  # (A, G, size)
        np.subtract.at(system, (np.arange(len(at))[:, None], to, np.arange(size)), continuation * chain.chance[:, at])
        solution = np.linalg.solve(system, arriving[:, at].transpose(1, 2, 0))  # (G, size, k)
        through[:, at] = solution.transpose(2, 0, 1)
    return through


def _tallies(rounds: float, chain: MarkovChain, visits: Visits, points: Numbers) -> list[Tally]:
    """The tally of each group; `points` are payoffs by group, joint action and player, shape (G, A, n)."""
    n, first = len(chain.cooperate), chain.first
    saw = np.eye(2 * n)[outcome_indices(n).reshape(-1, n)]  # (A, n, 2n), one-hot
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
        Tally(lasted, total[None], move[None], outcome[None], spread)
        for total, move, outcome, spread in zip(totals, moves, outcomes, variance, strict=True)
    ]


def _per_group(values: Numbers, first: Counts) -> Numbers:
    """Sums over the joint states of each group: (..., S) to (..., G)."""
    return np.asarray(np.add.reduceat(values, first, axis=-1))
