"""Shared-prefix packing: a prompt and its K completions as one row.

The positions of each completion continue those of the prompt, and the attention mask restricts it to the prompt and
itself. Loss and gradient equal those of K separate rows, but the prompt is processed once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Target:
    """One term of the loss: -weight * log P(token | everything before `index`)."""

    index: int
    """Index in the branch of the predicted token, from 0."""
    token: int
    """Id of the predicted token."""
    weight: float = 1.0
    """Weight of the term."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A continuation of a shared prefix."""

    tokens: Sequence[int]
    """Token ids."""
    targets: Sequence[Target]
    """Loss terms; their tokens may differ from `tokens`."""


@dataclass(frozen=True, slots=True)
class PackedRow:
    """A prefix and the branches that continue it."""

    prefix: Sequence[int]
    """Token ids, at least one."""
    branches: Sequence[Branch]
    """Continuations, each independent of the others."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of B rows padded to length L, with Q loss terms."""

    input_ids: torch.Tensor
    """Token ids, shape (B, L), int64."""
    position_ids: torch.Tensor
    """Positions, shape (B, L), int64."""
    mask: torch.Tensor
    """Whether a query (third axis) attends to a key (fourth axis), shape (B, 1, L, L), bool."""
    rows: torch.Tensor
    """Row of each loss term, shape (Q,)."""
    columns: torch.Tensor
    """Position whose output predicts the token of each loss term, shape (Q,)."""
    tokens: torch.Tensor
    """Token that each loss term predicts, shape (Q,)."""
    weights: torch.Tensor
    """Weight of each loss term, shape (Q,), float32."""

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on another device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))


def completion(tokens: Sequence[int], start: int = 0) -> Branch:
    """A branch in which all tokens from index `start` on are loss terms of weight 1."""
    return Branch(tokens, [Target(i, token) for i, token in enumerate(tokens) if i >= start])


def collate(rows: Sequence[PackedRow], pad: int = 0) -> Batch:
    """Join rows into one batch, padded on the right with the token `pad`."""
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
    """Log-probability of the token of every loss term, shape (Q,), float32.

    Only positions that predict a token are projected onto the vocabulary.
    """
    needed, where = torch.unique(batch.columns, return_inverse=True)
    dtype = next(model.parameters()).dtype
    mask = torch.zeros(batch.mask.shape, dtype=dtype, device=batch.mask.device)
    mask.masked_fill_(~batch.mask, torch.finfo(dtype).min)
    logits = model(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        attention_mask=mask,
        use_cache=False,  # with a cache, the branches of a row attend to each other
        logits_to_keep=needed,
    ).logits  # (B, len(needed), V)
    scores = logits[batch.rows, where].float().log_softmax(-1)  # (Q, V)
    chosen: torch.Tensor = scores.gather(1, batch.tokens[:, None])
    return chosen[:, 0]


def loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Weighted mean of -log P over the loss terms."""
    return -(term_logprobs(model, batch) * batch.weights).sum() / batch.weights.sum()
