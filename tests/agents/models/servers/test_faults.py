"""Faults of servers: how long to wait, and that no decision is lost or made up."""

import random
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from stub_server import Payload, Raw, StubServer, chat, failing

from dilemmas.agents.agent import Source, Unreadable
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import Reason
from dilemmas.agents.models.answers import read_distribution
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import Request
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.models.servers.faults import Complaint, wait_asked
from dilemmas.agents.models.servers.server import ServerBackend
from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.templates import load_template

Serve = Callable[..., StubServer]
NOW = 1_800_000_000.0
SHARES = {"C": 0.6, "D": 0.3, "x": 0.1}


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"Retry-After": "7"}, "", 7),
        ({"retry-after": "1.5"}, "", 1.5),
        ({"Retry-After": formatdate(NOW + 20, usegmt=True)}, "", 20),
        ({"Retry-After": formatdate(NOW - 20, usegmt=True)}, "", 0),
        ({"Retry-After": str(int(NOW) + 30)}, "", 30),
        ({"retry-after-ms": "250", "retry-after": "1"}, "", 0.25),
        ({"Retry-After": "100000"}, "", 600),
        ({"Retry-After": "soon"}, "Please try again in 1.5s.", 1.5),
        ({}, "Rate limit reached. Please try again in 20ms.", 0.02),
        ({}, "Please try again in 6m0s.", 360),
        ({}, 'quota exceeded {"retryDelay": "37s"}', 37),
        ({}, "retry after 30 seconds", 30),
        ({}, "Please wait 12 seconds before the next request", 12),
        ({}, "the request failed, try again", None),
        ({"Retry-After": "nan"}, "", None),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], message: str, seconds: float | None) -> None:
    assert wait_asked(headers, message, NOW) == (None if seconds is None else pytest.approx(seconds, abs=0.002))


def test_a_server_that_asks_to_wait_is_not_asked_before(serve: Serve) -> None:
    server = serve(lambda payload: chat(payload, "C", SHARES))
    model = ServerBackend(server.spec, ServerSettings(), first_wait=0.001)
    model.loaded()
    times: list[float] = []

    def busy(payload: Payload) -> Payload | Raw:
        times.append(time.monotonic())
        return failing(429, headers={"Retry-After": "0.3"}) if len(times) == 1 else chat(payload, "C", SHARES)

    server.answer = busy
    assert model.respond([Request("C or D?", max_tokens=3)])[0].answered
    assert 0.3 <= times[1] - times[0] < 1.5


def test_the_setting_that_is_named_first_is_to_blame() -> None:
    said = Complaint("'max_tokens' is not supported. Use 'max_completion_tokens' instead.")
    assert said.names({"max_completion_tokens", "max_tokens", "top_p"}) == ["max_tokens", "max_completion_tokens"]
    assert Complaint("top_logprobs is too large").names({"logprobs", "top_p"}) == []
    assert Complaint("temperature", "", "top_p").names({"temperature", "top_p"}) == ["top_p"]


def seven_faults(draw: random.Random, good: Callable[[Payload], Payload]) -> Callable[[Payload], Any]:
    """Answers of which each of seven faults takes a tenth."""
    faults: list[Callable[[Payload], Any]] = [
        lambda payload: Raw(closes=True),
        lambda payload: failing(429, headers={"retry-after-ms": "1"}),
        lambda payload: failing(503, "overloaded"),
        lambda payload: Raw(b"<html><h1>502 Bad Gateway</h1></html>", 502, {"Content-Type": "text/html"}),
        lambda payload: {"error": {"message": "the worker died; C"}},
        lambda payload: Raw(b'{"choices": [{"message": {"content": "C"', missing=30),
        lambda payload: chat(payload, None, logprobs=None),
    ]

    def answer(payload: Payload) -> Any:
        place = int(draw.random() * 10)
        return faults[place](payload) if place < len(faults) else good(payload)

    return answer


@pytest.mark.parametrize("labels", [("C", "D"), ()])
def test_with_seven_faults_every_request_is_answered_or_failed_with_its_cause(
    serve: Serve, labels: tuple[str, ...]
) -> None:
    """Every good answer repeats the number of its question, so that none can be given to another."""
    server = serve(lambda payload: chat(payload, "C", SHARES))
    model = ServerBackend(server.spec, ServerSettings(retries=4, in_flight=16), first_wait=0.001)
    model.loaded()

    def good(payload: Payload) -> Payload:
        number = int(payload["messages"][0]["content"].split()[-1])
        return chat(payload, f"reply {number}", {"C": 0.1 + number / 1000, "D": 0.05, "x": 0.85 - number / 1000})

    server.answer = seven_faults(random.Random(1), good)
    found = model.respond([Request(f"C or D? {number}", labels, 0 if labels else 5) for number in range(600)])
    assert len(found) == 600
    for number, one in enumerate(found):
        if labels and one.answered:
            shares = (0.1 + number / 1000) / (0.15 + number / 1000)
            assert read_distribution(one).probabilities[0] == pytest.approx(shares)
        elif one.answered:
            assert one.text == f"reply {number}"
        else:
            assert (one.text, one.logprobs) == ("", ())
    causes = Counter(one.failed.partition(": ")[2][:20] for one in found if one.failed)
    assert 0.05 < causes.total() / 600 < 0.35  # .7 to the power of 5 is .17
    assert len(causes) >= 6


def test_matches_with_faults_end_where_the_fault_was_and_no_action_is_made_up(serve: Serve) -> None:
    server = serve(lambda payload: chat(payload, "C", SHARES))
    model = ServerBackend(server.spec, ServerSettings(retries=1, in_flight=16), first_wait=0.001)
    model.loaded()
    server.answer = seven_faults(random.Random(2), lambda payload: chat(payload, "C", SHARES))
    player = LanguageModelAgent(
        model, context("friends"), load_template("study"), ask="sampled", unreadable=Unreadable.UNIFORM
    )
    records = list(run_matches(lambda: parallel("stag_hunt", rounds=3), [player, player], matches=40, seed=0))
    decisions = [move.decision for record in records for step in record.steps for move in step]
    lost = [one for one in decisions if one.error]
    assert len(records) == 40
    assert {record.outcome.reason for record in records} >= {Reason.FAILED}
    assert lost
    assert all(one.action is None and one.unreadable is None and server.spec in str(one.error) for one in lost)
    for one in decisions:
        if not one.error:
            assert one.labels is not None
            assert (one.reply, one.action) == ("C", one.labels.index("C"))
    assert {one.source for one in decisions} == {Source.SAMPLED}


def test_exact_decisions_that_fail_are_asked_again_later(serve: Serve) -> None:
    """A fault is not remembered as the answer."""
    server = serve(lambda payload: chat(payload, "C", SHARES))
    model = CachingBackend(ServerBackend(server.spec, ServerSettings(retries=0), first_wait=0.001))
    question = Request("C or D?", labels=("C", "D"))
    assert model.fingerprint
    server.answer = lambda payload: failing(503)
    assert model.respond([question])[0].failed
    server.answer = lambda payload: chat(payload, "C", SHARES)
    assert model.respond([question])[0].answered
