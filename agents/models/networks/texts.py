"""Reading texts and continuing them: log-probabilities of the next tokens.

A text is read once and continued from its cache of keys and values; beginnings that texts share are read once too. Rows
are padded on the left, so that the last position holds the last token of every row; padding is masked and positions are
counted from the first token of a row. Networks whose cache cannot be continued so (`Abilities`) read every text
whole, among texts of its length. In float32 a value differs by less than 1e-5 from a plain forward pass over one
unpadded text, in any batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from dilemmas.agents.models.networks.architectures import Abilities

Tokens = Sequence[int]

WORTHWHILE = 0.6
"""Largest share of the tokens that reading shared beginnings first may cost, so that it is done: SmolLM2-135M on a CPU
needs more time per token then, and no less time in all at a share of .75."""


@dataclass(slots=True)
class Prefixes:
    """Texts that a network has read: N rows, padded on the left to length L."""

    cache: dict[str, Any]
    """Keys and values in the format of transformers, by their name there, which changed in version 5.24; consumed by
    `continue_prefixes`; empty where texts are kept."""
    mask: torch.Tensor
    """1 where there is a token, 0 where there is padding; shape (N, L)."""
    texts: Sequence[Tokens] = ()
    """The texts, if there is no cache."""

    @property
    def bytes_per_token(self) -> int:
        """Bytes of keys and values for each token; 0 if they are not known."""
        layers = (layer for cache in self.cache.values() for layer in getattr(cache, "layers", ()))
        kept = (getattr(layer, name, None) for layer in layers for name in ("keys", "values"))
        total: int = sum(one.nbytes for one in kept if one is not None)
        return total // max(1, self.mask.numel())


def read_prompts(model: Any, prompts: Sequence[Tokens], can: Abilities) -> tuple[torch.Tensor, Prefixes]:
    """Read N prompts in one batch.

    Parameters
    ----------
    model
        A causal language model of transformers.
    prompts
        Tokens of each prompt, at least 1.
    can
        What the model can do.

    Returns
    -------
    tuple
        Log-probabilities of the next token in nats, float64, shape (N, V); and the prompts as prefixes.
    """
    if not can.cached:
        return _read_plainly(model, prompts, 1)[:, -1], Prefixes({}, torch.empty(0), list(prompts))
    starts = shared_starts(prompts) if can.gaps and fits_window(model, max(map(len, prompts))) else []
    return _read_from(model, prompts, starts) if starts else _read_together(model, prompts)


def _read_from(model: Any, prompts: Sequence[Tokens], starts: Sequence[int]) -> tuple[torch.Tensor, Prefixes]:
    """Read the first tokens of the prompts, so many as in `starts`, once per different beginning; then the rest."""
    opened = [tuple(prompt[:count]) for prompt, count in zip(prompts, starts, strict=True)]
    row = {beginning: place for place, beginning in enumerate(dict.fromkeys(opened))}
    _, prefixes = _read_together(model, list(row))
    rest = [prompt[count:] for prompt, count in zip(prompts, starts, strict=True)]
    scores, prefixes = continue_prefixes(model, prefixes, [row[beginning] for beginning in opened], rest, last=True)
    return scores[:, -1], prefixes


def _read_together(model: Any, prompts: Sequence[Tokens]) -> tuple[torch.Tensor, Prefixes]:
    ids, mask = (padded.to(model.device) for padded in pad_left(prompts))
    out = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        use_cache=True,
        logits_to_keep=1,
    )
    return out.logits[:, -1].double().log_softmax(-1), Prefixes(_cache(out), mask)


def continue_prefixes(
    model: Any, prefixes: Prefixes, rows: Sequence[int], tokens: Sequence[Tokens], last: bool
) -> tuple[torch.Tensor, Prefixes]:
    """Continue texts by up to T tokens each.

    Parameters
    ----------
    model
        A causal language model of transformers.
    prefixes
        The texts so far; their cache is consumed.
    rows
        Rows of `prefixes` to continue, N' of them; a row may occur more than once or not at all.
    tokens
        The tokens that continue each of these rows: T of each, or fewer where the network can do gaps.
    last
        Whether to return log-probabilities after the last token only.

    Returns
    -------
    tuple
        Log-probabilities in nats after each of the T tokens, float64, shape (N', T, V), or (N', 1, V) with `last`;
        and the continued texts. Fewer tokens are padded on the left.
    """
    if not prefixes.cache:
        texts = [[*prefixes.texts[row], *more] for row, more in zip(rows, tokens, strict=True)]
        scores = _read_plainly(model, texts, 1 if last else len(tokens[0]))
        return scores, Prefixes({}, prefixes.mask, texts)
    chosen = torch.as_tensor(rows, device=model.device)
    ids, added = (padded.to(model.device) for padded in pad_left(tokens))  # (N', T)
    if not torch.equal(chosen, torch.arange(len(prefixes.mask), device=model.device)):
        for cache in prefixes.cache.values():
            cache.reorder_cache(chosen)
    before = prefixes.mask[chosen]  # (N', L)
    mask = torch.cat([before, added], dim=1)  # (N', L + T)
    out = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=(before.sum(1, keepdim=True) + added.cumsum(1) - 1).clamp(min=0),
        use_cache=True,
        logits_to_keep=1 if last else 0,
        **prefixes.cache,
    )
    return out.logits.double().log_softmax(-1), Prefixes(_cache(out), mask)


def read_branches(model: Any, prefixes: Prefixes, branches: Sequence[Sequence[Tokens]]) -> list[list[torch.Tensor]]:
    """Read several continuations of each text, those of a text in one row, so that its cache is not copied.

    Parameters
    ----------
    model
        A causal language model of transformers whose `Abilities` include it; all it attends to is read, see
        `fits_window`.
    prefixes
        The N texts; their cache is consumed.
    branches
        The continuations of each text, at least one, of one token or more.

    Returns
    -------
    list
        By text and branch, log-probabilities in nats after each of the T tokens of the branch, float64, shape (T, V).
    """
    before = prefixes.mask  # (N, L)
    lengths = [[len(branch) for branch in some] for some in branches]
    size = max(map(sum, lengths))
    ids = torch.zeros((len(branches), size), dtype=torch.int64)  # (N, T)
    first = torch.arange(size).repeat(len(branches), 1)  # index of the first token of each one's branch, (N, T)
    for row, some in enumerate(branches):
        starts = np.cumsum([0, *lengths[row]])
        for branch, start, end in zip(some, starts, starts[1:], strict=False):
            ids[row, start:end], first[row, start:end] = torch.as_tensor(list(branch)), int(start)
    ids, first = ids.to(model.device), first.to(model.device)
    index = torch.arange(size, device=model.device)
    own = (first[:, :, None] <= index) & (index <= index[:, None])  # (N, T, T)
    seen = torch.cat([before.bool()[:, None].expand(-1, size, -1), own], -1)  # (N, T, L + T)
    mask = added_mask(seen, model.dtype)
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    out = model(
        input_ids=ids,
        attention_mask=dict.fromkeys(kinds, mask) if len(kinds) > 1 else mask,
        position_ids=before.sum(1, keepdim=True) + index - first,
        use_cache=True,
        **prefixes.cache,
    )
    scores = out.logits.double().log_softmax(-1)  # (N, T, V)
    return [list(row[: sum(some)].split(some)) for row, some in zip(scores, lengths, strict=True)]


def added_mask(seen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """What is added to attention, shape (B, 1, T, L), so that tokens attend to what they see, shape (B, T, L)."""
    return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, torch.finfo(dtype).min)[:, None]


def fits_window(model: Any, length: int) -> bool:
    """Whether texts of a length are seen in whole, also if there is something else between their tokens."""
    config = model.config.get_text_config()
    windows = (getattr(config, key, None) for key in ("sliding_window", "attention_chunk_size", "window_size"))
    return length <= min(filter(None, windows), default=float("inf"))  # which layers measure by places, not positions


def _cache(out: Any) -> dict[str, Any]:
    return {name: out[name] for name in out.keys() & {"cache", "past_key_values"}}


def _read_plainly(model: Any, texts: Sequence[Tokens], count: int) -> torch.Tensor:
    """Log-probabilities after each of the last `count` tokens, (N, count, V), without cache and padding."""
    found: dict[int, torch.Tensor] = {}
    for length in {len(text) for text in texts}:
        rows = [row for row, text in enumerate(texts) if len(text) == length]
        ids = torch.as_tensor([list(texts[row]) for row in rows], device=model.device)
        logits = model(input_ids=ids, use_cache=False, logits_to_keep=count).logits[:, -count:]
        found |= zip(rows, logits.double().log_softmax(-1), strict=True)
    return torch.stack([found[row] for row in range(len(texts))])


def pad_left(texts: Sequence[Tokens]) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens and mask of N texts, padded on the left to the longest; both of shape (N, L)."""
    longest = max(map(len, texts))
    ids = torch.zeros((len(texts), longest), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, longest - len(text) :] = torch.as_tensor(list(text))
        mask[row, longest - len(text) :] = 1
    return ids, mask


def shared_starts(prompts: Sequence[Tokens]) -> list[int]:
    """The number of first tokens of each prompt that are best read once for all prompts that begin with them.

    Prompts with at least a certain number of first tokens in common form a group, which shares as many as all its
    members have in common; at least one token of each prompt is left. Of twelve such numbers the best is taken.

    Returns
    -------
    list
        One number per prompt, or none if too little is saved.
    """
    order = sorted(range(len(prompts)), key=lambda i: tuple(prompts[i]))
    shared = [common_start(prompts[i], prompts[j]) for i, j in pairwise(order)]
    least: list[int] = np.unique(np.quantile(shared, np.linspace(0, 1, 12)).astype(int)).tolist() if shared else []
    ways = [_grouped(prompts, order, shared, number) for number in least]
    best = min(ways, key=lambda starts: _cost(prompts, starts), default=[])
    return best if _cost(prompts, best) < WORTHWHILE * _cost(prompts, []) else []


def common_start(a: Tokens, b: Tokens) -> int:
    """Number of first tokens that two texts have in common."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def tokens_read(prompts: Sequence[Tokens], can: Abilities) -> float:
    """Number of tokens that `read_prompts` reads, padding included."""
    return _cost(prompts, shared_starts(prompts) if can.gaps else [])


def _grouped(prompts: Sequence[Tokens], order: Sequence[int], shared: Sequence[int], least: int) -> list[int]:
    """The starts if sorted prompts with at least so many tokens in common form a group."""
    starts = [0] * len(prompts)
    begin = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or shared[end - 1] < least:
            group = order[begin:end]
            common = min([*shared[begin : end - 1], *(len(prompts[i]) - 1 for i in group)])
            for i in group:
                starts[i] = common
            begin = end
    return starts


def _cost(prompts: Sequence[Tokens], starts: Sequence[int]) -> float:
    """Tokens that are read, padding included; infinite if some prompts have no beginning."""
    if not starts:
        return len(prompts) * max(map(len, prompts))
    if not min(starts):
        return float("inf")
    opened = {tuple(prompt[:count]) for prompt, count in zip(prompts, starts, strict=True)}
    rest = max(len(prompt) - count for prompt, count in zip(prompts, starts, strict=True))
    return len(opened) * max(starts) + len(prompts) * rest
