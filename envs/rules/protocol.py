"""The protocol of rules: pure functions of immutable values.

A rules object is immutable. It maps (state, joint action, random generator) to the next state, so that a match can be
forked, pickled and replayed from any round. A round may have several phases (talk, act, sanctions); a `Phase` gives the
number of options of each player, and one `step` plays one phase.
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
    """Reason for which a match has ended."""

    LAST_ROUND = "the fixed number of rounds was played"
    CHANCE = "the continuation draw ended the match"


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of a round: what the players choose simultaneously."""

    name: str
    """``talk``, ``act``, ``punish`` or ``reward``."""
    options: tuple[int, ...]
    """Number of options of each player; 0 if the action is an amount, in points, from 0 to the endowment."""
    default: tuple[int, ...]
    """Option that replaces an action of another phase: silence, defection, or no sanction."""


class State(NamedTuple):
    """The state of a match before its next phase."""

    round: int
    """Number of completed rounds."""
    phase: int
    """Index of the phase within the round."""
    history: tuple[Joint, ...]
    """The joint actions of the last rounds as they were played, oldest first; at most `Rules.memory` of them."""
    ending: Ending | None = None
    """None until the match has ended."""
    length: int | None = None
    """Largest number of rounds; None for no limit."""
    seen: tuple[tuple[Joint, ...], ...] | None = None
    """The history as perceived by each player, in the order of the players; None if all perceive what was played."""
    said: tuple[Joint, ...] = ()
    """Signals of the current round, one joint signal per turn of talk."""
    acted: Joint | None = None
    """The joint action of the current round if sanctions follow it; otherwise None."""
    sanctioned: tuple[float, ...] | None = None
    """Points that the sanctions of the last round gave to or took from each player, without the costs of assigning
    them; None if the rules have no sanctions."""
    perceived: tuple[Joint, ...] | None = None
    """`acted` as perceived by each player, in the order of the players; None if all perceive what was played."""


class Transition(NamedTuple):
    """The result of one phase."""

    state: State
    """The state after the phase."""
    joint: Joint
    """The joint action as played: after noise, and with defaults in place of actions of other phases."""
    payoffs: tuple[float, ...]
    """Payoff of each player in this phase."""
    phase: str = "act"
    """Name of the phase."""


class View(NamedTuple):
    """The information of one player when it chooses an action. Environments put it into their infos."""

    game: StageGame
    player: int
    """Index of the player in the match."""
    round: int
    """Number of completed rounds."""
    history: tuple[Joint, ...]
    """The joint actions that the player observes, oldest round first: own action, then the others in order."""
    phase: str = "act"
    """Name of the current phase: ``talk``, ``act``, ``punish`` or ``reward``."""
    said: tuple[Joint, ...] = ()
    """Signals of the current round so far, own signal first; one joint signal per turn."""
    acted: Joint | None = None
    """The joint action of the current round as perceived, own action first, if sanctions follow; otherwise None."""
    sanctioned: tuple[float, ...] | None = None
    """Points that the last sanctions gave to or took from each player, without the costs of assigning them, own first;
    None if the rules have no sanctions."""
    rounds: int | None = None
    """Number of rounds of the match if the players know it (`Rules.clock`); otherwise None."""
    rules: "Rules | None" = None
    """The rules of the match, which are common knowledge; None for a stage game without a match."""

    @property
    def population(self) -> Population | None:
        """The population that the player is part of; None if all players play the stage game together."""
        return None if self.rules is None else self.rules.population

    @property
    def certain_rounds(self) -> int | None:
        """Number of rounds if the players know it and nothing else ends the match: a continuation probability below 1
        leaves only an upper bound. None otherwise."""
        return self.rounds if self.rules is None or self.rules.continuation == 1.0 else None

    @property
    def seat(self) -> int:
        """Index of the player in `game`; 0 for each player of a population, whose game is symmetric."""
        return self.player if self.population is None else 0


class Rules(Protocol):
    """The rules of a match. Implementations are immutable."""

    @property
    def stage(self) -> StageGame:
        """The stage game, which is played in each round."""
        ...

    @property
    def population(self) -> Population | None:
        """Interaction structure of a population that plays in pairs; None if all players play together."""
        ...

    @property
    def rounds(self) -> int | tuple[int, int] | None:
        """Number of rounds; a pair (shortest, longest) if it is drawn at random; None for no limit."""
        ...

    @property
    def continuation(self) -> float:
        """Continuation probability, in [0, 1]: that a round is followed by another one."""
        ...

    @property
    def noise(self) -> float:
        """Trembling hand: probability, in [0, 1], that an action is replaced by a random other action."""
        ...

    @property
    def misperception(self) -> float:
        """Probability, in [0, 1], that a player perceives a random other action in place of another player's action."""
        ...

    @property
    def memory(self) -> int:
        """Number of past rounds that the players observe, 0 or more."""
        ...

    @property
    def clock(self) -> bool:
        """Whether the players know the number of remaining rounds."""
        ...

    @property
    def talk(self) -> Talk | None:
        """Cheap talk before the players act; None without it."""
        ...

    @property
    def punishment(self) -> Sanction | None:
        """Stage of punishment after the players have acted; None without it."""
        ...

    @property
    def reward(self) -> Sanction | None:
        """Stage of reward after the players have acted; None without it."""
        ...

    @property
    def n_players(self) -> int:
        """Number of players of a match."""
        ...

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of a round, in order."""
        ...

    @property
    def endless(self) -> bool:
        """Whether the rules never end a match."""
        ...

    @property
    def spaces(self) -> tuple[int, ...]:
        """Largest number of options of each player in any phase; 0 if the action is an amount."""
        ...

    @property
    def predictable(self) -> bool:
        """Whether `step` is deterministic."""
        ...

    @property
    def observation_size(self) -> int:
        """Length of an encoded view."""
        ...

    @property
    def state_size(self) -> int:
        """Length of an encoded state."""
        ...

    def start(self, rng: np.random.Generator) -> State:
        """The state before the first phase of a match."""
        ...

    def step(self, state: State, joint: Sequence[Any], rng: np.random.Generator) -> Transition:
        """Play one phase.

        Parameters
        ----------
        state
            State before the phase.
        joint
            Action of each player. An action of another phase is replaced by the default of this phase.
        rng
            Random generator.

        Raises
        ------
        GameError
            If the match has ended, or an action is valid in no phase.
        """
        ...

    def view(self, state: State, player: int) -> View:
        """The information of a player in a state."""
        ...

    def encode(self, view: View) -> NDArray[np.float32]:
        """Encode a view as a vector with values in [0, 1], shape (observation_size,).

        The vector depends neither on the player's index nor, unless the players know it, on the round.
        """
        ...

    def encode_state(self, state: State) -> NDArray[np.float32]:
        """Encode a state without errors of perception as a vector with values in [0, 1], shape (state_size,)."""
        ...

    def sanctions(self, action: int, player: int, points: int) -> list[int]:
        """Decode an action of a phase of sanctions.

        Parameters
        ----------
        action
            Index of the action.
        player
            Player who takes the action.
        points
            Largest number of points for each other player.

        Returns
        -------
        Points assigned to each player, in the order of the players; 0 for `player`.
        """
        ...
