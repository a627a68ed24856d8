"""The results of the matches of one group, in the same form from every engine.

A group is the strategies in one match, by seat. Actions are C = 0 and D = 1, the most and the least cooperative action
of the game. The outcome of a round as a player sees it is an integer: its own action times the number of players, plus
the number of others who defected; for two players CC, CD, DC, DD, own action first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import whole_number
from dilemmas.envs.games.stage_game import Numbers

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """Counts of ``K`` matches of a group of ``n`` players; expected counts of one match (K = 1) if `exact`."""

    rounds: Numbers
    """Rounds of each match, shape (K,)."""
    payoffs: Numbers
    """Total payoff of each player in each match, shape (K, n)."""
    moves: Numbers
    """Number of times a player played C or D after each outcome of the round before, shape (K, n, 1 + 2n, 2); index 0
    of the third axis is the first round, which has no outcome before it."""
    outcomes: Numbers
    """Number of rounds with each outcome as the player sees it, shape (K, n, 2n)."""
    variance: Numbers | None = None
    """Variance of each player's total payoff over a match, shape (n,), if the counts are expectations."""
    aborted: int = 0
    """Matches that an unreadable reply ended early; their rounds up to there are counted."""

    @property
    def exact(self) -> bool:
        """Whether the counts are expectations, without sampling error."""
        return self.variance is not None


def match_keys(seed: int, names: Sequence[str], first: int, count: int) -> NDArray[np.uint64]:
    """Keys of the random numbers of a group's matches.

    They depend neither on the other groups of the tournament nor on the number of repetitions.

    Parameters
    ----------
    seed
        Seed of the tournament.
    names
        Names of the agents by seat.
    first, count
        The repetitions ``first``, ``first + 1``, ..., ``first + count - 1``, counted from 0.

    Returns
    -------
    Array of shape (count,).

    Raises
    ------
    GameError
        If a number is not a whole number of at least 0.
    """
    for name, value in (("seed", seed), ("first", first), ("count", count)):
        whole_number(value, name, 0)
    text = json.dumps([seed, list(names)], ensure_ascii=False)
    stream = np.random.PCG64(int.from_bytes(sha256(text.encode()).digest(), "little"))
    return np.asarray(stream.advance(first).random_raw(count), dtype=np.uint64)
