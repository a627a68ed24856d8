"""Equilibria of 2x2 games, mixed ones and continua included, against textbooks, brute force and Nashpy."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from finite_games import BATTLE, BIMATRIX
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.envs.games.bimatrix import BimatrixGame, inspection_game, matching_pennies
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.theory.equilibria_2x2 import mixed_equilibria
from dilemmas.envs.theory.solutions import pure_equilibria


@pytest.mark.parametrize(
    ("game", "probabilities"),
    [
        (DEFAULTS["snowdrift"], [(0, 1), (1, 0), (2 / 3, 2 / 3)]),
        (DEFAULTS["stag_hunt"], [(0, 0), (1, 1), (3 / 4, 3 / 4)]),
        (DEFAULTS["prisoners_dilemma"], [(0, 0)]),
        (BATTLE, [(0, 0), (1, 1), (3 / 5, 2 / 5)]),
        (matching_pennies(), [(1 / 2, 1 / 2)]),
        (inspection_game(output=6, wage=4, effort=2, inspection=1), [(1 - 1 / 4, 1 - 2 / 4)]),
    ],
)
def test_all_equilibria_of_the_textbooks(game: StageGame, probabilities: list[tuple[float, float]]) -> None:
    found = mixed_equilibria(game)
    assert not any(one.continuum for one in found)
    assert [(one.first[0], one.second[0]) for one in found] == [pytest.approx(pair) for pair in probabilities]


@given(st.lists(st.integers(-9, 9), min_size=4, max_size=4, unique=True).map(sorted))
def test_mixed_equilibrium_of_chicken(payoffs: list[int]) -> None:
    P, S, R, T = payoffs
    chance = (S - P) / ((T - R) + (S - P))  # Sugden 1986; Doebeli & Hauert 2005
    mixed = mixed_equilibria(MatrixGame("snowdrift", T, R, P, S))[-1]
    assert (mixed.first, mixed.second) == (pytest.approx((chance, chance)),) * 2


@pytest.mark.parametrize(
    ("row", "column", "equilibria"),
    [
        # nothing is at stake: everything is an equilibrium
        (((0, 0), (0, 0)), ((0, 0), (0, 0)), [((0, 1), (0, 1))]),
        # only the second player cares, for meeting the first: three sides of a Z
        (((0, 0), (0, 0)), ((1, 0), (0, 1)), [((0, 0.5), (0, 0)), ((0.5, 0.5), (0, 1)), ((0.5, 1), (1, 1))]),
        # the border of prisoner's dilemma and snowdrift, P = S: either may cooperate with somebody who defects
        (((3, 0), (5, 0)), ((3, 5), (0, 0)), [((0, 0), (0, 1)), ((0, 1), (0, 0))]),
    ],
)
def test_infinitely_many_equilibria_are_a_continuum(row: Any, column: Any, equilibria: Any) -> None:
    found = mixed_equilibria(BimatrixGame("bimatrix_game", row, column))
    assert [(one.first, one.second) for one in found] == equilibria
    assert all(one.continuum and not one.pure for one in found)


@given(BIMATRIX)
def test_probabilities_are_an_equilibrium_where_no_one_gains_and_only_there(game: BimatrixGame) -> None:
    found = mixed_equilibria(game)
    assert found  # Nash 1951
    edges = [point for one in found for span in (one.first, one.second) for point in (*span, sum(span) / 2)]
    chances = sorted({k / 6 for k in range(7)} | set(edges))
    for p, q in product(chances, repeat=2):
        mine, theirs = np.array([p, 1 - p]), np.array([q, 1 - q])
        row, column = np.array(game.row), np.array(game.column)
        regret = max((row @ theirs).max() - mine @ row @ theirs, (mine @ column).max() - mine @ column @ theirs)
        result = any(one.first[0] <= p <= one.first[1] and one.second[0] <= q <= one.second[1] for one in found)
        assert result == (regret < 1e-9)


@given(BIMATRIX)
def test_pure_equilibria_are_among_all_equilibria(game: BimatrixGame) -> None:
    for outcome in pure_equilibria(game):
        p, q = (1.0 - action for action in outcome.joint)
        assert any(
            one.first[0] <= p <= one.first[1] and one.second[0] <= q <= one.second[1] for one in mixed_equilibria(game)
        )


@pytest.fixture(scope="module")
def nashpy() -> Any:
    return pytest.importorskip("nashpy")


@given(row=st.permutations(range(4)), column=st.permutations(range(4)))
def test_nashpy_finds_the_same_equilibria(nashpy: Any, row: list[int], column: list[int]) -> None:
    tables = [(tuple(points[:2]), tuple(points[2:])) for points in (row, column)]  # without ties it takes all
    found = mixed_equilibria(BimatrixGame("bimatrix_game", *tables))
    theirs = nashpy.Game(*map(np.array, tables)).support_enumeration()
    assert sorted((one.first[0], one.second[0]) for one in found) == [
        pytest.approx(pair) for pair in sorted((p[0], q[0]) for p, q in theirs)
    ]
