"""Intervals of shares and trembles cover the truth, also where no error was seen or all subjects are alike."""

from itertools import product

import numpy as np
import pytest

from dilemmas.experiments.inference.likelihoods import Evidence
from dilemmas.experiments.inference.mixture import Inference, infer

ENDS = np.tile([0.0, 1.0], (2, 1))
"""Probabilities that a deterministic strategy gives to a choice."""


def told(cooperators: np.ndarray, slips: np.ndarray, choices: int) -> Evidence:
    """Always Cooperate and Always Defect among subjects who make so many choices, some of them by a slip."""
    defections = np.where(cooperators, slips, choices - slips)
    counts = np.stack([np.stack(pair, 1) for pair in ((defections, choices - defections),) * 2]).astype(float)
    counts[1] = counts[1, :, ::-1]
    names = tuple(map(str, range(len(slips))))
    return Evidence(("allc", "alld"), names, ENDS, counts, np.arange(len(slips)))


def study(run: int, subjects: int, share: float, tremble: float) -> Inference:
    """Estimates from ten choices of each subject."""
    rng = np.random.default_rng([17, run])
    kinds, slips = rng.random(subjects) < share, rng.binomial(10, tremble, subjects)
    return infer(told(kinds, slips, 10), rng, 100)


def covered(interval: np.ndarray, truth: float) -> bool:
    return bool(interval[0] <= truth <= interval[1])


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "tremble"), [*product([10, 40], [0.01, 0.05, 0.2])])
def test_trembles_are_covered_in_90_to_99_of_100_studies(subjects: int, tremble: float) -> None:
    held = [covered(study(run, subjects, 0.5, tremble).tremble_intervals[0], tremble) for run in range(200)]
    assert 0.90 <= np.mean(held) <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "share"), [*product([10, 40], [0.5, 0.9])])
def test_shares_are_covered_in_90_to_99_of_100_studies(subjects: int, share: float) -> None:
    held = [covered(study(run, subjects, share, 0.05).pointwise[0], share) for run in range(200)]
    assert 0.90 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_none_or_all_has_an_exact_end_and_room_on_the_other_side(share: float) -> None:
    found = study(0, 20, share, 0.05)
    z = 1.959964
    assert found.shares[0] == share
    assert found.pointwise[0] == pytest.approx((0, z**2 / (20 + z**2)) if share == 0 else (20 / (20 + z**2), 1))
    assert share in found.pointwise[0]
    assert np.isnan(found.errors).all()


def test_no_error_in_100_choices_leaves_room_for_a_tremble() -> None:
    found = infer(told(np.arange(10) < 5, np.zeros(10), 10), np.random.default_rng(0), 50)
    assert found.trembles.tolist() == found.gamma.tolist() == [0.0]
    assert found.tremble_intervals[0, 0] == 0
    assert 0.95**10 > (1 - found.tremble_intervals[0, 1]) ** 100 > 0.01
    assert np.isnan(found.tremble_errors).all()
    assert found.log_likelihood == pytest.approx(10 * np.log(0.5), abs=1e-9)


def test_choices_without_any_uncertainty_have_likelihood_one() -> None:
    found = infer(told(np.ones(10, dtype=bool), np.zeros(10), 10), np.random.default_rng(0), 50)
    assert found.log_likelihood == 0


def test_two_subjects_say_little_about_shares() -> None:
    one, both = (infer(told(np.array(k), np.zeros(2), 10), np.random.default_rng(0)) for k in ([1, 0], [1, 1]))
    assert one.pointwise[0, 0] < 0.05 < 0.95 < one.pointwise[0, 1]
    assert both.pointwise[0, 0] < 0.5 < 1 == both.pointwise[0, 1]


def test_copies_of_subjects_add_no_choices_to_the_tremble() -> None:
    alone = told(np.arange(10) < 5, np.zeros(10), 10)
    thrice = Evidence(
        alone.strategies, tuple(map(str, range(30))), ENDS, np.tile(alone.counts, (1, 3, 1)), np.tile(alone.clusters, 3)
    )
    ends = [infer(one, np.random.default_rng(0), 50).tremble_intervals for one in (alone, thrice)]
    assert ends[1] == pytest.approx(ends[0])


def test_nothing_is_known_of_the_tremble_of_a_fair_coin() -> None:
    plain = told(np.zeros(10, dtype=bool), np.arange(10) % 2, 10)
    coin = Evidence(("coin", "alld"), plain.subjects, np.array([[0.5, 0.5], [0, 1]]), plain.counts, plain.clusters)
    found = infer(coin, np.random.default_rng(0), 50, own_trembles=True)
    assert found.tremble_intervals[0] == pytest.approx([0, 0.5], abs=1e-6)
    assert found.tremble_intervals[1, 0] < found.trembles[1] < found.tremble_intervals[1, 1]
    assert found.trembles[1] == pytest.approx(0.05, abs=1e-3)


def test_errors_of_few_subjects_widen_the_interval_of_the_tremble() -> None:
    spread = np.full(10, 2)
    heaped = np.array([4, 4, 4, 4, 4, 0, 0, 0, 0, 0])
    widths = [
        np.diff(infer(told(np.ones(10, dtype=bool), slips, 10), np.random.default_rng(0), 200).tremble_intervals)[0, 0]
        for slips in (spread, heaped)
    ]
    assert widths[1] > 1.5 * widths[0]


@pytest.mark.parametrize("own_trembles", [False, True])
def test_a_single_choice_does_not_tell_an_error_from_an_intention(own_trembles: bool) -> None:
    """23 of 40 defect once: shares without trembles explain it as well as any tremble up to 17/40."""
    found = infer(told(np.arange(40) < 17, np.zeros(40), 1), np.random.default_rng(0), 50, own_trembles)
    for low, high in found.tremble_intervals:
        assert low == 0
        assert high >= 17 / 40


def test_many_choices_tell_a_common_tremble_exactly() -> None:
    found = infer(told(np.arange(40) < 17, np.full(40, 10), 100), np.random.default_rng(0), 50)
    low, high = found.tremble_intervals[0]
    assert 0.08 < low < 0.1 < high < 0.12
