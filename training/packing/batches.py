"""Batches of lessons as tensors, and the log-probabilities that a network gives their tokens.

Loss and gradient equal those of one row per text, but what texts have in common is read once. What a network needs so
that this is true is found by trial (`dilemmas.training.packing.trial`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from dilemmas.agents.models.networks.texts import added_mask
from dilemmas.training.packing.attention import in_blocks
from dilemmas.training.packing.lessons import PlantedRow


@dataclass(frozen=True, slots=True)
class Packing:
    """How a network reads several texts in one row: the attention masks that its layers need."""

    windows: Mapping[str, int]
    """Number of positions to which layers of each type attend, 0 for all. One type, of any name: they are all alike."""
    blocks: bool = False
    """Whether attention is computed block by block; only on a CPU, and where transformers lets it be replaced."""


ALIKE = Packing({"all": 0})
"""Layers that attend to everything before."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of B rows padded to length L, with P places at which Q loss terms predict a token."""

    input_ids: torch.Tensor
    """Token ids, shape (B, L), int64."""
    position_ids: torch.Tensor
    """Positions, shape (B, L), int64; 0 for padding."""
    ends: torch.Tensor
    """Token i attends to token j if j <= i < ends[j], shape (B, L), int64; padding attends to itself."""
    real: torch.Tensor
    """1 where there is a token, 0 where there is padding; shape (B, L), int64."""
    places: torch.Tensor
    """Places whose output predicts a token, as indices into B * L, shape (P,), ascending."""
    terms: torch.Tensor
    """Index into `places` of each loss term, shape (Q,)."""
    tokens: torch.Tensor
    """Token that each loss term predicts, shape (Q,)."""
    weights: torch.Tensor
    """Weight of each loss term, shape (Q,), float32."""

    def to(self, device: torch.device | str) -> "Batch":
        """The batch on another device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))

    def chosen(self, logits: torch.Tensor) -> torch.Tensor:
        """Log-probability of the token of every loss term, shape (Q,), from logits at the places, shape (P, V)."""
        return logits[self.terms, self.tokens] - logits.logsumexp(-1)[self.terms]


def collate(rows: Sequence[PlantedRow]) -> Batch:
    """Join rows of lessons into one batch, padded on the right.

    The loss terms are in the order of the rows, their lessons, and the targets of these.
    """
    sizes = torch.tensor([[len(row.tree.tokens)] for row in rows])
    size = int(sizes.max())
    input_ids = torch.zeros((len(rows), size), dtype=torch.int64)  # (B, L)
    position_ids = torch.zeros((len(rows), size), dtype=torch.int64)  # (B, L)
    ends = torch.arange(1, size + 1).repeat(len(rows), 1)  # (B, L)
    terms: list[tuple[int, int, float]] = []
    for r, row in enumerate(rows):
        tree, length = row.tree, len(row.tree.tokens)
        input_ids[r, :length] = torch.as_tensor(tree.tokens)
        position_ids[r, :length] = torch.as_tensor(tree.positions)
        ends[r, :length] = torch.as_tensor(tree.ends)
        for lesson, path in zip(row.lessons, tree.paths, strict=True):
            terms += [(r * size + path[one.place - 1], one.token, one.weight) for one in lesson.targets]
    real = (torch.arange(size) < sizes).long()
    at, tokens, weights = map(torch.tensor, zip(*terms, strict=True))
    places, where = torch.unique(at, return_inverse=True)
    return Batch(input_ids, position_ids, ends, real, places, where, tokens, weights.float())


@contextmanager
def reading(model: Any, batch: Batch, packing: Packing | None) -> Iterator[None]:
    """Context manager: a network reads this batch with as little work as it can.

    The backward pass belongs inside it: activations may be computed again there.
    """
    blocks = in_blocks(model, batch.ends) if packing is not None and packing.blocks else nullcontext()
    with blocks, _only_at(model, batch):
        yield


def place_logits(model: Any, batch: Batch, packing: Packing | None) -> torch.Tensor:
    """What a network that is `reading` a batch predicts at every place, shape (P, V), float32.

    `packing`: None for rows with one text each.
    """
    logits: torch.Tensor = model(**forward_arguments(batch, packing, model.dtype)).logits[0].float()
    return logits


def forward_arguments(batch: Batch, packing: Packing | None, dtype: torch.dtype) -> dict[str, Any]:
    """What a network is given for a batch."""
    given: dict[str, Any] = {"input_ids": batch.input_ids, "use_cache": False}
    if packing is None:
        return given | {"attention_mask": batch.real}
    return given | {"attention_mask": _masks(batch, packing, dtype), "position_ids": batch.position_ids}


def find_layers(model: Any) -> torch.nn.ModuleList | None:
    """The layers of a network, the first below; None if they are not in one list."""
    count = model.config.get_text_config().num_hidden_layers
    lists = (module for module in model.modules() if isinstance(module, torch.nn.ModuleList) and len(module) == count)
    return next(lists, None)


@contextmanager
def _only_at(model: Any, batch: Batch) -> Iterator[None]:
    """Context manager: what nothing but the output depends on, is computed at the places alone, as one row.

    This is the head, and the feed-forward network of the last layer.
    """
    places, shape = batch.places, batch.input_ids.shape

    def chosen(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not given or not all(isinstance(one, torch.Tensor) and one.shape[:2] == shape for one in given):
            return None
        return tuple(one.flatten(0, 1).index_select(0, places)[None] for one in given)

    def put_back(_: Any, given: tuple[Any, ...], found: Any) -> Any:
        if not given or given[0].shape[:2] != (1, len(places)):
            return None
        first = found[0] if isinstance(found, tuple) else found
        whole = first.new_zeros((shape.numel(), first.shape[-1])).index_copy(0, places, first[0]).unflatten(0, shape)
        return (whole, *found[1:]) if isinstance(found, tuple) else whole

    handles = [model.get_output_embeddings().register_forward_pre_hook(chosen)]
    if (last := _last_feed_forward(model)) is not None:
        handles += [last.register_forward_pre_hook(chosen), last.register_forward_hook(put_back)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _last_feed_forward(model: Any) -> torch.nn.Module | None:
    """The feed-forward network of the last layer, which reads every token alone; None if it has another name."""
    layers = find_layers(model)
    found: torch.nn.Module | None = getattr(layers[-1], "mlp", None) if layers else None
    return found


def _masks(batch: Batch, packing: Packing, dtype: torch.dtype) -> torch.Tensor | dict[str, torch.Tensor]:
    """What is added to the attention of each type of layer, shape (B, 1, L, L)."""
    index = torch.arange(batch.ends.shape[1], device=batch.ends.device)
    leads = (index[None, None] <= index[None, :, None]) & (index[None, :, None] < batch.ends[:, None])  # (B, L, L)
    masks = {}
    for kind, window in packing.windows.items():
        near = batch.position_ids[:, :, None] - batch.position_ids[:, None] < window if window else True  # (B, L, L)
        masks[kind] = added_mask(leads & near, dtype)
    return masks if len(masks) > 1 else next(iter(masks.values()))
