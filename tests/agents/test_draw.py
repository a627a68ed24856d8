"""Drawing an action from probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.agents.agent import draw


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any), st.integers(0, 2**32 - 1))
def test_draw_returns_possible_actions_only(weights: list[int], seed: int) -> None:
    probabilities = [weight / sum(weights) for weight in weights]
    assert weights[draw(probabilities, np.random.default_rng(seed))] > 0


def test_draw_follows_the_probabilities_and_certain_actions_use_no_random_number() -> None:
    rng = np.random.default_rng(3)
    drawn = np.bincount([draw((0.2, 0.0, 0.5, 0.3), rng) for _ in range(10_000)], minlength=4) / 10_000
    assert drawn == pytest.approx([0.2, 0.0, 0.5, 0.3], abs=0.02)
    before = rng.bit_generator.state
    assert draw((0.0, 1.0), rng) == 1
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("wrong", [(0.5, 0.4), (1.5, -0.5), (float("nan"), 1.0), ()])
def test_draw_refuses_invalid_distributions(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="not a distribution"):
        draw(wrong, np.random.default_rng(0))
