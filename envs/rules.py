"""How a game is played: one protocol of pure functions on frozen values, and the repeated stage game.

A rules object never changes. It maps (state, joint action, random generator) to the next state, so a match
can be forked, pickled and replayed at any round. A round may have several phases (act; later also talk and
punish): `phase` says what may be done now and by how many options, and one `step` plays one phase.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from numbers import Integral, Real
from operator import index
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from understudy.envs.matrix_games import GameError

Joint = tuple[int, ...]
"""One action index per player, in the order of the players."""


@runtime_checkable
class StageGame(Protocol):
    """What is played in one round. Action 0 is the most cooperative, the last action the least."""

    @property
    def name(self) -> str: ...
    @property
    def n_players(self) -> int: ...
    @property
    def n_actions(self) -> int: ...
    def payoffs(self, joint: Joint) -> tuple[float, ...]:
        """Payoffs in points, one per player."""
        ...

    def cooperation(self, action: int) -> float:
        """How cooperative an action is, from 0 to 1."""
        ...


class Ending(Enum):
    """Why a match is over."""

    LAST_ROUND = "the fixed number of rounds was played"
    CHANCE = "the continuation draw ended the match"


@dataclass(frozen=True, slots=True)
class Phase:
    """What the players may do now."""

    name: str
    """``act`` in the repeated stage game."""
    options: tuple[int, ...]
    """Number of options of each player; 1 means that the player has nothing to choose."""


class State(NamedTuple):
    """Where a match stands, before the next phase."""

    round: int
    """Rounds completed."""
    phase: int
    """Index of the phase within the round."""
    history: tuple[Joint, ...]
    """The joint actions that players can still see, oldest first; at most the rules' memory."""
    ending: Ending | None = None
    """None while the match goes on."""


class Transition(NamedTuple):
    """What one phase did."""

    state: State
    joint: Joint
    """The joint action as it happened, after trembles."""
    payoffs: tuple[float, ...]
    """Points of each player in this phase."""


class View(NamedTuple):
    """What one player of a social dilemma knows when it is to act. Environments put it in their infos."""

    game: StageGame
    player: int
    """Index of the player at the table."""
    round: int
    """Rounds completed."""
    history: tuple[Joint, ...]
    """What the player can see of the past: own action first, then the others in order; oldest round first."""


class Rules(Protocol):
    """The rules of a match: everything an environment, a batch engine or a search needs to know."""

    @property
    def stage(self) -> StageGame: ...
    @property
    def memory(self) -> int:
        """How many rounds back the players see, 0 or more."""
        ...

    @property
    def n_players(self) -> int: ...
    @property
    def endless(self) -> bool:
        """Whether a match never ends by the rules."""
        ...

    def start(self) -> State: ...
    def phase(self, state: State) -> Phase: ...
    def step(self, state: State, joint: Joint, rng: np.random.Generator) -> Transition: ...
    def view(self, state: State, player: int) -> tuple[Joint, ...]:
        """The history as a player sees it: own action first, then the others in order; oldest round first."""
        ...


@dataclass(frozen=True, slots=True)
class Repeated:
    """A stage game played once or again and again by the same players."""

    stage: StageGame
    rounds: int | None = 1
    """Fixed number of rounds; None where only chance (or the clock of an environment) ends a match."""
    continuation: float = 1.0
    """Probability, from 0 to 1, that a round is followed by another one."""
    noise: float = 0.0
    """Trembling hand: probability, 0 to 1, that an action is replaced by one of the others, uniformly."""
    memory: int = 1
    """How many rounds back the players see."""

    def __post_init__(self) -> None:
        if self.rounds is not None and not (isinstance(self.rounds, Integral) and self.rounds >= 1):
            raise GameError(f"rounds = {self.rounds!r}; needs a whole number from 1 up, or None for no limit")
        for name in ("continuation", "noise"):
            value = getattr(self, name)
            if not (isinstance(value, Real) and 0.0 <= float(value) <= 1.0):
                raise GameError(f"{name} = {value!r}; a probability lies in [0, 1]")
        if not (isinstance(self.memory, Integral) and self.memory >= 0):
            raise GameError(f"memory = {self.memory!r}; needs a whole number of rounds from 0 up")

    @property
    def n_players(self) -> int:
        return self.stage.n_players

    @property
    def endless(self) -> bool:
        return self.rounds is None and self.continuation == 1.0

    def start(self) -> State:
        return State(round=0, phase=0, history=())

    def phase(self, state: State) -> Phase:
        return Phase("act", (self.stage.n_actions,) * self.stage.n_players)

    def step(self, state: State, joint: Joint, rng: np.random.Generator) -> Transition:
        """Play one round. Draws from `rng` only where there is chance: trembles, then the continuation."""
        if state.ending is not None:
            raise GameError(f"the match is over after round {state.round}: {state.ending.value}")
        joint = self._legal(joint)
        if self.noise:
            joint = tuple(self._tremble(action, rng) for action in joint)
        ending = None
        if self.rounds is not None and state.round + 1 >= self.rounds:
            ending = Ending.LAST_ROUND
        elif self.continuation < 1.0 and rng.random() >= self.continuation:
            ending = Ending.CHANCE
        history = (*state.history, joint)[-self.memory :] if self.memory else ()
        return Transition(State(state.round + 1, 0, history, ending), joint, self.stage.payoffs(joint))

    def view(self, state: State, player: int) -> tuple[Joint, ...]:
        return tuple((joint[player], *joint[:player], *joint[player + 1 :]) for joint in state.history)

    def _legal(self, joint: Sequence[Any]) -> Joint:
        """The joint action as plain integers, or the error that names what cannot be played."""
        if len(joint) != self.n_players:
            raise GameError(f"joint action {joint} has {len(joint)} actions for {self.n_players} players")
        try:
            legal = tuple(map(int, map(index, joint)))
        except TypeError:
            legal = (-1,)
        last = self.stage.n_actions - 1
        if min(legal) < 0 or max(legal) > last:
            player = [_within(action, last) for action in joint].index(False)
            culprit = f"action {joint[player]!r} of player_{player}"
            raise GameError(f"{culprit} is outside 0..{last} of {self.stage.name}")
        return legal

    def _tremble(self, action: int, rng: np.random.Generator) -> int:
        if rng.random() >= self.noise:
            return action
        return (action + int(rng.integers(1, self.stage.n_actions))) % self.stage.n_actions


def _within(action: Any, last: int) -> bool:
    """Whether an action is a whole number from 0 to `last`."""
    try:
        return 0 <= index(action) <= last
    except TypeError:
        return False
