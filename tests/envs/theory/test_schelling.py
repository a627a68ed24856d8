"""Schelling diagrams of known games; games without one are refused."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.theory.schelling import schelling_diagram

C = 0


def test_a_schelling_diagram_of_two_is_the_payoff_matrix() -> None:
    diagram = schelling_diagram(stage_game("prisoners_dilemma"))
    assert diagram == ((0, 1), (0, 3), (1, 5), ())  # S, R; P, T


def test_the_curves_cross_in_the_mixed_equilibrium_of_two() -> None:
    assert schelling_diagram(stage_game("stag_hunt")).crossings == pytest.approx([3 / 4])
    assert schelling_diagram(stage_game("snowdrift")).crossings == pytest.approx([2 / 3])
    assert schelling_diagram(stage_game("matrix_game", T=1, R=1, P=0, S=0)).crossings == (0, 1)


def test_the_curves_of_public_goods_are_parallel() -> None:
    diagram = schelling_diagram(stage_game("public_goods"))
    assert diagram.others == (0, 1, 2, 3)
    assert diagram.cooperate == pytest.approx([8, 16, 24, 32])
    assert diagram.defect == pytest.approx([20, 28, 36, 44])
    assert diagram.crossings == ()


def test_curves_may_cross_more_than_once() -> None:
    hunt = stage_game("n_person_stag_hunt", n_players=4, threshold=2, multiplier=3, cost=4)
    diagram = schelling_diagram(hunt)  # worth joining as the second only
    assert diagram == ((0, 1, 2, 3), (-4, 2, 5, 8), (0, 0, 6, 9), pytest.approx((2 / 3, 5 / 3)))  # gains -4, 2, -1, -1


def test_a_count_game_is_its_schelling_diagram() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 3, 7, 40, 300):
        game = CountGame("any", rng.normal(0, 10, n), rng.normal(0, 10, n))
        assert schelling_diagram(game)[1:3] == (game.cooperate, game.defect)


@dataclass(frozen=True)
class Star(CountGame):
    """The first player's cooperation counts for two."""

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        return super().payoff_array(joints) + (joints[..., :1] == C)


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (stage_game("public_goods", n_players=3, endowment=(1, 1, 2)), "the game is not symmetric"),
        (stage_game("matching_pennies"), "the game is not symmetric"),
        (Star("star", range(100), range(100)), "the game is not symmetric"),
        (stage_game("public_goods", levels=3), "options = (3, 3, 3, 3)"),
        (stage_game("public_goods", levels=None), "options = (0, 0, 0, 0)"),
        (stage_game("bimatrix_game", row=[[1], [2]], column=[[1], [2]]), "options = (2, 1)"),
    ],
)
def test_games_without_a_schelling_diagram_are_refused(game: StageGame, message: str) -> None:
    with pytest.raises(GameError) as error:
        schelling_diagram(game)
    assert message in str(error.value)
