"""The procedure as a whole, with fakes for models."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dilemmas.agents.models.backend import FakeBackend, ModelError, Request, Response
from dilemmas.agents.models.language_model import LanguageModelError
from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.templates import Template, load_template
from dilemmas.experiments.commands.replicate import replicate
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study.conduct import procedure
from dilemmas.experiments.study.definitions import OwnContext
from dilemmas.experiments.study.recipe import LatticeSettings, MatchSettings
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run


def mute(request: Request) -> Response:
    """A model whose replies choose nothing, and whose probabilities are even."""
    return Response(tuple(-math.log(len(request.labels)) for _ in request.labels), text="I would rather not say.")


def mute_study(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return fake_study(folder, monkeypatch, mute, load_template("study"))


def fake_study(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Request], Response], template: Template
) -> dict[str, Any]:
    """A small study of models that all answer so."""
    for opener in ("open_model", "open_local"):
        monkeypatch.setattr(procedure, opener, lambda spec, **_: FakeBackend(answer, spec))
    matches = MatchSettings(("harmony",), ("team",), ("random",), rounds=3, repetitions=2)
    population = LatticeSettings(size=5, steps=3)
    recipe = replace(load_recipe("miniatures"), observations=3, matches=matches, population=population)
    recipe = replace(recipe, prompting=replace(recipe.prompting, template=template))
    return replicate(Run(folder, recipe), Console(quiet=True))


def test_a_run_without_a_readable_reply_ends_with_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = mute_study(tmp_path / "run", monkeypatch)
    assert results["training"]["examples"] == 0
    assert {row["unreadable"] for row in results["unreadable"] if row["set"] == "within"} == {60}
    assert "the student was not trained" in results["warnings"][0]
    report = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert "the tuned student is the untuned one" in report
    assert "100% of the replies of the teacher model" in report
    assert json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8")) == results
    assert not (tmp_path / "run" / "adapter").exists()
    assert mute_study(tmp_path / "run", monkeypatch) == results, "the finished run is read"


def test_a_finished_run_is_not_said_to_have_asked_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mute_study(tmp_path / "run", monkeypatch)
    recipe, told = load_recipe(str(tmp_path / "run" / "recipe.json")), StringIO()
    replicate(Run(tmp_path / "run", recipe), Console(file=told, width=1000))
    assert "is complete" in told.getvalue()
    assert "were put to the model" not in told.getvalue()
    (tmp_path / "run" / "results.json").unlink()
    replicate(Run(tmp_path / "run", recipe), Console(file=told, width=1000))
    assert "questions were put to the model" in told.getvalue()


def thinker(request: Request) -> Response:
    """A model that reasons, or states probabilities in two texts of three, and chooses J with .6 and F with .2."""
    if request.labels:
        return Response(tuple(math.log(0.6 if label == "J" else 0.2) for label in request.labels))
    text = (
        "We both gain much."
        if request.thinks
        else ("I choose J with 70%.", "Hm.", "J 60%, F 40%")[sum(request.seed) % 3]
    )
    return Response(text=text)


@pytest.mark.parametrize("way", ["reason", "mixed", "predict"])
def test_a_study_in_which_models_write_before_they_choose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(procedure, "_distil", lambda *_: iter(()))
    results = fake_study(tmp_path / "run", monkeypatch, thinker, load_template(way))
    written = [row for row in results["deliberations"] if row["set"] == "within"]
    assert [row["model"] for row in written] == (["teacher", "untuned", "tuned"] if way != "predict" else [])
    assert [row["mean"] for row in results["label_mass"]] == pytest.approx(
        {"reason": [0.8] * 12, "mixed": [], "predict": [0.64] * 12}[way]
    )
    report = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert ("What the models wrote before they chose" in report) == ("so it has a sampling error" in report)
    for row in written:
        assert row["texts"] == 20 * (1 + 3)  # one for each scenario, fixed, and one for each of its replies
        assert row["words"] == 4 if way == "reason" else 2 < row["words"] < 4.5
        assert row["unreadable"] == 0 if way == "reason" else 5 < row["unreadable"] < 40
    assert json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8")) == results
    assert fake_study(tmp_path / "run", monkeypatch, thinker, load_template(way)) == results, "the finished run is read"


def test_changed_results_are_put_aside_and_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = mute_study(tmp_path / "run", monkeypatch)
    path = tmp_path / "run" / "results.json"
    whole = path.read_text(encoding="utf-8")
    changed = whole.replace('"agents": 25', '"agents": 26')
    assert changed != whole
    path.write_text(changed, encoding="utf-8")
    assert mute_study(tmp_path / "run", monkeypatch) == results
    assert path.read_text(encoding="utf-8") == whole
    assert path.with_name("results.json.damaged").read_text(encoding="utf-8") == changed
    assert f"{path} was damaged" in capsys.readouterr().err


def test_equal_runs_leave_equal_files_but_for_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("one", "other"):
        mute_study(tmp_path / name, monkeypatch)
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        found.append({path.relative_to(tmp_path / name).as_posix(): path.read_bytes() for path in files})
    one, other = found
    assert one.keys() == other.keys()
    different = {name for name in one if one[name] != other[name]}
    assert different <= {"seconds.json", "log.txt", "report.md", "report.html", "run.lock"}
    assert {"results.json", "seals.jsonl"} <= one.keys() - different
    for path in ("report.md", "report.html"):
        assert f"{sum(json.loads(one['seconds.json']).values()):,.0f} s" in one[path].decode()


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_a_study_is_not_resumed_with_another_model_in_the_same_place(
    role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe("miniatures")
    run, changed = Run(tmp_path / "run", recipe), ""

    def opened(spec: str, **_: Any) -> FakeBackend:
        return FakeBackend(mute, spec, f"before{changed * (spec == getattr(recipe.models, role))}")

    for opener in ("open_model", "open_local"):
        monkeypatch.setattr(procedure, opener, opened)
    stopped = procedure.carry_out(run)
    next(stopped)
    stopped.close()
    changed = ", after"
    with pytest.raises(RunError, match=f"the {role} that answered so far has the fingerprint before, .* before, after"):
        next(procedure.carry_out(run))


@pytest.mark.parametrize("part", ["matches", "population"])
def test_matches_and_tables_that_do_not_fit_a_window_are_refused_before_the_teacher_is_asked(
    tmp_path: Path, part: str
) -> None:
    recipe, words = load_recipe("miniatures"), "no " * 2000
    asked = replace(recipe.matches, contexts=("team", "wordy"))
    changed = {"matches": asked} if part == "matches" else {"population": replace(recipe.population, context="wordy")}
    recipe = replace(recipe, contexts={"wordy": OwnContext("Wordy", words, words)}, **changed)
    with pytest.raises(LanguageModelError, match="the maximum of miniature-student is 1,024"):
        replicate(Run(tmp_path / "run", recipe), Console(quiet=True))
    assert not (tmp_path / "run" / "recipe.json").exists()


@pytest.mark.parametrize("fault", ["a small window", "a damaged chat template"])
def test_a_student_that_cannot_be_asked_is_refused_before_the_teacher_is_asked(tmp_path: Path, fault: str) -> None:
    student = tmp_path / "student"
    shutil.copytree(str(files("dilemmas.agents.models") / "miniatures" / "student"), student)
    if fault == "a small window":
        settings = json.loads((student / "config.json").read_text(encoding="utf-8"))
        (student / "config.json").write_text(json.dumps(settings | {"max_position_embeddings": 100}), encoding="utf-8")
    else:
        (student / "chat_template.jinja").write_text("{{ messages[0].nothing.there }}", encoding="utf-8")
    recipe = load_recipe("miniatures")
    recipe = replace(recipe, models=replace(recipe.models, student=str(student)))
    message = "the maximum of .* is 100" if fault == "a small window" else "the chat template cannot be used"
    with pytest.raises(ModelError, match=message):
        replicate(Run(tmp_path / "run", recipe), Console(quiet=True))
    assert not (tmp_path / "run" / "recipe.json").exists()


@pytest.mark.parametrize(
    ("lora", "teacher", "needs"),
    [
        ({"method": "tokens"}, "openai:big@http://127.0.0.1:9/v1", "behind a server"),
        ({"method": "tokens"}, "TINY", "of the same vocabulary"),
        ({"consistency": 0.5}, "miniature-teacher", "choose .* 'counterbalanced'"),
    ],
)
def test_what_a_student_cannot_be_taught_is_refused_before_the_teacher_is_asked(
    lora: dict[str, Any], teacher: str, needs: str, tiny_model: Path, tmp_path: Path
) -> None:
    recipe = load_recipe("miniatures")
    models = replace(recipe.models, teacher=teacher.replace("TINY", str(tiny_model)))
    recipe = replace(recipe, models=models, lora=replace(recipe.lora, **lora))
    with pytest.raises(InputError, match=needs):
        replicate(Run(tmp_path / "run", recipe), Console(quiet=True))
    assert not (tmp_path / "run").exists()
