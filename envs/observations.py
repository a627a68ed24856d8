"""What players see, in numbers: the last rounds one-hot, one vector per player."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.envs.rules import Joint, Rules, State

KEPT = 4096
"""Where there are at most so many histories, each is encoded once and kept; else at every step."""

Observation = NDArray[np.float32]


def encode(histories: Sequence[Sequence[Joint]], n_actions: int, memory: int) -> Observation:
    """Vectors of 0 and 1, one per player, shape (players, memory * players * n_actions).

    `histories`: per player the joint actions it can see, own action first, oldest round first. A vector reads
    (round, player, action): the last round played fills the last place, and where none was played yet there
    are zeros. With `memory` 0 there is nothing to see: shape (players, 1), a constant 0.
    """
    n_players, seen = len(histories), len(histories[0])
    if memory == 0:
        return np.zeros((n_players, 1), dtype=np.float32)
    block = np.zeros((n_players, memory, n_players, n_actions), dtype=np.float32)
    if seen:
        block[:, memory - seen :] = np.eye(n_actions, dtype=np.float32)[np.asarray(histories)]
    return block.reshape(n_players, -1)


class Seen(NamedTuple):
    """What one player sees of the past."""

    player: int
    history: tuple[Joint, ...]
    """Own action first, then the others in order; oldest round first."""
    vector: Observation
    """The same in numbers; to be copied before it is given away."""


class Sight:
    """Looks up what every player sees in a state."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.n_actions = rules.stage.n_actions
        self.size = max(1, rules.memory * rules.n_players * self.n_actions)
        """Length of an observation."""
        self._keep = self.n_actions ** (rules.n_players * rules.memory) <= KEPT
        self._kept: dict[tuple[Joint, ...], list[Seen]] = {}

    def __reduce__(self) -> tuple[type["Sight"], tuple[Rules]]:
        """Copies and pickles leave behind what is kept: it is quickly made again."""
        return Sight, (self.rules,)

    def __call__(self, state: State) -> list[Seen]:
        """What is seen, by player."""
        seen = self._kept.get(state.history)
        if seen is None:
            seats = range(self.rules.n_players)
            histories = [self.rules.view(state, player) for player in seats]
            vectors = encode(histories, self.n_actions, self.rules.memory)
            seen = [Seen(player, histories[player], vectors[player]) for player in seats]
            if self._keep:
                self._kept[state.history] = seen
        return seen
