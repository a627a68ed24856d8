"""The stages of a study, with fakes for models: each is asked everything in its turn and then needed no more."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from dilemmas.agents.models.answers import UnansweredError
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.envs.seals import SEALS, SealError
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study import playing, teaching
from dilemmas.experiments.study import stages as study
from dilemmas.experiments.study.answers import ROLES, read_answers, read_parts
from dilemmas.experiments.study.data import collect
from dilemmas.experiments.study.evaluation import ask_ahead, evaluate
from dilemmas.experiments.study.recipe import MatchSettings
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run
from dilemmas.training.lora import Method

SMALL = MatchSettings(("stag_hunt", "harmony"), ("friends", "team"), ("tit_for_tat", "random"), rounds=4, repetitions=3)


def answer(request: Request) -> Response:
    """A model for which all labels are alike."""
    return Response(tuple(-math.log(len(request.labels)) for _ in request.labels), text="C. It is right.")


def ready(folder: Path, balanced: bool = False) -> Run:
    recipe = load_recipe("miniatures")
    prompting = replace(recipe.prompting, presentation="counterbalanced" if balanced else "fixed")
    return Run(folder, replace(recipe, observations=2, prompting=prompting, matches=SMALL))


@pytest.mark.parametrize("balanced", [False, True])
def test_a_model_that_was_asked_ahead_can_be_let_go(tmp_path: Path, balanced: bool) -> None:
    run = ready(tmp_path / "run", balanced)
    gone: list[str] = []

    def once(role: str, request: Request) -> Response:
        assert role not in gone, f"the {role} is asked again: {request.prompt}"
        return answer(request)

    backends = {}
    for role in ROLES:
        model = FakeBackend(lambda request, role=role: once(role, request), role)
        for _ in study.ask_model(run, role, model):
            pass
        backends[role] = CachingBackend(model)
        list(ask_ahead(run.recipe, backends[role]))
        gone.append(role)
    assert len(list(playing.play_matches(run, backends))) == len(playing.pairings(run.recipe))
    playing.compile_tables(run, backends)
    evaluate(collect(run, backends))


@pytest.mark.parametrize(("method", "each"), [("hard", 6), ("soft", 4), ("motivated", 6)])
def test_a_teacher_demonstrates_what_its_student_will_be_asked(tmp_path: Path, method: Method, each: int) -> None:
    """With six replies in four presentations: each reply, or each presentation, with the probabilities of its own."""
    run = ready(tmp_path / "run", balanced=True)
    lora = replace(run.recipe.lora, method=method)
    run = Run(run.folder, replace(run.recipe, observations=6, lora=lora))
    biased = lambda one: replace(answer(one), logprobs=(math.log(0.7), math.log(0.2)))  # noqa: E731
    list(study.ask_model(run, "teacher", FakeBackend(biased)))
    asked: list[Request] = []
    list(study.ask_model(Run(tmp_path / "other", run.recipe), "untuned", FakeBackend(lambda one: _noted(asked, one))))
    shown = teaching.demonstrations(run.recipe, teaching.teacher_answers(run.folder), method)
    assert len(shown) == run.recipe.demonstrations == 20 * each
    assert {one.prompt for one in shown} <= {one.prompt for one in asked}
    for one in shown:
        assert one.reply == ("" if method == "soft" else "C. It is right.")
        said = tuple(float(label == "C") for label in one.labels)
        assert one.probabilities == (said if method == "hard" else pytest.approx((0.7 / 0.9, 0.2 / 0.9)))


def _noted(asked: list[Request], request: Request) -> Response:
    asked.append(request)
    return answer(request)


def test_what_a_server_answered_before_it_failed_is_kept(tmp_path: Path) -> None:
    """Of ten answers the eighth is a fault: the study stops with its cause, and goes on with the eighth."""
    run = ready(tmp_path / "run")
    asked: list[tuple[int, ...]] = []

    def failing(request: Request) -> Response:
        if request.max_tokens:
            asked.append(request.seed)
        return Response(failed="openai:m@http://h: no connection") if len(asked) == 8 else answer(request)

    with pytest.raises(UnansweredError, match="no connection"):
        list(study.ask_model(run, "teacher", FakeBackend(failing)))
    whole, begun = (read_parts(run.path("answers", f"teacher.{end}")) for end in ("jsonl", "begun.jsonl"))
    done = {one.scenario for one in whole}
    assert sum(len(one.replies) for one in [*whole, *(one for one in begun if one.scenario not in done)]) == 7
    eighth = asked[7]
    asked.clear()
    asked += [()] * 10
    list(study.ask_model(run, "teacher", FakeBackend(failing)))
    assert asked[10] == eighth


def test_a_damaged_answer_is_asked_again_to_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ready(tmp_path / "run")
    run.begin()
    path = run.path("answers", "untuned.jsonl")
    list(study.ask_model(run, "untuned", FakeBackend(answer)))
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    kept = study.TOGETHER
    for damaged in (b"", whole.replace(b'"mass"', b'"mess"', 1), b"".join([*lines[: kept + 3], *lines[kept + 4 :]])):
        path.write_bytes(damaged)
        with pytest.raises(SealError, match=r"untuned\.jsonl has .* restore it .* or repeat the command"):
            read_answers(path)
        with run.locked():
            list(study.ask_model(run, "untuned", FakeBackend(answer)))
        assert path.read_bytes() == whole
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1].split(",")[0] for line in told] == [
        f"{n} of {len(lines)} lines are kept" for n in (0, 0, kept)
    ]


def test_a_damaged_answer_without_a_seal_is_named(tmp_path: Path) -> None:
    run = ready(tmp_path / "run")
    path = run.path("answers", "untuned.jsonl")
    list(study.ask_model(run, "untuned", FakeBackend(answer)))
    (run.folder / SEALS).unlink()
    lines = path.read_bytes().splitlines(keepends=True)
    damages = (b"{\n", b'{"scenario": "harmony/team"}\n', lines[6].replace(b'"mass"', b'"mess"'), b"\xff\n")
    for damage in damages:
        path.write_bytes(b"".join([*lines[:6], damage, *lines[7:]]))
        with pytest.raises(RunError, match=r"untuned\.jsonl, line 7: .*; delete the line"):
            read_answers(path)
    path.write_bytes(b"".join([*lines, lines[6]]))
    with pytest.raises(RunError, match=rf"line {len(lines) + 1}: .* was answered before; delete the line"):
        read_answers(path)


def test_the_thoughts_before_a_reply_are_kept_with_it(tmp_path: Path) -> None:
    """Also where a stopped run kept a part of the replies; a model that thinks only sometimes leaves a gap."""
    run = ready(tmp_path / "run")

    def sometimes(request: Request) -> Response:
        return replace(answer(request), thoughts="Hm." if request.seed[-1] else "")

    for _ in study.ask_model(run, "teacher", FakeBackend(sometimes)):
        pass
    found = read_answers(run.path("answers", "teacher.jsonl"))
    assert {one.thoughts for one in found} == {("", "Hm.")}
    silent, thinking = (replace(found[0], replies=found[0].replies[:1], thoughts=told) for told in (None, ("Hm.",)))
    assert silent.followed_by(thinking) == found[0]
    assert silent.followed_by(silent).thoughts is None
