"""Games, contexts and templates of a recipe's own: used, refused with the way out, and kept by the run."""

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.experiments.commands.replay import command
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study import playing, stages
from dilemmas.experiments.study.data import collect
from dilemmas.experiments.study.evaluation import evaluate
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.report import write_study_report
from dilemmas.experiments.study.run import Run

TEMPLATE = Path(__file__).parents[3] / "envs" / "prompts" / "template_files" / "study.toml"
OWN = """
base = "miniatures"
observations = 2
[prompting]
template = "mine.toml"
[scenarios]
games = ["harmony", "my_dilemma"]
contexts = ["friends", "pub"]
new_games = ["three", "sexes"]
sets = ["new_game", "within"]
[matches]
games = ["my_dilemma"]
contexts = ["pub"]
opponents = ["tit_for_tat"]
rounds = 3
repetitions = 2
[population]
game = "my_dilemma"
context = "pub"
size = 3
[games.my_dilemma]
game = "matrix_game"
T = 9
R = 7
P = 2
S = 0
[games.harmony]
game = "harmony"
R = 8.5
[games.three]
game = "n-person-stag-hunt"
n_players = 3
[games.sexes]
game = "bimatrix_game"
row = [[3, 0], [0, 2]]
column = [[2, 0], [0, 3]]
[contexts.pub]
title = "a chat in a pub"
pair = "You are in a pub with a friend."
group = "You are in a pub with {others} friends."
"""


TABLES = "row = [[3, 0], [0, 2]]\ncolumn = [[2, 0], [0, 3]]"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A recipe with games, a context and a template of its own, in a folder of the user's."""
    folder = tmp_path / "user"
    folder.mkdir()
    words = TEMPLATE.read_text(encoding="utf-8").replace("Which do you choose", "What will you do")
    (folder / "mine.toml").write_text(words.replace('name = "study"', 'name = "mine"'), encoding="utf-8")
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    return folder / "own.toml"


def test_own_definitions_are_used(own: Path) -> None:
    recipe = load_recipe(str(own))
    assert recipe.game("my_dilemma") == MatrixGame("my_dilemma", T=9, R=7, P=2, S=0)
    assert recipe.two_player_game("harmony").R == 8.5, "a game of the study is replaced"
    assert recipe.game("three").n_players == 3
    assert {name: [scenario.name for scenario in group] for name, group in recipe.sets().items()} == {
        "within": ["harmony/friends", "harmony/pub", "my_dilemma/friends", "my_dilemma/pub"],
        "new_game": ["three/friends", "three/pub", "sexes/friends", "sexes/pub"],
    }
    prompt = scenario_prompt(recipe.prompting.template, recipe.game("my_dilemma"), recipe.context("pub"))
    assert prompt.startswith("You are in a pub with a friend.")
    assert "you get 9" in prompt
    assert prompt.endswith("What will you do, C or D?")


def test_recipe_json_contains_the_content_of_user_files(own: Path, tmp_path: Path) -> None:
    recipe = load_recipe(str(own))
    Run(tmp_path / "run", recipe).begin()
    shutil.rmtree(own.parent)
    assert load_recipe(str(tmp_path / "run" / "recipe.json")) == recipe


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("T = 9", "TT = 9", "[games.my_dilemma]: unknown option 'TT' in matrix_game"),
        ("T = 9", "T = 'nine'", "[games.my_dilemma]: matrix_game: T = 'nine'; needs a finite number"),
        ('"matrix_game"', '"matrx_game"', "[games.my_dilemma]: unknown game 'matrx_game'; did you mean 'matrix_game'?"),
        ('game = "matrix_game"', "", "[games.my_dilemma]: the key 'game' is missing"),
        ("R = 8.5", "R = 1", "[games.harmony]: harmony needs R>T, R>S, S>P"),
        ('"my_dilemma"]', '"my_dilema"]', "unknown game 'my_dilema' in [scenarios] games; did you mean 'my_dilemma'?"),
        ('["three", "sexes"]', '["harmony"]', "scenarios: new_games: 'harmony' is also in games"),
        ('["three", "sexes"]', "[]", "[scenarios] sets: 'new_game' is empty"),
        ('["new_game", "within"]', '["new_games"]', "scenarios: unknown set 'new_games'; did you mean 'new_game'?"),
        ('["new_game", "within"]', '["new_game"]', "scenarios: sets = ['new_game']; needs 'within'"),
        ('title = "a', 'tilte = "a', "contexts.pub: unknown key 'tilte'; did you mean 'title'?"),
        ('title = "a chat in a pub"', "", "contexts.pub: the key 'title' is missing"),
        ('title = "a chat in a pub"', "title = 3", "contexts.pub.title: needs a text; got 3"),
        ("[contexts.pub]", "[contexts.'a/b']", "[contexts]: 'a/b' cannot be a name"),
        ("[contexts.pub]", "[contexts]\npub = 3\n[contexts.bar]", "contexts.pub: needs keys with values; got 3"),
        ('"mine.toml"', '"mien.toml"', "prompting.template: unknown template 'mien.toml'"),
        ("[[3, 0], [0, 2]]", "[[3, 0, 1], [0, 2, 1]]", "own.toml: [games.sexes]: "),
        (
            TABLES,
            TABLES.replace("]]", ", 1]]").replace("],", ", 1],"),
            "own.toml: [scenarios]: actions of 'sexes', by player: 2, 3; needs the same number",
        ),
    ],
)
def test_a_definition_that_cannot_be_used_is_named(own: Path, old: str, new: str, message: str) -> None:
    assert old in OWN
    own.write_text(OWN.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_recipe(str(own))
    assert str(error.value).startswith(str(own))
    assert message in str(error.value)


def test_a_mistake_in_a_template_is_named_with_its_file(own: Path) -> None:
    template = own.with_name("mine.toml")
    template.write_text(template.read_text(encoding="utf-8").replace("question =", "qestion ="), encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.toml: unknown key 'qestion'; did you mean 'question'"):
        load_recipe(str(own))


def test_a_template_that_changed_under_a_run_is_refused_with_the_difference(own: Path, tmp_path: Path) -> None:
    Run(tmp_path / "run", load_recipe(str(own))).begin()
    template = own.with_name("mine.toml")
    template.write_text(template.read_text(encoding="utf-8").replace("Say why", "Tell me why"), encoding="utf-8")
    with pytest.raises(RunError, match=r"prompting\.template\.motivation: 'Say why\.' recorded, 'Tell me why\.' now"):
        Run(tmp_path / "run", load_recipe(str(own)))


def answer(request: Request) -> Response:
    """A model for which all labels are alike."""
    return Response(tuple(-math.log(len(request.labels)) for _ in request.labels), text="C. It is right.")


def asked(folder: Path, recipe: Path) -> Mapping[str, object]:
    """The results of a study whose models are all alike."""
    run = Run(folder, load_recipe(str(recipe)))
    run.begin()
    models = {role: FakeBackend(answer, role) for role in ("teacher", "untuned", "tuned")}
    for role, model in models.items():
        list(stages.ask_model(run, role, model))
    assert len(list(playing.play_matches(run, models))) == len(playing.pairings(run.recipe))
    playing.compile_tables(run, models)
    return evaluate(collect(run, models))


def test_a_run_is_resumed_and_replayed_without_the_users_files(own: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    results = asked(folder, own)
    shutil.rmtree(own.parent)
    assert command.main([str(folder)], standalone_mode=False) == 0
    (folder / "answers" / "tuned.jsonl").unlink()
    assert asked(folder, folder / "recipe.json") == results
    write_study_report(folder, json.loads(json.dumps(results)))
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "a chat in a pub" in report
    assert "my dilemma" in report.lower()
