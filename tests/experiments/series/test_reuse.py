"""Answers that do not depend on the tuning are used again, and are those that the models would have given."""

from dataclasses import replace
from pathlib import Path

import pytest

from dilemmas.agents.models.open_model import open_local
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.series.reuse import reuse_answers
from dilemmas.experiments.study.answers import Role, read_answers
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.stages import ask_model

SMALL = {
    "scenarios.sets": ["within"],
    "scenarios.games": ["prisoners_dilemma", "harmony"],
    "scenarios.contexts": ["friends"],
    "observations": 3,
}
ROLES: dict[Role, str] = {"teacher": "miniature-teacher", "untuned": "miniature-student"}


def recipe(**other: object) -> Recipe:
    return load_recipe("miniatures", SMALL | other)


def asked(run: Run) -> Run:
    """The run with all answers of the models before tuning."""
    models = {role: open_local(spec, device="cpu") for role, spec in ROLES.items()}
    with run.locked():
        run.begin()
        run.check_models({"teacher": models["teacher"], "student": models["untuned"]})
        for role, model in models.items():
            assert list(ask_model(run, role, model))
    return run


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Run]:
    """Studies with all answers, by the number of observations."""
    folder = tmp_path_factory.mktemp("studies")
    return {number: asked(Run(folder / str(number), recipe(observations=number))) for number in (3, 5)}


def answers(run: Run, role: Role) -> list[object]:
    return [replace(one, presented=()) for one in read_answers(run.folder / "answers" / f"{role}.jsonl")]


@pytest.mark.parametrize(("before", "wanted"), [(3, 3), (5, 3), (3, 5)])
def test_answers_are_those_of_a_study_that_asks_anew(
    studies: dict[int, Run], before: int, wanted: int, tmp_path: Path
) -> None:
    """As many, fewer, and more: the first replies do not depend on how many follow."""
    run = Run(tmp_path / "run", recipe(observations=wanted, **{"lora.rank": 2}))
    with run.locked():
        assert reuse_answers(run, studies[before].folder) == ["teacher", "untuned"]
    asked(run)
    for role in ROLES:
        assert answers(run, role) == answers(studies[wanted], role)
    assert run.seals.misfits() == []


def test_nothing_is_asked_again(studies: dict[int, Run], tmp_path: Path) -> None:
    run = Run(tmp_path / "run", recipe(**{"lora.method": "soft"}))
    with run.locked():
        reuse_answers(run, studies[3].folder)
        model = open_local(ROLES["teacher"], device="cpu")
        counts = list(ask_model(run, "teacher", model))
    assert counts == [2 * 3], "all replies were there at the start"


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"prompting.temperature": 0.5}, {"scenarios.contexts": ["team"]}, {"prompting.template": "vignette"}],
)
def test_what_was_asked_otherwise_is_not_taken(
    studies: dict[int, Run], other: dict[str, object], tmp_path: Path
) -> None:
    run = Run(tmp_path / "run", recipe(**other))
    with run.locked():
        assert reuse_answers(run, studies[3].folder) == []
        assert not (run.folder / "recipe.json").exists(), "and the folder can still be used with any recipe"


def test_another_model_is_asked_itself(studies: dict[int, Run], tmp_path: Path) -> None:
    run = Run(tmp_path / "run", recipe(**{"models.student": "miniature-teacher"}))
    with run.locked():
        assert reuse_answers(run, studies[3].folder) == ["teacher"]


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", recipe())
    with run.locked(), pytest.raises(RunError, match="holds no study"):
        reuse_answers(run, tmp_path)
