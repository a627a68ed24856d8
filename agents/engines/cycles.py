"""Exact results for deterministic automata without noise, whose play becomes periodic.

The joint state is followed until it recurs, and the rounds before and within the cycle are counted. The cost does not
depend on the number of rounds.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.horizons import round_limits
from dilemmas.agents.engines.requirements import require
from dilemmas.agents.engines.tally import Counts, Tally
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import round_payoffs
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated


class PeriodicPlay(NamedTuple):
    """The actions of an infinite match that becomes periodic."""

    defected: Counts
    """The action of each player in each round, 1 = D: shape (rounds, n)."""
    back: int
    """The round that follows the last of these. The rounds before both of them are equal."""

    @property
    def period(self) -> int:
        return len(self.defected) - self.back

    def without_first(self, rounds: int) -> "PeriodicPlay":
        """The play without its first rounds."""
        if rounds <= self.back:
            return PeriodicPlay(self.defected[rounds:], self.back - rounds)
        return PeriodicPlay(np.roll(self.defected[self.back :], -((rounds - self.back) % self.period), axis=0), 0)


def play_cycle(rules: Repeated, group: Sequence[Automaton]) -> Tally:
    """The exact result of a match; its expectation and variance if its length is random.

    Parameters
    ----------
    rules
        Rules of the match.
    group
        Deterministic automata by seat.

    Raises
    ------
    EngineError
        If the engine `cycle` cannot play the group; see `dilemmas.agents.engines.requirements`.
    """
    require("cycle", rules, [group])
    n = rules.n_players
    seated = [one.for_players(n) for one in group]
    punishers = np.array([one.punishes for one in seated])
    path = _followed(seated)
    played = _played(rules, path)
    own = path.defected
    seen = n * own + own.sum(axis=1, keepdims=True) - own  # (rounds, n)
    before = np.concatenate([np.zeros((1, n), dtype=np.int64), 1 + seen[:-1]])
    seats, weights = np.arange(n), np.repeat(played, n)
    moves = _counted(2 * ((1 + 2 * n) * seats + before) + own, weights, (1, n, 1 + 2 * n, 2))
    outcomes = _counted(2 * n * seats + seen, weights, (1, n, 2 * n))
    return Tally(
        played.sum(keepdims=True),
        (played @ round_payoffs(rules, own == 1, punishers))[None],
        moves,
        outcomes,
        _variance(rules, path, punishers),
    )


def _counted(cells: Counts, weights: Numbers, shape: tuple[int, ...]) -> Numbers:
    """The sum of the weights in each cell of a table of that shape."""
    return np.asarray(np.bincount(cells.ravel(), weights, prod(shape)).reshape(shape), dtype=np.float64)


def _followed(seated: Sequence[Automaton]) -> PeriodicPlay:
    """Play until a joint state recurs."""
    n = len(seated)
    plays = [[1 - int(chance) for chance in one.cooperate] for one in seated]
    tables = [one.after for one in seated]
    defected: list[list[int]] = []
    met: dict[tuple[int, ...], int] = {}
    state = (0,) * n
    while state not in met:
        met[state] = len(defected)
        joint = [play[own] for play, own in zip(plays, state, strict=True)]
        defected.append(joint)
        total = sum(joint)
        state = tuple([table[at][n * d + total - d] for table, at, d in zip(tables, state, joint, strict=True)])
    back = met[state]
    return PeriodicPlay(
        np.array([*defected, defected[back]]), back + 1
    )  # repeated, so that a single round precedes `back`


def _played(rules: Repeated, path: PeriodicPlay) -> Numbers:
    """Expected number of times that each round of a path is played."""
    shortest, longest = round_limits(rules)
    if rules.continuation == 1.0 and shortest == longest:
        return _passes(path, longest).astype(np.float64)
    return _visits(rules.continuation, shortest, longest, path)[0]


def _passes(path: PeriodicPlay, rounds: int) -> Counts:
    """Number of times that each round of a path is played in a match of some rounds."""
    at = np.arange(len(path.defected))
    passes = -((at - rounds) // path.period)
    return np.where(at < path.back, at < rounds, np.maximum(0, passes))


def _visits(continuation: float, shortest: int, longest: int, path: PeriodicPlay) -> tuple[Numbers, Numbers]:
    """Expected number of times that each round of a path is played, unweighted and weighted by the cycles before it.

    The limit of rounds is drawn uniformly between `shortest` and `longest`.
    """
    at, certain = np.arange(len(path.defected)), _passes(path, shortest)
    fade = continuation**path.period
    whole = _power_sums(fade, certain)
    # From here on the limit may be reached: the probability that it is not falls linearly from round to round.
    rest = _power_sums(fade, _passes(path, longest) - certain)
    left = longest - at - certain * path.period
    fall = (left * rest[:2] - path.period * rest[1:]) / (longest - shortest + 1) * fade**certain
    chance = continuation**at
    return chance * (whole[0] + fall[0]), chance * (whole[1] + certain * fall[0] + fall[1])


def _power_sums(base: float, terms: Counts) -> Numbers:
    """Sums of base^q q^j over q < `terms` for j = 0, 1, 2, shape (3, ...); by doubling, which avoids cancellation."""
    if base == 1.0:
        count = terms.astype(np.float64)
        return np.array([count, count * (count - 1) / 2, (count - 1) * count * (2 * count - 1) / 6])
    sums, done = np.zeros((3, *terms.shape)), np.zeros_like(terms)
    block, size = np.array([1.0, 0.0, 0.0]), 1  # the sums over the first `size` terms
    while size <= terms.max():
        taken = terms & size > 0
        sums = sums + np.where(taken, base**done * _shifted(block, done), 0.0)
        done = done + size * taken
        block, size = block + base**size * _shifted(block, size), 2 * size
    return sums


def _shifted(sums: Numbers, by: Counts | int) -> Numbers:
    """Sums of base^q (q + by)^j from sums of base^q q^j."""
    zeroth, first, second = sums
    return np.array([zeroth + 0 * by, by * zeroth + first, by * (by * zeroth + 2 * first) + second])


def _variance(rules: Repeated, path: PeriodicPlay, punishers: NDArray[np.bool_]) -> Numbers:
    """Variance of each player's total payoff, to which only rounds that are not certain to be played contribute."""
    shortest, longest = round_limits(rules)
    if rules.continuation == 1.0:
        if shortest == longest:
            return np.zeros(rules.n_players)
        path, shortest, longest = path.without_first(shortest), 0, longest - shortest
    gains = round_payoffs(rules, path.defected == 1, punishers)  # (rounds, n)
    before = np.cumsum(gains, axis=0) - gains
    lap = gains[path.back :].sum(axis=0)
    played, laps = _visits(rules.continuation, shortest, longest, path)
    square = played @ (gains * (2 * before + gains)) + 2 * lap * (laps @ gains)
    return np.asarray(np.maximum(0.0, square - (played @ gains) ** 2))
