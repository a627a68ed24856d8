"""Level and pattern are told apart: a student that knows only how cooperative each game is, is found out."""

import numpy as np
import pytest

from dilemmas.agents.agent import Source
from dilemmas.experiments.reporting.uncertainty.intervals import detectable, equivalence, two_proportions
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
    return pattern("within", group, Source.EXACT)


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
    assert few == pytest.approx(0.1855, abs=5e-4), "1 - Phi(.1 / sqrt(2 / 160))"
    assert many < 1e-12
    assert equivalence(70, 100, 50, 100) > 0.9


def test_a_difference_that_can_be_detected_is_found_four_times_in_five() -> None:
    rng, n = np.random.default_rng(1), 300
    apart = detectable(n)
    assert apart == pytest.approx(0.114, abs=1e-3)
    draws = rng.binomial(n, [[0.5 + apart / 2], [0.5 - apart / 2]], size=(2, 2000))
    significant = [two_proportions(a, n, b, n).p < 0.05 for a, b in draws.T.tolist()]
    assert np.mean(significant) == pytest.approx(0.8, abs=0.04)
