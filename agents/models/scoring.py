"""Exact log-probabilities of the next tokens of a model; prompts are read once and continued from their cache.

Rows are padded on the left, so that the last position holds the last token of every row and the cache has no gaps;
padding is masked and positions are counted from the first token of a row. In float32 a value differs by less than 1e-5
from a plain forward pass over one unpadded text, in any batch.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Tokens = Sequence[int]


@dataclass(slots=True)
class Prefixes:
    """Texts that a model has processed: N rows, padded on the left to length L."""

    cache: Any
    """Keys and values in the format of transformers; consumed by `continue_prefixes`."""
    mask: torch.Tensor
    """1 where there is a token, 0 where there is padding; shape (N, L)."""


def read_prompts(model: Any, prompts: Sequence[Tokens], keep: bool) -> tuple[torch.Tensor, Prefixes]:
    """Process N prompts in one batch.

    Parameters
    ----------
    model
        A causal language model of transformers.
    prompts
        Tokens of each prompt, at least 1.
    keep
        Whether to keep the cache, so that the prompts can be continued.

    Returns
    -------
    tuple
        Log-probabilities of the next token in nats, float64, shape (N, V); and the prompts as prefixes.
    """
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


def continue_prefixes(
    model: Any, prefixes: Prefixes, rows: Sequence[int], tokens: Sequence[Tokens], last: bool
) -> tuple[torch.Tensor, Prefixes]:
    """Continue texts by T tokens each.

    Parameters
    ----------
    model
        A causal language model of transformers.
    prefixes
        The texts so far; their cache is consumed.
    rows
        Rows of `prefixes` to continue, N' of them; a row may occur more than once or not at all.
    tokens
        The T tokens that continue each of these rows, shape (N', T).
    last
        Whether to return log-probabilities after the last token only.

    Returns
    -------
    tuple
        Log-probabilities in nats after each of the T tokens, float64, shape (N', T, V), or (N', 1, V) with `last`;
        and the continued texts.
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
class Candidates:
    """A prompt and the candidate replies to be scored, as tokens; each has at least one."""

    prompt: tuple[int, ...]
    replies: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> int:
        """Rows it takes in a batch: one per reply of several tokens; replies of one token share the prompt's row."""
        return max(1, sum(len(reply) > 1 for reply in self.replies))


def score_replies(model: Any, asked: Sequence[Candidates], batch_tokens: int) -> list[list[float]]:
    """Log-probability, in nats, that the model's text after a prompt starts with each candidate reply.

    Parameters
    ----------
    model
        A causal language model of transformers.
    asked
        Prompts with their candidate replies.
    batch_tokens
        Maximum number of tokens in a batch, padding included, unless one element of `asked` alone has more.

    Returns
    -------
    list
        One list per element of `asked`, one value per reply, as probabilities of `disjoint_logprobs` events.
    """
    scored: list[list[float]] = [[] for _ in asked]
    for batch in _batches(asked, batch_tokens):
        for index, values in zip(batch, _score_batch(model, [asked[i] for i in batch]), strict=True):
            scored[index] = disjoint_logprobs(asked[index].replies, values)
    return scored


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
        rest = 1.0 - math.fsum(math.exp(result[j] - logprobs[i]) for j in longer)
        if longer:
            result[i] = logprobs[i] + math.log(rest) if rest > 0 else -math.inf
    return result


def _batches(asked: Sequence[Candidates], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of elements with prompts of similar length, at most `batch_tokens` tokens together."""
    batch: list[int] = []
    rows = 0
    for index in sorted(range(len(asked)), key=lambda i: len(asked[i].prompt)):
        candidates = asked[index]
        if batch and (rows + candidates.rows) * len(candidates.prompt) > batch_tokens:
            yield batch
            batch, rows = [], 0
        batch.append(index)
        rows += candidates.rows
    if batch:
        yield batch


def _score_batch(model: Any, asked: Sequence[Candidates]) -> list[list[float]]:
    pairs = [(row, reply) for row, candidates in enumerate(asked) for reply in candidates.replies]
    longer = [k for k, (_, reply) in enumerate(pairs) if len(reply) > 1]
    first, prefixes = read_prompts(model, [candidates.prompt for candidates in asked], keep=bool(longer))
    values = first[[row for row, _ in pairs], [reply[0] for _, reply in pairs]]  # (pairs,)
    if longer:
        values[longer] += _score_rest(model, prefixes, [pairs[k] for k in longer])
    flat = iter(values.tolist())
    return [[next(flat) for _ in candidates.replies] for candidates in asked]


def _score_rest(model: Any, prefixes: Prefixes, pairs: Sequence[tuple[int, Tokens]]) -> torch.Tensor:
    """Log-probability of all tokens but the first of replies, given as (row, tokens); float64, shape (pairs,)."""
    width = max(len(reply) for _, reply in pairs) - 1
    padded = [[*reply[:-1], *[reply[0]] * (width + 1 - len(reply))] for _, reply in pairs]  # padded on the right
    scores, _ = continue_prefixes(model, prefixes, [row for row, _ in pairs], padded, last=False)  # (pairs, width, V)
    return torch.stack([scores[k, range(len(reply) - 1), list(reply[1:])].sum() for k, (_, reply) in enumerate(pairs)])
