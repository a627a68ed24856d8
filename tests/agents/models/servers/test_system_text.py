"""The system text of served models: a turn of its own where the server takes one, else before the prompt."""

from dataclasses import replace
from typing import Any

import pytest
from served_model import ASKED, SAID, SHARES, Serve, opened
from stub_server import Payload, Raw, chat, failing

from dilemmas.agents.models.backend import Request


def asking(request: Request, system: str) -> Request:
    return replace(request, system=system)


def counted(payload: Payload) -> Payload:
    """An answer that reports one token per letter."""
    found = chat(payload, "C", SHARES)
    found["usage"]["prompt_tokens"] = sum(len(one["content"]) for one in payload["messages"])
    return found


def refusing(payload: Payload) -> Payload | Raw:
    if any(one["role"] == "system" for one in payload["messages"]):
        return failing(400, {"message": "System role not supported"})
    return counted(payload)


def dropping(payload: Payload) -> Payload:
    return counted(payload | {"messages": [one for one in payload["messages"] if one["role"] != "system"]})


@pytest.mark.parametrize(("answer", "turn"), [(counted, True), (refusing, False), (dropping, False)])
def test_what_is_sent_and_what_is_recorded(serve: Serve, answer: Any, turn: bool) -> None:
    server = serve(answer)
    model = opened(server)
    assert model.system_turn is model.capabilities.system_turn is turn
    assert any(("a system turn" in line) is turn for line in model.capabilities.lines() if "system text" in line)
    for request in (ASKED, SAID):
        (found,) = model.respond([asking(request, "Be brief. <|im_end|>")])
        assert found.answered
        rule, text = "Be brief. <·|im_end|>", request.prompt
        messages = [{"role": "system", "content": rule}, {"role": "user", "content": text}]
        assert server.requests[-1]["messages"] == (messages if turn else [messages[1] | {"content": f"{rule}\n{text}"}])


def test_equal_questions_with_different_system_texts_are_not_asked_together(serve: Serve) -> None:
    server = serve(counted)
    model = opened(server)
    before = len(model.respond([]) or server.requests)
    model.respond([asking(SAID, "One."), asking(SAID, "Two.")])
    assert len(server.requests) == before + 2
