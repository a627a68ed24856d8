"""Recipes are followed or refused, never half understood."""

import json

import pytest

from understudy.envs.errors import InputError
from understudy.experiments.recipe import load_recipe
from understudy.experiments.run import Run, RunError


def test_the_study_is_the_published_one() -> None:
    recipe = load_recipe("study")
    assert recipe.observations == 300
    assert "70b" in recipe.models.teacher
    assert "7b" in recipe.models.student


def test_a_recipe_states_only_what_differs_from_its_base(tmp_path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('base = "miniatures"\nname = "own"\n[lora]\nepochs = 1\n')
    recipe, below = load_recipe(str(own)), load_recipe("miniatures")
    assert (recipe.lora.epochs, recipe.lora.rate) == (1, below.lora.rate)
    assert recipe.models == below.models


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed = 1", "unknown key 'sed'; did you mean 'seed'?"),
        ("[lora]\nrnak = 1", "[lora]: unknown key 'rnak'; did you mean 'rank'?"),
        ("seed = 1.5", "seed = 1.5; needs a whole number"),
        ("observations = true", "needs a whole number"),
        ("[matches]\ngames = 'harmony'", "needs a list of words"),
        ("lora = 3", "needs a table [lora]"),
        ("seed = ", "bad.toml: Invalid value"),
        ("base = 'nothing'", "unknown recipe 'nothing'"),
        ("base = 'bad.toml'", "its own base"),
    ],
)
def test_a_bad_recipe_is_refused_with_file_place_and_way_out(text, message, tmp_path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_recipe(str(path))
    assert message in str(error.value)


def test_a_folder_of_other_settings_is_refused_with_the_difference(tmp_path) -> None:
    recipe = load_recipe("miniatures")
    Run(tmp_path / "run", recipe)
    Run(tmp_path / "run", recipe)
    (tmp_path / "other.toml").write_text('base = "miniatures"\n[lora]\nrank = 8\n')
    with pytest.raises(RunError, match=r"lora\.rank: 16 there, 8 now"):
        Run(tmp_path / "run", load_recipe(str(tmp_path / "other.toml")))


def test_a_foreign_folder_is_left_alone(tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="holds no run"):
        Run(tmp_path, load_recipe("miniatures"))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_seconds_survive_an_interruption(tmp_path) -> None:
    run = Run(tmp_path / "run", load_recipe("miniatures"))
    with pytest.raises(KeyboardInterrupt), run.stage("teach"):
        raise KeyboardInterrupt
    assert "teach" in json.loads((tmp_path / "run" / "seconds.json").read_text())
