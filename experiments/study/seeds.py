"""Seeds of a study, each a function of the seed of the run and of what it is for.

Random numbers are common to several models in three places only, so that the models are compared on the same situation:

- all models meet an opponent, in a game and a context, in matches with the same seeds;
- all models are shown a scenario in the same presentation of its actions;
- the populations of all policy tables use the same random numbers.

Matches that differ in game, context, opponent or repetition are independent of each other, and so are the sampled
replies of different models, to different scenarios, and of each repetition.
"""

from zlib import crc32

import numpy as np


def derived_seed(seed: int, *key: str) -> np.random.SeedSequence:
    """The seed of one purpose, independent of that of every other key. `seed`: of the run, 0 or more."""
    return np.random.SeedSequence(seed, spawn_key=[crc32(word.encode(errors="replace")) for word in key])


def match_seed(seed: int, game: str, context: str, opponent: str) -> int:
    """The seed of the matches against an opponent, in 64 bits; repetitions are numbered below it."""
    words = derived_seed(seed, "matches", game, context, opponent).generate_state(1, np.uint64)
    return int(words[0])
