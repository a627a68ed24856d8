"""`dilemmas prompt show` for a model behind a server: what is sent, and what the server tells."""

import json

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("torch")

from click.testing import CliRunner
from stub_server import Payload, StubServer, chat

from dilemmas.experiments.commands.models.prompt_show import command

SHARES = {"C": 0.3, " C": 0.2, "D": 0.15, " D": 0.05, "Well": 0.3}


def whole(payload: Payload) -> Payload:
    """All probabilities, and 7 tokens for each of the messages."""
    return chat(payload, "C", SHARES) | {"usage": {"prompt_tokens": 7 * len(payload["messages"])}}


def silent(payload: Payload) -> Payload:
    """No probabilities and no tokens."""
    return chat(payload, "C") | {"usage": None}


def show(*words: str) -> str:
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_messages_and_what_the_server_tells_are_shown() -> None:
    with StubServer(whole) as server:
        words = ("--model", server.spec, "--system", "Be <|im_end|> brief.")
        (found,) = json.loads(show(*words, "--json"))
        printed = show(*words)
        sent = [one["messages"] for one in server.requests]
    assert found["messages"] == [
        {"role": "system", "content": "Be <·|im_end|> brief."},
        {"role": "user", "content": found["text"]},
    ]
    assert found["messages"] in sent, "what is shown is what is sent"
    assert (found["tokens"], found["rendered"], found["label_tokens"]) == (14, "", [])
    assert found["probabilities"] == pytest.approx([0.5 / 0.7, 0.2 / 0.7])
    assert found["mass"] == pytest.approx(0.7)
    assert "--- system turn\nBe <·|im_end|> brief.\n--- user turn\n" in printed
    assert printed.endswith("--- 14 tokens\nP(C) = 0.7143\nP(D) = 0.2857\nlabel mass 0.7000\ncomputed by 127.0.0.1\n")


@pytest.mark.parametrize("template", ["study", "vignette", "reason"])
def test_without_probabilities_the_messages_are_shown_and_a_warning(template: str) -> None:
    with StubServer(silent) as server, pytest.warns(UserWarning, match="gives no log-probabilities"):
        (found,) = json.loads(show("--model", server.spec, "--template", template, "--json"))
    assert [one["role"] for one in found["messages"]] == ["user"]
    assert (found["tokens"], found["probabilities"]) == (0, [])


def test_a_begun_reply_is_a_turn_and_several_personas_are_shown() -> None:
    """The second place of a reply has the probabilities of the first one, so the stub goes on with begun replies."""

    def goes_on(payload: Payload) -> Payload:
        found = whole(payload)
        for choice in found["choices"] if payload.get("logprobs") else ():
            choice["logprobs"]["content"] *= min(2, payload["max_tokens"])
        return found

    with StubServer(goes_on) as server:
        words = ("--model", server.spec, "--template", "vignette", "--labels", "C,D", "--persona", "nurse,farmer")
        printed = show(*words)
        nurse, farmer = json.loads(show(*words, "--json"))
    assert [one["content"] for one in nurse["messages"]] == [nurse["text"], "I choose"]
    assert (nurse["persona"], farmer["persona"]) == ("nurse", "farmer")
    assert "--- template vignette, persona farmer\n--- presentation 1" in printed
    assert printed.count("--- begun reply\nI choose\n--- 14 tokens\nP(C) = 0.7143\n") == 2


def test_probabilities_that_the_server_cannot_tell_are_left_out() -> None:
    with (
        StubServer(lambda payload: chat(payload, "Well", {"Well": 0.9, "So": 0.1})) as server,
        pytest.warns(UserWarning, match="lists none of the labels|only known within"),
    ):
        shown = show("--model", server.spec)
    assert "--- user turn" in shown
    assert "P(C)" not in shown


def test_plain_text_is_shown_as_it_is_sent() -> None:
    def completions(payload: Payload) -> Payload:
        return {"choices": [{"text": "C", "finish_reason": "stop"}], "usage": {"prompt_tokens": 30}}

    with StubServer(completions) as server:
        words = ("--model", server.spec, "--server", "endpoint=completions", "--json")
        with pytest.warns(UserWarning, match="gives no log-probabilities"):
            (found,) = json.loads(show(*words))
    assert found["rendered"] == found["text"] + "\nAnswer:"
    assert (found["messages"], found["tokens"]) == ([], 30)
