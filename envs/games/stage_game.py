"""The protocol of all stage games, which are played in one round."""

from operator import index
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Joint = tuple[Any, ...]
"""A joint action: one action per player in order; indices, or points where actions are continuous."""

Numbers = NDArray[np.float64]
"""An array of payoffs, probabilities or other numbers."""


@runtime_checkable
class StageGame(Protocol):
    """A game that is played in one round. Action 0 is the most cooperative, the last action the least cooperative."""

    @property
    def name(self) -> str:
        """Identifier of the game, for example ``stag_hunt``."""
        ...

    @property
    def n_players(self) -> int:
        """Number of players, at least 2."""
        ...

    @property
    def options(self) -> tuple[int, ...]:
        """Number of actions of each player; 0 where an action is any amount from 0 to the endowment."""
        ...

    @property
    def n_actions(self) -> int:
        """The largest of `options`."""
        ...

    @property
    def endowments(self) -> tuple[float, ...]:
        """Largest amount of each player, in points, where actions are amounts; otherwise empty."""
        ...

    def payoffs(self, joint: Joint) -> tuple[float, ...]:
        """Payoffs in points, one per player."""
        ...

    def payoff_array(self, joints: NDArray[Any]) -> Numbers:
        """Payoffs in points of many joint actions: shape (..., players) in and out."""
        ...

    def cooperation(self, action: Any, player: int | None = None) -> float:
        """How cooperative an action is, from 0 to 1; `player` is needed where players have different actions."""
        ...


def whole(action: Any, options: int) -> bool:
    """Whether an action is an integer from 0 to `options` - 1."""
    try:
        return 0 <= index(action) < options
    except TypeError:
        return False
