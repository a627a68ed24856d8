"""Probabilities of labels from the tokens that a server lists: intervals, narrowed by further questions.

A label may be one token or several, with a space before it or not: "C", " C", "Co" + "operate". The tokens at the first
place that are a label count for it; those that begin a label are continued, where the server can be asked how. What the
server does not list is bounded, and is never taken for 0 or guessed: a label's probability is an interval, and the
margin says how far it may be off.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

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
    waiting = _read_place(weights, labels, "", 1.0, first)
    for _ in range(MOST_CONTINUED):
        if not waiting:
            break
        begun = max(waiting, key=lambda start: waiting[start])
        if waiting[begun] <= ENOUGH:
            break
        listing = await carry_on(begun)
        if listing is None:
            break
        share = waiting.pop(begun)
        waiting |= _read_place(weights, labels, begun, share, listing)
    for begun, share in waiting.items():
        text = begun.lstrip(SPACES)
        for index, label in enumerate(labels):
            if label != text and label.startswith(text):
                weights.more[index] += share
    return weights


def _read_place(
    weights: LabelWeights, labels: Sequence[str], begun: str, share: float, listing: Listing
) -> dict[str, float]:
    """Add what the tokens after a beginning say; returns longer beginnings with their probabilities.

    `share`: probability of the beginning, which may be a label itself.
    """
    text = begun.lstrip(SPACES)
    shorter = labels.index(text) if text in labels else None
    longer: dict[str, float] = {}
    for token, value in listing.tokens:
        whole = (begun + token).lstrip(SPACES)
        probability = share * math.exp(value)
        if not whole or whole == text:
            continue
        if whole in labels:
            weights.least[labels.index(whole)] += probability
            if shorter is not None:
                weights.least[shorter] -= probability
        if any(label != whole and label.startswith(whole) for label in labels):
            longer[begun + token] = longer.get(begun + token, 0.0) + probability
    missing = share * listing.unlisted if text else min(2 * listing.unlisted, listing.rest)
    for index, label in enumerate(labels):
        if label != text and label.startswith(text):
            weights.more[index] += missing
    return longer
