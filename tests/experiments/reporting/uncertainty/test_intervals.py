"""Intervals and tests against published numbers, closed forms and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.envs.errors import InputError
from dilemmas.experiments.reporting.uncertainty.intervals import (
    chi_squared_critical,
    differ,
    proportion,
    ratio,
    t_critical,
    two_proportions,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_the_score_interval_of_newcombe_1998_table_1(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_aspirin_and_heart_attacks_of_the_physicians_health_study() -> None:
    """189 of 11,034 on placebo, 104 of 11,037 on aspirin; published p < 0.00001 (NEJM 1989, 321:129)."""
    test = two_proportions(189, 11034, 104, 11037)
    assert test.z == pytest.approx(5.00, abs=0.005)
    assert test.z**2 == pytest.approx(25.01, abs=0.005)
    assert test.p < 0.00001


def test_z_test_of_the_statsmodels_documentation() -> None:
    assert two_proportions(5, 83, 12, 99).p == pytest.approx(0.159, abs=5e-4)


def test_equal_and_constant_samples_do_not_differ() -> None:
    assert two_proportions(3, 10, 6, 20).p == 1
    assert two_proportions(10, 10, 30, 30).p == 1


@pytest.mark.parametrize(("df", "limit"), [(1, 3.841), (2, 5.991), (3, 7.815), (4, 9.488), (5, 11.070), (10, 18.307)])
def test_chi_squared_limits_of_every_statistics_book(df: int, limit: float) -> None:
    assert chi_squared_critical(df) == pytest.approx(limit, abs=5e-4)


@pytest.mark.parametrize(
    ("df", "limit"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (10, 2.228), (29, 2.045), (120, 1.980)],
)
def test_t_limits_of_every_statistics_book(df: int, limit: float) -> None:
    assert t_critical(df) == pytest.approx(limit, abs=5e-4)


counts = st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(any)


@given(counts, counts)
def test_with_two_actions_pearsons_test_is_the_z_test(one: tuple[int, int], other: tuple[int, int]) -> None:
    p = two_proportions(one[0], sum(one), other[0], sum(other)).p
    assert bool(differ(one, other)) == (p < 0.05)


def test_an_unused_action_does_not_change_the_test() -> None:
    one, other = np.array([[30, 10], [30, 10]]), np.array([[20, 20], [28, 12]])
    padded = [np.insert(sample, 1, 0, axis=1) for sample in (one, other)]
    assert differ(one, other).tolist() == differ(*padded).tolist() == [True, False]


def test_equal_samples_differ_in_five_percent_of_tests() -> None:
    rng = np.random.default_rng(1)
    samples = rng.multinomial(300, [0.5, 0.3, 0.2], size=(2, 4000))
    assert differ(*samples).mean() == pytest.approx(0.05, abs=0.012)


def test_the_mean_of_one_stratum_has_the_textbook_interval() -> None:
    """Student's data: differences of ten pairs, mean 1.58, standard error 0.389 (Student 1908, Biometrika 6:1)."""
    hours = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    found = ratio(hours, np.ones(10))
    assert found.value == pytest.approx(1.58)
    assert found.interval == pytest.approx((1.58 - 2.262 * 0.389, 1.58 + 2.262 * 0.389), abs=0.002)


def test_rounds_that_are_alike_within_a_match_count_once() -> None:
    """With design effect 10 the interval is that of the matches."""
    matches = np.array([1, 0, 1, 1, 0, 1, 0, 1, 1, 1] * 10)
    found, alone = proportion(10 * matches, np.full(100, 10)).interval, proportion(matches, np.ones(100)).interval
    assert found == pytest.approx(alone, abs=0.005)
    assert proportion([10] * 5, [10] * 5).interval == pytest.approx(wilson(5, 5, t_critical(4)))


def test_differences_between_strata_are_no_uncertainty() -> None:
    """Two pairs that differ by 2: their means have standard errors of 1, the mean of both sqrt(1/2); Student's t(2)."""
    low, high = proportion([0, 0, 10, 10], [10] * 4, ["a", "a", "b", "b"]).interval or (0, 1)
    assert 0.5 - low == pytest.approx(high - 0.5)
    found = ratio([1.0, 3.0, 41.0, 43.0], np.ones(4), [0, 0, 1, 1]).interval
    assert found == pytest.approx((22 - 4.303 / 2**0.5, 22 + 4.303 / 2**0.5), abs=1e-3)


def test_single_matches_of_strata_form_one_stratum() -> None:
    together = ratio([1.0, 2.0, 3.0], np.ones(3), ["a", "b", "c"])
    assert together == ratio([1.0, 2.0, 3.0], np.ones(3))


def test_an_unknown_spread_has_no_interval() -> None:
    assert proportion([3], [4]).interval is None
    assert ratio([3], [4]).interval is None
    assert ratio([3, 3], [4, 4]).interval is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: wilson(3, 2), "3 successes of 2 observations"),
        (lambda: wilson(-1, 2), "-1 successes"),
        (lambda: wilson(0, 0), "0 successes of 0"),
        (lambda: wilson(float("nan"), 2), "nan successes"),
        (lambda: two_proportions(1, 2, 3, 2), "3 successes of 2"),
        (lambda: differ([1, -1], [1, 1]), r"counts\[1\] = -1"),
        (lambda: differ([1, 1], [1, 1, 1]), "counts of shapes"),
        (lambda: ratio([1, 2], [1]), "totals, sizes and strata of shapes"),
        (lambda: ratio([1, 2], [1, 1], [0]), "totals, sizes and strata of shapes"),
        (lambda: ratio([1, float("inf")], [1, 1]), r"totals\[1\] = inf"),
        (lambda: ratio([1, 1], [0, 0]), "at least one observation"),
        (lambda: ratio([[1], [1]], [1, 1]), r"needs shape \(N,\)"),
        (lambda: proportion([True, False], [1, 1]), "totals of type bool"),
        (lambda: proportion([2, 0], [1, 1]), "from 0 to its size"),
    ],
)
def test_numbers_that_are_no_counts_are_refused(wrong, message: str) -> None:
    with pytest.raises(InputError, match=message):
        wrong()
