"""How long matches last: the chance that a round is played, by the rules alone."""

from math import floor, log

import numpy as np

from dilemmas.agents.two_actions import EngineError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

NEGLIGIBLE = 1e-20
"""Rounds that are less likely than this are left out; all of them together weigh far less than a rounding error."""


def span(rules: Repeated) -> tuple[int, int]:
    """Fewest and most rounds that the clock leaves. Where it sets no limit, both are the last round worth counting."""
    if rules.endless:
        raise EngineError("a match without end; set rounds, or a continuation below 1")
    if rules.rounds is None:
        last = _reach(rules.continuation)
        return last, last
    return rules.rounds if isinstance(rules.rounds, tuple) else (rules.rounds, rules.rounds)


def geometric(rules: Repeated) -> bool:
    """Whether the continuation alone ends matches, for all that can be noticed: no limit, or one that none reaches."""
    return rules.continuation < 1.0 and span(rules)[0] >= _reach(rules.continuation)


def survival(rules: Repeated) -> Numbers:
    """Probability that each round is played, from the first, which is certain: shape (rounds,)."""
    shortest, longest = span(rules)
    most = longest if rules.continuation == 1.0 else min(longest, _reach(rules.continuation))
    before = np.arange(most)
    clock = np.minimum(1.0, (longest - before) / (longest - shortest + 1))
    return np.asarray(rules.continuation**before * clock)


def _reach(continuation: float) -> int:
    """The last round that is not negligible."""
    return 1 + floor(log(NEGLIGIBLE) / log(continuation)) if continuation else 1
