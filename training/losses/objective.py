"""The loss of what is read at the same time: that of each token to be predicted, and how far presentations disagree."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from dilemmas.training.losses.consistency import disagreement
from dilemmas.training.losses.token_divergence import TokenTeacher
from dilemmas.training.packing.lessons import Lesson, PlantedRow
from dilemmas.training.packing.network import Network


@dataclass(frozen=True, slots=True)
class Objective:
    """A network, and what it is to learn."""

    network: Network
    """The student."""
    consistency: float = 0.0
    """Weight of the disagreement of presentations, 0 or more."""
    teacher: TokenTeacher | None = None
    """The teacher of tokens, if lessons teach whole distributions."""

    def parts(self, bundles: Sequence[Sequence[Lesson]], tokens: int) -> Iterator[list[PlantedRow]]:
        """Rows that are read at a time, as in `Network.parts`; bundles are kept together if they are compared."""
        if self.consistency:
            return self.network.parts_of_bundles(bundles, tokens)
        return self.network.parts([lesson for bundle in bundles for lesson in bundle], tokens)

    @contextmanager
    def loss(self, rows: Sequence[PlantedRow]) -> Iterator[torch.Tensor]:
        """Context manager: the loss of rows, in nats, to be divided by the weight of all targets of a step.

        The backward pass belongs inside it.
        """
        with self.network.reading(rows) as (batch, logits):
            found = batch.chosen(logits)
            losses = -found if self.teacher is None else self.teacher.instead(-found, rows, batch, logits)
            total = (losses * batch.weights).sum()
            yield total + self.consistency * disagreement(rows, found) if self.consistency else total
