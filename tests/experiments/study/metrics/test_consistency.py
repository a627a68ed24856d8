"""Probability that two answers of the teacher to one scenario differ, in small examples."""

import pytest

from dilemmas.experiments.study.metrics.consistency import consistency


def test_consistency_of_a_small_example() -> None:
    """Of 4 answers 3 agree: 3 of the 6 pairs differ."""
    found = consistency("s", [0, 0, 0, 1, None], ["a", "a", "b"])
    assert found.disagreement == pytest.approx(0.5)
    assert (found.answers, found.unreadable, found.cooperation) == (4, 1, 0.75)
    assert (found.motivations, found.distinct_motivations, found.commonest) == (3, 2, "a")
    assert found.noisy
    assert not consistency("s", [0] * 50).noisy
    assert consistency("s", [None, 0]).disagreement is None
