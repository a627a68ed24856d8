"""How a game is played: one protocol of pure functions on frozen values.

A rules object never changes. It maps (state, joint action, random generator) to the next state, so a match can be
forked, pickled and replayed at any round. A round may have several phases (talk, act, sanction): `phase` says what may
be done now and by how many options, and one `step` plays one phase.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.stages import Sanction, Talk


class Ending(Enum):
    """Why a match is over."""

    LAST_ROUND = "the fixed number of rounds was played"
    CHANCE = "the continuation draw ended the match"


@dataclass(frozen=True, slots=True)
class Phase:
    """What the players may do now."""

    name: str
    """``talk``, ``act``, ``punish`` or ``reward``."""
    options: tuple[int, ...]
    """Number of options of each player; 0 = any number of points up to the endowment."""
    default: tuple[int, ...]
    """What is done for a player whose action belongs to another phase: silence, defection, no sanction."""


class State(NamedTuple):
    """Where a match stands, before the next phase."""

    round: int
    """Rounds completed."""
    phase: int
    """Index of the phase within the round."""
    history: tuple[Joint, ...]
    """The joint actions of the last rounds as they happened, oldest first; at most the rules' memory."""
    ending: Ending | None = None
    """None while the match goes on."""
    length: int | None = None
    """Rounds after which the match ends at the latest; None for no limit."""
    seen: tuple[tuple[Joint, ...], ...] | None = None
    """The history as each player perceived it, in the order of the players; None where nobody can err."""
    said: tuple[Joint, ...] = ()
    """Signals of this round, one joint signal per turn of talk."""
    acted: Joint | None = None
    """The joint action of this round, while sanctions are due."""
    sanctioned: tuple[float, ...] | None = None
    """Points that sanctions added to or took from each player in the last round; None where there are none."""
    perceived: tuple[Joint, ...] | None = None
    """What each player takes `acted` for, in the order of the players; None where nobody can err."""


class Transition(NamedTuple):
    """What one phase did."""

    state: State
    joint: Joint
    """The joint action as it happened, after trembles and with defaults for actions of other phases."""
    payoffs: tuple[float, ...]
    """Points of each player in this phase."""
    phase: str = "act"
    """Name of the phase."""


class View(NamedTuple):
    """What one player of a social dilemma knows when it is to act. Environments put it in their infos."""

    game: StageGame
    player: int
    """Index of the player at the table."""
    round: int
    """Rounds completed."""
    history: tuple[Joint, ...]
    """What the player can see of the past: own action first, then the others in order; oldest round first."""
    phase: str = "act"
    """What is to be done now."""
    said: tuple[Joint, ...] = ()
    """Signals of this round so far, own first."""
    acted: Joint | None = None
    """This round's joint action as the player perceived it, own first, where sanctions are due."""
    sanctioned: tuple[float, ...] | None = None
    """Points that the last sanctions added to or took from each player, own first; None where there are none."""
    rounds: int | None = None
    """Number of rounds of the match, where the players are told."""
    rules: "Rules | None" = None
    """The rules of the match, known to all; None for a game by itself, as in a question about it."""

    @property
    def population(self) -> Population | None:
        """The population that the player is part of; None where all players play the game together."""
        return None if self.rules is None else self.rules.population

    @property
    def seat(self) -> int:
        """The player's index in `game`. In a population all players take the first seat, for the game is symmetric."""
        return self.player if self.population is None else 0


class Rules(Protocol):
    """The rules of a match: everything an environment, an engine, a prompt or a search needs to know."""

    @property
    def stage(self) -> StageGame:
        """The game that is played in one round."""
        ...

    @property
    def population(self) -> Population | None:
        """Who plays with whom, where the game is played in pairs of a population."""
        ...

    @property
    def rounds(self) -> int | tuple[int, int] | None:
        """Number of rounds; a pair (shortest, longest) where it is drawn; None for no limit."""
        ...

    @property
    def continuation(self) -> float:
        """Probability, from 0 to 1, that a round is followed by another one."""
        ...

    @property
    def noise(self) -> float:
        """Trembling hand: probability, from 0 to 1, that an action is replaced by another one."""
        ...

    @property
    def misperception(self) -> float:
        """Probability, from 0 to 1, that a player takes another player's action for a different one."""
        ...

    @property
    def memory(self) -> int:
        """How many rounds back the players see, 0 or more."""
        ...

    @property
    def clock(self) -> bool:
        """Whether the players know how many rounds are left."""
        ...

    @property
    def talk(self) -> Talk | None:
        """Cheap talk before the players act."""
        ...

    @property
    def punishment(self) -> Sanction | None:
        """The stage of punishment after they have acted."""
        ...

    @property
    def reward(self) -> Sanction | None:
        """The stage of reward after they have acted."""
        ...

    @property
    def n_players(self) -> int: ...
    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a round, in order."""
        ...

    @property
    def endless(self) -> bool:
        """Whether a match never ends by the rules."""
        ...

    @property
    def spaces(self) -> tuple[int, ...]:
        """Number of options of each player over all phases; 0 = an amount."""
        ...

    @property
    def predictable(self) -> bool:
        """Whether nothing is left to chance once a match has begun."""
        ...

    @property
    def observation_size(self) -> int:
        """Length of a view in numbers."""
        ...

    @property
    def state_size(self) -> int:
        """Length of a state in numbers."""
        ...

    def start(self, rng: np.random.Generator) -> State: ...
    def step(self, state: State, joint: Sequence[Any], rng: np.random.Generator) -> Transition: ...
    def view(self, state: State, player: int) -> View: ...
    def encode(self, view: View) -> NDArray[np.float32]:
        """A view in numbers, which do not depend on the player's index nor, where nobody is told it, on the round."""
        ...

    def encode_state(self, state: State) -> NDArray[np.float32]:
        """What happened in numbers, as if no player misperceived it."""
        ...

    def sanctions(self, action: int, player: int, points: int) -> list[int]:
        """Points that an action of a sanctioning phase, by a player, assigns to each player; at most `points` each."""
        ...
