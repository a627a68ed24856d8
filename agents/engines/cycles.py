"""Deterministic automata without noise: whatever they do, sooner or later they do it over and over.

The joint state is followed until it returns, and the rounds before and within the cycle are counted. A thousand
million rounds cost as much as fifty.
"""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.horizons import span
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import EngineError, only_two_actions, paid
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

Counts = NDArray[np.int64]


class Path(NamedTuple):
    """What happens round after round, for ever."""

    defected: Counts
    """The action of each player in each round, 1 = D: shape (rounds, n)."""
    back: int
    """After the last of these rounds everything goes on from this one. The round before is the same both times."""

    @property
    def period(self) -> int:
        return len(self.defected) - self.back

    def later(self, rounds: int) -> "Path":
        """The path without its first rounds."""
        if rounds <= self.back:
            return Path(self.defected[rounds:], self.back - rounds)
        return Path(np.roll(self.defected[self.back :], -((rounds - self.back) % self.period), axis=0), 0)


def cycle(rules: Repeated, group: Sequence[Automaton]) -> Tally:
    """The match of deterministic automata, exactly; expectation and variance where its length is left to chance.

    Raises `EngineError` for noise, for strategies that leave something to chance, and for rules under which more than
    C and D can happen.
    """
    n, seated = rules.n_players, _seated(rules, group)
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
        "cycle",
        played.sum(keepdims=True),
        (played @ paid(rules, own == 1, punishers))[None],
        moves,
        outcomes,
        _variance(rules, path, punishers),
    )


def _counted(cells: Counts, weights: Numbers, shape: tuple[int, ...]) -> Numbers:
    """The weights in each cell of a table of that shape."""
    return np.asarray(np.bincount(cells.ravel(), weights, prod(shape)).reshape(shape), dtype=np.float64)


def _seated(rules: Repeated, group: Sequence[Automaton]) -> list[Automaton]:
    """The players for a table of that size, if this engine can play them."""
    only_two_actions(rules)
    if len(group) != rules.n_players:
        raise EngineError(f"{len(group)} strategies for the {rules.n_players} players of {rules.stage.name}")
    if rules.noise:
        raise EngineError(f"noise = {rules.noise:g}: nothing repeats itself for ever; take the engine 'chain'")
    for one in group:
        if not one.deterministic:
            raise EngineError(f"strategy '{one.name}' leaves something to chance; take the engine 'chain'")
    return [one.for_players(rules.n_players) for one in group]


def _followed(seated: Sequence[Automaton]) -> Path:
    """The path of the joint states, by going along it until one returns."""
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
    return Path(np.array([*defected, defected[back]]), back + 1)  # so that one round alone leads to `back`


def _played(rules: Repeated, path: Path) -> Numbers:
    """How often each round of a path is expected to be played."""
    shortest, longest = span(rules)
    if rules.continuation == 1.0 and shortest == longest:
        return _passes(path, longest).astype(np.float64)
    return _visits(rules.continuation, shortest, longest, path)[0]


def _passes(path: Path, rounds: int) -> Counts:
    """How often each round of a path comes up in a number of rounds."""
    at = np.arange(len(path.defected))
    passes = -((at - rounds) // path.period)
    return np.where(at < path.back, at < rounds, np.maximum(0, passes))


def _visits(continuation: float, shortest: int, longest: int, path: Path) -> tuple[Numbers, Numbers]:
    """How often each round of a path is expected to be played, and the same with the number of cycles before as weight.

    The clock leaves a number of rounds drawn between `shortest` and `longest`.
    """
    at, certain = np.arange(len(path.defected)), _passes(path, shortest)
    fade = continuation**path.period
    whole = _power_sums(fade, certain)
    # From here on the clock may stop: the chance that it has not falls by the same amount from round to round.
    rest = _power_sums(fade, _passes(path, longest) - certain)
    left = longest - at - certain * path.period
    fall = (left * rest[:2] - path.period * rest[1:]) / (longest - shortest + 1) * fade**certain
    chance = continuation**at
    return chance * (whole[0] + fall[0]), chance * (whole[1] + certain * fall[0] + fall[1])


def _power_sums(base: float, terms: Counts) -> Numbers:
    """The sums of base^q q^j over q below `terms`, for j = 0, 1, 2: shape (3, ...). By doubling; nothing cancels."""
    if base == 1.0:
        count = terms.astype(np.float64)
        return np.array([count, count * (count - 1) / 2, (count - 1) * count * (2 * count - 1) / 6])
    sums, done = np.zeros((3, *terms.shape)), np.zeros_like(terms)
    block, size = np.array([1.0, 0.0, 0.0]), 1  # the sums over the first `size` terms
    while size <= terms.max():
        taken = terms & size > 0
        sums = sums + np.where(taken, base**done * _moved(block, done), 0.0)
        done = done + size * taken
        block, size = block + base**size * _moved(block, size), 2 * size
    return sums


def _moved(sums: Numbers, by: Counts | int) -> Numbers:
    """Sums of base^q (q + by)^j from those of base^q q^j."""
    zeroth, first, second = sums
    return np.array([zeroth + 0 * by, by * zeroth + first, by * (by * zeroth + 2 * first) + second])


def _variance(rules: Repeated, path: Path, punishers: NDArray[np.bool_]) -> Numbers:
    """Variance of each player's points; only the rounds that may or may not be played add to it."""
    shortest, longest = span(rules)
    if rules.continuation == 1.0:
        if shortest == longest:
            return np.zeros(rules.n_players)
        path, shortest, longest = path.later(shortest), 0, longest - shortest
    gains = paid(rules, path.defected == 1, punishers)  # (rounds, n)
    before = np.cumsum(gains, axis=0) - gains
    lap = gains[path.back :].sum(axis=0)
    played, laps = _visits(rules.continuation, shortest, longest, path)
    square = played @ (gains * (2 * before + gains)) + 2 * lap * (laps @ gains)
    return np.asarray(np.maximum(0.0, square - (played @ gains) ** 2))
