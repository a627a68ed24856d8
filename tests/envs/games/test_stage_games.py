"""The stage games: payoffs in closed form, and the payoff order that each name requires."""

import pickle
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.catalogue import GAMES, example_options, game_options, stage_game
from dilemmas.envs.games.matrix_games import MatrixGame, plane_game
from dilemmas.envs.games.n_player import PROMISES, CountGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.theory.schelling import schelling_diagram

C, D = 0, 1
point = st.floats(-1e6, 1e6)


def row(length: int) -> st.SearchStrategy[list[float]]:
    return st.lists(point, min_size=length, max_size=length)


@st.composite
def bimatrix_games(draw: st.DrawFn) -> BimatrixGame:
    m, n = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)).filter(lambda shape: shape != (1, 1)))
    table = st.lists(row(n), min_size=m, max_size=m)
    return BimatrixGame("any", draw(table), draw(table))


@st.composite
def count_games(draw: st.DrawFn) -> CountGame:
    n = draw(st.integers(2, 12))
    return CountGame("any", draw(row(n)), draw(row(n)))


@st.composite
def commons(draw: st.DrawFn) -> PublicGoods:
    n = draw(st.integers(2, 12))
    wealth = st.floats(0.01, 1000)
    endowment = draw(wealth | st.lists(wealth, min_size=n, max_size=n))
    share = draw(st.floats(0, 1))
    threshold = share * 0.999 * (sum(endowment) if isinstance(endowment, list) else n * endowment)  # 0 by underflow too
    return PublicGoods(
        n_players=n,
        endowment=endowment,
        multiplier=draw(st.floats(0, 20)),
        levels=draw(st.none() | st.integers(2, 7)),
        threshold=threshold,
        refund=draw(st.booleans()) and threshold > 0,
    )


matrix_games = st.builds(MatrixGame, st.just("matrix_game"), point, point, point, point)
any_game = st.one_of(matrix_games, bimatrix_games(), count_games(), commons(), st.sampled_from(list(GAMES.values())))


def draw_joints(game: StageGame, size: tuple[int, ...], seed: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    if game.endowments:
        return rng.random((*size, game.n_players)) * np.array(game.endowments)
    return rng.integers(0, np.array(game.options), (*size, game.n_players))


@settings(max_examples=150, deadline=None)
@given(any_game, st.integers(0, 2**32 - 1))
def test_batched_payoffs_equal_single_payoffs(game: StageGame, seed: int) -> None:
    joints = draw_joints(game, (3, 2), seed)
    paid = game.payoff_array(joints)
    assert paid.shape == joints.shape
    assert paid.dtype == np.float64
    for place in np.ndindex(3, 2):
        alone = game.payoffs(tuple(joints[place].tolist()))
        assert all(type(payoff) is float for payoff in alone)
        assert tuple(paid[place]) == alone  # to the last bit
    assert game.payoff_array(joints[:0]).shape == (0, 2, game.n_players)


@settings(max_examples=100, deadline=None)
@given(any_game, st.integers(0, 2**32 - 1))
def test_every_game_keeps_the_protocol(game: StageGame, seed: int) -> None:
    assert isinstance(game, StageGame)
    assert len(game.options) == game.n_players >= 2
    assert game.n_actions == max(game.options)
    assert bool(game.endowments) == (0 in game.options)
    joint = draw_joints(game, (), seed).tolist()
    assert all(0 <= game.cooperation(action, player) <= 1 for player, action in enumerate(joint))
    assert all(0 <= game.cooperation(action) <= 1 for action in joint)
    assert pickle.loads(pickle.dumps(game)) == game
    assert hash(pickle.loads(pickle.dumps(game))) == hash(game)


@pytest.mark.parametrize("name", [name for name in GAMES if name not in ("matching_pennies", "rock_paper_scissors")])
def test_the_first_action_is_the_most_cooperative_and_the_last_the_least(name: str) -> None:
    game = GAMES[name]
    for player, options in enumerate(game.options):
        degrees = [game.cooperation(action, player) for action in range(options)]
        assert degrees == sorted(degrees, reverse=True)
        assert (degrees[0], degrees[-1]) == (1, 0)


def test_every_game_is_made_from_its_own_options() -> None:
    for name, game in GAMES.items():
        assert game.name == name
        options = {key: value for key, value in game_options(name).items() if value is not None}
        assert stage_game(name, **options) == game
        assert stage_game(name, **example_options(name)) == game


# --- two players ---------------------------------------------------------------------------------------------------


def test_points_of_the_plane_lie_in_the_quarters_of_santos_pacheco_and_lenaerts() -> None:
    quarters = {"prisoners_dilemma": (-0.5, 1.5), "stag_hunt": (-0.5, 0.5), "snowdrift": (0.5, 1.5)}
    quarters["harmony"] = (0.5, 0.5)
    for name, (S, T) in quarters.items():
        game = plane_game(S, T)
        assert game == MatrixGame("matrix_game", T=T, R=1, P=0, S=S)
        assert MatrixGame(name, T=game.T, R=game.R, P=game.P, S=game.S).payoffs((C, D)) == (S, T)
        for other in set(quarters) - {name}:
            with pytest.raises(GameError):
                MatrixGame(other, T=game.T, R=game.R, P=game.P, S=game.S)


def test_battle_of_the_sexes_payoff_order() -> None:
    game = stage_game("battle_of_the_sexes")
    assert [game.payoffs(joint) for joint in ((C, D), (D, C), (C, C), (D, D))] == [(1, 2), (2, 1), (0, 0), (0, 0)]


def test_a_bimatrix_game_pays_its_tables() -> None:
    game = stage_game("bimatrix_game", row=[[1, 2, 3], [4, 5, 6]], column=np.array([[7, 8, 9], [10, 11, 12]]))
    assert game.options == (2, 3)
    assert game.payoffs((0, 2)) == (3, 9)
    assert game.payoffs((1, 0)) == (4, 10)
    assert [game.cooperation(action, 0) for action in range(2)] == [1, 0]
    assert [game.cooperation(action, 1) for action in range(3)] == [1, 0.5, 0]


def test_a_player_may_have_no_choice() -> None:
    dictator = stage_game("bimatrix_game", row=[[5], [10]], column=[[5], [0]], degrees=[[1, 0.25], [0.5]])
    assert dictator.payoffs((1, 0)) == (10, 0)
    assert (dictator.cooperation(1, 0), dictator.cooperation(0, 1)) == (0.25, 0.5)


def test_a_table_alone_makes_a_symmetric_game() -> None:
    game = stage_game("bimatrix_game", row=[[3, 0, 1], [5, 1, 2], [9, 8, 7]])
    for joint in product(range(3), repeat=2):
        assert game.payoffs(joint) == game.payoffs(joint[::-1])[::-1]


def test_rock_is_wrapped_by_paper_paper_cut_by_scissors_scissors_broken_by_rock() -> None:
    game, rock, paper, scissors = stage_game("rock_paper_scissors"), 0, 1, 2
    for winner, loser in ((paper, rock), (scissors, paper), (rock, scissors)):
        assert game.payoffs((winner, loser)) == (1, -1)
        assert game.payoffs((loser, winner)) == (-1, 1)
    assert all(game.payoffs((action, action)) == (0, 0) for action in range(3))


def test_one_wins_if_the_pennies_match_the_other_if_not() -> None:
    game = stage_game("matching_pennies")
    for joint in product((0, 1), repeat=2):
        assert game.payoffs(joint) == ((1, -1) if joint[0] == joint[1] else (-1, 1))


def test_basus_travelers() -> None:
    game = stage_game("travelers_dilemma")
    assert game.options == (99, 99)  # claims of 100 down to 2
    assert game.payoffs((0, 0)) == (100, 100)
    assert game.payoffs((1, 0)) == (101, 97)
    assert game.payoffs((98, 0)) == (4, 0)
    assert game.payoffs((98, 98)) == (2, 2)
    own = np.array(game.row)
    assert own.argmax(axis=0).tolist() == [*range(1, 99), 98]  # a point below the other, and 2 against 2


def test_work_is_inspected_as_often_as_fudenberg_and_tirole_say() -> None:
    game = stage_game("inspection_game", output=9, wage=5, effort=2, inspection=1)
    assert game.row == ((3, 3), (5, 0))  # works, shirks; by column: trusted, inspected
    assert game.column == ((4, 3), (-5, -1))
    shirks, inspects = 1 / 5, 2 / 5  # h / w, g / w
    row, column = np.array(game.row), np.array(game.column)
    assert np.ptp(row @ [1 - inspects, inspects]) == pytest.approx(0)
    assert np.ptp([1 - shirks, shirks] @ column) == pytest.approx(0)


# --- many players --------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(count_games(), st.data())
def test_a_count_game_asks_how_many_not_who(game: CountGame, data: st.DataObject) -> None:
    joint = data.draw(st.tuples(*[st.sampled_from((C, D))] * game.n_players))
    payoffs = game.payoffs(joint)
    for player, action in enumerate(joint):
        others = joint[:player] + joint[player + 1 :]
        assert payoffs[player] == (game.defect if action else game.cooperate)[others.count(C)]


PAIRS = {
    "n_person_prisoners_dilemma": "prisoners_dilemma",
    "n_person_stag_hunt": "stag_hunt",
    "n_person_snowdrift": "snowdrift",
    "n_person_harmony": "harmony",
}


def accepted(make: Any, *given: Any, **options: Any) -> bool:
    try:
        make(*given, **options)
    except GameError:
        return False
    return True


@pytest.mark.parametrize("name", PAIRS)
def test_two_player_count_games_satisfy_the_conditions_of_the_matrix_games(name: str) -> None:
    found = set()
    for T, R, P, S in product(range(4), repeat=4):
        for_two = accepted(MatrixGame, PAIRS[name], T, R, P, S)
        assert accepted(CountGame, name, [S, R], [P, T]) == for_two, (T, R, P, S)
        found.add(for_two)
    assert found == {True, False}


def linear(n: int, benefit: int, cost: int, shared: bool) -> tuple[list[Fraction], list[Fraction]]:
    gain = Fraction(benefit, n if shared else 1)
    return [gain * (k + 1) - cost for k in range(n)], [gain * k for k in range(n)]


def hunt(n: int, threshold: int, multiplier: int, cost: int) -> tuple[list[Fraction], list[Fraction]]:
    share = [Fraction(multiplier * cost * k, n) * (k >= threshold) for k in range(n + 1)]
    return [points - cost for points in share[1:]], share[:-1]


def work(n: int, benefit: int, cost: int, shared: bool) -> tuple[list[Fraction], list[Fraction]]:
    lone = [Fraction(cost, k + 1 if shared else 1) for k in range(n)]
    return [benefit - part for part in lone], [Fraction(0)] + [Fraction(benefit)] * (n - 1)


def check(name: str, expected: tuple[list[Fraction], list[Fraction]], **options: Any) -> bool:
    """That options are accepted just where the payoffs they make are what the name promises, and make those payoffs."""
    cooperate, defect = expected
    if not PROMISES[name][1](cooperate, defect):  # exact fractions
        with pytest.raises(GameError, match=name):
            stage_game(name, **options)
        return False
    game = stage_game(name, **options)
    assert game.cooperate == pytest.approx([float(points) for points in cooperate])
    assert game.defect == pytest.approx([float(points) for points in defect])
    return True


def test_parameters_are_accepted_just_where_they_make_the_game_of_the_name() -> None:
    found: dict[str, set[bool]] = {name: set() for name in PROMISES}
    for n, benefit, cost, shared in product((2, 3, 5), (0, 1, 6, 7, 30), (1, 2, 6, 7), (True, False)):
        options = {"n_players": n, "benefit": benefit, "cost": cost}
        for name in ("n_person_prisoners_dilemma", "n_person_harmony"):
            found[name].add(check(name, linear(n, benefit, cost, shared), **options, shared=shared))
        for name, together in (("n_person_snowdrift", True), ("volunteers_dilemma", False)):
            found[name].add(check(name, work(n, benefit, cost, together), **options))
    for n, threshold, multiplier, cost in product((2, 3, 5), (2, 3, 5), (0, 1, 2, 3, 7), (1, 4)):
        if threshold <= n:
            options = {"n_players": n, "threshold": threshold, "multiplier": multiplier, "cost": cost}
            expected = hunt(n, threshold, multiplier, cost)
            found["n_person_stag_hunt"].add(check("n_person_stag_hunt", expected, **options))
    assert all(outcomes == {True, False} for outcomes in found.values())


def test_the_n_person_snowdrift_of_two_is_the_game_of_doebeli_and_hauert() -> None:
    assert (
        schelling_diagram(stage_game("n_person_snowdrift", n_players=2))[1:3]
        == schelling_diagram(stage_game("snowdrift"))[1:3]
    )


def test_the_linear_dilemma_is_the_public_goods_game_less_its_endowment() -> None:
    dilemma = stage_game("n_person_prisoners_dilemma", n_players=4, benefit=32, cost=20)
    goods = stage_game("public_goods", multiplier=1.6)
    for joint in product((C, D), repeat=4):
        assert goods.payoffs(joint) == pytest.approx([20 + points for points in dilemma.payoffs(joint)])


# --- public goods --------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(commons(), st.integers(0, 2**32 - 1))
def test_total_payoff_of_the_group(game: PublicGoods, seed: int) -> None:
    joint = draw_joints(game, (), seed).tolist()
    given = [game.contribution(action, player) for player, action in enumerate(joint)]
    had = sum(game.endowment_of(player) for player in range(game.n_players))
    reached = sum(given) >= game.threshold
    spent = 0 if game.refund and not reached else sum(given)
    assert sum(game.payoffs(tuple(joint))) == pytest.approx(had - spent + game.multiplier * sum(given) * reached)


def test_unequal_endowments() -> None:
    game = stage_game("public_goods", n_players=3, endowment=[10, 20, 30], multiplier=1.5, levels=3)
    assert game.payoffs((0, 1, 2)) == (10, 20, 40)  # give 10, 10 and 0: each gets 10 back
    assert [game.cooperation(1, player) for player in range(3)] == [0.5] * 3
    assert [game.contribution(0, player) for player in range(3)] == [10, 20, 30]
    with pytest.raises(GameError, match="specify the player"):
        game.contribution(0)


def test_contributions_of_any_size() -> None:
    game = stage_game("public_goods", n_players=3, endowment=(10, 20, 30), multiplier=1.5, levels=None)
    assert (game.options, game.n_actions, game.endowments) == ((0, 0, 0), 0, (10, 20, 30))
    assert game.payoffs((2.5, 0.0, 3.5)) == (10.5, 23, 29.5)
    assert (game.cooperation(15, 2), game.cooperation(15)) == (0.5, 0.5)  # without a player: of the largest
    assert game.cooperation(5, 0) == 0.5


def test_a_provision_point_of_isaac_schmidtz_and_walker() -> None:
    options = {"endowment": 20, "multiplier": 2, "threshold": 40}
    lost, back = (stage_game("public_goods", **options, refund=refund) for refund in (False, True))
    for game in (lost, back):
        assert game.payoffs((C, C, D, D)) == (20, 20, 40, 40)  # just reached
        assert game.payoffs((C, C, C, D)) == (30, 30, 30, 50)  # what is above it is shared as well
    assert lost.payoffs((C, D, D, D)) == (0, 20, 20, 20)
    assert back.payoffs((C, D, D, D)) == (20, 20, 20, 20)


def test_a_provision_point_is_reached_in_spite_of_rounding() -> None:
    for levels, n in product(range(2, 12), range(2, 12)):
        endowment = 0.1
        for action in range(levels - 1):
            given = Fraction(levels - 1 - action, levels - 1) * Fraction(endowment) * n
            game = PublicGoods(n_players=n, endowment=endowment, multiplier=5, levels=levels, threshold=float(given))
            assert game.payoffs((action,) * n)[0] > endowment


def test_a_return_per_head_is_a_multiplier() -> None:
    assert stage_game("public_goods", mpcr=0.75, n_players=4) == stage_game("public_goods", multiplier=3)
    assert stage_game("public_goods").mpcr == 0.4


def test_equal_endowments_one_by_one_are_the_same_game() -> None:
    assert PublicGoods(n_players=3, endowment=(6, 6, 6)) == PublicGoods(n_players=3, endowment=6)
