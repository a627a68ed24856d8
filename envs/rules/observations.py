"""Encoding of views and states as vectors with values in [0, 1]."""

from collections.abc import Mapping
from itertools import accumulate
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Joint
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.protocol import Rules, State, View

Observation = NDArray[np.float32]


class Layout(Protocol):
    """Encoder of the views and states of a match."""

    phases: list[str]
    """Names of the phases, in order."""
    most_sanctioned: float | None
    """Most points that the sanctions of a round can give to or take from a player; None without sanctions."""
    shapes: dict[str, tuple[int, ...]]
    """Shapes of the parts of a vector, in order: history, phase, said, acted, sanctioned, clock."""
    places: dict[str, slice]
    """Slice of each part in a vector."""

    @property
    def size(self) -> int:
        """Length of an encoded view."""
        ...

    @property
    def state_size(self) -> int:
        """Length of an encoded state."""
        ...

    def encode(self, view: View) -> Observation:
        """Encode a view, shape (size,)."""
        ...

    def encode_state(self, state: State) -> Observation:
        """Encode a state without errors of perception, shape (state_size,)."""
        ...


class GroupLayout:
    """Encoder of matches in which all players play the stage game together.

    A vector consists of the last `memory` rounds, oldest first, shape (round, player, action), own action first; and,
    if the rules have them: the phase (one-hot), the signals of the current round (turn, player, signal), the joint
    action of the current round, the sanctions of the last round (player; 0.5 is none), and the share of the rounds
    that remains. An action is one-hot; an amount is divided by the largest endowment. Rounds and signals that have not
    happened yet are 0. If nothing can be observed, the vector is a single 0.

    Parameters
    ----------
    rules
        Rules of the match.
    """

    def __init__(self, rules: Rules) -> None:
        game, n = rules.stage, rules.n_players
        self._rules = rules
        self.phases = [phase.name for phase in rules.phases]
        """Names of the phases, in order."""
        self.largest = max(game.endowments, default=0.0)
        """Largest endowment, in points; 0 if actions are not amounts."""
        self.width = game.n_actions or 1
        """Length of an encoded action."""
        self.turns = self.phases.count("talk")
        """Number of turns of talk per round."""
        stages = [stage for stage in (rules.punishment, rules.reward) if stage is not None]
        self.most_sanctioned: float | None = max(
            (stage.effect * stage.points * (n - 1) for stage in stages), default=None
        )
        """Most points that the sanctions of a round can give to or take from a player; None without sanctions."""
        self.shapes: dict[str, tuple[int, ...]] = {
            "history": (rules.memory, n, self.width),
            "phase": (len(self.phases) if len(self.phases) > 1 else 0,),
            "said": (self.turns, n, rules.talk.signals + rules.talk.words if rules.talk else 0),
            "acted": (n if stages else 0, self.width),
            "sanctioned": (n if stages else 0,),
            "clock": (int(rules.clock),),
        }
        """Shapes of the parts of a vector, in order."""
        self.places = _places(self.shapes)
        """Slice of each part in a vector."""
        self.size = max(1, self.places["clock"].stop)
        """Length of an encoded view."""
        self.state_size = self.size
        """Length of an encoded state."""

    def encode(self, view: View) -> Observation:
        """Encode a view, shape (size,)."""
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

    def encode_state(self, state: State) -> Observation:
        """Encode the view of the first player without errors of perception, shape (state_size,)."""
        return self.encode(self._rules.view(state._replace(seen=None, perceived=None), 0))

    def _part(self, vector: Observation, name: str) -> Observation:
        """A part of a vector, reshaped."""
        return vector[self.places[name]].reshape(self.shapes[name])

    def _actions(self, joint: Joint) -> list[list[float]]:
        """A joint action, shape (player, width)."""
        if self.largest:
            return [[amount / self.largest] for amount in joint]
        return [[float(action == option) for option in range(self.width)] for action in joint]


def _places(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, slice]:
    """Slice of each part in a vector, from their shapes in order."""
    lengths = [prod(shape) for shape in shapes.values()]
    ends = accumulate(lengths)
    return {name: slice(end - k, end) for name, end, k in zip(shapes, ends, lengths, strict=True)}


class PopulationLayout:
    """Encoder of matches of a population, in which the number of neighbours may differ between players.

    Parameters
    ----------
    rules
        Rules of the match.
    population
        Interaction structure of the players.
    """

    def __init__(self, rules: Rules, population: Population) -> None:
        self._memory, self._players, self._options = rules.memory, population.size, rules.stage.n_actions
        self._clock = rules.clock
        self.phases = ["act"]
        """Names of the phases, in order."""
        self.most_sanctioned: float | None = None
        """There are no sanctions in a population."""
        self.shapes: dict[str, tuple[int, ...]] = {
            "history": (rules.memory, 2, self._options),
            **dict.fromkeys(("phase", "said", "acted", "sanctioned"), (0,)),
            "clock": (int(rules.clock),),
        }
        """Shapes of the parts of a vector, in order; those of a group that a population lacks are empty."""
        self.places = _places(self.shapes)
        """Slice of each part in a vector."""
        self.size = max(1, self.places["clock"].stop)
        """Length of an encoded view."""
        self.state_size = max(1, self._memory * self._players * self._options + self._clock)
        """Length of an encoded state."""

    def encode(self, view: View) -> Observation:
        """Encode a view, shape (size,).

        For each round, oldest first: own action (one-hot) and frequency of each action among the neighbours or
        partner; then, if the players know it, the share of the rounds that remains.
        """
        block = np.zeros((self._memory, 2, self._options), dtype=np.float32)
        for place, (mine, *theirs) in enumerate(view.history, start=self._memory - len(view.history)):
            block[place, 0, mine] = 1
            if theirs:
                block[place, 1] = np.bincount(theirs, minlength=self._options) / len(theirs)
        return self._timed(block, view.round, view.rounds)

    def encode_state(self, state: State) -> Observation:
        """Encode a state, shape (state_size,).

        For each round, oldest first: the action of each player (one-hot); then, if the players know it, the share of
        the rounds that remains.
        """
        block = np.zeros((self._memory, self._players, self._options), dtype=np.float32)
        for place, joint in enumerate(state.history, start=self._memory - len(state.history)):
            block[place, np.arange(self._players), joint] = 1
        return self._timed(block, state.round, state.length)

    def _timed(self, block: Observation, played: int, rounds: int | None) -> Observation:
        """Flatten a block and append the share of the rounds that remains if it is known; 0 if there is neither."""
        left = [1 - played / rounds] if self._clock and rounds is not None else []
        return np.append(block.ravel(), left if left or block.size else [0.0]).astype(np.float32)
