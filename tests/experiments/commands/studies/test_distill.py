"""`dilemmas distill` tunes a student on an agent, on recorded play and on the teacher of a study."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from dilemmas.agents.roster import Framing, make_agent
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.experiments.commands.studies.distill import command
from dilemmas.experiments.run_folder import RunError
from dilemmas.training.demonstrations import read_demonstrations

STUDENT = "miniature:student"
PD = ("--game", "prisoners_dilemma")


def distill(*arguments: object) -> dict[str, object]:
    words = [str(word) for word in arguments]
    result = CliRunner().invoke(command, ["--student", STUDENT, *words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_a_student_can_be_taught_a_strategy(tmp_path) -> None:
    """Win-stay lose-shift: C after equal actions, else D."""
    found = distill("win_stay_lose_shift", *PD, "--out", tmp_path / "run", "--lora", "steps=60", "--lora", "batch=5")
    assert (found["demonstrations"], found["questions"], found["steps"]) == (5, 5, 60)
    student = make_agent(str(found["adapter"]), framing=Framing("team"))
    table = compile_agent(student, stage_game("prisoners_dilemma"), 1)
    assert [round(row[0]) for row in table.rows] == [1, 1, 0, 0, 1]


def test_the_words_and_the_steps_are_those_of_the_recipe(tmp_path) -> None:
    """An option that is given goes before them."""
    recipe = tmp_path / "own.toml"
    recipe.write_text('base = "miniatures"\nname = "own"\nprompting = { template = "brief" }\nlora = { steps = 2 }\n')
    asked = ("tit_for_tat", *PD, "--recipe", recipe, "--out", tmp_path / "run")

    def question(*options: str) -> str:
        return str(dict(distill(*asked, "--dry-run", *options))["first"]["prompt"])  # type: ignore[index]

    assert question().endswith("Your choice?")
    assert question("--template", "study").endswith("Which do you choose, C or D?")
    assert distill(*asked)["steps"] == 2


def test_a_repeated_command_changes_nothing_and_another_one_is_refused(tmp_path) -> None:
    out, quick = tmp_path / "run", ("--lora", "steps=2")
    first = distill("random", *PD, "--out", out, *quick)
    weights = (out / "adapter" / "adapter_model.safetensors").read_bytes()
    assert distill("random", *PD, "--out", out, *quick) == first
    assert (out / "adapter" / "adapter_model.safetensors").read_bytes() == weights
    with pytest.raises(RunError, match="other settings"):
        distill("random", *PD, "--out", out, "--lora", "steps=3")


def test_presentations_are_compared_where_there_are_several(tmp_path) -> None:
    compared = ("--lora", "consistency=1", "--lora", "steps=2")
    found = distill("random", *PD, "--presentation", "counterbalanced", *compared, "--out", tmp_path / "all")
    assert found["questions"] == 4 * 5
    record = json.loads((tmp_path / "all" / "adapter" / "training.json").read_text())
    assert record["settings"]["consistency"] == 1
    with pytest.raises(InputError, match="choose presentation 'counterbalanced'"):
        distill("random", *PD, "--presentation", "fixed", *compared, "--out", tmp_path / "one")


def test_a_student_that_is_not_there_is_refused_before_the_teacher_is_asked(tmp_path) -> None:
    asked = (*PD, "--student", "nosuch", "--out", tmp_path / "run")
    with pytest.raises(InputError, match="model or adapter 'nosuch': no such directory"):
        distill("tit_for_tat", *asked)
    assert not (tmp_path / "run").exists()
    words = ["tit_for_tat", *map(str, asked), "--dry-run"]
    assert "student: 'nosuch' is no built-in model" in CliRunner().invoke(command, words, catch_exceptions=False).stderr


def test_opponents_are_checked_before_the_teacher_is_asked(tmp_path) -> None:
    with pytest.raises(InputError, match="unknown agent 'nobody'"):
        distill("tit_for_tat", *PD, "--on-policy", "1", "--opponents", "nobody", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("option", "value"), [("--opponents", "random"), ("--rounds", "5"), ("--matches", "1")])
def test_options_of_the_students_matches_need_matches(option: str, value: str, tmp_path) -> None:
    with pytest.raises(InputError, match=f"{option}: needs --on-policy"):
        distill("tit_for_tat", *PD, option, value, "--out", tmp_path / "run")


def test_a_model_is_asked_about_the_histories_of_a_game_that_is_named(tmp_path) -> None:
    asked = ("miniature:teacher", "--dry-run", "--out", tmp_path / "run")
    assert distill(*asked, "--game", "stag_hunt")["demonstrations"] == 5
    assert distill(*asked)["demonstrations"] == 20, "the training scenarios"


def test_the_answers_to_a_study_are_of_no_player(small_run: Path, tmp_path) -> None:
    study = small_run / "runs" / "replicate"
    with pytest.raises(InputError, match=r"leave --player out, or give .*matches"):
        distill(study, "--player", "teacher", "--dry-run", "--out", tmp_path / "run")


def test_what_is_held_out_is_measured(tmp_path) -> None:
    settings = [f"--lora={word}" for word in ("steps=4", "held_out=0.4", "measure_every=2", "patience=9")]
    found = distill("win_stay_lose_shift", *PD, *settings, "--out", tmp_path / "run")
    record = json.loads((tmp_path / "run" / "adapter" / "training.json").read_text())
    assert [step for step, _ in record["held_out"]] == [0, 2, 4]
    assert found["held_out"] == min(value for _, value in record["held_out"][1:])
    assert record["examples"] == found["taught"] == 3, "of the five histories"
    assert found["demonstrations"] == 5


def test_the_teacher_of_a_study_teaches_every_token_of_its_replies(small_run: Path, tmp_path) -> None:
    study, settings = small_run / "runs" / "replicate", ("--method", "tokens", "--lora", "steps=2")
    found = distill(study, *settings, "--lora", "divergence=reverse", "--out", tmp_path / "run")
    assert (found["demonstrations"], found["questions"], found["steps"]) == (200, 20, 2)
    shown = list(read_demonstrations(tmp_path / "run" / "demonstrations.jsonl"))
    assert all(one.teacher_prompt not in ("", one.prompt) for one in shown), "it was asked for a motivation too"
    assert all(one.reply.startswith(one.labels[one.probabilities.index(1.0)]) for one in shown)
    assert json.loads((tmp_path / "run" / "distil.json").read_text())["teacher"] == "miniature-teacher"


def test_the_teacher_of_tokens_can_be_named(tmp_path) -> None:
    chat = tmp_path / "chat.jsonl"
    turns = [{"role": "user", "content": "C or D?"}, {"role": "assistant", "content": "C. We are friends."}]
    chat.write_text(json.dumps({"messages": turns}) + "\n")
    settings = ("--method", "tokens", "--lora", "epochs=1", "--teacher", "miniature:teacher")
    assert distill(chat, *settings, "--out", tmp_path / "run")["steps"] == 1


def test_what_one_distillation_taught_another_one_can_read(tmp_path) -> None:
    distill("random(0.3)", *PD, "--out", tmp_path / "one", "--lora", "steps=1")
    found = distill(tmp_path / "one" / "demonstrations.jsonl", "--out", tmp_path / "two", "--dry-run")
    assert found["first"]["probabilities"] == [0.3, 0.7]


def test_random_games_are_unlike_those_of_the_test_sets(tmp_path) -> None:
    found = distill("random", "--on", "questions", "--questions", 50, "--out", tmp_path / "run", "--dry-run")
    assert found["questions"] == 50


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        (["tit_for_tat"], "--game"),
        (["tit_for_tta", *PD], "tit_for_tat"),
        (["nowhere/run"], "nowhere"),
        ([__file__], "needs a run folder"),
        (["random", *PD, "--lora", "steps=-1"], "steps"),
        (["random", *PD, "--lora", "stpes=1"], "stpes"),
        (["random", *PD, "--template", "reason"], "write something before"),
        (["random", *PD, "--memory", "9"], "histories"),
        (["random", "--set", "T=6"], "--set"),
        (["random", *PD, "--recipe", "nothing"], "recipe"),
        (["random", "--on", "nowhere"], "nowhere"),
        (["random", *PD, "--method", "motivated"], "soft"),
        (["random", *PD, "--method", "tokens"], "needs --teacher"),
        (["random", *PD, "--teacher", STUDENT], "needs --method tokens"),
        (["random", *PD, "--method", "tokens", "--teacher", STUDENT], "asked for probabilities alone"),
        (["random", *PD, "--method", "tokens", "--teacher", "tit_for_tat"], "tit_for_tat"),
        (["random", *PD, "--method", "tokens", "--teacher", "openai:m@http://127.0.0.1:9/v1"], "behind a server"),
        (["random", *PD, "--lora", "divergence=froward"], "forward"),
        (["random", *PD, "--student", "tit_for_tat"], "tit_for_tat"),
        (["random", *PD, "--context", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_taught_is_refused_at_once(tmp_path, arguments, needs) -> None:
    with pytest.raises(InputError, match=needs):
        distill(*arguments, "--out", tmp_path / "run")
    assert not Path(tmp_path / "run" / "adapter").exists()
