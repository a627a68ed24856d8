"""The random numbers of sampled matches, each a function of the match's key, of the round and of what it decides.

No number depends on another one having been drawn, so a match comes out the same alone, in any batch, on any worker,
in numpy and in compiled code. Every decision has a stream of its own, and number r of it is its number in round r: the
streams are stretches, 2**40 numbers apart, of the sequence of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA:453).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

GOLDEN = 0x9E3779B97F4A7C15
"""What SplitMix64 adds from one number to the next."""
FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS = (30, 27, 31)
"""SplitMix64's finaliser: variant 13 of Stafford's mixers."""
BITS = 53
"""Bits of a number."""

ACTION, TREMBLE, OWN = 0, 1, 2
"""Streams of a seat: cooperation is drawn with the first, the trembling hand with the second; a `Routine` has the rest,
with round 0 for its beginning."""
HORIZON, ENDING = 0, 1
"""Streams of the table, which take round 0 only: how long a match may last, and when chance ends it."""
TABLE = 0
"""Place of the table; that of a seat is its number from 1 up."""

Words = NDArray[np.uint64]


def streams(keys: Words, place: ArrayLike, which: ArrayLike) -> Words:
    """Where streams begin, by match key, place and number of the stream, 0 to 4095; the three are broadcast."""
    number = (np.asarray(place, dtype=np.uint64) << np.uint64(12)) + np.asarray(which, dtype=np.uint64)
    start: Words = keys + (number << np.uint64(40)) * np.array([GOLDEN], dtype=np.uint64)
    return start


def uniform(starts: Words, round: ArrayLike) -> Numbers:
    """The numbers of streams in a round, uniform in [0, 1); `round` is broadcast with the streams."""
    step = np.asarray(round, dtype=np.uint64) * np.array([GOLDEN], dtype=np.uint64)
    word = starts + step
    for shift, factor in zip(SHIFTS, FACTORS, strict=False):
        word ^= word >> np.uint64(shift)
        word *= np.uint64(factor)
    word ^= word >> np.uint64(SHIFTS[-1])
    word >>= np.uint64(64 - BITS)
    numbers = word.astype(np.float64)
    numbers *= 2.0**-BITS
    return numbers


def lengths(rules: Repeated, keys: Words) -> NDArray[np.int64]:
    """Rounds of each match, shape as `keys`; the rules end a match some time."""
    if isinstance(rules.rounds, tuple):
        shortest, longest = rules.rounds
        share = uniform(streams(keys, TABLE, HORIZON), 0)
        most = shortest + (share * (longest - shortest + 1)).astype(np.int64)
    else:
        longest = rules.rounds if rules.rounds is not None else np.iinfo(np.int64).max
        most = np.full(keys.shape, longest, dtype=np.int64)
    if rules.continuation == 1.0:
        return most
    left = uniform(streams(keys, TABLE, ENDING), 0)
    return np.minimum(most, _until_chance_ends(left, rules.continuation, int(longest)))


def _until_chance_ends(left: Numbers, continuation: float, longest: int, block: int = 1024) -> NDArray[np.int64]:
    """Rounds where one more follows with probability `continuation`, by inverting their distribution."""
    rounds = np.ones(left.shape, dtype=np.int64)
    reached, still = 1, 1.0
    while reached < longest and still > left.min(initial=1.0):
        chances = np.full(min(block, longest - reached), continuation)
        chances[0] *= still
        survival = np.multiply.accumulate(chances)  # probability that more than 1, 2, ... rounds are played
        rounds += np.searchsorted(-survival, -left)
        reached, still = reached + len(chances), float(survival[-1])
    return rounds
