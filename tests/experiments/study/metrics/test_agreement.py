"""Agreement of a model with itself and with its opposite."""

import numpy as np
import pytest

from dilemmas.experiments.study.metrics.agreement import agreement


def test_agreement_with_oneself_is_whole_and_with_the_opposite_nothing() -> None:
    teacher = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.5, 0.5]])
    match, pairing = np.array([0, 0, 1, 1]), np.zeros(4, dtype=int)
    itself = agreement("teacher", teacher, teacher, match, pairing)
    assert itself.overlap.value == 1
    assert itself.expected.value == itself.ceiling == pytest.approx(0.75)
    assert agreement("tuned", teacher, 1 - teacher, match, pairing).overlap.value == pytest.approx(0.5)
