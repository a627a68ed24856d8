"""Mixed equilibria of two-player games of any size, against textbooks, laws and another method."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.bimatrix import BimatrixGame, matching_pennies, rock_paper_scissors, travelers_dilemma
from dilemmas.envs.games.n_player import volunteers_dilemma
from dilemmas.envs.theory.bimatrix_equilibria import continua, extreme_equilibria
from dilemmas.envs.theory.equilibria_2x2 import mixed_equilibria

Payoffs = NDArray[np.float64]


def bimatrix(first: Payoffs | list[list[float]], second: Payoffs | list[list[float]]) -> BimatrixGame:
    tables = (tuple(map(tuple, np.asarray(table, dtype=float).tolist())) for table in (first, second))
    return BimatrixGame("bimatrix", *tables)


def found(game: BimatrixGame) -> list[tuple[list[float], list[float]]]:
    return [(list(one.first), list(one.second)) for one in extreme_equilibria(game)]


def _indifferent(table: Payoffs) -> list[float]:
    """Probabilities of the columns that make all rows pay the same, and what they then pay."""
    size = len(table)
    equations = np.block([[table, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
    return list(np.linalg.solve(equations, [*[0] * size, 1]).tolist())


def by_supports(own: Payoffs, other: Payoffs) -> list[tuple[list[float], list[float]]]:
    """Support enumeration in floating point, for games that are not degenerate."""
    equilibria = []
    for size in range(1, min(own.shape) + 1):
        for rows, columns in product(*(combinations(range(count), size) for count in own.shape)):
            parts = (own[np.ix_(rows, columns)], other.T[np.ix_(columns, rows)])
            (*there, pays), (*here, earns) = map(_indifferent, parts)
            one, two = np.zeros(own.shape[0]), np.zeros(own.shape[1])
            one[list(rows)], two[list(columns)] = here, there
            best = (own @ two).max() <= pays + 1e-9 and (one @ other).max() <= earns + 1e-9
            if best and min(here + there) > 0:
                equilibria.append((one.tolist(), two.tolist()))
    return equilibria


def test_games_of_textbooks() -> None:
    """Von Stengel, in Nisan et al. 2007, Algorithmic Game Theory, games (3.7) and (3.8): the second is degenerate."""
    own = [[3, 3], [2, 5], [0, 6]]
    last = ([0, 1 / 3, 2 / 3], [1 / 3, 2 / 3])
    three = [([1, 0, 0], [1, 0]), ([0.8, 0.2, 0], [2 / 3, 1 / 3]), last]
    game = bimatrix(own, [[3, 2], [2, 6], [3, 1]])
    assert found(game) == [(pytest.approx(x), pytest.approx(y)) for x, y in three]
    assert not continua(extreme_equilibria(game))
    degenerate = bimatrix(own, [[3, 3], [2, 6], [3, 1]])
    ends = [([1, 0, 0], [1, 0]), ([1, 0, 0], [2 / 3, 1 / 3]), last]
    assert found(degenerate) == [(pytest.approx(x), pytest.approx(y)) for x, y in ends]
    assert continua(extreme_equilibria(degenerate))


def test_rock_paper_scissors_has_one_equilibrium() -> None:
    (one,) = extreme_equilibria(rock_paper_scissors())
    assert one.first == one.second == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert not one.pure


def test_equal_decimals_are_ties() -> None:
    """0.1 + 0.2 is written 0.30000000000000004; payoffs are taken as they are written."""
    game = bimatrix([[0.3, 0.1], [0.3, 0.1], [0.3, 0.1]], [[0.1, 0.2], [0.1, 0.2], [0.1, 0.2]])
    assert [y for _, y in found(game)] == [[0, 1]] * 3
    assert continua(extreme_equilibria(game))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4))
def test_the_equilibria_are_those_of_support_enumeration(seed: int, rows: int, columns: int) -> None:
    """A game that is not degenerate has an odd number (Wilson 1971, SIAM J. Appl. Math. 21:80)."""
    own, other = np.random.default_rng(seed).normal(size=(2, rows, columns)).round(6)
    here, there = sorted(found(bimatrix(own, other))), sorted(by_supports(own, other))
    assert len(here) == len(there)
    assert len(here) % 2 == 1
    for (x, y), (one, two) in zip(here, there, strict=True):
        assert x == pytest.approx(one, abs=1e-6)
        assert y == pytest.approx(two, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_games_of_two_actions_agree_with_their_own_solution(numbers: list[int]) -> None:
    """Ties included: a corner of a range of equilibria is extreme, and every extreme one is in a range."""
    game = bimatrix(np.reshape(numbers[:4], (2, 2)), np.reshape(numbers[4:], (2, 2)))
    extreme = {(round(one.first[0], 9), round(one.second[0], 9)) for one in extreme_equilibria(game)}
    ranges = mixed_equilibria(game)
    corners = {(round(p, 9), round(q, 9)) for one in ranges for p in one.first for q in one.second}
    assert extreme == corners
    assert continua(extreme_equilibria(game)) == any(one.continuum for one in ranges)


def test_too_large_games_are_refused() -> None:
    for game in (travelers_dilemma(), volunteers_dilemma()):
        with pytest.raises(GameError, match="two players with up to 6 x 6 actions"):
            extreme_equilibria(game)
    assert len(extreme_equilibria(matching_pennies())) == 1
