"""alpha-Rank: published examples, and OpenSpiel's implementation on random games."""

from math import inf
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.experiments.dynamics.alpha_rank import (
    STRONGEST,
    Responses,
    alpha_rank,
    population_responses,
    responses,
    sweep,
)
from dilemmas.experiments.dynamics.fixation import Process, small_mutation
from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError, PayoffMatrix

RPS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


def one_population(payoffs: np.ndarray) -> Responses:
    return responses(PayoffMatrix(tuple(map(str, range(len(payoffs)))), payoffs))


@pytest.fixture(scope="module")
def theirs() -> Any:
    return pytest.importorskip("open_spiel.python.egt.alpharank")


@pytest.mark.parametrize("alpha", [0.0, 0.1, 3.0, 1e6, np.inf])
def test_rock_paper_scissors_are_alike(alpha: float) -> None:
    """An example of Omidshafiei et al. 2019."""
    assert alpha_rank(one_population(RPS), alpha).masses == pytest.approx([1 / 3] * 3, rel=1e-12)


def test_biased_rock_paper_scissors() -> None:
    """Another of theirs: gains of 0.5, 1 and 0.1 in a circle are one cycle all the same where alpha is large."""
    biased = np.array([[0, -0.5, 1], [0.5, 0, -0.1], [-1, 0.1, 0]])
    graph = one_population(biased)
    assert alpha_rank(graph).masses == pytest.approx([1 / 3] * 3)
    assert sweep(graph).limit.masses == pytest.approx([1 / 3] * 3, abs=1e-9)
    weak = alpha_rank(graph, 0.2).masses
    assert np.ptp(weak) > 0.1


def test_battle_of_the_sexes_ends_in_either_of_its_two_conventions() -> None:
    """Another of theirs: the two equilibria have all the mass in equal parts."""
    row = np.array([[3.0, 0], [0, 2]])
    graph = population_responses([row, row[::-1, ::-1].T], [["opera", "movies"]] * 2)
    assert graph.names == ("opera, opera", "opera, movies", "movies, opera", "movies, movies")
    for masses in (alpha_rank(graph).masses, alpha_rank(graph, 100).masses):
        assert masses == pytest.approx([0.5, 0, 0, 0.5])


def test_a_dominant_strategy_has_all_the_mass() -> None:
    graph = one_population(np.array(DEFAULTS["prisoners_dilemma"].table))
    assert alpha_rank(graph).ranking() == [("1", 1.0), ("0", 0.0)]
    assert alpha_rank(graph, 0).masses.tolist() == [0.5, 0.5]


def test_the_two_limits_differ_where_there_are_two_ends() -> None:
    """Stag hunts of two populations: from hare to stag a step loses 3, from stag to hare only 1."""
    table = np.array(DEFAULTS["stag_hunt"].table)
    graph = population_responses([table, table.T], [["stag", "hare"]] * 2)
    assert alpha_rank(graph).masses == pytest.approx([0.5, 0, 0, 0.5])
    assert sweep(graph).limit.masses == pytest.approx([0, 0, 0, 1])


def test_the_strongest_finite_selection_is_computed_and_stronger_ones_are_refused() -> None:
    graph = one_population(RPS * 1e9)
    assert alpha_rank(graph, STRONGEST).masses == pytest.approx([1 / 3] * 3, rel=1e-12)
    for alpha in (STRONGEST * 1.01, 1e308, float("nan"), -1.0):
        with pytest.raises(DynamicsError, match=r"needs a number from 0 to 1e\+200, or inf"):
            alpha_rank(graph, alpha)


def test_a_tie_at_infinite_alpha_has_the_rate_of_a_neutral_mutant() -> None:
    """A < B < C, and C and A are neutral with rate 1 / n: masses in the ratio 1 : 1 : n + 1, as for large finite alpha.
    With OpenSpiel's rate of 1/2 they would be in the ratio 1 : 1 : 3."""
    gains = np.array([[0, 1, 0], [-1, 0, 1], [0, -1, 0.0]])
    graph = Responses(("A", "B", "C"), gains)
    for alpha in (inf, 1e6):
        assert alpha_rank(graph, alpha, 50).masses == pytest.approx(np.array([1, 1, 51]) / 53)


def test_a_sweep_goes_from_no_selection_to_the_limit() -> None:
    payoffs = np.random.default_rng(2).normal(size=(6, 6))
    swept = sweep(one_population(payoffs))
    assert swept.masses.sum(axis=1) == pytest.approx(1)
    assert swept.masses[0] == pytest.approx(1 / 6, abs=0.01)
    assert swept.masses[-1] == pytest.approx(swept.masses[-2], abs=1e-9)
    assert swept.series()["0"] == swept.masses[:, 0].tolist()
    chosen = sweep(one_population(payoffs), [2.0, 1.0])
    assert chosen.alphas.tolist() == [1, 2]
    assert chosen.limit.masses.tolist() == alpha_rank(one_population(payoffs), 2.0).masses.tolist()
    assert sweep(one_population(np.ones((3, 3)))).limit.masses == pytest.approx([1 / 3] * 3)


def test_scaling_payoffs_is_scaling_alpha() -> None:
    payoffs = np.random.default_rng(3).normal(size=(5, 5))
    scaled = alpha_rank(one_population(7 * payoffs + 2), 0.3).masses
    assert scaled == pytest.approx(alpha_rank(one_population(payoffs), 2.1).masses)


def test_open_spiel_finds_the_same_in_one_population(theirs: Any) -> None:
    rng = np.random.default_rng(4)
    for size, alpha, n in [(2, 1.0, 50), (4, 0.1, 20), (6, 0.5, 50), (9, 0.02, 100)]:
        payoffs = rng.normal(size=(size, size))
        graph = one_population(payoffs)
        _, _, expected, _, _ = theirs.compute([payoffs], m=n, alpha=alpha)
        assert alpha_rank(graph, alpha, n).masses == pytest.approx(expected, abs=1e-9)
        error = 1e-6
        _, _, limit, _, _ = theirs.compute([payoffs], m=n, use_inf_alpha=True, inf_alpha_eps=error)
        assert alpha_rank(graph, n=n).masses == pytest.approx(limit, abs=size * 100 * error)


def test_open_spiel_finds_the_same_in_two_and_three_populations(theirs: Any) -> None:
    rng = np.random.default_rng(5)
    for shape, alpha in [((2, 2), 0.5), ((3, 4), 0.1), ((4, 4), 0.3), ((2, 3, 2), 0.2)]:
        payoffs = [rng.normal(size=shape) for _ in shape]
        graph = population_responses(payoffs)
        _, _, expected, _, _ = theirs.compute(payoffs, m=30, alpha=alpha)
        assert alpha_rank(graph, alpha, 30).masses == pytest.approx(expected, abs=1e-9)


def test_open_spiels_selection_by_the_whole_population_is_the_limit_of_rare_mutations(theirs: Any) -> None:
    payoffs = np.random.default_rng(6).normal(size=(5, 5))
    _, _, expected, _, _ = theirs.compute([payoffs], m=20, alpha=0.3, use_local_selection_model=False)
    matrix = PayoffMatrix(tuple("abcde"), payoffs)
    found = small_mutation(matrix, 20, Process(fitness="exponential", intensity=0.3))
    assert found.masses == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: alpha_rank(one_population(RPS), -1), "alpha = -1"),
        (lambda: alpha_rank(one_population(RPS), float("nan")), "alpha = nan"),
        (lambda: alpha_rank(one_population(RPS), n=1), "population = 1; needs"),
        (lambda: sweep(one_population(RPS), []), "no alphas"),
        (lambda: population_responses([]), "axis per population"),
        (lambda: population_responses([RPS]), "axis per population"),
        (lambda: population_responses([RPS, RPS[:2]]), "axis per population"),
        (lambda: population_responses([RPS, RPS * np.nan]), "finite"),
        (lambda: population_responses([RPS, RPS], [["a"], ["b"]]), "names of"),
    ],
)
def test_invalid_arguments_are_refused(wrong, message: str) -> None:
    with pytest.raises(DynamicsError, match=message):
        wrong()
