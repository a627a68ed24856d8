"""The trunk of a network: its lower layers, which are not tuned, are run once for all texts, and their output is kept.

Whatever a network does before its first tuned layer is so done once, not in every step. Loss and gradient are the same.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from dilemmas.training.packing.batches import Batch, Packing, collate, find_layers, forward_arguments, reading
from dilemmas.training.packing.lessons import PlantedRow, Tokens

MEMORY = 4 << 30
"""Most bytes that are kept; a trunk whose output is larger is run in every step."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """The output of the lower layers for a set of texts."""

    layers: torch.nn.ModuleList
    """All layers of the network."""
    lower: int
    """Number of layers that were run, at least 1."""
    kept: torch.Tensor
    """Their output at every token of the texts' prefix trees, shape (N, d)."""
    index: dict[Tokens, torch.Tensor]
    """Index into `kept` of each token of each text, by the tokens that are read."""
    in_tuple: bool
    """Whether a layer returns its output in a tuple."""

    @contextmanager
    def instead(self, rows: Sequence[PlantedRow]) -> Iterator[None]:
        """Context manager: the network reads these rows from what was kept of them on."""
        sources = torch.zeros((len(rows), max(len(row.tree.tokens) for row in rows)), dtype=torch.int64)  # (B, L)
        for r, row in enumerate(rows):
            for lesson, path in zip(row.lessons, row.tree.paths, strict=True):
                sources[r, path] = self.index[lesson.read]
        hidden = self.kept[sources.to(self.kept.device)]  # (B, L, d)
        below = list(self.layers[: self.lower])
        try:
            for place, layer in enumerate(below):
                self.layers[place] = _Given(layer, hidden, self.in_tuple)
            yield
        finally:
            for place, layer in enumerate(below):
                self.layers[place] = layer


class _Given(torch.nn.Module):
    """A layer that returns what was kept; attributes are those of the layer whose place it takes."""

    def __init__(self, layer: torch.nn.Module, hidden: torch.Tensor, in_tuple: bool) -> None:
        super().__init__()
        self.__dict__ |= {"_layer": layer, "_output": (hidden,) if in_tuple else hidden}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_layer"], name)

    def forward(self, *_: Any, **__: Any) -> Any:
        return self.__dict__["_output"]


class _Reached(Exception):
    """The first layer that is tuned."""

    def __init__(self, hidden: torch.Tensor) -> None:
        super().__init__()
        self.hidden = hidden


@torch.no_grad()
def run_trunk(
    model: Any, packing: Packing | None, lower: int, parts: Sequence[Sequence[PlantedRow]]
) -> Generator[float, None, Trunk | None]:
    """Run the lower layers once for all lessons.

    Parameters
    ----------
    model, packing
        A causal language model of transformers, and how it reads several texts in one row.
    lower
        Number of layers that are not tuned, at least 1 and below the number of layers.
    parts
        The lessons in rows, those that are read at a time.

    Yields
    ------
    Share of the parts that have been read, before each.

    Returns
    -------
    The trunk; None if the layers are not in one list, or their output does not fit into `MEMORY`.
    """
    layers = find_layers(model)
    if layers is None:
        return None
    kept: list[torch.Tensor] = []
    index: dict[Tokens, torch.Tensor] = {}
    size = 0
    with _stopping(layers[lower]), _noted(layers[0]) as in_tuple:
        for number, rows in enumerate(parts):
            yield number / len(parts)
            hidden = _reached(model, packing, collate(rows).to(model.device))
            for row, states in zip(rows, hidden, strict=True):
                paths = zip(row.lessons, row.tree.paths, strict=True)
                index |= {lesson.read: size + torch.tensor(path) for lesson, path in paths}
                kept.append(states[: len(row.tree.tokens)].clone())
                size += len(row.tree.tokens)
            if size * hidden.shape[2] * hidden.element_size() > MEMORY:
                return None
    return Trunk(layers, lower, torch.cat(kept), index, in_tuple[0])


def _reached(model: Any, packing: Packing | None, batch: Batch) -> torch.Tensor:
    """Input of the first tuned layer, shape (B, L, d)."""
    try:
        with reading(model, batch, packing):
            model(**forward_arguments(batch, packing, model.dtype))
    except _Reached as reached:
        return reached.hidden
    raise AssertionError("a network runs its layers")


@contextmanager
def _stopping(layer: torch.nn.Module) -> Iterator[None]:
    """Context manager: the network ends where this layer would begin."""

    def stop(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        raise _Reached(given[0] if given else named["hidden_states"])

    handle = layer.register_forward_pre_hook(stop, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _noted(layer: torch.nn.Module) -> Iterator[list[bool]]:
    """Context manager: whether a layer returns its output in a tuple, one element per call."""
    notes: list[bool] = []
    handle = layer.register_forward_hook(lambda _, __, out: notes.append(isinstance(out, tuple)))
    try:
        yield notes
    finally:
        handle.remove()
