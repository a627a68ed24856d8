"""Exact log-probabilities of replies to prompts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from dilemmas.agents.models.backend import nested_labels
from dilemmas.agents.models.networks.architectures import ABLE, Abilities
from dilemmas.agents.models.networks.texts import (
    Prefixes,
    Tokens,
    continue_prefixes,
    fits_window,
    read_branches,
    read_prompts,
    tokens_read,
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """A prompt and the candidate replies to be scored, as tokens; each has at least one."""

    prompt: tuple[int, ...]
    replies: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How probable the candidate replies to one prompt are, in nats, as `disjoint_logprobs` events."""

    starts: tuple[float, ...]
    """Log-probability that the model's text starts with each reply."""
    whole: tuple[float, ...]
    """Log-probability that it starts with each reply and that the word ends there."""
    nested: bool
    """Whether the tokens of one reply are the beginning of another's."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores replies with one model."""

    model: Any
    """A causal language model of transformers."""
    ends: torch.Tensor
    """Whether each token of the vocabulary ends the word before it, shape (V,)."""
    batch_tokens: int
    """Maximum number of tokens in a batch, padding included, unless the replies to one prompt alone have more."""
    can: Abilities = ABLE
    """What the model can do."""

    def score(self, asked: Sequence[Candidates]) -> list[Score]:
        """The score of each element of `asked`; a batch for which the memory is too small is halved."""
        scored: dict[int, Score] = {}
        waiting = _batches(asked, self.batch_tokens, self.can)[::-1]
        while waiting:
            batch = waiting.pop()
            try:
                scored |= zip(batch, self._score_batch([asked[i] for i in batch]), strict=True)
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                waiting += [batch[len(batch) // 2 :], batch[: len(batch) // 2]]
        return [scored[i] for i in range(len(asked))]

    def _score_batch(self, asked: Sequence[Candidates]) -> list[Score]:
        first, prefixes = read_prompts(self.model, [candidates.prompt for candidates in asked], self.can)
        pairs = [(row, reply) for row, candidates in enumerate(asked) for reply in candidates.replies]
        scores = self._read_replies(asked, pairs, prefixes)
        starts = first[[row for row, _ in pairs], [reply[0] for _, reply in pairs]]  # (pairs,)
        later = zip(scores, (list(reply[1:]) for _, reply in pairs), strict=True)
        starts += torch.stack([found[range(len(rest)), rest].sum() for found, rest in later])
        after = torch.stack([found[-1] for found in scores]).exp()  # (pairs, V)
        known = min(len(self.ends), after.shape[1])  # tokenizers have fewer or more tokens than networks
        ended = (after[:, :known] * self.ends[:known].to(after.device)).sum(1)
        flat = zip(starts.tolist(), (starts + ended.log()).tolist(), strict=True)
        return [self._disjoint(one.replies, [next(flat) for _ in one.replies]) for one in asked]

    def _read_replies(
        self, asked: Sequence[Candidates], pairs: Sequence[tuple[int, Tokens]], prefixes: Prefixes
    ) -> list[torch.Tensor]:
        """Log-probabilities after each token of each reply, shapes (T, V). `pairs`: the row of its prompt, and it."""
        longest = max(len(one.prompt) + sum(map(len, one.replies)) for one in asked)
        if self.can.branches and fits_window(self.model, longest):
            branches = read_branches(self.model, prefixes, [one.replies for one in asked])
            return [found for some in branches for found in some]
        width = max(len(reply) for _, reply in pairs)
        padded = [[*reply, *[reply[0]] * (width - len(reply))] for _, reply in pairs]  # padded on the right
        scores, _ = continue_prefixes(self.model, prefixes, [row for row, _ in pairs], padded, last=False)
        return [found[: len(reply)] for found, (_, reply) in zip(scores, pairs, strict=True)]

    def _disjoint(self, replies: Sequence[Tokens], values: Sequence[tuple[float, float]]) -> Score:
        starts = disjoint_logprobs(replies, [value for value, _ in values])
        whole = [
            _without(value, [starts[j] for j, other in enumerate(replies) if self._goes_on(reply, other)])
            for reply, (_, value) in zip(replies, values, strict=True)
        ]
        return Score(tuple(starts), tuple(whole), nested_labels(replies) is not None)

    def _goes_on(self, reply: Tokens, other: Tokens) -> bool:
        """Whether another reply is this one with more words."""
        size = len(reply)
        return len(other) > size and list(other[:size]) == list(reply) and bool(self.ends[other[size]])


def disjoint_logprobs(replies: Sequence[Tokens], logprobs: Sequence[float]) -> list[float]:
    """Convert log-probabilities of "the text starts with this reply" to those of mutually exclusive events.

    Where the tokens of one reply are the beginning of another's ("1" and "10"), a text that starts with the longer one
    also starts with the shorter one. It is counted as the longer one only.

    Parameters
    ----------
    replies
        Tokens of each reply; no two are equal.
    logprobs
        Log-probability of each reply in nats.

    Returns
    -------
    list
        Log-probabilities in nats, in the order of `replies`; ``-inf`` for impossible ones.
    """
    result = list(logprobs)
    for i in sorted(range(len(replies)), key=lambda i: -len(replies[i])):
        start = list(replies[i])
        longer = [j for j in range(len(replies)) if j != i and list(replies[j][: len(start)]) == start]
        result[i] = _without(logprobs[i], [result[j] for j in longer])
    return result


def _without(logprob: float, parts: Sequence[float]) -> float:
    """Log-probability of an event without disjoint parts of it."""
    rest = 1.0 - math.fsum(math.exp(part - logprob) for part in parts)
    return logprob if not parts else logprob + math.log(rest) if rest > 0 else -math.inf


def _batches(asked: Sequence[Candidates], batch_tokens: int, can: Abilities) -> list[list[int]]:
    """Indices of elements that are read together, at most `batch_tokens` tokens each.

    Prompts of similar length, or with the same beginning, are neighbours, whichever makes the model read less.
    """
    prompts = [candidates.prompt for candidates in asked]
    ways = [sorted(range(len(asked)), key=lambda i: len(prompts[i]))]
    if can.gaps:
        ways.append(sorted(range(len(asked)), key=lambda i: prompts[i]))
    cuts = [_cut(order, asked, batch_tokens) for order in ways]
    return min(cuts, key=lambda cut: sum(tokens_read([prompts[i] for i in batch], can) for batch in cut))


def _cut(order: Sequence[int], asked: Sequence[Candidates], batch_tokens: int) -> list[list[int]]:
    batches: list[list[int]] = []
    rows, longest = 0, 0
    for index in order:
        rows += len(asked[index].replies)
        longest = max(longest, len(asked[index].prompt))
        if not batches or rows * longest > batch_tokens:
            batches.append([])
            rows, longest = len(asked[index].replies), len(asked[index].prompt)
        batches[-1].append(index)
    return batches
