"""What keeps a run on a server within bounds: budgets, keys, addresses, and errors before anything is asked."""

import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from threading import Timer

import pytest
from served_model import ASKED, SAID, SHARES, Serve, opened, whole
from stub_server import Payload, Raw, StubServer, chat, failing

from dilemmas.agents.models.backend import ModelError, Request
from dilemmas.agents.models.open_model import open_local, open_model
from dilemmas.agents.models.servers.server import ServerBackend
from dilemmas.agents.models.servers.settings import ServerSettings


def test_a_budget_is_kept_and_what_was_answered_too(serve: Serve) -> None:
    server = serve(lambda payload: chat(payload | {"n": 1}, "C", SHARES))
    asked = [Request(f"C or D? {number}", max_tokens=5) for number in range(40)]
    model = opened(server, max_requests=60)
    model.loaded()
    found = model.respond(asked)
    assert len(server.requests) == model.usage.requests == 60
    answered = [one for one in found if one.answered]
    assert 0 < len(answered) < 40
    assert all("max_requests = 60 is used up" in one.failed for one in found if not one.answered)
    assert model.usage.input_tokens == 60 * 50


@pytest.mark.parametrize("limits", [{"max_tokens": 3000}, {"max_cost": 0.003, "input_price": 1.0}])
def test_tokens_and_money_have_budgets(serve: Serve, limits: dict[str, float]) -> None:
    """An answer costs 51 tokens; the probing costs some of them."""
    server = serve(lambda payload: chat(payload | {"n": 1}, "C", SHARES))
    model = opened(server, in_flight=1, **limits)
    model.loaded()
    found = model.respond([Request(f"C or D? {number}", max_tokens=5) for number in range(60)])
    assert not all(one.answered for one in found)
    assert 2800 < model.usage.input_tokens <= 3000


def test_the_key_is_sent_and_written_nowhere(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-123")
    server = serve(lambda payload: failing(401, {"message": "Incorrect API key provided: sk-secret-123"}))
    model = opened(server, key_variable="MY_KEY")
    with pytest.raises(ModelError, match="MY_KEY") as caught:
        model.loaded()
    assert server.headers[-1]["Authorization"] == "Bearer sk-secret-123"
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(vars(model))


def test_a_key_is_not_sent_over_a_network_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123")
    with pytest.raises(ModelError, match="unencrypted"):
        ServerBackend("openai:m@http://example.com/v1").loaded()


def test_a_proxy_is_not_used_for_this_machine(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert opened(serve(whole)).respond([ASKED])[0].answered


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("openai:m", "needs openai:MODEL@URL"),
        ("openai:@http://127.0.0.1/v1", "needs openai:MODEL@URL"),
        ("openai:m@http://h:port/v1", "needs openai:MODEL@URL"),
        ("openai:m@http://me:secret@h/v1", "must contain no password"),
        ("openai:m@https://h/v1?key=secret", "must contain no password"),
    ],
)
def test_addresses(spec: str, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        open_model(spec)
    assert "secret" not in str(caught.value)


def test_a_record_asks_no_server_and_no_server_can_be_tuned(serve: Serve) -> None:
    server = serve(whole)
    with pytest.raises(ModelError, match="only if it is named by you"):
        open_model(server.spec, ask_hub=False)
    with pytest.raises(ModelError, match="needs a model on this machine"):
        open_local(server.spec)
    assert server.requests == []


def test_a_server_that_is_down(serve: Serve) -> None:
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"no connection.*is the server running"):
        ServerBackend("openai:m@http://127.0.0.1:9/v1").loaded()
    assert time.monotonic() - start < 2


HINT = "is the server running, and is the URL right?"


@pytest.mark.parametrize(
    ("answer", "cause", "hint"),
    [
        (lambda payload: chat(payload, "", finish_reason="content_filter"), "content_filter", False),
        (
            lambda payload: chat(payload, None, finish_reason="tool_calls"),
            r"no text \(finish_reason 'tool_calls'\)",
            False,
        ),
        (lambda payload: chat(payload, message={"content": 5}), "5 instead of a text", False),
        (lambda payload: {"error": {"message": "upstream failed"}}, "status 200: upstream failed", False),
        (lambda payload: {"choices": []}, "no choices", False),
        (lambda payload: Raw(b'[{"id": "x"}]'), "a list instead of an object", False),
        (lambda payload: Raw(b"null"), "null instead of an object", False),
        (lambda payload: Raw(b'data: {"choices": []}\n\n'), "an event stream", False),
        (lambda payload: Raw(b'{"choi'), "not JSON", False),
        (lambda payload: failing(500), "500", False),
        (lambda payload: Raw(b" <!DOCTYPE html><p>Log in"), "a page, not JSON", True),
        (lambda payload: Raw(closes=True), "connection failed", True),
        (lambda payload: Raw(b'{"choi', missing=50), "connection failed", True),
    ],
)
def test_the_url_is_doubted_where_no_model_server_answered(
    serve: Serve, answer: Callable[[Payload], Payload | Raw], cause: str, hint: bool
) -> None:
    with pytest.raises(ModelError, match=cause) as caught:
        opened(serve(answer), retries=0).loaded()
    assert (HINT in str(caught.value)) == hint


def test_a_list_of_models_without_an_envelope(serve: Serve) -> None:
    """As Together gives it; another name is refused as ever."""
    assert opened(serve(whole, bare=True)).capabilities.listed == 5
    with pytest.raises(ModelError, match="has no model 'stub'"):
        opened(serve(whole, models=[{"id": "llama"}], bare=True)).loaded()


def test_a_server_that_does_not_answer_is_named_while_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dilemmas.agents.models.servers.transport.SILENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        model = ServerBackend(
            f"openai:m@http://127.0.0.1:{silent.getsockname()[1]}/v1", ServerSettings(timeout=0.5, retries=0)
        )
        with (
            pytest.warns(UserWarning, match=r"127\.0\.0\.1.* has not answered yet; .* may take 0\.5 s \(timeout\)"),
            pytest.raises(ModelError, match=r"no answer within 0\.5 s"),
        ):
            model.loaded()


def test_an_unknown_model(serve: Serve) -> None:
    server = serve(whole, models=[{"id": "llama-3-8b"}, {"id": "qwen-7b"}])
    with pytest.raises(ModelError, match="has no model 'stub'; known: llama-3-8b, qwen-7b"):
        opened(server).loaded()
    unlisted = serve(lambda payload: failing(404, {"message": "The model `stub` does not exist"}), models=[])
    with pytest.raises(ModelError, match="no such model or endpoint"):
        opened(unlisted).loaded()


def test_a_server_that_fails_while_it_is_probed(serve: Serve) -> None:
    server = serve(lambda payload: whole(payload) if len(server.requests) < 4 else failing(500, "out of memory"))
    with pytest.raises(ModelError, match="out of memory"):
        opened(server, retries=1).loaded()


def test_a_budget_that_is_too_small_for_the_first_questions(serve: Serve) -> None:
    with pytest.raises(ModelError, match="max_requests = 3 is used up"):
        opened(serve(whole), max_requests=3).loaded()


def counting(payload: Payload, window: int) -> Payload:
    """With the tokens of the prompt, and a prompt that is cut to a window, as Ollama does."""
    letters = sum(len(message["content"]) for message in payload["messages"])
    tokens = 12 + letters // 4
    return whole(payload) | {"usage": {"prompt_tokens": min(tokens, window), "completion_tokens": 1}}


def test_a_prompt_that_was_cut_is_refused(serve: Serve) -> None:
    model = opened(serve(lambda payload: counting(payload, 4096)))
    long = "You are in a chat with a good friend. " * 800 + "Which do you choose, C or D?"
    for request in (replace(ASKED, prompt=long), replace(SAID, prompt=long)):
        (found,) = model.respond([request])
        assert "reports 4,096 tokens for about 7," in found.refused
    whole_prompt = replace(ASKED, prompt=long[-12_000:])
    assert model.respond([whole_prompt])[0].answered


def test_a_template_that_rejects_a_system_turn_is_no_obstacle(serve: Serve) -> None:
    """The question is a user's message; a begun reply is the assistant's."""

    def strict(payload: Payload) -> Payload | Raw:
        roles = [message["role"] for message in payload["messages"]]
        return whole(payload) if "system" not in roles else failing(400, "System role not supported")

    assert opened(serve(strict)).respond([ASKED])[0].answered


def test_an_interrupt_stops_at_once(serve: Serve) -> None:
    server = serve(whole)
    model = opened(server)
    model.loaded()
    server.answer = lambda payload: Raw(delay=3.0)
    Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model.respond([SAID] * 20)
    assert time.monotonic() - start < 1.5


def test_a_server_that_goes_down_is_not_asked_forever(serve: Serve) -> None:
    with StubServer(whole) as server:
        model = opened(server, in_flight=4, retries=1)
        model.loaded()
    found = model.respond([Request(f"C or D? {number}", max_tokens=5) for number in range(500)])
    assert len(found) == 500
    assert all(one.failed for one in found)
    assert sum("answers no more" in one.failed for one in found) > 400
    assert model.usage.requests < 150
