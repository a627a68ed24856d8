"""Sampled matches of two automata in code compiled with numba: about ten times as fast as NumPy, and bit-identical.

Compilation takes a few seconds, only once if numba can keep its cache on disk.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.counts import MatchCounts, Strategies
from dilemmas.agents.engines.random_streams import (
    ACTION,
    BITS,
    FACTORS,
    GOLDEN,
    SHIFTS,
    TREMBLE,
    Words,
    match_lengths,
    streams,
)
from dilemmas.agents.engines.requirements import require, require_keys
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.engines.vectorised import StrategyTables, play_vectorised
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

MATCHES = 1 << 14
"""Matches that are played per call of the compiled loop."""

_GOLDEN, _FACTOR, _OTHER_FACTOR = np.uint64(GOLDEN), *map(np.uint64, FACTORS)
_FIRST, _SECOND, _THIRD = map(np.uint64, SHIFTS)
_SPARE, _ONE, _FOUR = np.uint64(64 - BITS), np.uint64(1), np.uint64(4)


def play_compiled(rules: Repeated, groups: Sequence[Strategies], keys: NDArray[np.uint64]) -> list[Tally]:
    """Play the matches of pairs of automata.

    The result is that of `dilemmas.agents.engines.vectorised.play_vectorised`, which plays instead, with a warning, if
    numba is not installed.

    Parameters
    ----------
    rules
        Rules of the matches.
    groups
        Two automata per group, by seat.
    keys
        Keys of the random numbers, shape (groups, matches), see `match_keys`.

    Returns
    -------
    A tally for each group, in order.

    Raises
    ------
    EngineError
        If the engine `compiled` cannot play a group; see `dilemmas.agents.engines.requirements`.
    """
    require("compiled", rules, groups)
    require_keys(groups, keys)
    row = keys.astype(np.uint64, copy=False).ravel()
    try:
        pairs = _compiled()
    except ImportError as error:
        warnings.warn(
            f"{error}: the same matches are played in NumPy, which is slower (pip install numba)", stacklevel=2
        )
        return play_vectorised(rules, groups, keys)
    strategies = StrategyTables.of(rules, groups)
    counted = MatchCounts.empty(2, match_lengths(rules, row))
    start = strategies.start[strategies.who].astype(np.uint64)[
        np.repeat(np.arange(len(groups)), keys.shape[1])
    ]  # (matches, 2)
    tables = strategies.after.reshape(-1, 4).astype(np.uint64)
    other = np.ascontiguousarray(tables[:, [0, 2, 1, 3]])  # columns CC, DC, CD, DD, for the second player
    sure = strategies.sure == len(strategies.start)
    for first in range(0, len(row), MATCHES):
        part = slice(first, first + MATCHES)
        counts = np.zeros((len(row[part]), 5 * 4), dtype=np.int64)
        numbers = row[part], counted.rounds[part], start[part]
        pairs(*numbers, _whole(strategies.cooperate), tables, other, _whole(rules.noise), sure, _offsets(), counts)
        _fill(counted, part, counts.reshape(-1, 5, 2, 2))
    return counted.tallies(rules, groups)


def _whole(chances: Numbers | float) -> Words:
    """Thresholds for random words of `BITS` bits that are equivalent to these probabilities."""
    return np.asarray(np.ceil(np.asarray(chances) * 2.0**BITS), dtype=np.uint64)


def _offsets() -> Words:
    """Offsets of the four streams of a pair from its key: two of actions, then two of noise."""
    zero = np.zeros(1, dtype=np.uint64)
    return np.concatenate([streams(zero, [1, 2], which) for which in (ACTION, TREMBLE)])


def _fill(counted: MatchCounts, part: slice, counts: NDArray[np.int64]) -> None:
    """Enter counts by previous joint action (first: none) and joint action, shape (matches, 5, 2, 2)."""
    counted.joints[part] = counts.sum(axis=1).reshape(-1, 4)
    counted.moves[part, 0] = counts.sum(axis=3)
    counted.moves[part, 1] = counts[:, [0, 1, 3, 2, 4]].sum(axis=2)


@cache
def _compiled() -> Callable[..., None]:
    """The compiled loop; ImportError if numba is not installed."""
    import numba

    try:
        found: Callable[..., None] = numba.njit(nogil=True, cache=True)(_pairs)
    except RuntimeError:  # no folder for the cache
        found = numba.njit(nogil=True)(_pairs)
    return found


def _pairs(
    keys: Any,
    rounds: Any,
    start: Any,
    chances: Any,
    after: Any,
    other: Any,
    noise: Any,
    sure: Any,
    offsets: Any,
    counts: Any,
) -> None:
    """Play matches one after the other; called in compiled form only.

    Shapes: `keys`, `rounds` (M,); `start` (M, 2); `chances` (states,); `after`, `other` (states, 4); `noise` ();
    `offsets` (4,); `counts` (M, 20). `sure`: all automata are deterministic, so no action is drawn.
    """

    def below(word: Any) -> Any:
        word = (word ^ (word >> _FIRST)) * _FACTOR
        word = (word ^ (word >> _SECOND)) * _OTHER_FACTOR
        return (word ^ (word >> _THIRD)) >> _SPARE

    limit = noise[()]
    for match in range(len(keys)):
        one, two = start[match, 0], start[match, 1]
        row, word = counts[match], keys[match]
        seen = np.uint64(0)
        for _ in range(rounds[match]):
            word += _GOLDEN
            if sure:
                first, second = chances[one] == 0, chances[two] == 0
            else:
                first = below(word + offsets[0]) >= chances[one]
                second = below(word + offsets[1]) >= chances[two]
            if limit:
                first ^= below(word + offsets[2]) < limit
                second ^= below(word + offsets[3]) < limit
            joint = (np.uint64(first) << _ONE) | np.uint64(second)
            row[seen + joint] += 1
            seen = (joint + _ONE) * _FOUR
            one, two = after[one, joint], other[two, joint]
