"""Take-overs in finite populations: closed forms, other ways to solve the same chain, and published laws."""

from itertools import combinations

import numpy as np
import pytest

from dilemmas.envs.errors import InputError
from dilemmas.experiments.dynamics.fixation import (
    FITNESS,
    RULES,
    Process,
    fixation,
    log_fixation_matrix,
    small_mutation,
    stationary,
)
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix

RNG = np.random.default_rng(5)
GAMES = [np.array([[3.0, 0], [5, 1]]), np.array([[4.0, 0], [3, 3]]), *RNG.uniform(0, 5, (4, 2, 2))]
"""Prisoner's dilemma, stag hunt, and some others."""


def tit_for_tat(rounds: int) -> np.ndarray:
    """Tit for tat and always defect over some rounds with 5, 3, 1, 0."""
    return np.array([[3.0 * rounds, rounds - 1], [5 + rounds - 1, rounds]])


def moves(payoffs: np.ndarray, n: int, process: Process) -> np.ndarray:
    """Chances of one mutant more and one fewer for 0 .. n mutants, player by player: shape (n + 1, 2)."""
    found = np.zeros((n + 1, 2))
    for i in range(1, n):
        types = [0] * i + [1] * (n - i)
        earned = [sum(payoffs[own, types[y]] for y in range(n) if y != x) / (n - 1) for x, own in enumerate(types)]
        w = process.intensity
        fit = [1 - w + w * e if process.fitness == "linear" else np.exp(w * e) for e in earned]
        for dead in range(n):
            others = [x for x in range(n) if process.rule == "birth-death" or x != dead]
            for parent in others:
                chance = fit[parent] / sum(fit[x] for x in others) / n
                if types[parent] != types[dead]:
                    found[i, types[parent]] += chance
    return found


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("fitness", FITNESS)
@pytest.mark.parametrize("payoffs", GAMES)
def test_the_closed_form_is_the_absorbing_chain_solved(payoffs: np.ndarray, fitness: str, rule: str) -> None:
    """Fundamental matrix of the chain (Kemeny & Snell 1960), from the chances of every birth and every death."""
    n, process = 7, Process(rule, fitness, 0.7)
    chances = moves(payoffs, n, process)
    inner = np.arange(1, n)
    chain = np.diag(1 - chances[inner].sum(axis=1))
    chain += np.diag(chances[inner[:-1], 0], 1) + np.diag(chances[inner[1:], 1], -1)
    visits = np.linalg.inv(np.eye(n - 1) - chain)
    up = visits[:, -1] * chances[n - 1, 0]
    for start in inner:
        found = fixation(payoffs, n, int(start), process)
        assert found.probability == pytest.approx(up[start - 1], rel=1e-9)
        assert found.steps == pytest.approx(visits[start - 1].sum(), rel=1e-9)
        assert found.steps_if_fixed == pytest.approx((visits[start - 1] * up).sum() / up[start - 1], rel=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("n", [2, 3, 50, 10_000])
def test_without_selection_mutants_take_over_with_their_share(n: int, rule: str) -> None:
    for start in {1, n // 2, n - 1}:
        found = fixation(GAMES[0], n, start, Process(rule, intensity=0))
        assert found.probability == pytest.approx(start / n, rel=1e-9)
        assert found.relative == pytest.approx(1, rel=1e-9)


def test_a_neutral_mutant_that_takes_over_needs_n_times_n_less_one_steps() -> None:
    """Antal & Scheuring 2006; under death-birth no offspring replaces its parent, so the time is multiplied by (n -
    1) / n."""
    for n in (2, 10, 500):
        assert fixation(GAMES[0], n, 1, Process(intensity=0)).steps_if_fixed == pytest.approx(n * (n - 1))
        death_birth = fixation(GAMES[0], n, 1, Process("death-birth", intensity=0))
        assert death_birth.steps_if_fixed == pytest.approx((n - 1) ** 2)


def test_constant_fitness_is_morans_formula() -> None:
    """(1 - 1/r) / (1 - 1/r^n), Moran 1958."""
    for r in (0.5, 0.9, 1.1, 3.0):
        payoffs = np.array([[r, r], [1, 1]])
        expected = (1 - 1 / r) / (1 - r**-20)
        assert fixation(payoffs, 20).probability == pytest.approx(expected, rel=1e-9)


def test_fixation_of_ten_thousand_players_under_strong_selection() -> None:
    worse, process = np.array([[0.0, 0], [2, 2]]), Process(fitness="exponential")
    found = fixation(worse, 10_000, 1, process)
    # (1 - e^2) / (1 - e^20000), of which the logarithm is all that a float can hold
    assert found.log_probability == pytest.approx(np.log(np.exp(2) - 1) - 20_000, rel=1e-12)
    assert found.probability == 0
    better = fixation(worse[::-1], 10_000, 1, process)
    assert better.probability == pytest.approx(1 - np.exp(-2), rel=1e-9)
    assert np.isfinite(better.steps)


def test_players_without_payoff_do_not_reproduce() -> None:
    """A cooperator among defectors earns S = 0, which is all its fitness where selection is as strong as can be."""
    found = fixation(GAMES[0], 30)
    assert found.probability < 1e-200
    assert found.steps == pytest.approx(30, rel=1e-9)  # in each it dies with a chance of 1 / 30


def test_one_third_law() -> None:
    """Nowak, Sasaki, Taylor & Fudenberg 2004: in large populations under weak selection a mutant of a coordination game
    is favoured just where the unstable equilibrium lies below one third."""
    weak = Process(intensity=1e-6)
    for share in (0.2, 0.32, 0.345, 0.5):
        coordination = np.array([[1 / share - 1, 0], [0, 1]])  # equal at this share of mutants
        assert (fixation(coordination, 2000, 1, weak).relative > 1) == (share < 1 / 3)


def test_weak_selection_to_first_order() -> None:
    """rho = 1/n + w (alpha n - beta) / (6 n), alpha = a + 2b - c - 2d, beta = 2a + b + c - 4d (the same paper)."""
    (a, b), (c, d) = payoffs = np.array([[3.0, 1.2], [2.5, 0.4]])
    alpha, beta = a + 2 * b - c - 2 * d, 2 * a + b + c - 4 * d
    for n in (2, 5, 40):
        w = 1e-6 / n
        slope = (fixation(payoffs, n, 1, Process(intensity=w)).probability - 1 / n) / w
        assert slope == pytest.approx((alpha * n - beta) / (6 * n), rel=1e-3)


def test_selection_favours_tit_for_tat_from_four_rounds_on() -> None:
    """The same paper: with 5, 3, 1, 0 it replaces defectors where there are more than (T + P - 2S) / (R - P) = 3."""
    for rounds in (2, 3, 4, 10):
        found = fixation(tit_for_tat(rounds), 5000, 1, Process(intensity=1e-7))
        assert (found.relative > 1) == (rounds > 3)


def test_the_two_take_overs_are_as_the_products_of_all_steps() -> None:
    """rho_A / rho_B is the product of f_A / f_B over all states (Nowak 2006, Evolutionary Dynamics, ch. 6)."""
    payoffs, n = GAMES[2], 12
    i = np.arange(1, n)
    first = (payoffs[0, 0] * (i - 1) + payoffs[0, 1] * (n - i)) / (n - 1)
    second = (payoffs[1, 0] * i + payoffs[1, 1] * (n - i - 1)) / (n - 1)
    one, other = fixation(payoffs, n), fixation(payoffs[::-1, ::-1], n)
    assert one.probability / other.probability == pytest.approx(np.prod(first / second))


def test_the_matrix_has_every_pair() -> None:
    matrix = PayoffMatrix(("a", "b", "c"), RNG.uniform(0, 4, (3, 3)))
    for rule in RULES:
        process = Process(rule, intensity=0.8)
        logs = log_fixation_matrix(matrix, 15, process)
        for resident, mutant in combinations(range(3), 2):
            pair = matrix.pair(matrix.names[mutant], matrix.names[resident])
            assert logs[resident, mutant] == pytest.approx(fixation(pair, 15, 1, process).log_probability)
        assert np.exp(logs.diagonal()) == pytest.approx(1 / 15)


def test_the_stationary_distribution_is_the_eigenvector() -> None:
    rates = RNG.uniform(0.01, 1, (6, 6))
    np.fill_diagonal(rates, 0)
    chain = rates / 6
    np.fill_diagonal(chain, 1 - chain.sum(axis=1))
    values, vectors = np.linalg.eig(chain.T)
    expected = np.real(vectors[:, np.argmax(values.real)])
    assert stationary(np.log(rates, where=rates > 0, out=np.zeros((6, 6)))) == pytest.approx(expected / expected.sum())


def test_rates_below_the_smallest_float_are_distinguished() -> None:
    """Two states: masses are as the rates into them."""
    assert stationary(np.array([[0, -5000.0], [-5001, 0]])) == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])


def test_rare_mutations_lead_to_tit_for_tat_though_only_defection_is_strict() -> None:
    """Imhof, Fudenberg & Nowak 2005 (PNAS 102:10797): the cycle from ALLD to TFT to ALLC to ALLD spends most of its
    time with TFT, which pays 0.8 for its complexity. Ten rounds with 5, 3, 1, 0.1; the largest populations are ALLD."""
    matrix = PayoffMatrix(("ALLC", "ALLD", "TFT"), np.array([[30, 1, 30], [50, 10, 14], [29.2, 8.3, 29.2]]))
    process = Process(intensity=0.01)
    assert small_mutation(matrix, 80, process).ranking()[0] == ("TFT", pytest.approx(0.58, abs=0.01))
    assert dict(small_mutation(matrix, 10_000, process).ranking())["ALLD"] > 0.999
    logs = log_fixation_matrix(matrix, 80, process) + np.log(80)
    assert logs[1, 2] > 0  # TFT replaces ALLD
    assert logs[2, 0] > 0  # ALLC replaces TFT
    assert logs[0, 1] > 0  # ALLD replaces ALLC


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Process("moran"), "unknown rule"),
        (lambda: Process(fitness="liner"), "did you mean 'linear'"),
        (lambda: Process(intensity=-1), "intensity = -1"),
        (lambda: Process(intensity=2), "from 0 to 1.0"),
        (lambda: fixation(GAMES[0], 1), "population = 1; needs"),
        (lambda: fixation(GAMES[0], 5, 5), "= 5; needs a whole number from 1 to 4"),
        (lambda: fixation(GAMES[0], 5, 1.5), "= 1.5; needs a whole number from 1 to 4"),
        (lambda: fixation(GAMES[0], 5.0), "population = 5.0; needs a whole number"),
        (lambda: fixation(GAMES[0][:1], 5), r"payoffs of shape \(1, 2\); needs shape \(2, 2\)"),
        (lambda: fixation(np.full((2, 2), np.nan), 5), r"payoffs\[0, 0\] = nan"),
        (lambda: fixation(GAMES[0] > 0, 5), "payoffs of type bool"),
        (lambda: stationary(np.zeros((2, 3))), r"log_rates of shape \(2, 3\)"),
        (lambda: fixation(GAMES[0] - 3, 5), "an intensity of at most 0.25"),
    ],
)
def test_invalid_arguments_are_refused(wrong, message: str) -> None:
    with pytest.raises(InputError, match=message):
        wrong()
