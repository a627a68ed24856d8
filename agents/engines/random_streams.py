"""Random numbers of sampled matches, each a function of the match's key, the round and its purpose.

No number depends on whether another one was drawn, so a match is the same alone, in any batch, on any worker, in NumPy
and in compiled code. Every purpose has its own stream, whose number r is used in round r. The streams are segments
of 2**40 numbers of the sequence of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA:453).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

GOLDEN = 0x9E3779B97F4A7C15
"""Increment of SplitMix64 from one number to the next."""
FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS = (30, 27, 31)
"""SplitMix64's finaliser: variant 13 of Stafford's mixers."""
BITS = 53
"""Random bits of a number."""

ACTION, TREMBLE, OWN = 0, 1, 2
"""Streams of a seat: its action, its noise, and from `OWN` on those of a `CountingStrategy`, which uses number 0 before
the first round."""
HORIZON, ENDING = 0, 1
"""Streams of the table, of which only number 0 is used: the limit of rounds, and the end by the continuation
probability."""
TABLE = 0
"""Place of the table; the place of seat i is i + 1."""

Words = NDArray[np.uint64]


def streams(keys: Words, place: ArrayLike, which: ArrayLike) -> Words:
    """Start of streams by match key, place and number of the stream (0 to 4095); the three are broadcast."""
    number = (np.asarray(place, dtype=np.uint64) << np.uint64(12)) + np.asarray(which, dtype=np.uint64)
    start: Words = keys + (number << np.uint64(40)) * np.array([GOLDEN], dtype=np.uint64)
    return start


def uniform(starts: Words, round: ArrayLike) -> Numbers:
    """Numbers of streams in a round, uniform in [0, 1); `round` is broadcast with the streams."""
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


def match_lengths(rules: Repeated, keys: Words) -> NDArray[np.int64]:
    """Number of rounds of each match, of the shape of `keys`, under rules that end matches."""
    if isinstance(rules.rounds, tuple):
        shortest, longest = rules.rounds
        share = uniform(streams(keys, TABLE, HORIZON), 0)
        most = shortest + (share * (longest - shortest + 1)).astype(np.int64)
    else:
        longest = rules.rounds if rules.rounds is not None else np.iinfo(np.int64).max
        most = np.full(keys.shape, longest, dtype=np.int64)
    if rules.continuation == 1.0:
        return most
    draws = uniform(streams(keys, TABLE, ENDING), 0)
    return np.minimum(most, _geometric_lengths(draws, rules.continuation, int(longest)))


def _geometric_lengths(draws: Numbers, continuation: float, longest: int, block: int = 1024) -> NDArray[np.int64]:
    """Geometrically distributed numbers of rounds, by inverting their distribution."""
    rounds = np.ones(draws.shape, dtype=np.int64)
    reached, surviving = 1, 1.0
    while reached < longest and surviving > draws.min(initial=1.0):
        chances = np.full(min(block, longest - reached), continuation)
        chances[0] *= surviving
        survival = np.multiply.accumulate(chances)  # probability that more than 1, 2, ... rounds are played
        rounds += np.searchsorted(-survival, -draws)
        reached, surviving = reached + len(chances), float(survival[-1])
    return rounds
