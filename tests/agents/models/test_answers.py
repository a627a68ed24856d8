"""Exact distributions carry their label mass; sampled replies are read and have independent seeds."""

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Turn
from dilemmas.agents.models.answers import (
    Distribution,
    calibrated,
    content_free,
    exact_distributions,
    sample_replies,
)
from dilemmas.agents.models.backend import FakeBackend, ModelError, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.prompts.wording import AnswerFormat
from dilemmas.envs.rules.protocol import View


def certain(**shares: float) -> FakeBackend:
    """A model with the given probabilities of labels for every prompt."""
    return FakeBackend(lambda request: Response(logprobs=tuple(math.log(shares[label]) for label in request.labels)))


def test_distributions_have_the_label_mass() -> None:
    found = exact_distributions(certain(C=0.02, D=0.06), [("a", ("C", "D")), ("b", ("D", "C")), ("a", ("C", "D"))])
    assert [one.probabilities for one in found] == [
        pytest.approx(expected) for expected in [(0.25, 0.75), (0.75, 0.25), (0.25, 0.75)]
    ]
    assert [one.mass for one in found] == pytest.approx([0.08] * 3)
    (never,) = exact_distributions(FakeBackend(lambda _: Response((-math.inf, math.log(0.5)))), [("a", ("C", "D"))])
    assert never.probabilities == (0.0, 1.0)


def test_overflow_is_an_error() -> None:
    for value in (math.nan, -math.inf):
        broken = FakeBackend(lambda _, value=value: Response((value, value)))
        with pytest.raises(ModelError, match="overflow"):
            exact_distributions(broken, [("a", ("C", "D"))])


def test_sampled_replies_are_read_and_have_independent_seeds() -> None:
    texts = ("C. We are close.", "D", "well")
    model = FakeBackend(lambda request: Response(text=texts[sum(request.seed) % 3]))
    asked = [("Choose.", ("C", "D"), (3, 6, i)) for i in range(5)]
    replies = sample_replies(model, asked)
    assert [(reply.action, reply.motivation) for reply in replies] == [
        (0, "We are close."),
        (1, ""),
        (None, ""),
        (0, "We are close."),
        (1, ""),
    ]
    assert sample_replies(model, asked[:2]) == replies[:2]


def test_whole_labels_have_a_mass_of_their_own_where_it_is_known() -> None:
    model = FakeBackend(lambda _: Response((math.log(0.5), math.log(0.3)), whole=(math.log(0.4), -math.inf)))
    (known,) = exact_distributions(model, [("a", ("C", "D"))])
    assert (known.mass, known.whole_mass) == (pytest.approx(0.8), pytest.approx(0.4))
    (unknown,) = exact_distributions(certain(C=0.5, D=0.3), [("a", ("C", "D"))])
    assert unknown.whole_mass is None


@pytest.mark.parametrize("ask", ["exact", "sampled"])
def test_the_beginning_of_a_reply_in_a_template_is_written_for_the_model(ask: Literal["exact", "sampled"]) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(tuple(math.log(0.5) for _ in request.labels), "C")

    template = replace(load_template("study"), answer=AnswerFormat(reply="My choice is {label}."))
    agent = LanguageModelAgent(FakeBackend(answer), context("friends"), template, ask=ask)
    view = View(game=DEFAULTS["stag_hunt"], player=0, round=0, history=())
    (decision,) = agent.decide([Turn("player_0", None, {"view": view}, Discrete(2), np.random.default_rng(0))])
    assert decision.action is not None
    assert [request.prefill for request in asked] == ["My choice is"]
    assert exact_distributions(FakeBackend(answer), [("a", ("C", "D"))], "I play")
    assert sample_replies(FakeBackend(answer), [("a", ("C", "D"), (0,))], prefill="I play")
    assert [request.prefill for request in asked[1:]] == ["I play", "I play"]


def test_a_preference_that_does_not_depend_on_the_game_is_calibrated_away() -> None:
    """The odds of an answer are those of the preference times those of the game; the game's are left."""
    for preferred, played in ((4.0, 1.0), (4.0, 1 / 9), (0.25, 3.0), (1.0, 3.0)):
        odds = preferred * played
        found = Distribution((odds / (1 + odds), 1 / (1 + odds)), 0.9)
        prior = Distribution((preferred / (1 + preferred), 1 / (1 + preferred)), 0.8)
        share = calibrated(found, prior)
        assert share.probabilities == pytest.approx((played / (1 + played), 1 / (1 + played)))
        assert (share.mass, share.margin) == (0.9, 0)
    with pytest.raises(ModelError, match="cannot be calibrated"):
        calibrated(Distribution((0.5, 0.5), 1.0), Distribution((1.0, 0.0), 1.0))


def test_a_question_without_content_has_no_number_but_those_of_the_labels() -> None:
    prompt = "If you choose 1 and they choose 2, you get 10.5 and they get -3; 2 players, 1,000 points, C3 stays."
    assert content_free(prompt, ("1", "2")) == (
        "If you choose 1 and they choose 2, you get N/A and they get N/A; 2 players, N/A points, C3 stays."
    )
