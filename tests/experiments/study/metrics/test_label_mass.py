"""What a report says about the replies and the margins on which exact estimates stand."""

import pytest

from dilemmas.experiments.study.metrics.label_mass import LABEL_MASS


@pytest.mark.parametrize(
    ("mean", "margin", "said"),
    [(0.9, 0.0, []), (0.4, 0.0, ["Only 40.0% of the replies"]), (0.9, 0.05, ["not exact", "within ±0.05 only"])],
)
def test_few_replies_and_margins_are_said(mean: float, margin: float, said: list[str]) -> None:
    row = {"set": "within", "model": "teacher", "mean": mean, "least": mean, "whole": None, "margin": margin}
    text = " ".join(LABEL_MASS.warnings({"label_mass": [row]}))
    assert bool(text) == bool(said)
    assert all(words in text for words in said)
