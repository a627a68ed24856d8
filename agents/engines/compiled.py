"""Sampled matches of two automata in compiled code: about ten times as quick as numpy, and the same to the last bit.

Compiling takes a few seconds, once where the result can be kept on disk (numba's cache).
"""

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.counts import Group, Score, checked, tallies
from dilemmas.agents.engines.random_streams import (
    ACTION,
    BITS,
    FACTORS,
    GOLDEN,
    SHIFTS,
    TREMBLE,
    Words,
    lengths,
    streams,
)
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.engines.vectorised import Cast, lockstep
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import EngineError, only_two_actions
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

MATCHES = 1 << 14
"""Matches between two looks at the counts."""

_GOLDEN, _FACTOR, _OTHER_FACTOR = np.uint64(GOLDEN), *map(np.uint64, FACTORS)
_FIRST, _SECOND, _THIRD = map(np.uint64, SHIFTS)
_SPARE, _ONE, _FOUR = np.uint64(64 - BITS), np.uint64(1), np.uint64(4)


def sample(rules: Repeated, groups: Sequence[Group], keys: NDArray[np.uint64]) -> list[Tally]:
    """What `dilemmas.agents.engines.vectorised.lockstep` returns, for pairs of automata.

    Without numba it is that engine which plays, and a warning says so. Raises `EngineError` for other groups.
    """
    row = checked(rules, groups, keys)
    only_two_actions(rules)
    for group in groups:
        if len(group) != 2 or not all(isinstance(one, Automaton) for one in group):
            names = ", ".join(one.name for one in group)
            raise EngineError(f"the engine 'kernel' plays pairs of automata, not {names}; the engine 'lockstep' can")
    try:
        pairs = _compiled()
    except ImportError as error:
        warnings.warn(f"{error}: numpy plays instead, the same matches more slowly (pip install numba)", stacklevel=2)
        return lockstep(rules, groups, keys)
    cast = Cast.of(rules, groups)
    score = Score.empty(2, lengths(rules, row))
    start = cast.start[cast.who].astype(np.uint64)[np.repeat(np.arange(len(groups)), keys.shape[1])]  # (matches, 2)
    tables = cast.after.reshape(-1, 4).astype(np.uint64)
    other = np.ascontiguousarray(tables[:, [0, 2, 1, 3]])  # by joint action, where the own action comes second
    sure = cast.sure == len(cast.start)
    for first in range(0, len(row), MATCHES):
        part = slice(first, first + MATCHES)
        counts = np.zeros((len(row[part]), 5 * 4), dtype=np.int64)
        numbers = row[part], score.rounds[part], start[part]
        pairs(*numbers, _whole(cast.cooperate), tables, other, _whole(rules.noise), sure, _offsets(), counts)
        _fill(score, part, counts.reshape(-1, 5, 2, 2))
    return tallies(rules, groups, score)


def _whole(chances: Numbers | float) -> Words:
    """A random word of `BITS` bits is below this exactly where the number made of it is below the chance."""
    return np.asarray(np.ceil(np.asarray(chances) * 2.0**BITS), dtype=np.uint64)


def _offsets() -> Words:
    """What the four streams of a pair add to a key: actions, then trembles."""
    zero = np.zeros(1, dtype=np.uint64)
    return np.concatenate([streams(zero, [1, 2], which) for which in (ACTION, TREMBLE)])


def _fill(score: Score, part: slice, counts: NDArray[np.int64]) -> None:
    """Read the counts by what was seen before, first the first round, and by the joint action: (matches, 5, 2, 2)."""
    score.joints[part] = counts.sum(axis=1).reshape(-1, 4)
    score.moves[part, 0] = counts.sum(axis=3)
    score.moves[part, 1] = counts[:, [0, 1, 3, 2, 4]].sum(axis=2)


@cache
def _compiled() -> Callable[..., None]:
    """The compiled loop; ImportError where numba is missing."""
    import numba

    try:
        found: Callable[..., None] = numba.njit(nogil=True, cache=True)(_pairs)
    except RuntimeError:  # no folder that could keep it
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
    """Play matches one after the other; compiled, never called as it stands.

    Shapes: `keys`, `rounds` (M,); `start` (M, 2); `chances` (states,); `after`, `other` (states, 4); `noise` (); `sure`
    says that no action has to be drawn; `offsets` (4,); `counts` (M, 20).
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
