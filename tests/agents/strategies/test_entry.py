"""Descriptions of strategies: their form, and whether the strategies play what they say."""

import re
from collections import defaultdict
from collections.abc import Callable

import pytest

from dilemmas.agents.agent import View
from dilemmas.agents.strategies.catalogue import FAMILIES, GROUPS, STRATEGIES, listing, strategy
from dilemmas.agents.strategies.entry import Strategy
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import stakes
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.rules.repeated import Repeated

GAME = DEFAULTS["prisoners_dilemma"]
DESCRIPTIONS = [row.description for row in listing()]


@pytest.mark.parametrize("description", DESCRIPTIONS)
def test_a_description_is_one_short_sentence(description: str) -> None:
    assert len(description) <= 100
    assert re.fullmatch(r"[A-Z].*\.", description)
    assert not re.search(r"[.!?] |\n", description)  # a single sentence
