"""Best responses, pure equilibria, Pareto fronts and dilemma strength against textbooks and brute force."""

from collections import Counter
from itertools import product
from math import isclose
from typing import Any

import pytest
from finite_games import (
    BATTLE,
    C,
    D,
    TensorGame,
    all_of,
    beaten,
    counted,
    deviations,
    joints,
    stable,
    tensors,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.bimatrix import (
    BimatrixGame,
    matching_pennies,
    rock_paper_scissors,
    travelers_dilemma,
)
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame
from dilemmas.envs.games.n_player import CountGame, n_person_snowdrift, n_person_stag_hunt, volunteers_dilemma
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.theory.equilibria_2x2 import Equilibrium, mixed_equilibria
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
        (lambda: solve(PublicGoods(levels=None)), "actions are amounts"),
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
def test_an_unsolvable_game_is_refused(ask: Any, message: str) -> None:
    with pytest.raises(GameError, match=message):
        ask()
