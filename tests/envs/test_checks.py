"""Numbers and arrays that no computer holds, and files given twice, are refused in one line."""

from pathlib import Path

import numpy as np
import pytest

from dilemmas.envs import checks
from dilemmas.envs.checks import GameError, check_different_files, check_number, number_array, whole_number
from dilemmas.envs.errors import InputError
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.vector.vector_matches import VectorMatches

HUGE = 10**400


def test_whole_numbers_end_at_64_bits() -> None:
    assert whole_number(2**63 - 1, "n", 0) == 2**63 - 1
    with pytest.raises(GameError, match=r"needs a whole number from 0 to 9223372036854775807$"):
        whole_number(HUGE, "n", 0)
    with pytest.raises(GameError, match=r"rounds = 1000.*needs a whole number"):
        rules_of("harmony", rounds=HUGE)


@pytest.mark.parametrize("value", [HUGE, -HUGE, float("nan"), float("inf"), -1])
def test_numbers_outside_of_their_range_are_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"x = .*; needs a number "):
        check_number("x", value, 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.5, 0.5]], r"x of shape \(1, 2\); needs shape \(N, N\)"),
        (0.5, r"x of shape \(\); needs"),
        ([[0.5], [0.5, 0.5]], "x: lists of different lengths"),
        ([[0.5, -0.1], [0, 0]], r"x\[0, 1\] = -0.1; needs a finite number from 0 to 1"),
        ([[0, 0], [float("nan"), 2]], r"x\[1, 0\] = nan"),
        ([[True, False], [True, True]], "x of type bool; needs numbers"),
        ([["0", "0"], ["1", "1"]], "x of type <U1; needs numbers"),
    ],
)
def test_arrays_of_another_shape_type_or_range_are_refused(values: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        number_array(values, "x", ("N", "N"), 0, 1)


def test_arrays_of_the_shape_asked_for_are_returned_as_floats() -> None:
    assert number_array([[0, 1], [1, 0]], "x", ("N", "N"), 0, 1).dtype == np.float64
    for shape in ((2,), (3, 2), (5, 3, 2)):
        assert number_array(np.zeros(shape), "x", ("...", 2)).shape == shape
    with pytest.raises(InputError, match=r"needs shape \(\.\.\., 2\)"):
        number_array(np.zeros((2, 3)), "x", ("...", 2))


def test_matches_that_do_not_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public goods game of 1,000 players: each observes 2,000 numbers, so the observations before and after a
    step of a thousand matches, and the last ones of those that end in it, take 24 GB."""
    monkeypatch.setattr(checks, "machine_memory", lambda: 8e9)
    rules = rules_of("public_goods", n_players=1000, rounds=10)
    with pytest.raises(GameError, match=r"needs about 24 GB, more than half of the 8 GB of memory here; take fewer"):
        VectorMatches(rules, 1000)
    VectorMatches(rules, 1)


def test_a_file_is_given_once_whatever_the_spelling(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("alike")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "hard").hardlink_to(tmp_path / "a")
    check_different_files([tmp_path / "a", tmp_path / "b", tmp_path, tmp_path / "none", tmp_path / "none"])
    for second in ("a", "link", "hard", "../" + tmp_path.name + "/a"):
        with pytest.raises(InputError, match=r"is given twice.*; give it once"):
            check_different_files([tmp_path / "a", tmp_path / "b", tmp_path / second])
