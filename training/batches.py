"""Shared-prefix packing: one prompt with its K completions as one row.

Positions of every completion continue from the prompt, and a mask lets it see the prompt and itself only, so loss and
gradient equal those of K separate rows while the prompt is read once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Target:
    """One term of the loss: -weight * log P(token | everything before `index`)."""

    index: int
    """Position in the branch of the token that is predicted, counted from 0."""
    token: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Branch:
    """What follows a shared prefix: tokens, and which of them (or others in their place) are to be learned."""

    tokens: Sequence[int]
    targets: Sequence[Target]


@dataclass(frozen=True, slots=True)
class Row:
    """A prefix of at least one token and the branches that continue it."""

    prefix: Sequence[int]
    branches: Sequence[Branch]


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of B rows padded to length L, with Q loss terms."""

    input_ids: torch.Tensor  # (B, L) int64
    position_ids: torch.Tensor  # (B, L) int64
    mask: torch.Tensor  # (B, 1, L, L) bool: may query (third axis) see key (fourth)?
    rows: torch.Tensor  # (Q,) row of each term
    columns: torch.Tensor  # (Q,) position whose output predicts the term's token
    tokens: torch.Tensor  # (Q,) token to predict
    weights: torch.Tensor  # (Q,) float32

    def to(self, device: torch.device | str) -> "Batch":
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))


def completion(tokens: Sequence[int], start: int = 0) -> Branch:
    """A branch whose tokens from `start` on are all learned with weight 1."""
    return Branch(tokens, [Target(i, token) for i, token in enumerate(tokens) if i >= start])


def collate(rows: Sequence[Row], pad: int = 0) -> Batch:
    """Join rows into one batch, padded on the right."""
    lengths = [len(row.prefix) + sum(len(branch.tokens) for branch in row.branches) for row in rows]
    size = max(lengths)
    input_ids = torch.full((len(rows), size), pad, dtype=torch.int64)  # (B, L)
    position_ids = torch.zeros((len(rows), size), dtype=torch.int64)  # (B, L)
    segment = torch.full((len(rows), size), -1, dtype=torch.int64)  # (B, L): 0 prefix, 1.. branches, -1 padding
    terms: list[tuple[int, int, int, float]] = []
    for r, row in enumerate(rows):
        prefix = len(row.prefix)
        input_ids[r, :prefix] = torch.as_tensor(row.prefix)
        position_ids[r, :prefix] = torch.arange(prefix)
        segment[r, :prefix] = 0
        start = prefix
        for b, branch in enumerate(row.branches, start=1):
            end = start + len(branch.tokens)
            input_ids[r, start:end] = torch.as_tensor(branch.tokens)
            position_ids[r, start:end] = torch.arange(prefix, prefix + end - start)
            segment[r, start:end] = b
            for target in branch.targets:
                column = start + target.index - 1 if target.index else prefix - 1
                terms.append((r, column, target.token, target.weight))
            start = end
    same = segment[:, :, None] == segment[:, None, :]  # (B, L, L)
    to_prefix = (segment[:, None, :] == 0) & (segment[:, :, None] >= 0)
    causal = torch.ones((size, size), dtype=torch.bool).tril()
    mask = ((same | to_prefix) & causal)[:, None]  # (B, 1, L, L)
    r_, c_, t_, w_ = zip(*terms, strict=True)
    return Batch(input_ids, position_ids, mask, torch.tensor(r_), torch.tensor(c_), torch.tensor(t_), torch.tensor(w_))


def term_logprobs(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Log-probability of every loss term's token, shape (Q,), float32.

    Only the positions that predict something reach the vocabulary projection.
    """
    needed, where = torch.unique(batch.columns, return_inverse=True)
    dtype = next(model.parameters()).dtype
    mask = torch.zeros(batch.mask.shape, dtype=dtype, device=batch.mask.device)
    mask.masked_fill_(~batch.mask, torch.finfo(dtype).min)
    logits = model(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        attention_mask=mask,
        use_cache=False,  # with a cache, packed rows leak into each other
        logits_to_keep=needed,
    ).logits  # (B, len(needed), V)
    scores = logits[batch.rows, where].float().log_softmax(-1)  # (Q, V)
    chosen: torch.Tensor = scores.gather(1, batch.tokens[:, None])
    return chosen[:, 0]


def loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Weighted mean of -log P over the loss terms."""
    return -(term_logprobs(model, batch) * batch.weights).sum() / batch.weights.sum()
