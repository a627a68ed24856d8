"""Exact distributions carry their label mass; sampled replies are read and have independent seeds."""

import math

import pytest

from dilemmas.agents.models.answers import exact_distributions, sample_replies
from dilemmas.agents.models.backend import FakeBackend, ModelError, Response


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
