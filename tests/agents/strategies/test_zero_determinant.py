"""Zero-determinant strategies enforce their line against every opponent and for all payoffs."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError, memory_one
from dilemmas.agents.strategies.zero_determinant import (
    equaliser,
    extortioner,
    generous_extortioner,
    least_slope,
    zero_determinant,
)
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame

PD = DEFAULTS["prisoners_dilemma"]


def vector(automaton: Automaton) -> list[float]:
    return [automaton.cooperate[automaton.after[0][column]] for column in range(4)]


def long_run(one: Automaton, other: Automaton, game: MatrixGame) -> tuple[float, float]:
    """Mean payoffs of both: the stationary distribution of CC, CD, DC, DD (Nowak & Sigmund 1990)."""
    p, q = np.array(vector(one)), np.array(vector(other))[[0, 2, 1, 3]]
    step = np.stack([p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q)], axis=1)
    equations = np.vstack([step.T - np.eye(4), np.ones(4)])
    (share, *_) = np.linalg.lstsq(equations, np.array([0, 0, 0, 0, 1.0]), rcond=None)
    return float(share @ [game.R, game.S, game.T, game.P]), float(share @ [game.R, game.T, game.S, game.P])


others = st.tuples(*[st.floats(0.05, 0.95)] * 4).map(lambda chances: memory_one("other", 1, *chances))
dilemmas = st.tuples(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(0.1, 3)).map(
    lambda gaps: MatrixGame("matrix_game", T=sum(gaps), R=gaps[0] + gaps[1], P=gaps[0], S=0)
)


@given(st.floats(1, 12), others, dilemmas)
def test_extortion_gives_chi_times_the_surplus_over_mutual_defection(
    chi: float, other: Automaton, game: MatrixGame
) -> None:
    """Press & Dyson 2012, eq. 11, for any payoffs T > R > P > S."""
    mine, theirs = long_run(extortioner("x", chi, game=game), other, game)
    assert mine - game.P == pytest.approx(chi * (theirs - game.P), abs=1e-6)


@given(st.floats(1, 12), others)
def test_generosity_bears_chi_times_the_shortfall_from_mutual_cooperation(chi: float, other: Automaton) -> None:
    """Stewart & Plotkin 2013."""
    mine, theirs = long_run(generous_extortioner("x", chi), other, PD)
    assert PD.R - mine == pytest.approx(chi * (PD.R - theirs), abs=1e-6)


@given(st.floats(1, 3), others)
def test_an_equaliser_sets_the_payoff_of_the_opponent(payoff: float, other: Automaton) -> None:
    """Press & Dyson 2012, eq. 8."""
    assert long_run(equaliser("x", payoff), other, PD)[1] == pytest.approx(payoff, abs=1e-6)


@given(st.floats(-1, 1), st.floats(-1, 6), st.floats(0.01, 1), others)
def test_every_line_is_enforced_or_refused(slope: float, baseline: float, share: float, other: Automaton) -> None:
    """Hilbe, Nowak & Traulsen 2013: exactly the lines with P <= baseline <= R and least slope <= slope <= 1."""
    possible = PD.P <= baseline <= PD.R and slope >= least_slope(baseline)
    assume(min(abs(baseline - PD.P), abs(baseline - PD.R), abs(slope - least_slope(baseline)), 1 - slope) > 1e-6)
    if not possible:
        with pytest.raises(StrategyError, match="no strategy can enforce this line"):
            zero_determinant("x", slope, baseline)
        return
    half = zero_determinant("x", slope, baseline)
    mine, theirs = long_run(half, other, PD)
    assert slope * (mine - baseline) == pytest.approx(theirs - baseline, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "probabilities"),
    [
        ("zd_extort_2", [8 / 9, 1 / 2, 1 / 3, 0]),  # Stewart & Plotkin 2012, table 1
        ("zd_generous_2", [1, 1 / 8, 1, 1 / 4]),  # ZDGTFT-2, there too
        ("equaliser", [3 / 4, 1 / 4, 1 / 2, 1 / 4]),  # ZDR set-2, there too
        ("zd_extort_3", [11 / 13, 1 / 2, 7 / 26, 0]),  # Press & Dyson 2012, p. 10412
    ],
)
def test_published_vectors(name: str, probabilities: list[float]) -> None:
    assert vector(strategy(name)) == pytest.approx(probabilities)


def test_default_parameters_are_the_published_ones() -> None:
    assert vector(strategy("zd_extort(2)")) == pytest.approx(vector(strategy("zd_extort_2")))
    assert vector(strategy("zd_extort(3)")) == pytest.approx(vector(strategy("zd_extort_3")))
    assert vector(strategy("zero_determinant(0, 2, 1/4)")) == pytest.approx(vector(strategy("equaliser")))


def test_tit_for_tat_is_the_extortioner_with_factor_one() -> None:
    """chi = 1 with the largest phi (Press & Dyson 2012)."""
    assert vector(extortioner("x", 1, phi=1 / 5)) == pytest.approx([1, 0, 1, 0])


@pytest.mark.parametrize("phi", [0.0, -0.1, 0.3, float("nan")])
def test_a_phi_out_of_range_is_refused_with_its_bound(phi: float) -> None:
    with pytest.raises(StrategyError, match=r"must be above 0 and at most 0\.222222"):
        zero_determinant("x", 1 / 2, 1, phi)


def test_the_bound_itself_is_allowed() -> None:
    assert min(vector(zero_determinant("x", 1 / 2, 1, 2 / 9))) == 0
    assert max(vector(zero_determinant("x", 1 / 2, 3, 1 / 4))) == 1
