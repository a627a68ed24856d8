"""Equilibria, fronts and dilemma strength against textbooks, brute force and Nashpy."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from math import isclose
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.bimatrix import (
    BimatrixGame,
    inspection_game,
    matching_pennies,
    rock_paper_scissors,
    travelers_dilemma,
)
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame
from dilemmas.envs.games.n_player import CountGame, n_person_snowdrift, n_person_stag_hunt, volunteers_dilemma
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.theory.equilibria_2x2 import Equilibrium, mixed_equilibria
from dilemmas.envs.theory.outcomes import JointOutcome, is_symmetric
from dilemmas.envs.theory.solutions import (
    DominantAction,
    best_responses,
    dilemma,
    dilemma_strength,
    dominant_action,
    pareto_front,
    price_of_anarchy,
    pure_equilibria,
    solve,
    welfare,
)

C, D = 0, 1
BATTLE = BimatrixGame("battle", ((3, 0), (0, 2)), ((2, 0), (0, 3)))
"""Battle of the sexes as Osborne & Rubinstein 1994 have it, with 3 where they have 2 and 2 where they have 1."""


@dataclass(frozen=True)
class TensorGame:
    """Any finite game, from payoffs of shape (actions of player 0, actions of player 1, ..., players)."""

    payoff: NDArray[np.float64]
    name: str = "tensor"
    endowments: tuple[float, ...] = ()

    @property
    def n_players(self) -> int:
        return self.payoff.shape[-1]

    @property
    def options(self) -> tuple[int, ...]:
        return self.payoff.shape[:-1]

    @property
    def n_actions(self) -> int:
        return max(self.options)

    def payoffs(self, joint: tuple[int, ...]) -> tuple[float, ...]:
        return tuple(self.payoff[joint].tolist())

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        return self.payoff[tuple(np.moveaxis(joints, -1, 0))]

    def cooperation(self, action: int, player: int = 0) -> float:
        return 1.0 - action / (self.n_actions - 1)


@dataclass(frozen=True)
class RingGame(CountGame):
    """Everybody is paid by the neighbour on the right alone: players are alike, yet it counts who sits where."""

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        return 3.0 - 3.0 * np.roll(joints, -1, axis=-1) + joints


@st.composite
def tensors(draw: st.DrawFn) -> TensorGame:
    """Games of two or three players with two or three actions and payoffs of which many tie."""
    options = draw(st.lists(st.integers(2, 3), min_size=2, max_size=3))
    size = int(np.prod(options)) * len(options)
    payoffs = draw(st.lists(st.integers(-2, 2), min_size=size, max_size=size))
    return TensorGame(np.array(payoffs, dtype=float).reshape(*options, len(options)))


@st.composite
def counted(draw: st.DrawFn) -> CountGame:
    """Symmetric games of three to five players."""
    row = st.lists(st.integers(-2, 2), min_size=(n := draw(st.integers(3, 5))), max_size=n)
    return CountGame("count_game", draw(row), draw(row))


BIMATRIX = st.lists(st.integers(-2, 2), min_size=8, max_size=8).map(
    lambda points: BimatrixGame("bimatrix_game", (points[:2], points[2:4]), (points[4:6], points[6:]))
)


def joints(game: StageGame) -> Iterator[tuple[int, ...]]:
    return product(*map(range, game.options))


def deviations(game: StageGame, joint: tuple[int, ...], player: int) -> Iterator[tuple[int, ...]]:
    for action in range(game.options[player]):
        yield (*joint[:player], action, *joint[player + 1 :])


def stable(game: StageGame, joint: tuple[int, ...]) -> bool:
    """Whether nobody gains by leaving, worked out one deviation at a time."""
    return all(
        game.payoffs(joint)[player] >= game.payoffs(other)[player]
        for player in range(game.n_players)
        for other in deviations(game, joint, player)
    )


def beaten(game: StageGame, joint: tuple[int, ...]) -> bool:
    """Whether another joint action is better for somebody and as good for all."""
    mine = game.payoffs(joint)
    others = map(game.payoffs, joints(game))
    return any(their != mine and all(a >= b for a, b in zip(their, mine, strict=True)) for their in others)


def all_of(outcomes: tuple[JointOutcome, ...]) -> list[tuple[int, ...]]:
    """The joint actions that outcomes stand for."""
    found = []
    for outcome in outcomes:
        meant = set(permutations(outcome.joint)) if outcome.ways > 1 else {outcome.joint}
        assert len(meant) == outcome.ways
        found += meant
    return sorted(found)


@pytest.mark.parametrize(
    ("game", "equilibria"),
    [
        (DEFAULTS["prisoners_dilemma"], [(D, D)]),
        (DEFAULTS["stag_hunt"], [(C, C), (D, D)]),
        (DEFAULTS["snowdrift"], [(C, D), (D, C)]),
        (DEFAULTS["harmony"], [(C, C)]),
        (DEFAULTS["deadlock"], [(D, D)]),
        (DEFAULTS["leader"], [(C, D), (D, C)]),
        (BATTLE, [(0, 0), (1, 1)]),
        (matching_pennies(), []),
        (rock_paper_scissors(), []),
        (travelers_dilemma(), [(98, 98)]),
    ],
)
def test_pure_equilibria_of_the_textbooks(game: StageGame, equilibria: list[tuple[int, ...]]) -> None:
    assert [outcome.joint for outcome in pure_equilibria(game)] == equilibria


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
def test_chicken_is_mixed_by_what_it_costs_to_meet_ones_like(payoffs: list[int]) -> None:
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
def test_infinitely_many_equilibria_are_told_as_such(row: Any, column: Any, equilibria: Any) -> None:
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
        told = any(one.first[0] <= p <= one.first[1] and one.second[0] <= q <= one.second[1] for one in found)
        assert told == (regret < 1e-9)


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


@given(tensors())
def test_equilibria_and_front_are_those_found_one_by_one(game: TensorGame) -> None:
    equilibria, front = pure_equilibria(game), pareto_front(game)
    assert all_of(equilibria) == [joint for joint in joints(game) if stable(game, joint)]
    assert all_of(front) == [joint for joint in joints(game) if not beaten(game, joint)]
    assert all(outcome.payoffs == game.payoffs(outcome.joint) for outcome in (*equilibria, *front))


@given(counted())
def test_exchanging_players_loses_no_equilibrium(game: CountGame) -> None:
    assert all_of(pure_equilibria(game)) == [joint for joint in joints(game) if stable(game, joint)]
    assert all_of(pareto_front(game)) == [joint for joint in joints(game) if not beaten(game, joint)]
    totals = Counter(sum(game.payoffs(joint)) for joint in joints(game))
    bounds = welfare(game)
    assert (bounds.least, bounds.greatest) == (min(totals), max(totals))
    assert sum(outcome.ways for outcome in bounds.least_at) == totals[bounds.least]
    assert sum(outcome.ways for outcome in bounds.greatest_at) == totals[bounds.greatest]


@given(tensors(), st.data())
def test_a_best_response_is_beaten_by_no_other_action(game: TensorGame, data: st.DataObject) -> None:
    player = data.draw(st.integers(0, game.n_players - 1))
    joint = tuple(data.draw(st.integers(0, count - 1)) for count in game.options)
    paid = [game.payoffs(other)[player] for other in deviations(game, joint, player)]
    best = best_responses(game, player, (*joint[:player], *joint[player + 1 :]))
    assert best == tuple(action for action, points in enumerate(paid) if points == max(paid))


@given(tensors(), st.data())
def test_a_dominant_action_is_a_best_response_to_everything(game: TensorGame, data: st.DataObject) -> None:
    player = data.draw(st.integers(0, game.n_players - 1))
    found = dominant_action(game, player)
    others = product(*map(range, (*game.options[:player], *game.options[player + 1 :])))
    best = [set(best_responses(game, player, actions)) for actions in others]
    always = set.intersection(*best)
    if found is None:
        assert len(always) != 1
    else:
        assert always == {found.action}
        assert found.strict == all(actions == {found.action} for actions in best)


@pytest.mark.parametrize(
    ("game", "found"),
    [
        (DEFAULTS["prisoners_dilemma"], DominantAction(D, strict=True)),
        (DEFAULTS["harmony"], DominantAction(C, strict=True)),
        (MatrixGame("matrix_game", T=5, R=3, P=0, S=0), DominantAction(D, strict=False)),  # the weak prisoner's dilemma
        (DEFAULTS["stag_hunt"], None),
        (MatrixGame("matrix_game", T=1, R=1, P=0, S=0), None),  # both actions are the same
        (BimatrixGame("twins", ((1, 1), (1, 1), (0, 0)), ((0, 0), (0, 0), (0, 0))), None),  # two are the best
        (PublicGoods(n_players=40), DominantAction(1, strict=True)),
    ],
)
def test_dominant_actions(game: StageGame, found: DominantAction | None) -> None:
    assert dominant_action(game, 0) == found


def test_greed_and_fear_of_axelrods_prisoners_dilemma() -> None:
    strength = dilemma_strength(DEFAULTS["prisoners_dilemma"])
    assert strength is not None
    assert (strength.greed, strength.fear, strength.stake) == (5 - 3, 1 - 0, 3 - 1)
    assert (strength.scaled_greed, strength.scaled_fear) == (2 / 2, 1 / 2)
    assert strength.against_turns == 2 * 3 - (5 + 0)


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_game_of_giving_is_as_strong_as_cost_by_benefit(cost: int, benefit: int) -> None:
    """Donor and recipient: Dg' = Dr' = c / (b - c) (Tanimoto & Sagara 2007; Wang et al. 2015)."""
    assume(benefit > cost)
    strength = dilemma_strength(MatrixGame("prisoners_dilemma", T=benefit, R=benefit - cost, P=0, S=-cost))
    assert strength is not None
    assert strength.scaled_greed == strength.scaled_fear == pytest.approx(cost / (benefit - cost))


@given(st.tuples(*[st.integers(-3, 3)] * 4))
def test_greed_alone_or_fear_alone_makes_the_dilemma(payoffs: tuple[int, ...]) -> None:
    T, R, P, S = payoffs
    strength = dilemma_strength(MatrixGame("matrix_game", T, R, P, S))
    assert strength is not None
    assert strength.gains == (P - S, T - R)
    assert strength.against_turns == 2 * R - (T + S)
    assert (strength.scaled_greed is None) == (strength.scaled_fear is None) == (R <= P)


@pytest.mark.parametrize(("n", "multiplier"), [(4, 1.6), (40, 3.0)])
def test_in_public_goods_a_point_kept_pays_the_same_among_any_others(n: int, multiplier: float) -> None:
    strength = dilemma_strength(PublicGoods(n_players=n, endowment=20, multiplier=multiplier))
    assert strength is not None
    assert strength.gains == pytest.approx([20 * (1 - multiplier / n)] * n)
    assert strength.stake == pytest.approx(20 * (multiplier - 1))
    assert strength.against_turns == pytest.approx(20 * (multiplier - 1))  # the one who stops takes that from all


@pytest.mark.parametrize(
    ("game", "least", "greatest", "price"),
    [
        (DEFAULTS["prisoners_dilemma"], 2, 6, 6 / 2),
        (DEFAULTS["stag_hunt"], 3, 8, 8 / 6),
        (DEFAULTS["harmony"], 0, 10, 1),
        (PublicGoods(), 80, 128, 1.6),
        (matching_pennies(), 0, 0, None),
        (MatrixGame("prisoners_dilemma", T=3, R=1, P=0, S=-1), 0, 2, None),
    ],
)
def test_welfare_and_the_price_of_anarchy(game: StageGame, least: float, greatest: float, price: float | None) -> None:
    bounds = welfare(game)
    assert (bounds.least, bounds.greatest) == pytest.approx((least, greatest))
    assert price_of_anarchy(game) == (price if price is None else pytest.approx(price))


def test_forty_volunteers() -> None:
    """In the volunteer's dilemma exactly one volunteers, and it can be any of the forty."""
    solution = solve(volunteers_dilemma(40))
    assert [(sum(outcome.joint), outcome.ways) for outcome in solution.pure] == [(39, 40)]
    assert solution.pareto == solution.pure == solution.welfare.greatest_at
    assert solution.dilemma == "volunteer's dilemma: cooperating pays where nobody else does"


def test_forty_hunters_need_enough_of_them() -> None:
    game = n_person_stag_hunt(40, threshold=20, multiplier=50)
    assert [sum(outcome.joint) for outcome in pure_equilibria(game)] == [0, 40]
    assert dilemma(game) == "stag hunt: cooperating pays where 19 to 39 others do"


def test_players_who_differ_are_told_apart() -> None:
    assert is_symmetric(PublicGoods(n_players=4))
    assert is_symmetric(PublicGoods(n_players=40))
    assert not is_symmetric(PublicGoods(n_players=3, endowment=(10, 10, 20)))
    assert not is_symmetric(PublicGoods(n_players=40, endowment=(*[10] * 39, 20)))
    assert not is_symmetric(RingGame("ring", [0] * 40, [0] * 40))
    assert not is_symmetric(BATTLE)
    assert not is_symmetric(TensorGame(np.zeros((2, 3, 2))))


@given(tensors())
def test_a_game_is_symmetric_if_payoffs_go_with_the_actions(game: TensorGame) -> None:
    def follows(joint: tuple[int, ...], seats: tuple[int, ...]) -> bool:
        paid = game.payoffs(joint)
        return game.payoffs(tuple(joint[seat] for seat in seats)) == tuple(paid[seat] for seat in seats)

    expected = len(set(game.options)) == 1 and all(
        follows(joint, seats) for joint in joints(game) for seats in permutations(range(game.n_players))
    )
    assert is_symmetric(game) == expected


def test_rounding_makes_no_difference() -> None:
    game = MatrixGame("matrix_game", T=0.3, R=0.1 + 0.2, P=0, S=0)
    assert len(pure_equilibria(game)) == 4
    assert mixed_equilibria(game) == (Equilibrium((0, 1), (0, 1)),)
    assert best_responses(game, 0, [C]) == (C, D)
    assert dominant_action(game, 0) is None


@pytest.mark.parametrize(
    ("multiplier", "words"),
    [
        (0.7, "no named dilemma: cooperating never pays"),
        (1.7, "prisoner's dilemma: cooperating never pays"),
        (3.0, "no dilemma: cooperating and defecting pay the same"),
        (3.1, "harmony: cooperating always pays"),
    ],
)
def test_the_multiplier_of_public_goods_makes_the_dilemma(multiplier: float, words: str) -> None:
    game = PublicGoods(n_players=3, endowment=0.7, multiplier=multiplier)  # thirds of it are rounded
    assert dilemma(game) == words


def test_a_stake_that_is_rounding_scales_nothing() -> None:
    strength = dilemma_strength(MatrixGame("matrix_game", T=1, R=0.1 + 0.2, P=0.3, S=0))
    assert strength is not None
    assert strength.scaled_greed is None


def test_one_unequal_endowment_changes_the_front_but_not_the_equilibrium() -> None:
    game = PublicGoods(n_players=3, endowment=(10, 20, 30))
    assert [outcome.joint for outcome in pure_equilibria(game)] == [(1, 1, 1)]
    assert dilemma_strength(game) is None
    assert isclose(welfare(game).greatest, 60 * 1.6)


def test_two_players_with_three_levels_play_a_finite_game() -> None:
    game = PublicGoods(n_players=2, levels=3, multiplier=1.5)
    assert [outcome.joint for outcome in pure_equilibria(game)] == [(2, 2)]
    assert dominant_action(game, 1) == DominantAction(2, strict=True)
    assert dilemma(game) == "one pure equilibrium, Pareto-dominated"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: solve(PublicGoods(levels=None)), "any amount"),
        (lambda: solve(PublicGoods(n_players=40, endowment=(*[10] * 39, 20))), "joint actions"),
        (lambda: mixed_equilibria(rock_paper_scissors()), r"options = \(3, 3\)"),
        (lambda: best_responses(n_person_snowdrift(4), 0, [C, C]), "3 actions"),
        (lambda: best_responses(n_person_snowdrift(4), 0, [C, C, 2]), "3 actions"),
        (lambda: best_responses(n_person_snowdrift(4), 0, [C, C, 0.5]), "0.5.*3 actions"),
        (lambda: best_responses(n_person_snowdrift(4), 0, [C, C, "C"]), "'C'.*3 actions"),
        (lambda: best_responses(n_person_snowdrift(4), 4, [C, C, C]), "player = 4; needs a whole number from 0 to 3"),
        (lambda: best_responses(BATTLE, -1, [C]), "player = -1"),
    ],
)
def test_what_cannot_be_solved_is_refused(ask: Any, message: str) -> None:
    with pytest.raises(GameError, match=message):
        ask()
