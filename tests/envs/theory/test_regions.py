"""The names of symmetric 2x2 games and the borders between them."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.matrix_games import DEFAULTS, ORDERINGS, MatrixGame, holds
from dilemmas.envs.theory.regions import NAMES, plane_point, region, region_at

PAYOFFS = st.tuples(*[st.integers(-3, 3)] * 4)
"""T, R, P, S; so few numbers that ties are common."""


def exchanged(name: str) -> str:
    """What a region is called when C is called D and D is called C."""
    return name.removesuffix("_exchanged") if name.endswith("_exchanged") else f"{name}_exchanged"


@pytest.mark.parametrize(
    ("name", "T", "R", "P", "S"),
    [
        ("prisoners_dilemma", 4, 3, 2, 1),
        ("snowdrift", 4, 3, 1, 2),
        ("stag_hunt", 3, 4, 2, 1),
        ("harmony", 3, 4, 1, 2),
        ("harmony", 1, 4, 2, 3),
        ("harmony", 2, 4, 1, 3),
        ("deadlock", 4, 2, 3, 1),
        ("leader", 4, 2, 1, 3),
        ("hero", 3, 2, 1, 4),
        ("compromise", 4, 1, 3, 2),
        ("assurance", 2, 4, 3, 1),
        ("coordination", 1, 4, 3, 2),
    ],
)
def test_the_games_of_robinson_and_goforth(name: str, T: int, R: int, P: int, S: int) -> None:
    inside = region(T, R, P, S)
    assert (inside.name, inside.between, inside.ties) == (name, (name,), ())


def test_every_order_has_a_region_and_no_border() -> None:
    for order in permutations((1, 2, 3, 4)):
        inside = region(*order)
        assert inside.between == (inside.name,)
        assert not inside.ties


@pytest.mark.parametrize("name", list(DEFAULTS))
def test_a_named_game_is_in_the_region_of_its_name(name: str) -> None:
    game = DEFAULTS[name]
    assert region(game.T, game.R, game.P, game.S).name == name


@given(PAYOFFS)
def test_a_region_satisfies_the_conditions_of_its_game(payoffs: tuple[int, ...]) -> None:
    T, R, P, S = payoffs
    name = region(T, R, P, S).name
    for known, ordering in ORDERINGS.items():
        try:
            MatrixGame(known, T, R, P, S)
        except GameError:
            assert name != known
        else:
            assert holds(ordering, {"T": T, "R": R, "P": P, "S": S})
            assert name is not None


@given(PAYOFFS, st.integers(1, 9), st.integers(-9, 9))
def test_scale_and_zero_of_the_payoffs_do_not_matter(payoffs: tuple[int, ...], scale: int, zero: int) -> None:
    assert region(*(scale * payoff + zero for payoff in payoffs)) == region(*payoffs)


@given(st.permutations([1, 2, 3, 4]))
def test_exchanging_the_actions_exchanges_the_name(payoffs: list[int]) -> None:
    T, R, P, S = payoffs
    name, other = region(T, R, P, S).name, region(S, P, R, T).name
    one_game = {"hero", "battle_of_the_sexes"}  # a named game is not called another one with its actions exchanged
    assert name is not None
    assert exchanged(name) == other or {name, other} == one_game


@given(PAYOFFS)
def test_the_regions_of_a_border_are_those_next_to_it(payoffs: tuple[int, ...]) -> None:
    nudges = permutations((0, 0.1, 0.2, 0.3))
    near = {region(*(payoff + nudge for payoff, nudge in zip(payoffs, by, strict=True))).name for by in nudges}
    assert set(region(*payoffs).between) == near


@given(PAYOFFS)
def test_ties_that_make_a_border_are_listed(payoffs: tuple[int, ...]) -> None:
    here, values = region(*payoffs), dict(zip("TRPS", payoffs, strict=True))
    assert bool(here.ties) == (len(here.between) > 1)
    for tie in here.ties:
        assert len({values[symbol] for symbol in tie.split(" = ")}) == 1


@pytest.mark.parametrize(
    ("payoffs", "title"),
    [
        ((5, 3, 0, 0), "on the border between prisoner's dilemma and snowdrift (chicken) (P = S)"),
        ((3, 4, 3, 0), "stag hunt, on the border to assurance (T = P)"),
        ((3, 5, 3, 4), "harmony"),
        ((2, 2, 2, 2), "no dilemma: all payoffs are the same"),
        ((0.3, 0.1 + 0.2, 0, -1), "on the border between prisoner's dilemma and stag hunt (T = R)"),
    ],
)
def test_borders_in_words(payoffs: tuple[float, ...], title: str) -> None:
    assert region(*payoffs).title == title


@pytest.mark.parametrize(
    ("S", "T", "names"),
    [
        (-0.5, 1.5, {"prisoners_dilemma"}),
        (0.5, 1.5, {"snowdrift"}),
        (-0.5, 0.5, {"stag_hunt"}),
        (0.5, 0.5, {"harmony"}),
        (1.5, 2, {"leader"}),
        (2, 1.5, {"hero"}),
        (0, 1, {"prisoners_dilemma", "snowdrift", "stag_hunt", "harmony"}),
        (-0.5, 1, {"prisoners_dilemma", "stag_hunt"}),
    ],
)
def test_the_quarters_of_the_plane(S: float, T: float, names: set[str]) -> None:
    assert set(region_at(S, T).between) == names


@given(PAYOFFS)
def test_a_game_keeps_its_region_on_the_plane(payoffs: tuple[int, ...]) -> None:
    T, R, P, S = payoffs
    if R > P:
        assert region_at(*plane_point(T, R, P, S)) == region(T, R, P, S)
    else:
        with pytest.raises(GameError, match="R > P"):
            plane_point(T, R, P, S)


def test_no_name_is_written_twice_for_one_order() -> None:
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize("payoff", [float("nan"), float("inf"), "3"])
def test_an_invalid_payoff_is_refused(payoff: object) -> None:
    with pytest.raises(GameError, match="T = "):
        region(payoff, 3, 1, 0)  # type: ignore[arg-type]
