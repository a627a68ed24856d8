"""What matches of one group came to: the same counts from every engine, so that tables and tests need not ask which.

A group is the strategies at one table, by seat. Actions are C = 0 and D = 1, the most and the least cooperative one of
the game. What a player saw of a round is a number: own action times the number of players, plus how many of the others
defected; for two players CC, CD, DC, DD, own action first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers


@dataclass(frozen=True)
class Tally:
    """Counts of `K` matches of one group of `n` players; or expected counts of one match, where K is 1 and `exact`."""

    engine: str
    """``cycle``, ``chain``, ``agents``, or ``lockstep``, whose matches are those of ``kernel``."""
    rounds: Numbers
    """Rounds of each match, shape (K,)."""
    payoffs: Numbers
    """Points of each player over a match, shape (K, n)."""
    moves: Numbers
    """How often a player, after what it saw of the round before, played C or D: shape (K, n, 1 + 2n, 2); the first of
    the middle axis is the first round."""
    outcomes: Numbers
    """How often a player saw what, over all rounds: shape (K, n, 2n)."""
    variance: Numbers | None = None
    """Variance of a player's points over one match, shape (n,): known where the counts are expectations."""
    aborted: int = 0
    """Matches that a reply in which no action could be read ended early; they count as far as they went."""

    @property
    def exact(self) -> bool:
        """Whether the counts are expectations, without sampling error."""
        return self.variance is not None


def match_keys(seed: int, names: Sequence[str], first: int, count: int) -> NDArray[np.uint64]:
    """Keys of the random numbers of repetitions `first`, `first` + 1 ... of a group's matches, shape (count,).

    They depend on who plays, never on who else is in the tournament, nor on how many repetitions there are.
    """
    told = json.dumps([seed, list(names)], ensure_ascii=False)
    stream = np.random.PCG64(int.from_bytes(sha256(told.encode()).digest(), "little"))
    return np.asarray(stream.advance(first).random_raw(count), dtype=np.uint64)
