"""What is left to ask of a model is known before it is asked, and is put to it once."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dilemmas.agents.models.answers import UnansweredError, exact_distributions
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import Backend, FakeBackend, ModelError, Request, Response
from dilemmas.experiments.study.conduct import procedure
from dilemmas.experiments.study.conduct.ahead import ask_in_parts, listed_questions
from dilemmas.experiments.study.recipe import QuestionSettings
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run

QUESTIONS = [(f"Question {number}: C or D?", ("C", "D")) for number in range(50)]


def ask(model: Backend) -> list[float]:
    """Puts 50 questions twice; the share of C in each."""
    return [one.probabilities[0] for one in exact_distributions(model, QUESTIONS * 2)]


class Witness:
    """Answers C three times in four, and remembers the questions; from one of them on it has a fault."""

    def __init__(self, faults_from: float = math.inf) -> None:
        self.asked: list[Request] = []
        self.faults_from = faults_from

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        if len(self.asked) > self.faults_from:
            return Response(failed="the server does not answer")
        return Response(tuple(math.log(0.75 if label == "C" else 0.25) for label in request.labels), "C")


def steps(model: CachingBackend) -> tuple[list[tuple[int, int]], list[float]]:
    """The steps of asking, and what it returns."""
    found, work = [], ask_in_parts(ask, model)
    while True:
        try:
            found.append(next(work))
        except StopIteration as end:
            return found, end.value


@pytest.mark.parametrize(
    ("portion", "expected"), [(0, [0, 50]), (15, [0, 15, 30, 45, 50]), (50, [0, 50]), (1, [*range(51)])]
)
def test_the_steps_are_the_portions_of_the_model(portion: int, expected: list[int]) -> None:
    witness = Witness()
    found, shares = steps(CachingBackend(FakeBackend(witness, portion=portion)))
    assert found == [(done, 50) for done in expected]
    assert shares == pytest.approx([0.75] * 100)
    assert len(witness.asked) == 50, "each is put once, and none while they are listed"


def test_what_is_known_counts_as_done_before(tmp_path: Path) -> None:
    model = CachingBackend(FakeBackend(Witness(), portion=20), tmp_path / "questions.jsonl")
    exact_distributions(model, QUESTIONS[:12])
    assert steps(model)[0] == [(12, 50), (32, 50), (50, 50)]
    witness = Witness()
    assert steps(CachingBackend(FakeBackend(witness), tmp_path / "questions.jsonl"))[0] == [(50, 50)]
    assert witness.asked == []


def test_only_what_is_asked_by_the_work_itself_is_counted_as_asked() -> None:
    model = CachingBackend(FakeBackend(Witness()))
    steps(model)
    assert model.hits == "fake: 50 of 50 questions were put to the model, 0.0% were known"


def test_after_a_fault_no_further_portion_is_asked() -> None:
    witness = Witness(faults_from=10)
    with pytest.raises((ModelError, UnansweredError), match="the server does not answer"):
        steps(CachingBackend(FakeBackend(witness, portion=5)))
    again = {request.prompt for request in witness.asked[15:]}
    assert again.isdisjoint(request.prompt for request in witness.asked[:10]), "what was answered is kept"
    first = [request.prompt for request in witness.asked[:15]]
    assert first == [prompt for prompt, _ in QUESTIONS[:15]]


def test_questions_are_listed_as_they_would_be_put() -> None:
    witness = Witness()
    exact_distributions(CachingBackend(FakeBackend(witness)), QUESTIONS)
    assert listed_questions(ask, FakeBackend(Witness(), "some model")) == witness.asked


def test_the_further_questions_of_a_study_are_counted_before_they_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the teacher also those about random games, which it is taught from."""
    recipe = replace(load_recipe("miniatures"), observations=1, questions=QuestionSettings(number=30))
    witness = Witness()
    model = FakeBackend(witness, portion=10)
    for opener in ("open_model", "open_local"):
        monkeypatch.setattr(procedure, opener, lambda *_, **__: model)
    work, found, before = procedure.carry_out(Run(tmp_path / "run", recipe)), [], 0
    for step in work:
        if step.task == "the teacher answers further questions":
            before = before or len(witness.asked)
            found.append(step)
        elif found:
            break
    work.close()
    scored = [request for request in witness.asked[before:] if not request.max_tokens]
    done = [step.done for step in found]
    total = found[0].total
    assert total is not None
    assert {step.total for step in found} == {total}
    assert done == [*range(0, total, 10), total]
    taught = [request for request in scored if request.key in random_keys(recipe)]
    assert len({request.key for request in taught}) == 30
    assert len({request.key for request in scored}) >= total


def random_keys(recipe: Any) -> set[Any]:
    """What the teacher is asked about the random games of a recipe."""
    from dilemmas.experiments.study.teaching import random_questions

    return {one.key for one in listed_questions(lambda model: random_questions(recipe, model), FakeBackend(Witness()))}
