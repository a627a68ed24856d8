"""What is played in one round: the protocol of all games."""

from operator import index
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Joint = tuple[Any, ...]
"""One action per player, in the order of the players: indices, or points where contributions are continuous."""


Numbers = NDArray[np.float64]


@runtime_checkable
class StageGame(Protocol):
    """What is played in one round. Action 0 is the most cooperative, the last action the least."""

    @property
    def name(self) -> str: ...
    @property
    def n_players(self) -> int: ...
    @property
    def options(self) -> tuple[int, ...]:
        """Number of actions of each player; 0 where an action is any number of points up to the endowment."""
        ...

    @property
    def n_actions(self) -> int:
        """The largest of `options`."""
        ...

    @property
    def endowments(self) -> tuple[float, ...]:
        """Largest amount of each player where an action is an amount; empty elsewhere."""
        ...

    def payoffs(self, joint: Joint) -> tuple[float, ...]:
        """Payoffs in points, one per player."""
        ...

    def payoff_array(self, joints: NDArray[Any]) -> Numbers:
        """The same for many joint actions at once: shape (..., players) in and out."""
        ...

    def cooperation(self, action: Any, player: int | None = None) -> float:
        """How cooperative an action of a player is, from 0 to 1."""
        ...


def whole(action: Any, options: int) -> bool:
    """Whether an action is a whole number from 0 to `options` - 1."""
    try:
        return 0 <= index(action) < options
    except TypeError:
        return False
