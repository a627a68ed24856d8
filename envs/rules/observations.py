"""What a player sees, in numbers between 0 and 1: the last rounds, and what this round has brought so far."""

from collections.abc import Sequence
from itertools import accumulate
from math import prod

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.rules.protocol import View

Observation = NDArray[np.float32]


class Layout:
    """How the views of a repeated game are laid out in a vector.

    In order: the last `memory` rounds, oldest first, as (round, player, action), own action first; and, where the rules
    have such things, the step within the round (one-hot), the signals of this round (turn, player, signal), this
    round's joint action, the sanctions of the last round (player; 0.5 is none), and the share of the rounds that is
    left. An action is one-hot, or its share of the largest endowment where it is an amount. What is not yet there is 0.
    Where there is nothing to see at all, a vector is a single 0.
    """

    def __init__(
        self,
        game: StageGame,
        memory: int,
        phases: Sequence[str],
        signals: int,
        most_sanctioned: float | None,
        clock: bool,
    ) -> None:
        """`phases`: their names in order. `signals`: size of the alphabet, words being one more signal.
        `most_sanctioned`: most points that the sanctions of a round can move, None where there are none."""
        n = game.n_players
        self.largest = max(game.endowments, default=0.0)
        """The largest amount of any player, in points; 0 where actions are no amounts."""
        self.width = game.n_actions or 1
        """Numbers per action."""
        self.turns = phases.count("talk")
        self.phases = phases
        self.most_sanctioned = most_sanctioned
        sanctions = most_sanctioned is not None
        self.shapes: dict[str, tuple[int, ...]] = {
            "history": (memory, n, self.width),
            "phase": (len(phases) if len(phases) > 1 else 0,),
            "said": (self.turns, n, signals),
            "acted": (n if sanctions else 0, self.width),
            "sanctioned": (n if sanctions else 0,),
            "clock": (int(clock),),
        }
        """The parts of a vector, in order."""
        lengths = [prod(shape) for shape in self.shapes.values()]
        ends = list(accumulate(lengths))
        self.places = {name: slice(end - k, end) for name, end, k in zip(self.shapes, ends, lengths, strict=True)}
        """Where each part lies."""
        self.size = max(1, ends[-1])
        """Length of a vector."""

    def encode(self, view: View) -> Observation:
        """A view in numbers, shape (size,)."""
        vector = np.zeros(self.size, dtype=np.float32)
        if view.history:
            self._part(vector, "history")[-len(view.history) :] = [self._actions(joint) for joint in view.history]
        if len(self.phases) > 1:
            step = len(view.said) if view.phase == "talk" else self.phases.index(view.phase)
            self._part(vector, "phase")[step] = 1
        for turn, joint in enumerate(view.said):
            for seat, signal in enumerate(joint):
                self._part(vector, "said")[turn, seat, -1 if isinstance(signal, str) else signal] = 1
        if view.acted is not None:
            self._part(vector, "acted")[:] = self._actions(view.acted)
        if self.most_sanctioned is not None:
            moved = view.sanctioned or (0.0,) * len(self._part(vector, "sanctioned"))
            self._part(vector, "sanctioned")[:] = [0.5 + 0.5 * points / (self.most_sanctioned or 1) for points in moved]
        if view.rounds is not None:
            self._part(vector, "clock")[:] = (view.rounds - view.round) / view.rounds
        return vector

    def _part(self, vector: Observation, name: str) -> Observation:
        """A part of a vector, in its own shape."""
        return vector[self.places[name]].reshape(self.shapes[name])

    def _actions(self, joint: Joint) -> list[list[float]]:
        """A joint action in numbers."""
        if self.largest:
            return [[amount / self.largest] for amount in joint]
        return [[float(action == option) for option in range(self.width)] for action in joint]
