"""Probabilities of labels from the tokens that a server lists: intervals, narrowed by further questions.

A label may be one token or several, with a space before it or not: "C", " C", "Co" + "operate". The tokens at the first
place that are a label count for it; those that begin a label are continued, where the server can be asked how. What the
server does not list is bounded, and is never taken for 0 or guessed: a label's probability is an interval, and the
margin says how far it may be off.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from dilemmas.agents.models.servers.answers import Listing

SPACES = " \u2581\u0120"
"""A space before a label, also as tokenizers write it in the names of tokens."""
ENOUGH = 1e-6
"""Probability below which what is not known is not asked for."""
MOST_CONTINUED = 16
"""Beginnings of labels that are continued at most, the most probable ones first."""

Continue = Callable[[str], Awaitable[Listing | None]]
"""Asks for the tokens after a beginning of the reply; None where the server cannot say."""


@dataclass(slots=True)
class LabelWeights:
    """Lower bounds of the probabilities of labels, and how much more each may be."""

    least: list[float]
    more: list[float]

    @property
    def open(self) -> float:
        """The largest probability that is not known."""
        return max(self.more)

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


async def weigh_labels(first: Listing, labels: Sequence[str], carry_on: Continue) -> LabelWeights:
    """Probability that a reply starts with each label.

    If one label is the beginning of another ("1" and "10"), the probability of the longer one is subtracted from that
    of the shorter one.

    Parameters
    ----------
    first
        The tokens listed at the first place.
    labels
        The labels, which differ.
    carry_on
        Asks for the tokens after a beginning.
    """
    weights = LabelWeights([0.0] * len(labels), [0.0] * len(labels))
    waiting = _read_place(weights, labels, _Begun("", 1.0), first)
    for _ in range(MOST_CONTINUED):
        begun = max(waiting, key=lambda one: one.share, default=None)
        if begun is None or begun.share <= ENOUGH:
            break
        listing = await carry_on(begun.written)
        if listing is None:
            break
        waiting.remove(begun)
        waiting += _read_place(weights, labels, begun, listing)
    for begun in waiting:
        _leave_open(weights, labels, begun, begun.share)
    return weights


def _read_place(weights: LabelWeights, labels: Sequence[str], begun: _Begun, listing: Listing) -> list[_Begun]:
    """Add what the tokens after a beginning say; returns longer beginnings."""
    longer = []
    for token, value in listing.tokens:
        found = _Begun(begun.written + token, begun.share * math.exp(value), begun.passed)
        if found.text in ("", begun.text):
            continue
        if found.text in labels:
            index = labels.index(found.text)
            weights.least[index] += found.share
            if begun.passed is not None:
                weights.least[begun.passed] -= found.share
            found = replace(found, passed=index)
        if any(label != found.text and label.startswith(found.text) for label in labels):
            longer.append(found)
    missing = begun.share * listing.unlisted if begun.text else min(2 * listing.unlisted, listing.rest)
    _leave_open(weights, labels, begun, missing)
    return longer


def _leave_open(weights: LabelWeights, labels: Sequence[str], begun: _Begun, share: float) -> None:
    """A probability after a beginning that may belong to each label that it can become."""
    possible = [index for index, one in enumerate(labels) if one != begun.text and one.startswith(begun.text)]
    for index in possible:
        weights.more[index] += share
    if possible and begun.passed is not None:
        weights.least[begun.passed] -= share
        weights.more[begun.passed] += share
