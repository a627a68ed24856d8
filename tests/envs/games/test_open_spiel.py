"""Payoffs against an outside judge: OpenSpiel's matrix and tensor games, on 1,000 random games."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.stage_game import StageGame

pyspiel = pytest.importorskip("pyspiel")


def judged(judge: Any, joint: tuple[int, ...]) -> list[float]:
    """What OpenSpiel pays for a joint action."""
    state = judge.new_initial_state()
    state.apply_actions(list(joint))
    assert state.is_terminal()
    return state.returns()


def agree(game: StageGame, judge: Any) -> None:
    """On every joint action."""
    joints = list(product(*map(range, game.options)))
    expected = [judged(judge, joint) for joint in joints]
    assert [game.payoffs(joint) for joint in joints] == [pytest.approx(paid) for paid in expected]
    assert game.payoff_array(np.array(joints)) == pytest.approx(np.array(expected))


def test_500_games_for_two() -> None:
    rng = np.random.default_rng(1)
    for _ in range(400):
        shape = (int(rng.integers(2, 5)), int(rng.integers(1, 5)))
        row, column = rng.normal(0, 10, shape), rng.normal(0, 10, shape)
        agree(stage_game("bimatrix_game", row=row, column=column), pyspiel.create_matrix_game(row, column))
    for _ in range(100):
        T, R, P, S = rng.normal(0, 10, 4)
        judge = pyspiel.create_matrix_game([[R, S], [T, P]], [[R, T], [S, P]])
        agree(stage_game("matrix_game", T=T, R=R, P=P, S=S), judge)


def test_250_symmetric_games_of_many() -> None:
    rng = np.random.default_rng(2)
    for _ in range(250):
        n = int(rng.integers(2, 7))
        cooperate, defect = rng.normal(0, 10, (2, n))
        tensors = np.zeros((n, *[2] * n))
        for joint in product((0, 1), repeat=n):
            for player in range(n):
                others = sum(1 for other in range(n) if other != player and joint[other] == 0)
                tensors[(player, *joint)] = defect[others] if joint[player] else cooperate[others]
        judge = pyspiel.create_tensor_game([tensor.ravel() for tensor in tensors], [2] * n)
        agree(stage_game("count_game", cooperate=cooperate, defect=defect), judge)


def test_250_public_goods_games() -> None:
    rng = np.random.default_rng(3)
    for _ in range(250):
        n, levels, multiplier = int(rng.integers(2, 5)), int(rng.integers(2, 5)), rng.uniform(0, 4)
        wealth = rng.uniform(1, 30, n)
        threshold = rng.choice([0.0, rng.uniform(0, wealth.sum())])
        refund = bool(threshold and rng.random() < 0.5)
        tensors = np.zeros((n, *[levels] * n))
        for joint in product(range(levels), repeat=n):
            given = wealth * [1 - action / (levels - 1) for action in joint]
            if given.sum() >= threshold:
                paid = wealth - given + multiplier * given.sum() / n
            else:
                paid = wealth if refund else wealth - given
            tensors[(slice(None), *joint)] = paid
        judge = pyspiel.create_tensor_game([tensor.ravel() for tensor in tensors], [levels] * n)
        options = {"endowment": wealth, "multiplier": multiplier, "threshold": threshold, "refund": refund}
        agree(stage_game("public_goods", n_players=n, levels=levels, **options), judge)


@pytest.mark.parametrize(("name", "theirs"), [("rock_paper_scissors", "matrix_rps"), ("matching_pennies", "matrix_mp")])
def test_games_that_both_know(name: str, theirs: str) -> None:
    agree(stage_game(name), pyspiel.load_game(theirs))
