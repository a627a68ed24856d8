"""Numbers over seeds: means, Student's intervals, differences paired by seed, and limits."""

import pytest

from dilemmas.experiments.series.aggregate import Aggregate, FinishedRun, mean_over_seeds
from dilemmas.experiments.series.measures import MeasuredNumber
from dilemmas.experiments.series.plan import Limit


def runs(**values: list[float | None]) -> Aggregate:
    """Runs of variants that measure one number, seed by seed."""
    found = [
        FinishedRun(variant, seed, (MeasuredNumber("here", "gap_closed", value),))
        for variant, row in values.items()
        for seed, value in enumerate(row)
    ]
    return Aggregate(found, list(values), range(len(next(iter(values.values())))))


def test_a_known_interval() -> None:
    """Mean 2, standard deviation 1, n = 3: 2 ± 4.302653 / sqrt(3) (t table, 2 degrees of freedom, 97.5%)."""
    found = mean_over_seeds([1.0, 2.0, 3.0])
    assert found is not None
    assert found.value == 2.0
    assert found.interval == pytest.approx((2 - 2.484138, 2 + 2.484138), abs=1e-6)


def test_equal_runs_have_an_interval_of_width_zero_and_a_single_one_has_none() -> None:
    same, one = mean_over_seeds([0.3, 0.3, 0.3]), mean_over_seeds([0.3])
    assert same is not None
    assert same.interval == (0.3, 0.3)
    assert one is not None
    assert one.interval is None
    assert mean_over_seeds([None, None]) is None


def test_an_interval_ends_where_its_values_do() -> None:
    """Gaps closed are 1 at most; differences of them are not bounded."""
    found = runs(first=[0.5, 1.0], second=[1.0, 0.5])
    assert next(iter(found.means())).interval == pytest.approx((0.75 - 12.706 * 0.25, 1.0), abs=1e-3)
    (difference,) = found.differences()
    assert difference.interval is not None
    assert difference.interval[1] > 1


def test_a_difference_that_all_seeds_share_is_found_however_much_seeds_differ() -> None:
    """Paired: the variants differ by .1 in every seed, though the seeds differ by .4 among themselves."""
    found = runs(first=[0.1, 0.3, 0.5], second=[0.2, 0.4, 0.6])
    (difference,) = found.differences()
    assert difference.mean == pytest.approx(0.1)
    assert difference.interval == pytest.approx((0.1, 0.1))
    wide = next(iter(found.means())).interval
    assert wide is not None
    assert wide[1] - wide[0] > 0.8


def test_seeds_without_a_value_are_left_out_of_both_sides_of_a_difference() -> None:
    found = runs(first=[0.1, None, 0.5], second=[0.2, 0.4, None])
    (difference,) = found.differences()
    assert (difference.seeds, difference.mean, difference.interval) == (1, pytest.approx(0.1), None)
    assert [row.values for row in found.means()] == [(0.1, None, 0.5), (0.2, 0.4, None)]


def limit(**parts: object) -> Limit:
    return Limit(says="It is", where="here", what="gap_closed", **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "passed", "warning"),
    [
        ({"above": 0.3}, True, True),
        ({"above": 0.4}, False, False),
        ({"below": 0.4}, True, True),
        ({"above": 0.3, "bar": True}, True, False),
        ({"above": 0.4, "bar": True}, False, True),
        ({"above": 0.3, "surely": True}, False, False),
        ({"above": 0.1, "surely": True}, True, True),
    ],
)
def test_limits_warn_where_they_are_passed_and_bars_where_they_are_not(
    asked: dict[str, object], passed: bool, warning: bool
) -> None:
    """Mean .35, interval about .35 ± .12."""
    (verdict,) = runs(only=[0.3, 0.35, 0.4]).verdicts([limit(**asked)])
    assert (verdict.passed, verdict.warning) == (passed, warning)
    assert verdict.text.startswith("It is: 0.35 [0.23, 0.47]")


def test_a_limit_of_a_difference_is_about_pairs() -> None:
    found = runs(first=[0.1, 0.3], second=[0.2, 0.5])
    (verdict,) = found.verdicts([limit(variant="second", against="first", above=0.14, means="More.")])
    assert verdict.text == "It is: 0.15 [−0.49, 0.79]; above 0.14, the limit. More."


def test_a_single_seed_is_never_surely_beyond_a_limit() -> None:
    (verdict,) = runs(only=[0.9]).verdicts([limit(above=0.1, surely=True, bar=True)])
    assert verdict.passed is False
    assert verdict.warning


def test_limits_of_what_was_not_carried_out_say_nothing() -> None:
    assert list(runs(only=[0.1]).verdicts([limit(variant="other", above=0.0)])) == []
    (verdict,) = runs(only=[None]).verdicts([limit(above=0.0)])
    assert verdict.passed is None
