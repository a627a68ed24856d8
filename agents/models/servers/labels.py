"""Probabilities of labels from the tokens that a server lists: intervals, narrowed by further questions.

A label may be one token or several, with a space before it or not: "C", " C", "Co" + "operate". The tokens at the first
place that are a label count for it; those that begin a label are continued, where the server can be asked how. What the
server does not list is bounded, and is never taken for 0 or guessed: a label's probability is an interval, and the
margin says how far it may be off.
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dilemmas.agents.models.servers.answers import Listing

SPACES = " \u2581\u0120"
"""A space before a label, also as tokenizers write it in the names of tokens."""
ENOUGH = 1e-6
"""Part of the largest label's probability below which what is not known counts as nothing."""
MOST_CONTINUED = 16
"""Beginnings of labels that are continued at most, the most probable ones first."""

Ask = Callable[[str, int], Awaitable[Listing | None]]
"""Asks for so many tokens after a beginning of the reply; None where the server cannot say."""
Force = Callable[[str], Awaitable[Sequence[tuple[str, float]] | None]]
"""Makes the server write a text; its tokens with their log-probabilities, or None where it writes something else."""


@dataclass(slots=True)
class LabelWeights:
    """Lower bounds of the probabilities of labels, and how much more each may be."""

    least: list[float]
    more: list[float]

    def copy(self) -> "LabelWeights":
        """The same weights, to which more can be added."""
        return LabelWeights(list(self.least), list(self.more))

    def middle(self) -> list[float]:
        """The middle of each interval: the log-probability that is reported, in nats."""
        values = [max(0.0, low) + more / 2 for low, more in zip(self.least, self.more, strict=True)]
        return [math.log(value) if value > 0 else -math.inf for value in values]

    def margin(self) -> float:
        """How far the share of a label among all labels may be from that of the middles, from 0 to 1."""
        if not any(low > 0 for low in self.least):
            return 1.0
        if all(more <= ENOUGH * max(self.least) for more in self.more):
            return 0.0
        lows = [max(0.0, low) for low in self.least]
        highs = [low + more for low, more in zip(lows, self.more, strict=True)]
        middles = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
        found = 0.0
        for i, (low, high) in enumerate(zip(lows, highs, strict=True)):
            least = low / (low + math.fsum(highs) - high) if low else 0.0
            most = high / (high + math.fsum(lows) - low) if high else 0.0
            share = middles[i] / math.fsum(middles) if any(middles) else 0.0
            found = max(found, most - share, share - least)
        return found


@dataclass(frozen=True, slots=True)
class _Begun:
    """A beginning of the reply that may become a label."""

    written: str
    share: float
    """Its probability."""
    passed: int | None = None
    """Index of the longest label that it went through."""

    @property
    def text(self) -> str:
        return self.written.lstrip(SPACES)


async def weigh_labels(ask: Ask, labels: Sequence[str], sizes: Sequence[int], enough: float) -> LabelWeights:
    """Probability that a reply starts with each label.

    If one label is the beginning of another ("1" and "10"), the probability of the longer one is subtracted from that
    of the shorter one.

    Parameters
    ----------
    ask
        Asks for the tokens after a beginning, which is empty at the first place.
    labels
        The labels, which differ.
    sizes
        Lengths of lists, the shortest first. The next one is used as soon as one leaves too much open, so which lists
        are asked for depends on this question alone: their numbers differ by rounding.
    enough
        Margin from which no longer list and no further beginning is asked for.
    """
    weights, waiting = LabelWeights([0.0] * len(labels), [0.0] * len(labels)), [_Begun("", 1.0)]
    known, left = dict[str, Listing | None](), list(sizes)
    while begun := max(waiting, key=lambda one: one.share, default=None):
        if begun.share <= ENOUGH or (begun.text and _left_open(weights, labels, waiting).margin() <= enough):
            break
        if begun.written not in known and len(known) <= MOST_CONTINUED:
            known[begun.written] = await ask(begun.written, left[0])
        listing = known.get(begun.written)  # also of another way to divide the same text into tokens
        if listing is None:
            break
        found = weights.copy()
        longer = _read_place(found, labels, begun, listing)
        if len(left) > 1 and found.margin() > enough:
            del left[0], known[begun.written]
            continue
        waiting.remove(begun)
        waiting, weights = waiting + longer, found
    return _left_open(weights, labels, waiting)


def _left_open(weights: LabelWeights, labels: Sequence[str], waiting: Iterable[_Begun]) -> LabelWeights:
    """The weights with all that some beginnings may become left open."""
    found = weights.copy()
    for begun in waiting:
        _leave_open(found, labels, begun, begun.share)
    return found


def _read_place(weights: LabelWeights, labels: Sequence[str], begun: _Begun, listing: Listing) -> list[_Begun]:
    """Add what the tokens after a beginning say; returns longer beginnings."""
    longer, unlisted = [], listing.unlisted
    beginnings = {label[:end] for label in labels for end in range(1, len(label) + 1)} - {begun.text}
    forms: Counter[str] = Counter()
    for token, value in listing.tokens:
        text = (begun.written + token).lstrip(SPACES)
        if text not in beginnings:
            continue
        found = _Begun(begun.written + token, begun.share * math.exp(value), begun.passed)
        if text in labels:
            forms[text] += 1
            index = labels.index(text)
            weights.least[index] += found.share
            if begun.passed is not None:
                weights.least[begun.passed] -= found.share
            found = replace(found, passed=index)
        if any(label != text and label.startswith(text) for label in labels):
            longer.append(found)
    if begun.text:
        _leave_open(weights, labels, begun, begun.share * unlisted)
        return longer
    for index, label in enumerate(labels):  # its first token may have a space before it, or none
        missing = max(0, 2 - forms[label]) if len(label) == 1 else 2
        weights.more[index] += min(missing * unlisted, listing.rest) if unlisted else 0.0
    return longer


def _leave_open(weights: LabelWeights, labels: Sequence[str], begun: _Begun, share: float) -> None:
    """A probability after a beginning that may belong to each label that it can become."""
    possible = [index for index, one in enumerate(labels) if one != begun.text and one.startswith(begun.text)]
    for index in possible:
        weights.more[index] += share
    if possible and begun.passed is not None:
        weights.least[begun.passed] -= share
        weights.more[begun.passed] += share


async def force_labels(weights: LabelWeights, labels: Sequence[str], force: Force) -> LabelWeights:
    """The weights with the probabilities of open labels from texts that the server is made to write.

    A label is written with a space before it and without. Labels that begin with it, or with which it begins, are
    written too, because the probability of the longer one is subtracted from that of the shorter one.

    Parameters
    ----------
    weights
        What is known from listed tokens; returned as it is where the server does not write a label.
    labels
        The labels, which differ.
    force
        Makes the server write a text.
    """
    unknown = [label for label, more in zip(labels, weights.more, strict=True) if more > ENOUGH]
    related = [label for label in labels if any(label.startswith(one) or one.startswith(label) for one in unknown)]
    found = LabelWeights(
        [0.0 if label in related else low for label, low in zip(labels, weights.least, strict=True)],
        [0.0 if label in related else more for label, more in zip(labels, weights.more, strict=True)],
    )
    for text in [f"{space}{label}" for label in related for space in ("", " ")]:
        tokens, index = await force(text), labels.index(text.lstrip())
        if tokens is None:
            return weights
        if not tokens[0][0].strip(SPACES):  # a space of its own, so one token with both is not known
            found.more[index] = weights.more[index]
            continue
        share = math.exp(math.fsum(value for _, value in tokens))
        begun = ("".join(token for token, _ in tokens[:end]).lstrip(SPACES) for end in range(len(tokens) - 1, 0, -1))
        found.least[index] += share
        passed = next((one for one in begun if one in labels), None)
        if passed is not None:
            found.least[labels.index(passed)] -= share
    return found
