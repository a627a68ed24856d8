"""How variable the answers of a model are, over the scenarios of a set; and how models are named."""

from pathlib import Path

import numpy as np
import pytest

from dilemmas.envs.prompts.contexts import built_in_contexts
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES, Scenario
from dilemmas.experiments.asking.survey import SetAnswers, model_folder, set_answers, short_names
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


def test_the_chance_of_sampled_answers_is_shown_beside_the_place_effect() -> None:
    """Even answers in four presentations: the effect of the place varies by as much as it can, and is 0 on average."""
    rng = np.random.default_rng(0)
    shown = (Presented("?", ("C", "D"), None, None, None, 0.0),) * 4
    found = []
    for _ in range(400):
        replies = tuple(("", int(action), "") for action in rng.integers(0, 2, 64))
        found.append(set_answers([SCENARIO], [Asked(SCENARIO.name, shown, replies)]))
    assert {one.place_error for one in found} == {1 / 8}
    assert np.std([one.place_effect for one in found]) == pytest.approx(1 / 8, rel=0.1)


def test_files_and_folders_are_named_by_the_last_part_of_their_path(tmp_path: Path) -> None:
    folders = [tmp_path / "a" / "model", tmp_path / "b" / "model", tmp_path / "adapter"]
    for folder in folders:
        folder.mkdir(parents=True)
    first, second, adapter = map(str, folders)
    served = "openai:some/model@http://127.0.0.1:1/v1"
    assert short_names([first, served]) == {first: "model", served: served}
    assert short_names([f"hf:{first}+{adapter}"]) == {f"hf:{first}+{adapter}": "model+adapter"}
    assert short_names([first, second]) == {first: first, second: second}


@pytest.mark.parametrize("spec", ["./model", "../models/model", "/models/.model", "_model"])
def test_the_folder_of_a_model_is_not_hidden(spec: str) -> None:
    assert model_folder(Path("runs"), spec).name[0].isalnum()
