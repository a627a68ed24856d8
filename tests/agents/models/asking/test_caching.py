"""What a model has answered is not asked again, whatever stops; what another model answered is never used."""

import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.asking.known_answers import KnownAnswers, KnownAnswersError
from dilemmas.agents.models.backend import Request, Response
from dilemmas.envs.seals import checked_line

WHICH, ANSWER = Request("Which?", ("C", "D")), Response((-0.5, -1.0))


@dataclass
class Counted:
    """A model that gives the same answer to everything, and remembers what it was asked."""

    answer: Response = ANSWER
    fingerprint: str = "weights"
    engine: str = "fake"
    name: str = "fake"
    size: int = 0
    portion: int = 0
    miniature: bool = False
    continues: bool = True
    asked: list[Request] = field(default_factory=list)

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        self.asked += requests
        return [self.answer] * len(requests)

    def check_requests(self, requests: Sequence[Request]) -> None:
        """Does nothing."""

    def unload(self) -> None:
        """Does nothing."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "answer",
    [
        Response((-0.1234567890123456, -2.0)),
        Response((0.0, -math.inf)),
        Response((-1.0, -2.0), whole=(-1.5, -math.inf), margin=0.01),
    ],
)
def test_an_answer_comes_again_to_the_last_digit(answer: Response, path: Path) -> None:
    assert CachingBackend(Counted(answer), path).respond([WHICH]) == [answer]
    again = Counted()
    assert CachingBackend(again, path).respond([WHICH, WHICH]) == [answer, answer]
    assert again.asked == []


@pytest.mark.parametrize(
    "other",
    [
        {"fingerprint": "other weights"},
        {"fingerprint": "weights+another adapter"},
        {"fingerprint": "weights/bfloat16"},
        {"engine": "another engine"},
    ],
)
def test_answers_of_another_model_are_not_used(other: dict[str, str], path: Path) -> None:
    CachingBackend(Counted(), path).respond([WHICH])
    changed = Counted(Response((-2.0, -0.1)), **other)
    assert CachingBackend(changed, path).respond([WHICH]) == [Response((-2.0, -0.1))]
    assert len(changed.asked) == 1
    assert CachingBackend(Counted(), path).respond([WHICH]) == [ANSWER]


@pytest.mark.parametrize(
    "other", [{"prompt": "What?"}, {"labels": ("D", "C")}, {"prefill": "I choose"}, {"thought": "Hm."}]
)
def test_another_question_is_asked(other: dict[str, Any], path: Path) -> None:
    CachingBackend(Counted(), path).respond([WHICH])
    asked = Counted()
    CachingBackend(asked, path).respond([replace(WHICH, **other)])
    assert len(asked.asked) == 1


@pytest.mark.parametrize(
    ("answer", "request_"),
    [
        (Response(refused="too long"), WHICH),
        (Response(failed="no connection"), WHICH),
        (Response((math.nan, -1.0)), WHICH),
        (Response(text="C"), Request("Which?", (), max_tokens=3)),
    ],
)
def test_only_probabilities_are_written(answer: Response, request_: Request, path: Path) -> None:
    CachingBackend(Counted(answer), path).respond([request_])
    assert not path.exists() or path.read_text() == ""


def test_it_is_told_how_many_questions_were_put_to_the_Counted(path: Path) -> None:
    requests = [Request(text, ("C", "D")) for text in ("One?", "Two?", "One?", "One?")]
    first = CachingBackend(Counted(), path)
    assert first.hits == ""
    first.respond(requests)
    assert first.hits == "fake: 2 of 4 questions were put to the model, 50.0% were known"
    again = CachingBackend(Counted(), path)
    again.respond([*requests, Request("One?", (), max_tokens=3)])
    assert again.hits == "fake: 0 of 4 questions were put to the model, 100.0% were known"


def test_a_question_that_was_not_answered_is_asked_again(path: Path) -> None:
    CachingBackend(Counted(Response(failed="no connection")), path).respond([WHICH])
    assert CachingBackend(Counted(), path).respond([WHICH]) == [ANSWER]


def test_those_who_share_a_file_know_what_the_others_asked(path: Path) -> None:
    asked = Counted()
    one, other = CachingBackend(Counted(), path), CachingBackend(asked, path)
    one.respond([WHICH])
    other.respond([WHICH])
    assert asked.asked == []


def test_of_two_answers_to_a_question_all_use_the_first(path: Path) -> None:
    """Both were asked before either had written."""
    first, second = Response((-0.5, -1.0)), Response((-0.5000001, -1.0))
    one, other = (KnownAnswers(path, Counted()) for _ in range(2))
    assert one.add({WHICH.key: first}) == {WHICH.key: first}
    assert other.add({WHICH.key: second}) == {WHICH.key: first}
    assert len(lines(path)) == 1


def test_several_may_write_at_the_same_time(path: Path) -> None:
    def write(number: int) -> None:
        shared = CachingBackend(Counted(), path)
        for question in range(12):
            shared.respond([Request(f"{number // 2} {question}?" * 500, ("C", "D"))])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len({line["prompt"] for line in lines(path)}) == len(lines(path)) == 24
    again = Counted()
    CachingBackend(again, path).respond([Request("1 7?" * 500, ("C", "D"))])
    assert again.asked == []


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_a_line_that_was_cut_short_is_asked_and_written_again(cut: int, path: Path) -> None:
    requests = [Request(text, ("C", "D")) for text in ("One?", "Two?")]
    CachingBackend(Counted(), path).respond(requests)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"\n") + 1] + whole.splitlines(keepends=True)[1][:cut])
    asked = Counted()
    CachingBackend(asked, path).respond(requests)
    assert asked.asked == requests[1:]
    assert path.read_bytes() == whole


def test_a_damaged_line_is_named(path: Path) -> None:
    values = {"model": "weights", "engine": "fake", "prompt": "Which?", "labels": ["C", "D"], "prefill": ""}
    values |= {"thought": "", "system": "", "logprobs": [-0.5, -1.0], "whole": [], "margin": 0.0}
    path.write_text(checked_line(values) + "\n", encoding="utf-8")
    assert CachingBackend(Counted(Response()), path).respond([WHICH]) == [ANSWER]
    for key, value, words in (
        ("logprobs", None, "logprobs: needs a list"),
        ("logprobs", [-0.5], r"logprobs: needs 2 numbers"),
        ("logprobs", [-0.5, 0.7], r"logprobs\[1\]: needs a number of at most"),
        ("logprobs", [-0.5, True], r"logprobs\[1\]: needs a number"),
        ("prompt", 7, "prompt: needs a text"),
        ("notes", 7, "unknown key 'notes'"),
    ):
        path.write_text(checked_line(values | {key: value}) + "\n", encoding="utf-8")
        with pytest.raises(KnownAnswersError, match=rf"questions\.jsonl, line 1: {words}.*; delete the line"):
            CachingBackend(Counted(), path)


def test_a_single_changed_digit_is_found(path: Path) -> None:
    CachingBackend(Counted(), path).respond([WHICH])
    path.write_bytes(path.read_bytes().replace(b"-0.5", b"-0.6"))
    with pytest.raises(KnownAnswersError, match=r"line 1: was changed after it was written.*delete the line"):
        CachingBackend(Counted(), path)


class Batched(Counted):
    """A model whose last digits depend on the size of the batch, as those of networks do."""

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        return [Response((-0.5 - 1e-9 * len(requests),) * 2) for _ in requests]


def test_asked_one_by_one_a_small_model_answers_the_same_whatever_else_is_asked() -> None:
    requests = [Request(text, ("C", "D")) for text in ("One?", "Two?", "Three?")]
    together, alone = (CachingBackend(Batched(size=1_000_000)) for _ in range(2))
    together.one_by_one = alone.one_by_one = True
    assert together.respond(requests) == [alone.respond([request])[0] for request in requests]
