"""Probabilities of labels from listed tokens: against all texts that a small model can write."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.agents.models.servers.answers import Listing, first_listings
from dilemmas.agents.models.servers.faults import ServerFault
from dilemmas.agents.models.servers.labels import LabelWeights, force_labels, weigh_labels

VOCABULARY = ("C", " C", "o", "op", "D", " D", "e", "fect", "1", "0", "x", " ")


def listing(shares: Mapping[str, float], count: int) -> Listing:
    best = sorted(shares.items(), key=lambda item: -item[1])[:count]
    pairs = tuple((token, math.log(share)) for token, share in best)
    return Listing(pairs[0], pairs)


class RandomModel:
    """Random probabilities of the next token after every beginning."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def next(self, begun: str) -> dict[str, float]:
        rng = np.random.default_rng([self.seed, *begun.encode()])
        return dict(zip(VOCABULARY, rng.dirichlet([0.3] * len(VOCABULARY)).clip(1e-12), strict=True))

    def probability(self, label: str, begun: str = "") -> float:
        """Of all ways to write the label, with a space before it in its first token or without."""
        total = 0.0
        for token, share in self.next(begun).items():
            text = (begun + token).lstrip(" ")
            if text == label:
                total += share
            elif text and label.startswith(text) and token != " ":
                total += share * self.probability(label, begun + token)
        return total

    def weigh(self, labels: tuple[str, ...], count: int, continues: bool = True) -> LabelWeights:
        async def ask(begun: str, count: int) -> Listing | None:
            return listing(self.next(begun), count) if continues or not begun else None

        return asyncio.run(weigh_labels(ask, labels, [count], 0.0))

    async def write(self, text: str) -> list[tuple[str, float]] | None:
        """Forced by a constraint that leaves log-probabilities as they are: the most probable tokens of the text."""
        written: list[tuple[str, float]] = []
        while text:
            shares = self.next("".join(token for token, _ in written))
            fitting = [one for one in shares if one.strip() and text.startswith(one)] or [" "]
            token = max(fitting, key=shares.__getitem__)
            written.append((token, math.log(shares[token])))
            text = text.removeprefix(token)
        return written


@pytest.mark.parametrize("labels", [("C", "D"), ("Coop", "Defect"), ("Co", "Defect", "x")])
def test_with_all_tokens_listed_probabilities_are_exact(labels: tuple[str, ...]) -> None:
    for seed in range(20):
        model = RandomModel(seed)
        weights = model.weigh(labels, len(VOCABULARY))
        assert weights.least == pytest.approx([model.probability(label) for label in labels], abs=2e-6)
        assert max(weights.more) < 2e-5


def test_a_longer_label_is_not_counted_for_the_shorter_one() -> None:
    """As on this machine: "1" is what starts with 1 and does not go on to 10."""
    for seed in range(20):
        model = RandomModel(seed)
        one, ten = model.probability("1"), model.probability("10")
        assert model.weigh(("1", "10"), len(VOCABULARY)).least == pytest.approx([one - ten, ten], abs=2e-6)


@pytest.mark.parametrize("labels", [("1", "10", "D"), ("De", "D", "C")])
def test_labels_that_are_not_listed_are_known_from_forced_texts(labels: tuple[str, ...]) -> None:
    for seed in range(20):
        model = RandomModel(seed)
        weights = asyncio.run(force_labels(model.weigh(labels, 2, continues=False), labels, model.write))
        whole = {label: model.probability(label) for label in labels}
        inner = {one[0]: whole[one] for one in labels if len(one) == 2}
        assert weights.least == pytest.approx([whole[one] - inner.get(one, 0.0) for one in labels], abs=1e-5)
        assert not weights.more[labels.index("D")]


def test_several_tokenisations_of_a_beginning_are_continued_once() -> None:
    """ "Co" may be one token or two: the server is asked once what follows."""
    asked: list[str] = []

    async def ask(begun: str, count: int) -> Listing:
        asked.append(begun)
        first = {"Co": 0.4, "C": 0.3, "D": 0.3}
        return listing({"": first, "C": {"o": 1.0}, "Co": {"op": 0.9, "x": 0.1}}[begun], count)

    weights = asyncio.run(weigh_labels(ask, ("Coop", "D"), [3], 0.0))
    assert weights.least == pytest.approx([0.63, 0.3])
    assert sorted(asked) == ["", "C", "Co"]


@pytest.mark.parametrize(
    ("labels", "asked"),
    [
        (("C", "D"), [("", 4)]),  # both ways to write them are listed
        (("C", "x"), [("", 4), ("", 6)]),
        (("C", "xo"), [("", 4), ("", 6), ("x", 6)]),  # once a list was too short, only the longer one is asked for
    ],
)
def test_a_longer_list_is_asked_for_where_a_short_one_leaves_too_much_open(
    labels: tuple[str, str], asked: list[tuple[str, int]]
) -> None:
    found = []

    async def ask(begun: str, count: int) -> Listing:
        found.append((begun, count))
        first = {"C": 0.3, " C": 0.2, "D": 0.25, " D": 0.2, "x": 0.04, "y": 0.01}
        return listing({"o": 0.6, "e": 0.4} if begun else first, count)

    weights = asyncio.run(weigh_labels(ask, labels, [4, 6], 1e-5))
    assert found == asked
    assert weights.margin() <= 1e-5


@given(st.integers(0, 10**6), st.integers(1, len(VOCABULARY)), st.booleans())
def test_the_truth_is_within_the_bounds_and_the_margin(seed: int, count: int, continues: bool) -> None:
    model, labels = RandomModel(seed), ("C", "Coop", "D")
    weights = model.weigh(labels, count, continues)
    whole = [model.probability(label) for label in labels]
    truth = [whole[0] - whole[1], whole[1], whole[2]]
    for low, more, true in zip(weights.least, weights.more, truth, strict=True):
        assert low - 1e-9 <= true + 1e-5
        assert true <= low + more + 1e-5
    middles = np.exp(weights.middle())
    if middles.sum() and sum(truth):
        off = np.abs(middles / middles.sum() - np.array(truth) / sum(truth)).max()
        assert off <= weights.margin() + 1e-4


def listed(*tokens: tuple[str, float], chosen: tuple[str, float] | None = None) -> Listing:
    """The first list of an answer of the chat endpoint."""
    top = [{"token": token, "logprob": value} for token, value in tokens]
    first = dict(zip(("token", "logprob"), chosen or tokens[0], strict=True))
    return first_listings({"choices": [{"logprobs": {"content": [{**first, "top_logprobs": top}]}}]})[0]


def only(found: Listing) -> Callable[[str, int], Awaitable[Listing]]:
    """A server that lists this at every place."""

    async def ask(begun: str, count: int) -> Listing:
        return found

    return ask


A, B = ("C", math.log(0.5)), ("D", math.log(0.06))


@pytest.mark.parametrize(
    ("tokens", "chosen", "why"),
    [
        ((A, ("D", math.log(0.4)), ("x", math.log(0.2))), None, "sum to 1.10"),
        ((A, ("D", math.log(0.4))), ("x", math.log(0.3)), "sum to 1.20"),
        ((A, ("D", math.log(0.4)), A, ("D", math.log(0.4))), None, "listed twice"),
        ((B, B), None, "listed twice"),
    ],
)
def test_a_list_that_contradicts_itself_is_a_fault(
    tokens: tuple[tuple[str, float], ...], chosen: tuple[str, float] | None, why: str
) -> None:
    with pytest.raises(ServerFault, match=f"impossible log-probabilities: .*{why}.*scores=false") as caught:
        listed(*tokens, chosen=chosen)
    assert not caught.value.passing


def test_different_tokens_may_have_the_same_text() -> None:
    """As with vLLM, which dropped the space before SentencePiece's tokens (github.com/vllm-project/vllm/pull/48674)."""
    found = listed(("C", math.log(0.3)), ("C", math.log(0.2)), B)
    weights = asyncio.run(weigh_labels(only(found), ("C", "D"), [1], 0.0))
    assert weights.least == pytest.approx([0.5, 0.06])


def test_a_list_whose_values_were_rounded_is_none_that_contradicts_itself() -> None:
    assert listed(("C", -0.22), ("D", -1.6)).rest == 0  # they sum to 1.004


@pytest.mark.parametrize("unknown", [-9999.0, -100.0, -3.4e38, -math.inf, math.nan])
def test_a_number_that_stands_for_nothing_known_is_no_probability(unknown: float) -> None:
    """A label with it has at most what is left, and no more than the last token that is known."""
    found = listed(A, B, ("x", unknown))
    assert found.unlisted == pytest.approx(0.06)
    weights = asyncio.run(weigh_labels(only(listed(A, ("D", unknown))), ("C", "D"), [1], 0.0))
    assert weights.least == pytest.approx([0.5, 0.0])
    assert weights.more[1] == pytest.approx(0.5)
    assert weights.margin() > 0.2


def test_lists_end_before_a_place_that_is_not_known() -> None:
    """What follows it is no list of the first token."""
    content = [{"token": "\u00e2", "logprob": None}, {"token": "C", "logprob": -0.1}]
    assert first_listings({"choices": [{"logprobs": {"content": content}}]}) == ()


def test_lists_in_both_forms_and_without_values() -> None:
    tokens = [{"token": "C", "logprob": -0.1}, {"token": "D", "logprob": -2.5}, {"token": "x", "logprob": None}]
    chat = {"choices": [{"logprobs": {"content": [{**tokens[0], "top_logprobs": tokens}]}}]}
    older = {"tokens": ["C"], "token_logprobs": [-0.1], "top_logprobs": [{"C": -0.1, "D": -2.5}]}
    assert first_listings(chat) == first_listings({"choices": [{"logprobs": older}]})
    assert first_listings(chat)[0].tokens == (("C", -0.1), ("D", -2.5))
    for nothing in (None, {}, {"content": None}, {"content": [{"token": "C", "logprob": None}]}, [], "no"):
        assert first_listings({"choices": [{"logprobs": nothing}]}) == ()
    alone = first_listings({"choices": [{"logprobs": {"content": [tokens[0]]}}]})
    assert alone[0].tokens == (("C", -0.1),)
    assert alone[0].unlisted == pytest.approx(1 - math.exp(-0.1))
