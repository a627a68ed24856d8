"""How variable the answers of a model are, over the scenarios of a set."""

import pytest

from dilemmas.envs.prompts.contexts import built_in_contexts
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES, Scenario
from dilemmas.experiments.asking.survey import SetAnswers, set_answers
from dilemmas.experiments.study.answers import Asked, Presented

SCENARIO = Scenario(KNOWN_GAMES["harmony"], built_in_contexts()["team"])


def answered(*replies: tuple[str, int | None, str]) -> SetAnswers:
    shown = Presented("?", ("C", "D"), (0.5, 0.5), 1.0, 1.0, 0.0)
    return set_answers([SCENARIO], [Asked(SCENARIO.name, (shown,), replies)])


def test_two_of_three_reasons_that_differ_are_two_thirds() -> None:
    found = answered(("C. a", 0, "a"), ("C. b", 0, "b"), ("D. a", 1, "a"), ("?", None, ""))
    assert found.motivations == pytest.approx(2 / 3)
    assert found.disagreement == pytest.approx(2 / 3), "two of the three pairs of readable answers"
    assert found.unreadable == pytest.approx(1 / 4)


def test_answers_without_reasons_have_no_share_of_them() -> None:
    assert answered(("C", 0, ""), ("C", 0, "")).motivations is None
