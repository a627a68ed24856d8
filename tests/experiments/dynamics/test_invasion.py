"""Who invades whom: the examples of Maynard Smith, Boyd & Lorberbaum, and Nowak et al."""

from pathlib import Path

import numpy as np
import pytest

from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.experiments.dynamics.fixation import Process, fixation
from dilemmas.experiments.dynamics.invasion import InvasionResult, Resident, Stability, invasions, takeovers
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix, read_payoffs
from dilemmas.experiments.tournaments.run_folder import play_tournament
from dilemmas.experiments.tournaments.settings import Settings
from dilemmas.experiments.tournaments.tournament import Tournament


def residents(matrix: PayoffMatrix) -> dict[str, Resident]:
    return {one.name: one for one in invasions(matrix).residents()}


def mixtures(game: np.ndarray, **chances: float) -> PayoffMatrix:
    """Strategies of a 2x2 game by the chance that they take its first action."""
    mixed = np.array([[p, 1 - p] for p in chances.values()])
    return PayoffMatrix(tuple(chances), mixed @ game @ mixed.T)


def repeated(rounds: int) -> PayoffMatrix:
    """Tit for tat, always defect and always cooperate with 5, 3, 1, 0."""
    n = rounds
    points = [[3 * n, n - 1, 3 * n], [5 + n - 1, n, 5 * n], [3 * n, 0, 3 * n]]
    return PayoffMatrix(("TFT", "ALLD", "ALLC"), np.array(points, dtype=float))


def test_in_hawk_dove_only_the_mixture_is_stable() -> None:
    """Maynard Smith & Price 1973, value 2 and cost 4: play hawk with V / C = 1/2. Nobody earns more against it, nobody
    less, and each earns less against its own kind than the mixture does: an ESS that is no strict equilibrium."""
    found = residents(mixtures(np.array([[-1.0, 2], [0, 1]]), hawk=1, dove=0, mixed=0.5, bold=0.8))
    assert {name: one.stability for name, one in found.items()} == {
        "hawk": Stability.UNSTABLE,
        "dove": Stability.UNSTABLE,
        "mixed": Stability.ESS,
        "bold": Stability.UNSTABLE,
    }
    assert found["hawk"].invaded == ("dove", "mixed", "bold")
    assert found["mixed"].invaded == found["mixed"].drifting == ()


def test_tit_for_tat_is_neutrally_stable_and_opens_the_door_by_drift() -> None:
    """Boyd & Lorberbaum 1987 (Nature 327:58): against always cooperate tit for tat is indistinguishable from it."""
    found = residents(repeated(10))
    assert found["TFT"] == Resident("TFT", Stability.NEUTRAL, (), ("ALLC",))
    assert found["ALLD"].stability is Stability.STRICT_NASH
    assert found["ALLC"] == Resident("ALLC", Stability.UNSTABLE, ("ALLD",), ("TFT",))


@pytest.mark.parametrize(
    ("game", "c", "d"),
    [
        ("prisoners_dilemma", Stability.UNSTABLE, Stability.STRICT_NASH),
        ("stag_hunt", Stability.STRICT_NASH, Stability.STRICT_NASH),
        ("snowdrift", Stability.UNSTABLE, Stability.UNSTABLE),
        ("harmony", Stability.STRICT_NASH, Stability.UNSTABLE),
    ],
)
def test_the_four_dilemmas(game: str, c: Stability, d: Stability) -> None:
    found = residents(PayoffMatrix(("C", "D"), np.array(DEFAULTS[game].table)))
    assert (found["C"].stability, found["D"].stability) == (c, d)


def test_ties_against_residents_are_decided_against_mutants() -> None:
    matrix = PayoffMatrix(("resident", "friendly", "hostile"), np.array([[1.0, 1, 1], [1, 2, 1], [1, 1, 0]]))
    entries = invasions(matrix).entries[0]
    assert entries == (InvasionResult.NEUTRAL, InvasionResult.WEAK, InvasionResult.NONE)
    found = residents(matrix)
    assert found["resident"].stability is Stability.NASH
    assert found["friendly"].stability is Stability.STRICT_NASH
    assert residents(matrix.only(["resident", "hostile"]))["resident"].stability is Stability.ESS


def test_a_payoff_that_differs_by_rounding_is_a_tie() -> None:
    matrix = PayoffMatrix(("a", "b"), np.array([[0.3, 0.1 + 0.2], [0.1 + 0.2, 0.3]]))
    assert matrix.payoffs[0, 0] != matrix.payoffs[0, 1]
    assert residents(matrix)["a"].stability is Stability.NEUTRAL


def test_a_single_strategy_cannot_be_invaded() -> None:
    assert residents(PayoffMatrix(("a",), np.ones((1, 1))))["a"].stability is Stability.STRICT_NASH


def test_risk_dominance_of_tit_for_tat_comes_with_the_number_of_rounds() -> None:
    """Nowak, Sasaki, Taylor & Fudenberg 2004: rho of TFT exceeds that of ALLD where it is risk-dominant in a large
    population: n (R - P) > T - S, from three rounds on with 5, 3, 1, 0."""
    for rounds in (1, 2, 3, 10):
        found = takeovers(repeated(rounds), 2000, Process(intensity=1e-6)).relative
        tft, alld = 0, 1
        assert (found[alld, tft] > found[tft, alld]) == (rounds >= 3)


def test_always_defect_is_strict_but_not_stable_in_a_finite_population() -> None:
    """The same paper: ESS_N asks that selection opposes both invasion and replacement."""
    matrix = repeated(10).only(["TFT", "ALLD"])
    assert takeovers(matrix, 100, Process(intensity=1e-4)).stable == {"TFT": True, "ALLD": False}
    assert takeovers(matrix, 2, Process(intensity=1e-4)).stable == {"TFT": False, "ALLD": True}
    assert takeovers(repeated(10), 100, Process(intensity=1e-4)).stable["TFT"] is False  # ALLC replaces it by drift


def test_in_a_population_of_two_only_the_other_ones_payoff_counts() -> None:
    """Nowak et al. 2004: with n = 2, ESS_N is b > c, whatever a and d: spite pays."""
    matrix = PayoffMatrix(("spite", "help"), np.array([[0.0, 2], [1, 3]]))
    assert takeovers(matrix, 2).stable == {"spite": True, "help": False}


def test_relative_take_overs_are_fixation_probabilities_over_those_of_drift() -> None:
    matrix = repeated(5)
    process = Process("death-birth", "exponential", 0.05)
    found = takeovers(matrix, 25, process)
    for resident, mutant in (("TFT", "ALLD"), ("ALLD", "TFT"), ("ALLC", "ALLD"), ("TFT", "ALLC")):
        exact = fixation(matrix.pair(mutant, resident), 25, 1, process)
        place = matrix.index(resident), matrix.index(mutant)
        assert found.relative[place] == pytest.approx(exact.relative)
    assert found.relative[0, 2] == found.relative[2, 0] == pytest.approx(1)
    assert found.relative.diagonal() == pytest.approx(1)


def test_insignificant_payoff_differences_are_uncertain() -> None:
    payoffs, exact = np.array([[3.0, 0.0], [3.1, 1.0]]), np.zeros((2, 2))
    for error, found in ((0.01, ()), (0.1, ("D",)), (np.nan, ("D",))):
        errors = exact + error * np.array([[1, 0], [1, 0]])
        cooperator = invasions(PayoffMatrix(("C", "D"), payoffs, errors)).residents()[0]
        assert (cooperator.invaded, cooperator.uncertain) == (("D",), found)
    tied = PayoffMatrix(("C", "D"), np.array([[3.0, 3.0], [3.0, 3.0]]), exact)
    assert invasions(tied).certain.all(), "exact payoffs that tie are a drift for certain"
    assert not invasions(PayoffMatrix(("C", "D"), tied.payoffs, exact + 0.1)).certain[0, 1]


@pytest.mark.parametrize("matches", [2, 3, 10])
def test_strategies_that_earn_the_same_are_uncertain_in_95_of_100_tournaments(matches: int) -> None:
    """Welch 1947, Biometrika 34:28; with the normal quantile it would be 81 of 100 after 2 matches."""
    rng, uncertain = np.random.default_rng(matches), []
    for _ in range(1000):
        points = rng.normal(3, 1, (matches, 2, 2))
        errors = points.std(axis=0, ddof=1) / np.sqrt(matches)
        found = invasions(PayoffMatrix(("a", "b"), points.mean(axis=0), errors, freedom=matches - 1))
        uncertain += [not found.certain[0, 1], not found.certain[1, 0]]
    assert 0.93 <= np.mean(uncertain) <= 0.99


def test_the_freedom_of_a_tournament_is_that_of_its_sampled_pairs(tmp_path: Path) -> None:
    agents, options = ("random", "tft", "alld"), {"rounds": 3, "noise": 0.1}
    settings = Settings("prisoners_dilemma", agents, options, 4, engine="vectorised")
    play_tournament(Tournament(settings), tmp_path)
    assert read_payoffs(tmp_path).freedom == 3
