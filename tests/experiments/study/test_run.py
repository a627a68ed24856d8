"""A study and a survey are resumed with the recipe and the models that they were begun with, as they were written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dilemmas.agents.models.backend import FakeBackend, Response
from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.envs.seals import SEALS, SealError, check_described
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.run import MODELS, Run

BEGUN = Recipe(seed=1)


def model(fingerprint: str) -> FakeBackend:
    return FakeBackend(lambda request: Response(()), "fake", fingerprint)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    resumed(tmp_path / "run", BEGUN)
    return tmp_path / "run"


def resumed(folder: Path, recipe: Recipe, fingerprint: str = "weights") -> None:
    run = Run(folder, recipe)
    with run.locked():
        run.begin()
        run.check_models({"teacher": model(fingerprint)})


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_an_edited_recipe_is_refused_also_by_a_command_that_fits_it(folder: Path) -> None:
    edit(folder / "recipe.json", '"seed": 1', '"seed": 2')
    for recipe in (BEGUN, replace(BEGUN, seed=2)):
        with pytest.raises(SealError, match=r"recipe\.json has been changed .* not say what was played here; undo"):
            Run(folder, recipe)
    edit(folder / "recipe.json", '"seed": 2', '"seed": 1')
    resumed(folder, BEGUN)


def test_a_recorded_model_cannot_be_edited_into_another_one(folder: Path) -> None:
    with pytest.raises(RunError, match="has the fingerprint weights, fake now has other"):
        resumed(folder, BEGUN, "other")
    edit(folder / MODELS, "weights", "other")
    for fingerprint in ("weights", "other"):
        with pytest.raises(SealError, match=r"models\.json has been changed"):
            resumed(folder, BEGUN, fingerprint)
    (folder / MODELS).unlink()
    with pytest.raises(SealError, match=r"models\.json is missing"):
        resumed(folder, BEGUN, "other")


def test_settings_that_change_no_result_may_change(folder: Path) -> None:
    lower = replace(BEGUN, prompting=replace(BEGUN.prompting, min_mass=0.001))
    served = replace(lower, servers=ServerSettings(in_flight=3))
    for recipe in (lower, served, lower):
        resumed(folder, recipe)
        check_described(folder)
        assert json.loads((folder / "recipe.json").read_text(encoding="utf-8")) == json.loads(
            json.dumps(recipe.as_table())
        )
    with pytest.raises(RunError, match=r"min_mass: 0\.001 recorded"):
        resumed(folder, BEGUN)


def test_a_recipe_without_a_seal_is_sealed_when_the_run_is_resumed(folder: Path) -> None:
    """As when the process was killed before it wrote the seal."""
    (folder / SEALS).unlink()
    resumed(folder, BEGUN)
    edit(folder / "recipe.json", '"seed": 1', '"seed": 2')
    with pytest.raises(SealError):
        check_described(folder)
