"""Attention in prefix trees, block by block: a branch is compared with what leads to it, not with the other branches.

The result is that of attention over the whole row with the mask of the tree.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

SHORTEST, LONGEST = 32, 128
"""Tokens of a block from which on the next branch begins a block of its own, and after which it ends anyhow."""
WORTHWHILE = 0.7
"""Largest share of the products of whole rows that blocks may need, so that they are faster."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of a row of L tokens."""

    sizes: list[int]
    """Number of tokens of each; they sum to L."""
    keys: list[torch.Tensor]
    """Indices of the tokens to which those of each block attend, ascending."""

    @property
    def products(self) -> int:
        """Pairs of tokens that are compared."""
        return sum(size * len(keys) for size, keys in zip(self.sizes, self.keys, strict=True))


def find_blocks(ends: torch.Tensor) -> Blocks:
    """The blocks of a row: token i attends to token j if j <= i < ends[j], shape (L,)."""
    size = len(ends)
    branches = set(ends.tolist())  # where a token ends is where the next branch begins
    starts = [0]
    for place in range(1, size):
        length = place - starts[-1]
        if length >= LONGEST or (length >= SHORTEST and place in branches):
            starts.append(place)
    spans = list(zip(starts, [*starts[1:], size], strict=True))
    keys = [torch.nonzero(ends[:last] > first)[:, 0] for first, last in spans]
    return Blocks([last - first for first, last in spans], keys)


def can_read_in_blocks(model: Any) -> bool:
    """Whether `in_blocks` works: on a CPU, where blocks are faster, with attention that transformers can replace."""
    return model.device.type == "cpu" and _kind(model) in ALL_ATTENTION_FUNCTIONS


def _kind(model: Any) -> str:
    kind: str = model.config.get_text_config()._attn_implementation
    return kind


@contextmanager
def in_blocks(model: Any, ends: torch.Tensor) -> Iterator[None]:
    """Context manager: the attention of a network reads prefix trees block by block, if this needs less.

    `ends`: as for `find_blocks`, shape (B, L).
    """
    rows = [find_blocks(row) for row in ends]
    if sum(row.products for row in rows) > WORTHWHILE * ends.numel() * ends.shape[1]:
        yield
        return
    kind = _kind(model)
    ALL_ATTENTION_FUNCTIONS[kind] = _blockwise(ALL_ATTENTION_FUNCTIONS[kind], rows)
    try:
        yield
    finally:
        del ALL_ATTENTION_FUNCTIONS[kind]


def _blockwise(whole: Callable[..., Any], rows: Sequence[Blocks]) -> Callable[..., Any]:
    """An attention function of transformers that calls another one, `whole`, for each block of each row."""
    read = [torch.cat(row.keys) for row in rows]
    counts = [[len(keys) for keys in row.keys] for row in rows]

    def attention(
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor,
        **settings: Any,
    ) -> tuple[torch.Tensor, None]:
        found = []
        every = (tensor.split(1) for tensor in (query, key, value, attention_mask))
        for row, all_keys, count, q, k, v, mask in zip(rows, read, counts, *every, strict=True):
            blocks = zip(
                q.split(row.sizes, 2),
                k.index_select(2, all_keys).split(count, 2),
                v.index_select(2, all_keys).split(count, 2),
                (part.index_select(3, keys) for part, keys in zip(mask.split(row.sizes, 2), row.keys, strict=True)),
                strict=True,
            )
            found.append(torch.cat([whole(module, *block, **settings)[0] for block in blocks], 1))
        return torch.cat(found), None

    return attention
