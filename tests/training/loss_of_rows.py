"""The loss of rows, for tests in which no activation is computed again."""

from collections.abc import Sequence

import torch

from dilemmas.training.losses.objective import Objective
from dilemmas.training.packing.lessons import PlantedRow
from dilemmas.training.packing.network import Network


def loss_of(student: Network | Objective, rows: Sequence[PlantedRow]) -> torch.Tensor:
    """The loss of a student, or of a network that learns what its lessons say."""
    with (Objective(student) if isinstance(student, Network) else student).loss(rows) as loss:
        return loss
