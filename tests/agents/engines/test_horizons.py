"""The distribution of match lengths."""

from typing import Any

import numpy as np
import pytest

from dilemmas.agents.engines.horizons import survival
from dilemmas.envs.rules.factory import rules_of

PD = "prisoners_dilemma"


LENGTHS: list[dict[str, Any]] = [
    {"rounds": 1},
    {"rounds": 5},
    {"rounds": (2, 5)},
    {"rounds": 5, "continuation": 0.7},
    {"rounds": (2, 5), "continuation": 0.8},
    {"rounds": 5, "continuation": 0.0},
]


@pytest.mark.parametrize("length", LENGTHS)
def test_survival_is_the_share_of_matches_that_reach_a_round(length: dict[str, Any]) -> None:
    rules, rng = rules_of(PD, **length), np.random.default_rng(6)
    reached = np.zeros(5)
    matches = 4000
    for _ in range(matches):
        state = rules.start(rng)
        while state.ending is None:
            reached[state.round] += 1
            state = rules.step(state, (0, 0), rng).state
    expected = np.zeros(5)
    expected[: len(survival(rules))] = survival(rules)
    spread = np.sqrt(expected * (1 - expected) / matches)
    assert np.all(np.abs(reached / matches - expected) <= 4.5 * spread)
