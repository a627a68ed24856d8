"""What a model writes before it decides, and the probabilities that follow: reasoning, prediction, mixed strategy."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from dilemmas.agents.agent import Deliberation, Source
from dilemmas.agents.models.answers import UnansweredError
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.deciding.deliberation import (
    DecisionQuestion,
    consider,
    deliberate_replies,
    standard_errors,
)
from dilemmas.envs.prompts.templates import Template, load_template

REASON, PREDICT, MIXED = map(load_template, ("reason", "predict", "mixed"))
QUESTION = DecisionQuestion("Which?", ("J", "F"), ("J", "F"), (7,))


def logs(*shares: float) -> tuple[float, ...]:
    return tuple(math.log(share) for share in shares)


def thinker(shares: Callable[[str], tuple[float, float]], texts: tuple[str, ...] = ("good", "bad")) -> FakeBackend:
    """A model that writes its texts in turn, by the last number of the seed, and scores labels by what is begun."""

    def answer(request: Request) -> Response:
        if request.labels:
            return Response(logs(*shares(request.begun)))
        return Response(text=texts[request.seed[-1] % len(texts)])

    return FakeBackend(answer)


def several(template: Template, samples: int) -> Template:
    return replace(template, decision=replace(template.decision, samples=samples))


def test_the_answer_is_scored_given_each_reasoning_and_averaged() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        if request.labels:
            return Response(logs(0.6, 0.2) if request.thought == "good" else logs(0.1, 0.3))
        return Response(text=("good", "bad")[request.seed[-1]])

    (found,) = consider(FakeBackend(answer), several(REASON, 2), [QUESTION])
    assert found.source is Source.REASONED
    assert found.deliberations == (
        Deliberation("good", pytest.approx((0.75, 0.25))),
        Deliberation("bad", pytest.approx((0.25, 0.75))),
    )
    assert found.probabilities == pytest.approx((0.5, 0.5))
    assert found.mass == pytest.approx(0.6)
    assert standard_errors(found.deliberations) == pytest.approx((0.25, 0.25))  # sd .354, of two
    written, scored = asked[:2], asked[2:]
    assert {(one.labels, one.max_tokens, one.thinks) for one in written} == {((), 256, True)}
    assert [(one.prefill, one.thought) for one in scored] == [("I choose", "good"), ("I choose", "bad")]
    assert scored[0].begun == "good\n\nI choose"


def test_one_reasoning_has_no_standard_error() -> None:
    assert standard_errors([Deliberation("good", (1.0, 0.0))]) is None


def test_the_tokens_of_a_reasoning_are_those_of_the_template() -> None:
    asked: list[Request] = []
    model = FakeBackend(lambda one: asked.append(one) or Response(logs(0.5, 0.5) if one.labels else ()))
    consider(model, replace(REASON, decision=replace(REASON.decision, tokens=9)), [QUESTION])
    assert asked[0].max_tokens == 9


def test_a_prediction_weighs_the_answers_that_follow_it() -> None:
    """P(J) = .8 * .5 + .2 * .1: no text is sampled, so there is no sampling error."""
    shares = {
        "I expect the other person to choose": (0.4, 0.1),
        "I expect the other person to choose J. I choose": (0.3, 0.3),
        "I expect the other person to choose F. I choose": (0.1, 0.9),
    }
    (found,) = consider(thinker(lambda begun: shares[begun]), PREDICT, [QUESTION])
    assert (found.source, found.prediction) == (Source.EXACT, pytest.approx((0.8, 0.2)))
    assert found.probabilities == pytest.approx((0.42, 0.58))
    assert found.mass == pytest.approx(0.5 * (0.8 * 0.6 + 0.2 * 1.0))  # half of the predictions are a label
    assert [one.text for one in found.deliberations] == [
        "I expect the other person to choose J.",
        "I expect the other person to choose F.",
    ]


def test_probabilities_within_a_margin_are_not_called_exact() -> None:
    (found,) = consider(FakeBackend(lambda one: Response(logs(0.5, 0.5), margin=0.02)), PREDICT, [QUESTION])
    assert (found.source, found.margin) == (Source.WITHIN, pytest.approx(0.04))


def test_stated_probabilities_are_read_and_averaged_over_the_readable_replies() -> None:
    model = thinker(lambda begun: (0.5, 0.5), ("I choose J with 70%.", "Hm.", "J 30%, F 70%"))
    (found,) = consider(model, several(MIXED, 3), [QUESTION])
    assert (found.source, found.probabilities) == (Source.STATED, pytest.approx((0.5, 0.5)))
    assert found.mass == pytest.approx(2 / 3)
    assert [one.probabilities for one in found.deliberations] == [
        pytest.approx((0.7, 0.3)),
        None,
        pytest.approx((0.3, 0.7)),
    ]


def test_nothing_readable_is_no_distribution() -> None:
    (found,) = consider(thinker(lambda begun: (0.5, 0.5), ("I do not know.",)), MIXED, [QUESTION])
    assert (found.probabilities, found.mass) == (None, 0.0)


def test_a_model_that_does_not_score_what_follows_a_text_is_sampled_and_says_so() -> None:
    texts = ("They may trust me. I choose J.", "I trust nobody. I choose F.", "Well.", "So I choose J.")
    model = replace(thinker(lambda begun: (0.5, 0.5), texts), continues=False)
    with pytest.warns(UserWarning, match="fake does not score what follows a begun reply.*'reason'"):
        (found,) = consider(model, several(REASON, 4), [QUESTION])
    assert (found.source, found.probabilities, found.mass) == (Source.SAMPLED, pytest.approx((2 / 3, 1 / 3)), 0.75)


@pytest.mark.parametrize(
    ("reply", "prediction", "shares"),
    [
        ("I expect the other person to choose J. I choose F.", (1.0, 0.0), (0.0, 1.0)),
        ('"I expect the other person to choose F."\nI choose F.', (0.0, 1.0), (0.0, 1.0)),
        ("I expect the other person to choose J. I am not sure.", (1.0, 0.0), None),
        ("I choose J.", None, None),
    ],
)
def test_a_sampled_reply_has_a_prediction_and_an_answer(
    reply: str, prediction: tuple[float, ...] | None, shares: tuple[float, ...] | None
) -> None:
    (found,) = consider(thinker(lambda begun: (0.5, 0.5), (reply,)), PREDICT, [QUESTION], scored=False)
    assert (found.prediction, found.probabilities) == (prediction, shares)
    assert found.deliberations == (Deliberation(reply, shares),)


@pytest.mark.parametrize(
    ("reply", "index"), [("12. I choose J.", 2), ("1. I choose J.", 1), ("1.5. I choose J.", None)]
)
def test_a_sampled_reply_predicts_one_of_the_values(reply: str, index: int | None) -> None:
    question = replace(QUESTION, partner=("0", "1", "12"), prediction="I expect {label}.")
    model = thinker(lambda begun: (0.5, 0.5), (f"I expect {reply}",))
    (found,) = consider(model, PREDICT, [question], scored=False)
    assert found.prediction == (None if index is None else tuple(float(place == index) for place in range(3)))


@pytest.mark.parametrize("template", [REASON, PREDICT, MIXED], ids=lambda one: one.name)
@pytest.mark.parametrize("fault", [{"failed": "no connection"}, {"refused": "too long"}], ids=str)
def test_a_fault_is_passed_on_and_others_are_answered(template: Template, fault: dict[str, str]) -> None:
    def answer(request: Request) -> Response:
        if request.prompt == "bad":
            return Response(**fault)
        return Response(logs(0.5, 0.5) if request.labels else (), text="J 50%, F 50%")

    good, bad = consider(FakeBackend(answer), template, [QUESTION, replace(QUESTION, prompt="bad")])
    assert good.probabilities == pytest.approx((0.5, 0.5))
    assert (bad.probabilities, bad.failed or bad.refused) == (None, *fault.values())
    with pytest.raises(UnansweredError, match=next(iter(fault.values()))) as error:
        deliberate_replies(FakeBackend(answer), template, [QUESTION, replace(QUESTION, prompt="bad")])
    assert len(error.value.replies) == 1


def test_a_reply_of_each_way_is_what_the_model_writes() -> None:
    def replies(template: Template, shares: tuple[float, float], *texts: str) -> list[tuple[str, int | None, str]]:
        model = thinker(lambda begun: shares, texts or ("",))
        return [(one.text, one.action, one.motivation) for one in deliberate_replies(model, template, [QUESTION])]

    sure = (1 - 1e-12, 1e-12)
    assert replies(REASON, sure, "We gain.") == [("We gain.\n\nI choose J.", 0, "We gain.")]
    expected = "I expect the other person to choose J."
    assert replies(PREDICT, sure) == [(f"{expected} I choose J.", 0, expected)]
    assert replies(MIXED, sure, "Always F.") == [("Always F.", 1, "Always F.")]
    assert replies(MIXED, sure, "Hm.") == [("Hm.", None, "")]


def test_actions_of_replies_have_the_stated_frequencies() -> None:
    model = thinker(lambda begun: (0.5, 0.5), ("J with 80%",))
    asked = [replace(QUESTION, seed=(7, number)) for number in range(2000)]
    chosen = [reply.action == 0 for reply in deliberate_replies(model, MIXED, asked)]
    assert sum(chosen) / 2000 == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 2000))
