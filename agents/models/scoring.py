"""What a language model says next, exactly. Prompts are read once and continued from their cache.

Rows are padded on the left, so that the last position is every row's own and a cache has no gaps; pads are masked
and positions count from a row's first token. In float32 a value differs by less than 1e-5 from a plain forward pass
over one unpadded text, in whatever batch.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Tokens = Sequence[int]


@dataclass(slots=True)
class Prefixes:
    """Texts that a model has read: N rows, padded on the left to length L."""

    cache: Any
    """Keys and values, as transformers keeps them; `go_on` uses it up."""
    mask: torch.Tensor
    """Where a token stands (1) and where a pad (0), shape (N, L)."""


def read(model: Any, prompts: Sequence[Tokens], keep: bool) -> tuple[torch.Tensor, Prefixes]:
    """Log-probabilities of the next token, float64 (N, V), and the prompts read, with a cache if `keep`."""
    longest = max(map(len, prompts))
    ids = torch.zeros((len(prompts), longest), dtype=torch.int64)  # (N, L)
    mask = torch.zeros_like(ids)  # (N, L)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.as_tensor(prompt)
        mask[row, longest - len(prompt) :] = 1
    mask = mask.to(model.device)
    out = model(
        input_ids=ids.to(model.device),
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        use_cache=keep,
        logits_to_keep=1,
    )
    return out.logits[:, -1].double().log_softmax(-1), Prefixes(out.past_key_values, mask)


def go_on(
    model: Any, prefixes: Prefixes, rows: Sequence[int], tokens: Sequence[Tokens], last: bool
) -> tuple[torch.Tensor, Prefixes]:
    """Continue rows of `prefixes`, each as often as it is named, with T tokens each.

    Returns the log-probabilities after every one of the T tokens (only after the last, if `last`), float64
    (len(rows), T or 1, V), and the texts so far.
    """
    chosen = torch.as_tensor(rows, device=model.device)
    ids = torch.as_tensor(tokens, device=model.device)  # (N', T)
    if not torch.equal(chosen, torch.arange(len(prefixes.mask), device=model.device)):
        prefixes.cache.reorder_cache(chosen)
    before = prefixes.mask[chosen]  # (N', L)
    mask = torch.cat([before, torch.ones_like(ids)], dim=1)  # (N', L + T)
    out = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=before.sum(1, keepdim=True) + torch.arange(ids.shape[1], device=model.device),
        past_key_values=prefixes.cache,
        use_cache=True,
        logits_to_keep=1 if last else 0,
    )
    return out.logits.double().log_softmax(-1), Prefixes(out.past_key_values, mask)


@dataclass(frozen=True, slots=True)
class Choice:
    """A prompt and the replies that are weighed, as tokens; each has at least one."""

    prompt: tuple[int, ...]
    replies: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> int:
        """Rows of a batch that it takes: one per reply of several tokens; those of one token share the prompt's."""
        return max(1, sum(len(reply) > 1 for reply in self.replies))


def weigh(model: Any, choices: Sequence[Choice], batch_tokens: int) -> list[list[float]]:
    """For every choice, log P(reply | prompt) of each reply in nats, as `disjoint` events."""
    weighed: list[list[float]] = [[] for _ in choices]
    for batch in _batches(choices, batch_tokens):
        for index, values in zip(batch, _weigh_batch(model, [choices[i] for i in batch]), strict=True):
            weighed[index] = disjoint(choices[index].replies, values)
    return weighed


def disjoint(replies: Sequence[Tokens], logprobs: Sequence[float]) -> list[float]:
    """Log-probabilities of events that exclude each other.

    Where the tokens of one reply begin another one ("1" and "10"), a text that starts with the longer starts with the
    shorter as well: it counts as the longer, and is taken from the shorter.
    """
    result = list(logprobs)
    for i in sorted(range(len(replies)), key=lambda i: -len(replies[i])):
        start = list(replies[i])
        longer = [j for j in range(len(replies)) if j != i and list(replies[j][: len(start)]) == start]
        rest = 1.0 - math.fsum(math.exp(result[j] - logprobs[i]) for j in longer)
        if longer:
            result[i] = logprobs[i] + math.log(rest) if rest > 0 else -math.inf
    return result


def _batches(choices: Sequence[Choice], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of choices of similar length, as many as `batch_tokens` allows."""
    batch: list[int] = []
    rows = 0
    for index in sorted(range(len(choices)), key=lambda i: len(choices[i].prompt)):
        choice = choices[index]
        if batch and (rows + choice.rows) * len(choice.prompt) > batch_tokens:
            yield batch
            batch, rows = [], 0
        batch.append(index)
        rows += choice.rows
    if batch:
        yield batch


def _weigh_batch(model: Any, choices: Sequence[Choice]) -> list[list[float]]:
    pairs = [(row, reply) for row, choice in enumerate(choices) for reply in choice.replies]
    longer = [k for k, (_, reply) in enumerate(pairs) if len(reply) > 1]
    first, prefixes = read(model, [choice.prompt for choice in choices], keep=bool(longer))
    values = first[[row for row, _ in pairs], [reply[0] for _, reply in pairs]]  # (pairs,)
    if longer:
        values[longer] += _rest(model, prefixes, [pairs[k] for k in longer])
    flat = iter(values.tolist())
    return [[next(flat) for _ in choice.replies] for choice in choices]


def _rest(model: Any, prefixes: Prefixes, pairs: Sequence[tuple[int, Tokens]]) -> torch.Tensor:
    """Log-probability of what follows the first token of replies, given as (row, tokens), float64 (pairs,)."""
    width = max(len(reply) for _, reply in pairs) - 1
    padded = [[*reply[:-1], *[reply[0]] * (width + 1 - len(reply))] for _, reply in pairs]  # pads come last: unseen
    scores, _ = go_on(model, prefixes, [row for row, _ in pairs], padded, last=False)  # (pairs, width, V)
    return torch.stack([scores[k, range(len(reply) - 1), list(reply[1:])].sum() for k, (_, reply) in enumerate(pairs)])
