"""Level and pattern are told apart: a student that knows only how cooperative each game is, is found out."""

import math
from math import erfc

import numpy as np
import pytest
from scipy.stats import binom  # type: ignore[import-untyped, unused-ignore]

from dilemmas.agents.agent import Source
from dilemmas.experiments.reporting.uncertainty.equivalence import detectable, equivalence
from dilemmas.experiments.reporting.uncertainty.intervals import two_proportions
from dilemmas.experiments.study.answers import Answers, ScenarioResult
from dilemmas.experiments.study.metrics.pattern import Pattern, pattern

TEACHER = {"a": {"x": 0.9, "y": 0.5}, "b": {"x": 0.4, "y": 0.2}}
"""The teacher's cooperation by game and context."""


def found(untuned: dict[str, dict[str, float]], tuned: dict[str, dict[str, float]]) -> Pattern:
    group = [
        ScenarioResult(f"{game}/{one}", game, one, *(answers(rates[game][one]) for rates in (TEACHER, untuned, tuned)))
        for game in TEACHER
        for one in TEACHER[game]
    ]
    return pattern("within", group, 0.5, Source.EXACT)


def answers(rate: float) -> Answers:
    return Answers((rate, 1 - rate), (0, 0))


def all_at(rate: float) -> dict[str, dict[str, float]]:
    return {game: dict.fromkeys(contexts, rate) for game, contexts in TEACHER.items()}


def test_a_student_of_the_mean_of_each_game_closes_as_much_as_the_oracle_of_games() -> None:
    """Distances to the teacher: untuned at 0 in all .9 + .5 + .4 + .2 = 2; the means .7 and .3 leave .4 + .2 = .6."""
    student = {"a": dict.fromkeys("xy", 0.7), "b": dict.fromkeys("xy", 0.3)}
    level = found(all_at(0.0), student)
    assert level.student == level.game_oracle == pytest.approx(1 - 0.6 / 2)
    assert level.context_oracle == pytest.approx(1 - (0.25 + 0.25 + 0.15 + 0.15) / 2)
    assert level.null == pytest.approx(1 - (0.4 + 0.0 + 0.1 + 0.3) / 2), "it cooperates with 0.5 in all"
    assert level.untuned is None, "it does not vary"


def test_the_correlation_is_that_of_the_rates() -> None:
    opposite = {game: {one: 1 - rate for one, rate in contexts.items()} for game, contexts in TEACHER.items()}
    pair = found(opposite, TEACHER)
    assert (pair.untuned, pair.tuned, pair.untuned_rank, pair.tuned_rank) == pytest.approx((-1, 1, -1, 1))
    assert pair.student == pytest.approx(1)
    bent = {game: {one: rate**4 for one, rate in contexts.items()} for game, contexts in TEACHER.items()}
    curved = found(opposite, bent)
    assert curved.tuned_rank == pytest.approx(1), "ranks are not moved by a bend"
    assert curved.tuned is not None
    assert curved.tuned < 0.99


def test_equivalence_needs_answers_and_is_not_the_absence_of_a_difference() -> None:
    """20 of 40 twice: no difference found, and none excluded; 2,000 of 4,000 twice: within .1 for certain."""
    few, many = equivalence(20, 40, 20, 40), equivalence(2000, 4000, 2000, 4000)
    assert two_proportions(20, 40, 20, 40).p == 1
    assert few == pytest.approx(0.1843, abs=1e-4), "1 - Phi(.1 / sqrt(2 * .55 * .45 / 40)): most likely .55 and .45"
    assert many < 1e-12
    assert equivalence(70, 100, 50, 100) > 0.9


@pytest.mark.parametrize("n", [1, 2, 10, 30, 300])
def test_answers_that_are_all_the_same_exclude_a_difference_only_if_they_are_many(n: int) -> None:
    """Rates of 1 and .9 look alike in .9^n of all pairs of samples; most likely under a margin of .1 are just these."""
    found = equivalence(n, n, n, n)
    assert found == pytest.approx(equivalence(0, n, 0, n), rel=1e-6)
    assert found == pytest.approx(erfc(0.1 / math.sqrt(0.09 / n) / math.sqrt(2)) / 2, rel=1e-6)
    assert (found < 0.05) == (0.9**n < 0.05)


@pytest.mark.parametrize("n", [10, 30, 50])
def test_rates_that_differ_by_the_margin_are_seldom_taken_to_be_alike(n: int) -> None:
    """By the binomial distribution itself; the score test is approximate, so a little above 5% is possible."""
    counts = np.arange(n + 1)
    alike = np.array([[equivalence(a, n, b, n) < 0.05 for b in counts] for a in counts])
    for rate in np.linspace(0.1, 1, 46):
        assert binom.pmf(counts, n, rate) @ alike @ binom.pmf(counts, n, rate - 0.1) <= 0.06


@pytest.mark.parametrize("n", [3, 5, 10, 30, 300])
def test_a_difference_that_can_be_detected_is_found_four_times_in_five(n: int) -> None:
    apart, counts = detectable(n), np.arange(n + 1)
    assert apart is not None
    significant = np.array([[two_proportions(a, n, b, n).p < 0.05 for b in counts] for a in counts])
    first, second = (binom.pmf(counts, n, rate) for rate in (0.5 + apart / 2, 0.5 - apart / 2))
    assert first @ significant @ second == pytest.approx(0.8, abs=0.03)
    assert n < 300 or apart == pytest.approx(0.114, abs=1e-3)


def test_one_answer_each_can_show_no_difference() -> None:
    assert detectable(1) is None
