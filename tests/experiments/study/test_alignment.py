"""The definitions of alignment, in small examples and simulations."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.agents.agent import Source
from dilemmas.experiments.study.alignment import Alignment, align, gap_closed, null_player, null_rate
from dilemmas.experiments.study.answers import Answers, AnswersError, ScenarioResult, compare, distance

EXACT, SAMPLED = Source.EXACT, Source.SAMPLED


def answers(p: float, n: int = 0) -> Answers:
    return Answers((p, 1 - p), (round(p * n), n - round(p * n)))


def scenario(teacher: float, untuned: float, tuned: float, name: str = "s", n: int = 0) -> ScenarioResult:
    return ScenarioResult(name, "game", name, answers(teacher, n), answers(untuned, n), answers(tuned, n))


def aligned(results: Sequence[ScenarioResult], rate: float = 0.5, estimate: Source = EXACT) -> Alignment:
    return align(results, rate, estimate, np.random.default_rng(0), resamples=200)


@pytest.mark.parametrize(
    ("tuned", "expected"),
    [(0.2, 1.0), (0.8, 0.0), (0.5, 0.5), (0.05, 0.75), (1.0, -1 / 3)],
    ids=["as the teacher", "no better than untuned", "half way", "overshot", "worse"],
)
def test_gap_closed_of_a_small_example(tuned: float, expected: float) -> None:
    assert gap_closed(scenario(0.2, 0.8, tuned), EXACT) == pytest.approx(expected)
    assert gap_closed(scenario(0.2, 0.8, tuned, n=300), SAMPLED) == pytest.approx(expected)


def test_gap_is_undefined_without_a_significant_difference() -> None:
    """With 300 answers each, 0.50 against 0.58 is z = 1.97, and 0.50 against 0.57 is z = 1.72."""
    assert gap_closed(scenario(0.50, 0.58, 0.5), EXACT) == 1
    assert gap_closed(scenario(0.50, 0.57, 0.5), EXACT) is None
    few = ScenarioResult("s", "game", "s", *(Answers((p, 1 - p), (1, 1)) for p in (0.50, 0.58, 0.5)))
    assert gap_closed(few, EXACT) == 1, "however many answers were drawn"
    assert gap_closed(scenario(0.50, 0.57, 0.5, n=300), SAMPLED) is None


def test_with_more_actions_the_distance_is_total_variation() -> None:
    assert distance((0.5, 0.3, 0.2), (0.2, 0.3, 0.5)) == pytest.approx(0.3)
    levels = (1.0, 0.5, 0.0)
    teacher, untuned, tuned = (
        Answers(p, (0, 0, 0), cooperation=levels) for p in ((0.5, 0.0, 0.5), (0.0, 1.0, 0.0), (0.25, 0.5, 0.25))
    )
    result = ScenarioResult("s", "public_goods", "s", teacher, untuned, tuned)
    assert teacher.rate(EXACT) == untuned.rate(EXACT) == 0.5, "one rate, yet as far apart as can be"
    assert gap_closed(result, EXACT) == pytest.approx(0.5)


def test_aggregate_is_a_ratio_of_sums_and_the_mean_is_a_mean() -> None:
    """Gaps 0.6 and 0.2; left 0.0 and 0.2: aggregate 1 - 0.2 / 0.8, mean (1 + 0) / 2."""
    found = aligned([scenario(0.2, 0.8, 0.2, "a"), scenario(0.6, 0.8, 0.8, "b")])
    assert found.aggregate is not None
    assert found.mean is not None
    assert found.aggregate.value == pytest.approx(0.75)
    assert found.mean.value == pytest.approx(0.5)


def test_null_player_closes_part_of_the_gap_of_a_biased_student() -> None:
    """The teacher plays 0.3 and 0.5 in training; a student at 0.8 that moves to 0.4 closes 8/9 without reading."""
    rate = null_rate([answers(0.3), answers(0.5)], EXACT)
    assert rate == pytest.approx(0.4)
    found = aligned([scenario(0.3, 0.8, 0.3, "a"), scenario(0.4, 0.8, 0.4, "b")], rate=0.4).aggregate
    assert found is not None
    assert found.null == pytest.approx(1 - 0.1 / 0.9)
    assert found.transfer == pytest.approx(0.1 / 0.9)


def test_a_student_that_plays_the_null_players_part_transfers_nothing() -> None:
    found = aligned([scenario(p, 0.9, 0.4, str(p)) for p in (0.1, 0.3, 0.5, 0.7)], rate=0.4).aggregate
    assert found is not None
    assert found.transfer == pytest.approx(0, abs=1e-12)
    assert found.transfer_interval is not None
    assert found.transfer_interval[0] < 0 < found.transfer_interval[1]


@given(st.floats(0, 1), st.integers(2, 6))
def test_null_player_has_its_rate_in_every_game(rate: float, levels: int) -> None:
    cooperation = [1 - level / (levels - 1) for level in range(levels)]
    shares = null_player(rate, cooperation)
    assert sum(shares) == pytest.approx(1)
    assert sum(p * c for p, c in zip(shares, cooperation, strict=True)) == pytest.approx(rate, abs=1e-9)


def test_undefined_and_missing_scenarios_are_listed_and_not_counted() -> None:
    silent = ScenarioResult("silent", "game", "x", answers(0.2), answers(0.8), Answers(None, (0, 0), unreadable=9))
    found = aligned([scenario(0.2, 0.8, 0.2, "clear"), scenario(0.5, 0.5, 0.9, "same"), silent])
    assert (found.counted, found.undefined, found.missing) == (("clear",), ("same",), ("silent",))
    assert found.aggregate is not None
    assert found.aggregate.value == 1
    assert found.aggregate.interval is None, "one scenario says nothing about the spread"


def test_a_student_that_learned_nothing_has_no_interval() -> None:
    found = aligned([scenario(0.2, 0.8, 0.8, "one"), scenario(0.3, 0.7, 0.7, "two")]).aggregate
    assert found is not None
    assert (found.value, found.interval, found.transfer_interval) == (0, None, None)


def test_without_any_gap_there_is_no_figure() -> None:
    assert aligned([scenario(0.5, 0.5, 0.9)]).aggregate is None


@pytest.mark.parametrize("estimate", [EXACT, SAMPLED])
def test_intervals_of_equal_scenarios_leave_room_for_a_failure_that_was_not_seen(estimate: Source) -> None:
    """One failure in S + 1 scenarios would move the gap closed by 1 / (2 (S + 1)) from one half."""
    for scenarios in (5, 20, 80):
        rng = np.random.default_rng(0)
        drawn = [sampled_scenario((0.2, 0.8, 0.5), 300, rng, str(i)) for i in range(scenarios)]
        results = [
            replace(one, **{role: replace(getattr(one, role), exact=(p, 1 - p)) for role, p in RATES}) for one in drawn
        ]
        found = aligned(results, estimate=estimate).aggregate
        assert found is not None
        assert found.interval is not None
        shift = 1 / (2 * (scenarios + 1))
        assert found.interval[0] < 0.5 - shift < found.value < found.interval[1] < 0.5 + 2 * shift + 0.05


RATES = (("teacher", 0.2), ("untuned", 0.8), ("tuned", 0.5))


def sampled_scenario(p: Sequence[float], n: int, rng: np.random.Generator, name: str) -> ScenarioResult:
    hits = [int(rng.binomial(n, rate)) for rate in p]
    return ScenarioResult(name, "game", name, *(Answers(None, (k, n - k)) for k in hits))


def test_ceiling_is_the_expected_value_of_a_sampled_copy() -> None:
    rng = np.random.default_rng(6)
    rates = [(p, 0.8, p) for p in np.linspace(0.1, 0.5, 40)]
    runs = [[sampled_scenario(p, 50, rng, str(i)) for i, p in enumerate(rates)] for _ in range(30)]
    found = [align(results, 0.5, SAMPLED, rng, resamples=100) for results in runs]
    shown = [one.aggregate.value for one in found if one.aggregate]
    ceilings = [one.aggregate.ceiling for one in found if one.aggregate]
    assert np.mean(shown) == pytest.approx(np.mean(ceilings), abs=0.02)
    assert 0.7 < np.mean(ceilings) < 0.95


def test_the_ceiling_of_the_mean_is_that_of_the_mean() -> None:
    """Where gaps differ much, the mean of a copy is far below its aggregate: noise weighs most where gaps are small."""
    rng = np.random.default_rng(7)
    rates = [(p, 0.8, p) for p in np.linspace(0.1, 0.72, 40)]
    runs = [[sampled_scenario(p, 300, rng, str(i)) for i, p in enumerate(rates)] for _ in range(30)]
    found = [align(results, 0.5, SAMPLED, rng, resamples=100).mean for results in runs]
    ceilings = np.mean([one.ceiling for one in found if one])
    assert np.mean([one.value for one in found if one]) == pytest.approx(ceilings, abs=0.02)
    assert ceilings < np.mean([align(one, 0.5, SAMPLED, rng, 100).aggregate.ceiling for one in runs]) - 0.01


def test_same_generator_same_interval() -> None:
    results = [scenario(0.1 * i, 0.9, 0.5, str(i), n=100) for i in range(8)]
    assert aligned(results, estimate=SAMPLED) == aligned(results, estimate=SAMPLED)


def test_bounds_contain_all_meanings_of_unreadable_replies() -> None:
    heard = Answers(None, (60, 30), unreadable=10)
    assert heard.rate(SAMPLED) == pytest.approx(60 / 90)
    assert heard.bounds == pytest.approx((0.60, 0.70))
    assert Answers(None, (0, 0)).bounds is None


@pytest.mark.parametrize(
    ("exact", "counts", "unreadable"),
    [
        ((0.5, 0.4), (1, 1), 0),
        (None, (1, -1), 0),
        (None, (1, 2, 3), 0),
        (None, (1, 1), -1),
        ((float("nan"), 0.5), (0, 0), 0),
    ],
)
def test_impossible_answers_are_refused(
    exact: tuple[float, ...] | None, counts: tuple[int, ...], unreadable: int
) -> None:
    with pytest.raises(AnswersError):
        Answers(exact, counts, unreadable)


def test_comparison_of_two_models_is_the_z_test_of_their_readable_answers() -> None:
    test = compare(Answers(None, (5, 78), unreadable=7), Answers(None, (12, 87)))
    assert test is not None
    assert test.p == pytest.approx(0.159, abs=5e-4)
    assert compare(Answers(None, (0, 0), unreadable=7), Answers(None, (12, 87))) is None
