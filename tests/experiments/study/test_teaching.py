"""What a study teaches: answers with their motivations, or answers alone where motivations weigh nothing."""

import pytest

from dilemmas.experiments.study.answers import Asked, Presented
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.teaching import answers_taught, demonstrations

SMALL = {"scenarios.sets": ["within"], "scenarios.games": ["harmony"], "scenarios.contexts": ["team"]}
SHOWN = Presented("?", ("C", "D"), (0.75, 0.25), 1.0, 1.0, 0.0)
ASKED = {"harmony/team": Asked("harmony/team", (SHOWN,), (("C. We share.", 0, "We share."), ("D", 1, "")))}


@pytest.mark.parametrize(("weight", "first"), [(1.0, "C. We share."), (0.5, "C. We share."), (0.0, "C.")])
def test_hard_labels_are_taught_without_motivations_that_weigh_nothing(weight: float, first: str) -> None:
    recipe = load_recipe("miniatures", SMALL | {"lora.motivation": weight})
    assert [one.completion for one in answers_taught(recipe, ASKED)] == [first, "D."]
    assert [one.reply for one in demonstrations(recipe, ASKED, "hard")] == [first, "D."]
