"""The length of matches: the probability that each round is played, which depends on the rules alone."""

from math import floor, inf, log

import numpy as np

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

NEGLIGIBLE = 1e-20
"""Rounds less likely than this are ignored; their total weight is far below rounding errors."""


def round_limits(rules: Repeated) -> tuple[int, int]:
    """The fewest and the most rounds after which the limit of rounds ends a match that the rules do end.

    If there is no limit, both are the last round that is not negligible.
    """
    if rules.rounds is None:
        last = _last_round(rules.continuation)
        return last, last
    return rules.rounds if isinstance(rules.rounds, tuple) else (rules.rounds, rules.rounds)


def mean_rounds(rules: Repeated) -> float:
    """The mean number of rounds of a match that the rules end, or a little more."""
    limit = inf if rules.rounds is None else sum(round_limits(rules)) / 2
    return min(limit, inf if rules.continuation == 1.0 else 1 / (1 - rules.continuation))


def geometric(rules: Repeated) -> bool:
    """Whether only the continuation probability ends matches: there is no limit of rounds, or none is reached."""
    return rules.continuation < 1.0 and round_limits(rules)[0] >= _last_round(rules.continuation)


def survival(rules: Repeated) -> Numbers:
    """Probability that each round is played, shape (rounds,); that of the first is 1."""
    shortest, longest = round_limits(rules)
    most = longest if rules.continuation == 1.0 else min(longest, _last_round(rules.continuation))
    before = np.arange(most)
    within_limit = np.minimum(1.0, (longest - before) / (longest - shortest + 1))
    return np.asarray(rules.continuation**before * within_limit)


def _last_round(continuation: float) -> int:
    """The last round that is not negligible."""
    return 1 + floor(log(NEGLIGIBLE) / log(continuation)) if continuation else 1
