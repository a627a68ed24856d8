"""The course of a training: its losses, what was measured on held-out situations, and when it ends early."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(slots=True)
class TrainingCourse:
    """What came of the steps so far."""

    losses: list[float] = field(default_factory=list)
    """Loss of every step, in nats."""
    held_out: list[tuple[int, float]] = field(default_factory=list)
    """Number of completed steps, and the divergence on held-out situations after them, in nats."""
    best: dict[str, torch.Tensor] | None = None
    """Weights of the adapter where that divergence was lowest after the first step; None unless they are kept."""

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "TrainingCourse":
        """From the state of a checkpoint."""
        return cls(list(state["losses"]), [tuple(one) for one in state["held_out"]], state["best"])

    def state(self) -> dict[str, Any]:
        """As it is kept in a checkpoint."""
        return {"losses": list(self.losses), "held_out": list(self.held_out), "best": self.best}

    def measure(self, divergence: float, weights: Mapping[str, torch.Tensor] | None) -> None:
        """Note a divergence after the steps so far. `weights`: those of the adapter, if the best are kept."""
        if weights is not None and self.losses and divergence < min(self._tuned, default=torch.inf):
            self.best = {name: weight.detach().clone() for name, weight in weights.items()}
        self.held_out.append((len(self.losses), divergence))

    def ended(self, patience: int) -> bool:
        """Whether `patience` measurements in a row were no better than the best before; 0: never."""
        values = self._tuned
        return bool(values) and len(values) - 1 - values.index(min(values)) >= patience > 0

    @property
    def last(self) -> float | None:
        """The last divergence; None without any."""
        return self.held_out[-1][1] if self.held_out else None

    @property
    def _tuned(self) -> list[float]:
        """The divergences after the first step: an adapter that changes nothing is none."""
        return [value for step, value in self.held_out if step]
