"""A language model as training sees it: lessons in, log-probabilities of their targets out."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from dilemmas.training.packing.batches import Batch, Packing, collate, term_logprobs
from dilemmas.training.packing.lessons import Lesson, arrange, build_tree
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

    def parts(self, lessons: Sequence[Lesson], tokens: int) -> Iterator[list[list[Lesson]]]:
        """Rows of lessons of at most `tokens` tokens together, padding included, or one row if it alone has more."""
        rows: list[list[Lesson]] = []
        for row in sorted(arrange(lessons, self.packing is not None), key=_size):
            if rows and (len(rows) + 1) * _size(row) > tokens:
                yield rows
                rows = []
            rows.append(row)
        yield rows

    def logprobs(self, rows: Sequence[Sequence[Lesson]]) -> torch.Tensor:
        """Log-probabilities of all targets, in the order of the rows and their lessons, shape (Q,), in nats."""
        return self._read(rows, collate(rows))

    def loss(self, rows: Sequence[Sequence[Lesson]]) -> torch.Tensor:
        """Weighted sum of -log P over all targets."""
        batch = collate(rows)
        found = self._read(rows, batch)
        return -(found * batch.weights.to(found.device)).sum()

    def _read(self, rows: Sequence[Sequence[Lesson]], batch: Batch) -> torch.Tensor:
        upper = nullcontext() if self.trunk is None else self.trunk.instead(rows)
        with upper:
            return term_logprobs(self.model, batch.to(self.model.device), self.packing)


def _size(row: Sequence[Lesson]) -> int:
    return len(build_tree([lesson.read for lesson in row]).tokens)
