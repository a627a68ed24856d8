"""The histories that a player can distinguish, in order, and those that cannot be listed."""

import pytest

from dilemmas.agents.tables.histories import HistoryError, distinct_rounds, histories
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame

PD = DEFAULTS["prisoners_dilemma"]
C, D = 0, 1


def test_the_five_histories_of_two_players_with_two_actions() -> None:
    assert histories(PD, 1) == [(), ((C, C),), ((C, D),), ((D, C),), ((D, D),)]


def test_in_a_group_with_two_actions_the_number_of_cooperators_distinguishes_rounds() -> None:
    expected = [(own, *others) for own in (C, D) for others in ((C, C, C), (C, C, D), (C, D, D), (D, D, D))]
    assert distinct_rounds(PublicGoods(n_players=4)) == expected


@pytest.mark.parametrize(
    ("game", "memory", "message"),
    [
        (PD, -1, "memory = -1"),
        (PD, 9, "over 100,000 histories"),
        (PublicGoods(levels=None), 1, "free amounts"),
        (PublicGoods(n_players=3, endowment=(1, 2, 3)), 1, "only if all its players are alike"),
    ],
)
def test_histories_that_cannot_be_listed_are_refused(game: StageGame, memory: int, message: str) -> None:
    with pytest.raises(HistoryError, match=message):
        histories(game, memory)
