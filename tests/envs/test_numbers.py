"""Numbers in prompts and pictures are not rounded away."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.envs.numbers import format_number, tell_number


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3.0, "3"),
        (-0.0, "0"),
        (0.004, "0.004"),
        (1e-7, "0.0000001"),
        (-1e-13, "-0.0000000000001"),
        (12345.678, "12345.678"),
        (987654321.26, "987654321.26"),
        (1 / 3, "0.3333333333"),
        (0.1 + 0.2, "0.3"),
        (0.1 + 0.2 - 0.3, "0"),
    ],
)
def test_a_number_is_told_as_it_is_without_the_error_of_computing(value: float, told: str) -> None:
    assert tell_number(value) == told


@given(st.integers(-(10**12) + 1, 10**12 - 1), st.integers(-9, 15))
def test_any_number_of_up_to_twelve_digits_is_told_exactly(digits: int, places: int) -> None:
    value = float(f"{digits}e{-places}")
    assert float(tell_number(value)) == value
    assert "e" not in tell_number(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3.0, "3"), (2.5, "2.5"), (-1 / 3, "-0.33"), (-0.0, "0"), (0.004, "0.004"), (0.0123, "0.012"), (-1e-7, "-1e-07")],
)
def test_a_picture_shows_small_payoffs(value: float, shown: str) -> None:
    assert format_number(value) == shown


@given(st.floats(-1e9, 1e9).filter(lambda value: abs(value) >= 1e-6))
def test_a_picture_shows_every_payoff_to_five_percent(value: float) -> None:
    assert isclose(float(format_number(value)), value, rel_tol=0.05)
