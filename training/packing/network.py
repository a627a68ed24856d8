"""A language model as training sees it: lessons in, log-probabilities of their targets out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from dilemmas.training.packing.batches import Batch, Packing, collate, place_logits, reading
from dilemmas.training.packing.lessons import Lesson, PlantedRow, arrange
from dilemmas.training.packing.trunk import Trunk


@dataclass(frozen=True, slots=True)
class Network:
    """A causal language model of transformers, and how lessons are put to it."""

    model: Any
    """The model, with or without an adapter of peft."""
    packing: Packing | None
    """How it reads several texts in one row; None if each text needs a row of its own."""
    trunk: Trunk | None = None
    """The output of its lower layers for all lessons; None if all layers are run."""

    def arranged(self, lessons: Sequence[Lesson], tokens: int) -> list[PlantedRow]:
        """Lessons in rows of at most `tokens` tokens, or what one question needs."""
        return arrange(lessons, self.packing is not None, tokens, self.packing is not None and self.packing.blocks)

    def parts(self, lessons: Sequence[Lesson], tokens: int) -> Iterator[list[PlantedRow]]:
        """Rows of lessons of at most `tokens` tokens together, padding included, or one row if it alone has more."""
        rows: list[PlantedRow] = []
        for row in sorted(self.arranged(lessons, tokens), key=lambda row: len(row.tree.tokens)):
            if rows and (len(rows) + 1) * len(row.tree.tokens) > tokens:
                yield rows
                rows = []
            rows.append(row)
        yield rows

    def parts_of_bundles(self, bundles: Sequence[Sequence[Lesson]], tokens: int) -> Iterator[list[PlantedRow]]:
        """As `parts`, with the lessons of a bundle always in the same part, whatever its size."""
        parts = list(self.parts([lesson for bundle in bundles for lesson in bundle], tokens))
        if len(parts) == 1 or len(bundles) == 1:
            yield [row for rows in parts for row in rows]
        else:
            half = len(bundles) // 2
            yield from self.parts_of_bundles(bundles[:half], tokens)
            yield from self.parts_of_bundles(bundles[half:], tokens)

    def logprobs(self, rows: Sequence[PlantedRow]) -> torch.Tensor:
        """Log-probabilities of all targets, in the order of the rows and their lessons, shape (Q,), in nats."""
        with self.reading(rows) as (batch, logits):
            return batch.chosen(logits)

    @contextmanager
    def reading(self, rows: Sequence[PlantedRow]) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Context manager: rows as a batch on the device of the model, and logits at its places, shape (P, V).

        The backward pass belongs inside it if activations are computed again.
        """
        batch = collate(rows).to(self.model.device)
        upper = nullcontext() if self.trunk is None else self.trunk.instead(rows)
        with upper, reading(self.model, batch, self.packing):
            yield batch, place_logits(self.model, batch, self.packing)
