"""Recipes are followed or refused, never half understood."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.scenarios import study_sets
from dilemmas.envs.seals import SEALS
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study.recipe import ScenarioChoice
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run

STUDY = Path(__file__).parents[3] / "experiments" / "study" / "recipes" / "study.toml"


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
        ("[lora]\nrnak = 1", "lora: unknown key 'rnak'; did you mean 'rank'?"),
        ("seed = 1.5", "seed: needs a whole number; got 1.5"),
        ("observations = true", "needs a whole number"),
        ("[matches]\ngames = 'harmony'", "matches.games: needs a list; got 'harmony'"),
        ("lora = 3", "lora: needs keys with values; got 3"),
        ("seed = ", "bad.toml: not TOML: Invalid value"),
        ("base = 'nothing'", "unknown recipe 'nothing'"),
        ("base = 'bad.toml'", "its own base"),
        ("seed = -1", "bad.toml: seed: needs a number of at least 0; got -1"),
        ("[models]\ndtype = 'float23'", "models: unknown dtype 'float23'; did you mean 'float32'?"),
        ("[prompting]\ntemplate = 'stdy'", "prompting.template: unknown template 'stdy'; did you mean 'study'?"),
        ("[prompting]\ntemperature = inf", "prompting.temperature: needs a finite number; got inf"),
        ("[lora]\nmethod = 'sofd'", "lora.method: needs 'hard', 'soft', 'motivated' or 'tokens'; got 'sofd'"),
        ("[lora]\nmethod = 'soft'\n[prompting]\ntemplate = 'reason'", "only method = 'hard' teaches"),
        ("[lora]\ndropout = 1.5", "lora: dropout = 1.5; needs a number from 0 to 1"),
        ("[lora]\nrank = 1_000_000", "lora: rank = 1000000; needs a number from 1 to 10000"),
        ("[lora]\nepochs = 1_000_000_000", "lora: epochs = 1000000000; needs a number from 1 to 10000"),
        ("[lora]\nbatch = 100_000_000_000", "batch = 100000000000: at most 100,000,000 demonstrations in all"),
        ("[lora]\nsteps = 1_000_000_000_000", "steps = 1000000000000, batch = 16: at most 100,000,000 demonstrations"),
        (
            "[matches]\ngames = ['harmonny']",
            "unknown symmetric 2x2 game 'harmonny' in [matches] games; did you mean 'harmony'?",
        ),
        (
            "[matches]\ncontexts = ['freinds']",
            "unknown context 'freinds' in [matches] contexts; did you mean 'friends'?",
        ),
        ("[matches]\nopponents = ['tft', 'tit_for_tat']", "needs one or more, each of them once"),
        ("[matches]\ngames = []", "games = []; needs one or more"),
        ("[matches]\nrounds = 0", "rounds = 0; needs a number of at least 1"),
        ("[games]\nx = 1", "games.x: needs keys with values; got 1"),
        ("name = 2024-01-01", "needs texts, numbers, true or false, lists and tables; got 2024-01-01"),
        ("seed = " + "1" * 400, "seed: needs a number below"),
        ("[population]\nsize = 2", "size = 2; needs a number of at least 3"),
    ],
)
def test_a_bad_recipe_is_refused_with_file_place_and_remedy(text, message, tmp_path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_recipe(str(path))
    assert message in str(error.value)


def test_a_folder_of_other_settings_is_refused_with_the_difference(tmp_path) -> None:
    recipe = load_recipe("miniatures")
    for _ in range(2):
        Run(tmp_path / "run", recipe).begin()
    (tmp_path / "other.toml").write_text('base = "miniatures"\nname = "other"\nseed = 7\n[lora]\nrank = 8\n')
    with pytest.raises(RunError, match=r"\(seed: 0 recorded, 7 now; lora\.rank: 16 recorded, 8 now; name: "):
        Run(tmp_path / "run", load_recipe(str(tmp_path / "other.toml")))


def test_a_folder_in_which_nothing_has_begun_is_open_to_any_recipe(tmp_path) -> None:
    """As after a model's name that cannot be found."""
    Run(tmp_path / "run", load_recipe("miniatures"))
    Run(tmp_path / "run", load_recipe("study"))


def test_a_damaged_file_of_a_run_is_named(tmp_path) -> None:
    Run(tmp_path, load_recipe("miniatures")).begin()
    (tmp_path / "recipe.json").write_text("{")
    (tmp_path / SEALS).unlink()
    with pytest.raises(RunError, match=r"recipe\.json: not JSON"):
        Run(tmp_path, load_recipe("miniatures"))


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


def test_every_key_is_documented_in_the_recipe_that_people_copy() -> None:
    """Each key stands in recipes/study.toml: as a value, or in a comment as an example."""
    text = STUDY.read_text(encoding="utf-8")
    table = load_recipe("study").as_table()
    for section, value in table.items():
        keys = value if isinstance(value, dict) and value else {section: value}
        for key in keys:
            assert re.search(rf"^(# )?{key} = |^#? ?\[{key}[.\]]", text, re.MULTILINE), f"{section}.{key}"
    assert tomllib.loads(text).keys() | {"games", "contexts"} == table.keys()


def test_the_scenarios_that_the_recipe_spells_out_are_the_default() -> None:
    assert load_recipe("study").scenarios == ScenarioChoice()
    assert load_recipe("study").sets() == study_sets()


def test_settings_take_the_place_of_those_in_the_file() -> None:
    changed = load_recipe("miniatures", {"lora.method": "soft", "questions.number": 580, "observations": 50})
    assert (changed.lora.method, changed.questions.number, changed.observations) == ("soft", 580, 50)
    assert changed.lora.rate == load_recipe("miniatures").lora.rate


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lora.rnk": 4}, "--set: lora: unknown key 'rnk'; did you mean 'rank'"),
        ({"lora.rank": "many"}, "--set: lora.rank: needs a whole number; got 'many'"),
        ({"lora.rank": 0}, "rank"),
        ({"lora": 4}, "--set: lora: needs keys with values; got 4"),
        ({"lora.rank.more": 4, "lora.rank": 4}, "a part of 'lora.rank' is set too"),
        ({"lora.rank": 4, "lora.rank.more": 4}, "'lora.rank' is set too"),
        ({"prompting.template": "vignete"}, "did you mean 'vignette'"),
        ({"": 1}, "unknown key"),
    ],
)
def test_settings_that_a_recipe_cannot_have_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        load_recipe("miniatures", settings)
