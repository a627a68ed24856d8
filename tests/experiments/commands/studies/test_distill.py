"""`dilemmas distill` tunes a student on an agent, on recorded play and on the teacher of a study."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from dilemmas.agents.roster import Framing, make_agent
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.seals import SealError
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
    with pytest.raises(InputError, match="tit_for_tat"):
        distill("random", *PD, "--student", "tit_for_tat", "--out", tmp_path / "run")
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
        (["random", *PD, "--lora", "layers=99"], "layers = 99: the model has 4 layers"),
        (["random", *PD, "--lora", 'targets=["c_attn"]'], "no c_attn among its linear layers"),
        (["human", *PD, "--method", "hard"], "--agents human,tit_for_tat .* --player human --method hard"),
        (["Ann=human", *PD], "--player Ann --method hard"),
        (["nowhere.jsonl"], "nowhere.jsonl: there is no such file"),
        (["nowhere.trajectory.jsonl"], "there is no such file"),
        (["nowhere.csv"], "there is no such file"),
        (["random", *PD, "nowhere.jsonl"], "there is no such file"),
        (["miniature:teacher", "tit_for_tta"], "tit_for_tat"),
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
        (["random", *PD, "--context", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_taught_is_refused_at_once(tmp_path, arguments, needs) -> None:
    for more in ((), ("--dry-run",)):
        with pytest.raises(InputError, match=needs):
            distill(*arguments, "--out", tmp_path / "run", *more)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "no teacher was asked"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.jsonl", "", "the file is empty"),
        ("empty.trajectory.jsonl", "", "the file is empty"),
        ("blank.jsonl", "\n", "nothing was decided"),
        ("people.csv", "subject,match,round,own,other\na,1,1,C,D\n", "as a policy table"),
        ("notes.txt", "C", "needs a run folder"),
        ("folder/notes.txt", "C", r"holds no recorded play .* no study .* no teaching data"),
    ],
)
def test_data_without_anything_to_teach_are_refused(tmp_path: Path, name: str, content: str, problem: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    data = path if path.parent == tmp_path else path.parent
    for more in ((), ("--dry-run",)):
        with pytest.raises(InputError, match=problem) as refused:
            distill(data, "--out", tmp_path / "run", *more)
        assert str(refused.value).startswith(str(data))
    assert not (tmp_path / "run" / "distil.json").exists()


def test_a_dry_run_shows_the_first_question_as_it_is_read_and_no_empty_one(tmp_path: Path) -> None:
    words = ["tit_for_tat", *PD, "--student", STUDENT, "--memory", "0", "--dry-run", "--out", str(tmp_path / "run")]
    shown = CliRunner().invoke(command, words, catch_exceptions=False)
    assert "Which do you choose, C or D?\n{" in shown.stdout
    assert set(json.loads(shown.stdout.partition("\n{")[2].join(("{", "")))) == {
        "labels",
        "probabilities",
        "reply",
        "prefill",
        "system",
        "situation",
        "teacher_prompt",
    }
    assert shown.stderr == "1 demonstration of 1 question\n"


def test_a_distillation_and_its_adapter_teach_again(tmp_path: Path) -> None:
    """The folder its teaching data, also those of relabelling; the adapter what it does itself."""
    one, out, matches = tmp_path / "one", ("--out", tmp_path / "two", "--dry-run"), ("--opponents", "alld")
    distill("tft", *PD, "--on-policy", 1, *matches, "--rounds", 3, "--matches", 1, "--out", one, "--lora", "steps=1")
    files = (one / "demonstrations.jsonl", one / "rounds" / "0" / "demonstrations.jsonl")
    made = [shown for file in files for shown in read_demonstrations(file)]
    assert distill(one, *out)["demonstrations"] == len(made) > 5
    assert distill(one / "adapter", *PD, *out)["demonstrations"] == 5
    with pytest.raises(InputError, match=r"no player gave; leave --player out$"):
        distill(one, "--player", "tft", *out)
    with pytest.raises(InputError, match=f"give the adapter inside it, {one / 'adapter'}"):
        distill(f"{STUDENT}+{one}", *PD, *out)
    with pytest.raises(InputError, match="is given twice"):
        distill(one, files[0], *out)
    files[1].unlink()
    with pytest.raises(InputError, match=r"without all of .* rounds/0/demonstrations\.jsonl is not there"):
        distill(one, *out)


def test_an_adapter_whose_training_is_not_finished_is_no_agent(tmp_path: Path) -> None:
    run, out = tmp_path / "run", ("--out", tmp_path / "out", "--dry-run")
    run.mkdir()
    with pytest.raises(InputError, match=f"{run} has no adapter; if the command that tunes one was stopped, repeat it"):
        distill(f"{STUDENT}+{run / 'adapter'}", *PD, *out)
    (run / "adapter" / "checkpoint").mkdir(parents=True)
    with pytest.raises(InputError, match="its training is not finished: repeat the command"):
        distill(f"{STUDENT}+{run / 'adapter'}", *PD, *out)


def test_a_study_whose_teaching_data_were_changed_is_refused(small_run: Path, tmp_path: Path) -> None:
    study = Path(shutil.copytree(small_run / "runs" / "replicate", tmp_path / "study"))
    assert distill(study, "--out", tmp_path / "run", "--dry-run")["demonstrations"] == 20
    path = study / "examples.jsonl"
    whole = path.read_bytes()
    for changed in (whole.replace(b"the", b"teh", 1), whole.rpartition(b"{")[0]):
        path.write_bytes(changed)
        with pytest.raises(SealError, match=r"examples\.jsonl has .* since it was finished"):
            distill(study, "--out", tmp_path / "run", "--dry-run")
    path.unlink()
    with pytest.raises(SealError, match=r"lacks examples\.jsonl"):
        distill(study, "--out", tmp_path / "run", "--dry-run")
