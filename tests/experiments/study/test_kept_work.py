"""Work on a slow model is kept at least every 30 seconds, and what is kept is not asked again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dilemmas.agents.models.asking import caching, kept_texts
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.asking.pace import KEPT, Pace
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.envs.prompts.templates import load_template
from dilemmas.experiments.asking.survey import ask_all, kept_model
from dilemmas.experiments.study import stages as study
from dilemmas.experiments.study.answers import read_answers, read_parts
from dilemmas.experiments.study.evaluation import ask_ahead
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.run import Run


class StoppedError(Exception):
    """The run was killed."""


class SlowModel:
    """A model that takes seconds of a false clock for every reply and every question, and can be stopped."""

    name = fingerprint = engine = "slow"
    miniature = scores = continues = system_turn = True

    def __init__(self, seconds: float, patience: float = float("inf"), size: int = 0, portion: int = 0) -> None:
        self.seconds, self.patience, self.size, self.portion = seconds, patience, size, portion
        self.now = 0.0
        self.asked: list[Request] = []

    def clock(self) -> float:
        return self.now

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        for request in requests:
            self.now += self.seconds
            if self.now > self.patience:
                raise StoppedError
            self.asked.append(request)
        return [Response((-0.5,) * len(r.labels), f"{'CD'[r.seed[-1] % 2]}. {r.seed}") for r in requests]

    def check_requests(self, requests: Sequence[Request]) -> None:
        """Does nothing."""

    def unload(self) -> None:
        """Does nothing."""


class BatchedModel(SlowModel):
    """The last digits of its probabilities depend on the size of the batch."""

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        found = super().respond(requests)
        return [replace(one, logprobs=tuple(p - 1e-9 * len(requests) for p in one.logprobs)) for one in found]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", Recipe(observations=6))


def paced(model: SlowModel, monkeypatch: pytest.MonkeyPatch) -> SlowModel:
    """The model, by whose clock portions are timed."""
    monkeypatch.setattr(caching, "Pace", lambda backend: Pace(backend, model.clock))
    monkeypatch.setattr(study, "Pace", lambda backend, tokens: Pace(backend, model.clock, tokens=tokens))
    return model


@pytest.mark.parametrize("seconds", [0.001, 0.4, 4.0, pytest.param(14.0, marks=pytest.mark.slow)])
def test_replies_of_a_slow_model_are_kept_every_thirty_seconds(
    seconds: float, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, last = paced(SlowModel(seconds), monkeypatch), 0.0
    answers = run.path("answers", "teacher.jsonl")
    begun = run.path("answers", "teacher.begun.jsonl")
    kept = 0
    for more in study.ask_model(run, "teacher", model):
        assert model.now - last <= KEPT
        kept, last = kept + more, model.now
        parts = read_answers(answers), read_parts(begun)
        names = {asked.scenario for asked in parts[0]}
        rest = [asked for asked in parts[1] if asked.scenario not in names]
        assert sum(len(asked.replies) for asked in (*parts[0], *rest)) == kept
    assert kept == 162 * 6
    assert not begun.exists()


def test_a_model_that_is_stopped_again_and_again_is_asked_everything_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped every 50 seconds, with 1 second a reply: less than 30 of the seconds are lost each time."""
    whole = Run(tmp_path / "whole", run.recipe)
    list(study.ask_model(whole, "teacher", FakeBackend(lambda request: SlowModel(0).respond([request])[0])))
    asked = 0
    for _ in range(60):
        model = paced(SlowModel(1.0, patience=50.0), monkeypatch)
        try:
            list(study.ask_model(run, "teacher", model))
            break
        except StoppedError:
            asked += len(model.asked)
    assert asked < 2.5 * 162 * 6, "each stop loses less than 30 of 50 replies"
    one, other = (folder.path("answers", "teacher.jsonl").read_bytes() for folder in (run, whole))
    assert one == other


@pytest.mark.parametrize("portion", [0, 8])
def test_what_is_written_is_kept_also_where_nothing_is_readable(
    portion: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the template `mixed`, readable at the third attempt: no text is written twice by a run that is stopped."""
    recipe = Recipe(observations=2)
    recipe = replace(
        recipe, prompting=replace(recipe.prompting, template=load_template("mixed"), presentation="counterbalanced")
    )
    recipe = replace(recipe, scenarios=replace(recipe.scenarios, games=("stag_hunt",), sets=("within",)))
    whole, stopped = (Run(tmp_path / name, recipe) for name in ("whole", "stopped"))
    monkeypatch.setattr(kept_texts, "Pace", lambda backend, texts: Pace(backend, lambda: model.now, texts))
    model = Unclear(0.0, portion=portion)
    list(ask_all(whole, "untuned", kept_model(whole, "untuned", model), exact=True))
    asked, lost, needed = 0, 0, len(model.asked)
    for _ in range(100):
        model = Unclear(7.0, patience=70.0, portion=portion)
        try:
            list(ask_all(stopped, "untuned", kept_model(stopped, "untuned", model), exact=True))
            break
        except StoppedError:
            asked, lost = asked + len(model.asked), lost + 1
    assert lost > 2
    assert asked + len(model.asked) <= needed + lost * KEPT / 7.0
    one, other = (folder.path("answers", "untuned.exact.jsonl").read_bytes() for folder in (whole, stopped))
    assert one == other
    assert not stopped.path("answers", "untuned.exact.texts.jsonl").exists()


class Unclear(SlowModel):
    """Tells its choice at the third attempt only."""

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        super().respond(requests)
        return [Response(text="J with 70%, F with 30%" if one.seed[-2] == 2 else "I do not know.") for one in requests]


def test_a_small_model_is_asked_in_batches_of_fixed_size(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the machine is slow: the batches of a resumed run are those of an undisturbed one."""
    model = paced(SlowModel(5.0, size=1_000_000), monkeypatch)
    assert list(study.ask_model(run, "teacher", model)) == [0, *[20 * 6] * 8, 2 * 6]


@pytest.mark.parametrize("patience", [40.0, 95.0])
def test_a_model_on_the_processor_is_asked_in_the_same_portions_however_often_it_is_stopped(
    patience: float, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last digits of its probabilities depend on what it is asked together. Replies are as long as questions."""
    recipe = replace(run.recipe, prompting=replace(run.recipe.prompting, answer_tokens=64))
    run, whole = (Run(tmp_path / name, recipe) for name in ("stopped", "whole"))
    list(study.ask_model(whole, "untuned", paced(BatchedModel(0.1, portion=15), monkeypatch)))
    for _ in range(100):
        try:
            list(study.ask_model(run, "untuned", paced(BatchedModel(1.0, patience, portion=15), monkeypatch)))
            break
        except StoppedError:
            pass
    one, other = (folder.path("answers", "untuned.jsonl").read_bytes() for folder in (run, whole))
    assert one == other


def test_questions_are_kept_as_they_come_and_not_asked_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = run.path("questions", "teacher.jsonl")
    total = 0
    for _ in range(100):
        model = paced(SlowModel(1.0, patience=60.0), monkeypatch)
        kept = CachingBackend(model, path)
        try:
            list(ask_ahead(run.recipe, kept))
            break
        except StoppedError:
            total += len(model.asked)
    assert len({line for line in path.read_bytes().splitlines()}) == len(path.read_bytes().splitlines())
    again = SlowModel(1.0, patience=0.0)
    list(ask_ahead(run.recipe, CachingBackend(again, path)))
    assert again.asked == []
