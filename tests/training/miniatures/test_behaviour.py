"""The reasons of the miniatures follow from the behavioural model."""

import pytest

from dilemmas.agents.behaviour.quantal_response import BehaviouralModel
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES
from dilemmas.training.miniatures.behaviour import motive


@pytest.mark.parametrize(
    ("closeness", "history", "action", "game", "reason"),
    [
        (4, (), 0, "prisoners_dilemma", "care"),
        (1, (), 1, "prisoners_dilemma", "gain"),
        (0, (), 1, "harmony", "spite"),
        (3, (), 0, "stag_hunt", "care"),
        (2, ((0, 1),), 1, "stag_hunt", "reciprocity"),
        (2, (), 1, "harmony", "whim"),
    ],
)
def test_the_motive_is_the_largest_contribution_to_the_choice(closeness, history, action, game, reason) -> None:
    game = KNOWN_GAMES[game]
    assert motive(BehaviouralModel().judge(game, closeness, history), action, game) == reason
