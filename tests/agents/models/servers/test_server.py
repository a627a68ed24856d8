"""A model behind a server: probabilities, replies, settings, and what is no reply."""

import json
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
from served_model import ASKED, SAID, SHARES, Serve, opened, whole
from stub_server import Payload, Raw, chat, failing

from dilemmas.agents.agent import Source
from dilemmas.agents.models.backend import ModelError, Request
from dilemmas.agents.models.deciding.deliberation import DecisionQuestion, consider
from dilemmas.agents.models.servers.server import seed_of
from dilemmas.envs.prompts.templates import load_template


def test_probabilities_are_those_of_the_tokens_with_and_without_a_space(serve: Serve) -> None:
    (found,) = opened(serve(whole)).respond([ASKED])
    assert found.logprobs == pytest.approx((math.log(0.6), math.log(0.25)))
    assert found.margin == 0


@pytest.mark.parametrize("labels", [("a", "ab"), ("cooperate", "D", "co")])
def test_labels_of_which_one_begins_another_are_refused_before_the_server_is_asked(
    serve: Serve, labels: tuple[str, ...]
) -> None:
    server = serve(whole)
    with pytest.raises(ModelError, match=r"is the beginning of label .* use other labels"):
        opened(server).check_requests([ASKED, Request("Which?", labels)])
    assert not server.requests
    opened(server).check_requests([ASKED, Request("Which?", ("cooperate", "cooperation"))])
    opened(server).check_requests([Request("How much?", ("0", "2", "20"))])


def test_a_label_that_is_not_listed_is_bounded_and_not_zero(serve: Serve) -> None:
    """Of five tokens with .9 of the probability, the last has .02: so has D at most."""
    shares = {"C": 0.6, "a": 0.2, "b": 0.05, "c": 0.03, "d": 0.02}
    server = serve(lambda payload: chat(payload, "C", shares))
    (found,) = opened(server).respond([ASKED])
    assert 0 < math.exp(found.logprobs[1]) <= 0.04
    low, high = 0.6 / (0.6 + 0.04), 1.0
    share = math.exp(found.logprobs[0]) / math.fsum(map(math.exp, found.logprobs))
    assert share - found.margin <= low + 1e-9
    assert share + found.margin >= high - 1e-9


@pytest.mark.parametrize("masked", [False, True])
def test_a_label_that_is_not_listed_is_asked_for_where_its_probability_stays(serve: Serve, masked: bool) -> None:
    """As with vLLM, whose log-probabilities are from before the constraint; one that changes them is not used."""
    shares = {"C": 0.6, "a": 0.2, "b": 0.05, "c": 0.03, " C": 0.02, "D": 0.003, " D": 0.001, "e": 0.096}

    def answer(payload: Payload) -> Payload:
        found = chat(payload | {"top_logprobs": 4}, "C", shares)
        if "structured_outputs" in payload and payload.get("logprobs"):
            (text,) = payload["structured_outputs"]["choice"]
            value = 0.0 if masked else math.log(shares[text])
            found["choices"][0]["logprobs"] = {"content": [{"token": text, "logprob": value}]}
        return found

    model = opened(serve(answer))
    assert model.capabilities.forced == ("" if masked else "structured_outputs")
    (found,) = model.respond([ASKED])
    if masked:
        assert found.margin > 0
    else:
        assert found.logprobs == pytest.approx((math.log(0.62), math.log(0.004)))
        assert found.margin == 0


def test_a_server_whose_probabilities_move_is_not_called_exact(serve: Serve) -> None:
    def moving(payload: Payload) -> Payload:
        wobble = 0.03 * (len(server.requests) % 2)
        return chat(payload, "C", SHARES | {"C": 0.5 + wobble, "D": 0.25 - wobble})

    server = serve(moving)
    model = opened(server)
    assert model.capabilities.spread == pytest.approx(0.03)
    assert not model.capabilities.exact
    assert "not exact" in "\n".join(model.capabilities.lines())
    assert model.respond([ASKED])[0].margin >= 0.03 - 1e-9


@pytest.mark.parametrize("minds", ["seed", "time"])
def test_replies_that_are_alike_by_chance_do_not_prove_that_seeds_are_minded(serve: Serve, minds: str) -> None:
    """The replies of a server that does not mind them come in runs of four that are alike."""

    def answer(payload: Payload) -> Payload:
        number = payload["seed"] if minds == "seed" else len(server.requests)
        return chat(payload, "Blue." if number // 4 % 2 else "Red.")

    server = serve(answer)
    assert opened(server).capabilities.repeats_seeds == (minds == "seed")


@pytest.mark.parametrize("gives", ["nothing", "nothing asked", "one place", "two places"])
def test_what_was_not_tested_is_not_stated(serve: Serve, gives: str) -> None:
    """Begun replies are proved by log-probabilities of a second place, labels to be written by those of a first one."""

    def answer(payload: Payload) -> Payload:
        found = chat(payload, "C", None if gives == "nothing" else SHARES)
        if gives == "two places" and payload.get("logprobs") and payload["max_tokens"] > 1:
            found["choices"][0]["logprobs"]["content"] += chat(payload, "D", {"D": 1.0})["choices"][0]["logprobs"][
                "content"
            ]
        return found

    server = serve(answer)
    found = opened(server, scores=gives != "nothing asked").capabilities
    tests = {"nothing": "not tested", "nothing asked": "not tested", "one place": "not tested"}
    assert f"begun replies: {tests.get(gives, 'not continued')}" in found.lines()
    untested = gives.startswith("nothing")
    assert f"labels that are not listed: {'not tested' if untested else 'bounded'}" in found.lines()
    assert any(sent.get("logprobs") for sent in server.requests) == (gives != "nothing asked")


@pytest.mark.parametrize("lists", [None, {"content": None}, {"content": []}])
def test_without_log_probabilities_there_are_replies_and_no_exact_answers(serve: Serve, lists: Any) -> None:
    model = opened(serve(lambda payload: chat(payload, "D, because", logprobs=lists)))
    assert [one.text for one in model.respond([SAID])] == ["D, because"]
    with pytest.raises(ModelError, match="gives no log-probabilities"):
        model.respond([ASKED])
    with pytest.raises(ModelError, match="gives no log-probabilities"):
        model.loaded()


def test_all_sampling_settings_are_sent(serve: Serve) -> None:
    server = serve(whole)
    opened(server).respond([Request("C or D?", max_tokens=7, temperature=0.5, seed=(1, 2))])
    sent = server.requests[-1]
    assert {key: sent[key] for key in ("max_tokens", "temperature", "top_p", "top_k", "min_p")} == {
        "max_tokens": 7,
        "temperature": 0.5,
        "top_p": 1.0,
        "top_k": -1,
        "min_p": 0.0,
    }
    assert sent["seed"] == seed_of((1, 2)) != seed_of((1, 3))
    assert sent["repetition_penalty"] == 1.0


@pytest.mark.parametrize("named", ["param", "words", "detail"])
def test_refused_settings_are_learned_once(serve: Serve, named: str) -> None:
    """As of OpenAI's models that think: another name of the length, and no temperature."""

    def strict(payload: Payload) -> Payload | Raw:
        for bad in ("max_tokens", "temperature", "top_k"):
            if bad in payload:
                message = f"Unsupported parameter: '{bad}'; use another."
                words = {"param": {"message": "no", "param": bad}, "words": {"message": message}}
                return (
                    failing(400, words[named])
                    if named in words
                    else Raw(
                        json.dumps(
                            {"detail": [{"loc": ["body", bad], "msg": "Extra inputs are not permitted"}]}
                        ).encode(),
                        422,
                    )
                )
        return whole(payload)

    server = serve(strict)
    model = opened(server)
    assert model.capabilities.length_field == "max_completion_tokens"
    assert set(model.capabilities.refused) == {"max_tokens", "temperature", "top_k"}
    before = len(server.requests)
    model.respond([SAID])
    assert len(server.requests) == before + 1


def test_fewer_tokens_are_listed_than_asked_for(serve: Serve) -> None:
    def few(payload: Payload) -> Payload | Raw:
        if payload.get("top_logprobs", 0) > 5:
            return failing(400, {"message": "top_logprobs must be at most 5"})
        return whole(payload)

    assert opened(serve(few)).capabilities.listed == 5


def test_a_prompt_that_is_too_long_is_refused_alone(serve: Serve) -> None:
    def short(payload: Payload) -> Payload | Raw:
        if len(payload["messages"][0]["content"]) > 500:
            return failing(
                400, {"message": "This model's maximum context length is 100 tokens", "code": "context_length_exceeded"}
            )
        return whole(payload)

    long = Request("C or D? " * 100, labels=("C", "D"))
    found = opened(serve(short)).respond([long, ASKED])
    assert "maximum context length" in found[0].refused
    assert not found[0].failed
    assert found[1].answered


@pytest.mark.parametrize(
    ("message", "reason", "text", "stopped"),
    [
        ({"content": "C"}, "stop", "C", True),
        ({"content": "C, bec"}, "length", "C, bec", False),
        ({"content": None, "refusal": "I cannot."}, "stop", "I cannot.", True),
        ({"content": None, "reasoning_content": "C"}, "stop", "C", True),
        ({"content": "hm</think>\n\nD"}, "stop", "D", True),
        ({"content": "C"}, "a new word", "C", False),
        ({"content": "C"}, "end_turn", "C", True),
        ({"content": [{"type": "text", "text": "D"}]}, "stop", "D", True),
        ({"content": ""}, "stop", "", True),
    ],
)
def test_what_is_a_reply(serve: Serve, message: Payload, reason: str, text: str, stopped: bool) -> None:
    server = serve(lambda payload: chat(payload, "C", SHARES))
    model = opened(server)
    model.loaded()
    server.answer = lambda payload: chat(payload, message=message, finish_reason=reason)
    (found,) = model.respond([SAID])
    assert (found.text, found.stopped, found.failed) == (text, stopped, "")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (
            lambda payload: chat(
                payload, None, message={"content": None, "reasoning_content": "hm"}, finish_reason="length"
            ),
            "thoughts",
        ),
        (
            lambda payload: chat(
                payload, None, message={"content": "", "reasoning_content": "hm"}, finish_reason="length"
            ),
            "thoughts",
        ),
        (lambda payload: chat(payload, "C", finish_reason="content_filter"), "content_filter"),
        (lambda payload: chat(payload, None), "no text"),
        (lambda payload: {"error": {"message": "out of memory"}}, "out of memory"),
        (lambda payload: {"choices": []}, "no choices"),
        (lambda payload: {"choices": None}, "no choices"),
        (lambda payload: {"choices": [{"error": {"message": "lost"}}]}, "lost"),
        (lambda payload: Raw(b"<html>Bad gateway</html>"), "not JSON"),
        (lambda payload: Raw(b'{"choices": [{"mess'), "not JSON"),
        (lambda payload: Raw(b"[]"), "a list instead of an object"),
        (lambda payload: Raw(b'{"choices":', missing=50), "connection failed"),
        (lambda payload: Raw(closes=True), "connection failed"),
        (lambda payload: Raw(delay=3.0), "timeout"),
        (lambda payload: failing(503), "503"),
        (lambda payload: failing(400, "what?"), "what?"),
        (lambda payload: Raw(status=302, headers={"Location": "https://elsewhere"}), "redirects to https://elsewhere"),
    ],
)
def test_a_fault_is_no_reply(serve: Serve, answer: Callable[[Payload], Any], cause: str) -> None:
    server = serve(whole)
    model = opened(server, retries=1, timeout=1 if cause == "timeout" else 30)
    model.loaded()
    server.answer = answer
    (found,) = model.respond([SAID])
    assert cause in found.failed
    assert (found.text, found.logprobs, found.answered) == ("", (), False)


def test_several_replies_in_one_request_and_what_is_missing_is_asked_for(serve: Serve) -> None:
    def two_at_most(payload: Payload) -> Payload:
        return chat(payload | {"n": min(2, payload.get("n", 1))}, "C", SHARES)

    server = serve(two_at_most)
    model = opened(server)
    assert model.capabilities.replies == 2
    before = len(server.requests)
    requests = [Request("C or D?", max_tokens=5, seed=(seed,)) for seed in range(5)]
    assert [one.text for one in model.respond(requests)] == ["C"] * 5
    assert len(server.requests) - before == 4  # one for five, which gives two, and three for the rest


def test_no_more_in_flight_than_allowed(serve: Serve) -> None:
    def slow(payload: Payload) -> Payload:
        time.sleep(0.02)
        return chat(payload | {"n": 1}, "C", SHARES)

    server = serve(slow)
    model = opened(server, in_flight=3)
    model.loaded()
    model.respond([Request(f"C or D? {number}", max_tokens=5) for number in range(12)])
    assert server.busiest == 3


def test_plain_text_where_there_is_no_chat_endpoint(serve: Serve) -> None:
    def completions(payload: Payload) -> Payload | Raw:
        if "messages" in payload:
            return failing(400, {"message": "the tokenizer has no chat template"})
        choice: Payload = {"text": " C", "finish_reason": "length"}
        if payload.get("logprobs"):
            top = {token: math.log(share) for token, share in SHARES.items()}
            choice["logprobs"] = {"tokens": ["C"], "token_logprobs": [top["C"]], "top_logprobs": [top]}
        return {"model": "stub", "choices": [choice]}

    server = serve(completions)
    model = opened(server)
    assert model.capabilities.endpoint == "completions"
    assert model.respond([ASKED])[0].logprobs == pytest.approx((math.log(0.6), math.log(0.25)))
    assert server.requests[-1]["prompt"] == "Which do you choose, C or D?\nAnswer:"
    assert model.usage.estimated > 0


@pytest.mark.parametrize("scores", [True, False])
def test_a_reasoning_is_continued_where_the_server_can_or_else_read_with_its_answer(serve: Serve, scores: bool) -> None:
    """A server that continues begun replies lists what follows; another one gives whole replies."""
    begun: list[str] = []

    def answer(payload: Payload) -> Payload:
        last = payload["messages"][-1]
        if not scores:
            return chat(payload, "We gain. I choose J.")
        if last["role"] == "assistant":
            begun.append(last["content"])
        shares = {"C": 0.7, "x": 0.2, " J": 0.05, " F": 0.05} if len(begun) < 2 else {" J": 0.6, " F": 0.2, "x": 0.2}
        found = chat(payload, "We gain.", shares)
        if payload.get("logprobs") and payload.get("max_tokens", 1) > 1:
            found["choices"][0]["logprobs"]["content"] *= 2
        return found

    model = opened(serve(answer))
    question = DecisionQuestion("Which?", ("J", "F"))
    if scores:
        assert model.continues
        (found,) = consider(model, load_template("reason"), [question])
        assert (found.source, found.probabilities) == (Source.REASONED, pytest.approx((0.75, 0.25)))
        assert begun[-1] == "We gain.\n\nI choose"
    else:
        assert not model.continues
        with pytest.warns(
            UserWarning, match="gives no log-probabilities of its answers, so its replies are sampled and read"
        ):
            (found,) = consider(model, load_template("reason"), [question])
        assert (found.source, found.probabilities) == (Source.SAMPLED, (1.0, 0.0))
