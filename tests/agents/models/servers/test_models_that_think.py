"""Models that think before they answer: found when they are probed, usable with room, and never misread."""

import random
import warnings
from collections.abc import Callable

import pytest
from served_model import SAID, SHARES, Serve, opened
from stub_server import Payload, Raw, chat, failing

from dilemmas.agents.agent import Source
from dilemmas.agents.models.backend import ModelError, Request
from dilemmas.agents.models.deciding.deliberation import DecisionQuestion, consider
from dilemmas.envs.prompts.templates import load_template

NEEDED = 100
"""Tokens of a thought and an answer."""
HM = "hm " * 60
ROOMY = Request("Which do you choose, C or D?", max_tokens=NEEDED)
CUT = "the reply was cut within the model's thoughts"

Cut = Callable[[Payload], "Payload | Raw"]
CUTS: dict[str, Cut] = {
    "told": lambda payload: chat(payload, message={"content": None, "reasoning_content": HM}, finish_reason="length"),
    "told, no text": lambda payload: chat(payload, message={"content": "\n", "reasoning": HM}, finish_reason="length"),
    "hidden": lambda payload: chat(payload, "", finish_reason="length"),
    "inline": lambda payload: chat(payload, f"<think>{HM}", finish_reason="length"),
    "inline, ended": lambda payload: chat(payload, f"<think>{HM}</think>", finish_reason="length"),
    "inline, no reason": lambda payload: chat(payload, f"<think>{HM}", finish_reason=None),
    "refused": lambda payload: failing(
        400, {"message": "Could not finish the message because max_tokens was reached."}
    ),
}
"""What servers give where the tokens end within thoughts: the last one as OpenAI."""


def thinking(cut: Cut, shares: dict[str, float] | None = None) -> Callable[[Payload], "Payload | Raw"]:
    """A server whose model thinks; it may list tokens, which are those of the thoughts."""

    def answer(payload: Payload) -> Payload | Raw:
        answered = payload["max_tokens"] >= NEEDED
        text = random.Random(payload["seed"]).choice("CD")
        found = chat(payload, f"<think>{HM}</think>\n{text}") if answered else cut(payload)
        if isinstance(found, dict) and shares:
            found["choices"][0] |= {"logprobs": chat(payload, "C", shares)["choices"][0].get("logprobs")}
        return found

    return answer


@pytest.mark.filterwarnings("ignore:.*thinks before it answers")
@pytest.mark.parametrize("scores", [True, False])
@pytest.mark.parametrize("cut", CUTS)
def test_they_answer_where_they_have_room(serve: Serve, cut: str, scores: bool) -> None:
    model = opened(serve(thinking(CUTS[cut], SHARES)), scores=scores)
    found = model.capabilities
    assert (found.thinks, found.listed, found.samples, found.repeats_seeds) == (True, 0, True, True)
    assert not model.scores
    short, roomy = model.respond([SAID, ROOMY])
    assert (short.text, short.answered) == ("", False)
    assert CUT in short.failed
    assert "--template reason" in short.failed
    assert roomy.text in ("C", "D")
    assert roomy.thoughts == HM.strip()


@pytest.mark.filterwarnings("ignore:.*thinks before it answers", "ignore:.*gives no log-probabilities of its answers")
def test_the_template_that_lets_a_model_reason_gives_them_room(serve: Serve) -> None:
    model = opened(serve(thinking(CUTS["told"], SHARES)))
    (found,) = consider(model, load_template("reason"), [DecisionQuestion("Which?", ("C", "D"))])
    assert found.source is Source.SAMPLED
    assert found.probabilities in ((1.0, 0.0), (0.0, 1.0))


def test_a_user_is_told_before_anything_is_asked(serve: Serve) -> None:
    model = opened(serve(thinking(CUTS["told"], SHARES)))
    with pytest.warns(UserWarning, match=r"thinks before it answers.*--template reason.*prompting\.answer_tokens"):
        found = model.capabilities
    assert "thoughts: it thinks before it answers" in "\n".join(found.lines())
    with pytest.raises(ModelError, match=r"thinks before it answers .* so there are no exact probabilities"):
        model.loaded()


def test_thoughts_without_an_end_are_not_called_equal_replies(serve: Serve) -> None:
    """More than the room of the first questions."""
    with pytest.warns(UserWarning, match="thinks before it answers"):
        found = opened(serve(CUTS["hidden"])).capabilities
    assert (found.thinks, found.samples, found.repeats_seeds) == (True, None, None)
    assert "sampling: not known" in found.lines()
    assert "seeds: not tested" in found.lines()


def test_a_reply_that_happens_to_be_cut_makes_no_thinking_model(serve: Serve) -> None:
    """It is asked for again; further questions are as short as ever."""

    def answer(payload: Payload) -> Payload | Raw:
        if payload["seed"] == 3 and payload["max_tokens"] < NEEDED:
            return CUTS["hidden"](payload)
        return chat(payload, f"Word {payload['seed']}", SHARES)

    server = serve(answer)
    model = opened(server)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.capabilities
    assert (found.thinks, found.listed, found.samples, found.repeats_seeds) == (False, 5, True, True)
    assert all(sent["max_tokens"] < NEEDED for sent in server.requests if sent.get("logprobs"))


def test_one_of_several_replies_that_is_cut_is_lost_alone(serve: Serve) -> None:
    server = serve(lambda payload: chat(payload, "C", SHARES))
    model = opened(server)
    model.loaded()

    def some(payload: Payload) -> Payload:
        whole, cut = chat(payload | {"n": 1}, "C"), CUTS["told"](payload | {"n": 1})
        assert isinstance(cut, dict)
        return whole | {"choices": [*whole["choices"], *cut["choices"], *whole["choices"]][: payload.get("n", 1)]}

    server.answer = some
    before = len(server.requests)
    found = model.respond([Request("C or D?", max_tokens=5, seed=(seed,)) for seed in range(3)])
    assert [one.text for one in found] == ["C", "", "C"]
    assert [CUT in one.failed for one in found] == [False, True, False]
    assert len(server.requests) == before + 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "stop"), ("\n\n", "length"), ("<think>hm", "stop"), ("D, because <think>", "length"), ("C, bec", "length")],
)
def test_what_is_not_cut_within_thoughts(serve: Serve, text: str, reason: str) -> None:
    """An empty reply that the model ended is unreadable, as are blank lines."""
    server = serve(lambda payload: chat(payload, "C", SHARES))
    model = opened(server)
    model.loaded()
    server.answer = lambda payload: chat(payload, text, finish_reason=reason)
    (found,) = model.respond([SAID])
    assert (found.text, found.answered) == (text.strip(), True)


def test_plain_text_hides_no_thoughts(serve: Serve) -> None:
    """Where there is no chat endpoint, nothing takes thoughts out of a text."""

    def completions(payload: Payload) -> Payload | Raw:
        if "messages" in payload:
            return failing(404)
        return {"model": "stub", "choices": [{"text": "", "finish_reason": "length"}]}

    model = opened(serve(completions))
    assert not model.capabilities.thinks
    assert model.respond([SAID])[0].answered
