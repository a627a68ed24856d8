"""A dry run says how long a study takes: every question of the run is counted."""

import pytest

pytest.importorskip("torch")

from dilemmas.experiments.study.conduct.trial import ModelEstimate, estimate
from dilemmas.experiments.study.recipe_files import load_recipe


def estimated(**settings: dict[str, object]) -> dict[str, ModelEstimate]:
    usual = {"prompting": {"sampled": False}, "scenarios": {"sets": ["within"]}}
    lora = {"method": "soft", "steps": 100, "batch": 8} | settings.pop("lora", {})
    return estimate(load_recipe("miniatures", usual | settings | {"lora": lora}))


def questions(one: ModelEstimate) -> float:
    assert one.seconds is not None
    assert one.seconds_per_question
    return one.seconds / one.seconds_per_question


def test_the_random_games_are_put_to_the_teacher() -> None:
    """60 of them, of which hardly any are alike."""
    none, many = (questions(estimated(questions={"number": number})["teacher"]) for number in (0, 60))
    assert 57 <= many - none <= 60


def test_what_layers_below_the_tuned_ones_compute_is_kept() -> None:
    """800 visits in steps to 20 questions, three times the cost of scoring; with one layer of four a quarter of it, and
    three quarters of the 20 questions once."""
    whole, upper = (questions(estimated(lora={"layers": layers})["student"]) for layers in (0, 1))
    assert whole - upper == pytest.approx(3 * 800 - (3 * 800 / 4 + 20 * 3 / 4))
