"""What a study teaches: answers with their motivations, or answers alone where motivations weigh nothing."""

import pytest

from dilemmas.experiments.study.answers import Asked, Presented
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.teachers import AgentTeacher
from dilemmas.experiments.study.teaching import answers_taught, demonstrations, random_questions

SMALL = {"scenarios.sets": ["within"], "scenarios.games": ["harmony"], "scenarios.contexts": ["team"]}
SHOWN = Presented("?", ("C", "D"), (0.75, 0.25), 1.0, 1.0, 0.0)
ASKED = {"harmony/team": Asked("harmony/team", (SHOWN,), (("C. We share.", 0, "We share."), ("D", 1, "")))}


@pytest.mark.parametrize(("weight", "first"), [(1.0, "C. We share."), (0.5, "C. We share."), (0.0, "C.")])
def test_hard_labels_are_taught_without_motivations_that_weigh_nothing(weight: float, first: str) -> None:
    recipe = load_recipe("miniatures", SMALL | {"lora.motivation": weight})
    assert [one.completion for one in answers_taught(recipe, ASKED)] == [first, "D."]
    assert [one.reply for one in demonstrations(recipe, ASKED, "hard")] == [first, "D."]


def test_opposite_questions_name_the_same_labels_for_the_actions_in_reverse() -> None:
    """So that a student that prefers a label, or a place in the list, is right as often as wrong."""
    changes = {"prompting.presentation": "counterbalanced", "prompting.paraphrases": 1, "questions.number": 40}
    teacher = AgentTeacher("quantal_response")
    alone, both = (
        random_questions(load_recipe("miniatures", changes | {"questions.opposite": opposite}), teacher)
        for opposite in (False, True)
    )
    assert len(alone) == 40
    assert {one.prompt for one in alone} < {one.prompt for one in both}
    assert {one.situation for one in alone} == {""}
    assert [one.situation for one in both] == [f"question {place}" for place in range(40) for _ in "ab"]
    for one, other in zip(both[::2], both[1::2], strict=True):
        assert one.labels == other.labels[::-1]
        assert one.probabilities == other.probabilities
        listed, listed_again = (way.prompt.rpartition("\n")[2] for way in (one, other))
        assert listed == listed_again, "the labels stand in the same order"
        assert one.prompt != other.prompt


@pytest.mark.parametrize("familiar", [0.0, 0.4, 1.0])
def test_so_many_questions_are_about_games_of_the_training(familiar: float) -> None:
    recipe = load_recipe("laptop", {"questions.number": 500, "questions.familiar": familiar})
    known = [one.game for one in recipe.sets()["within"]]
    share = sum(one.game in known for one in recipe.random_scenarios()) / 500
    assert share == pytest.approx(familiar, abs=0.06 if 0 < familiar < 1 else 0)
