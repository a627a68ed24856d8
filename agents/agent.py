"""Who plays: one method, many decisions at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from dilemmas.envs.rules.protocol import View

__all__ = ["Agent", "Decision", "PlayerRecord", "Source", "Traits", "Turn", "Unreadable", "View", "draw"]


class Source(StrEnum):
    """Where the probabilities of a decision come from."""

    EXACT = "exact"
    """From the model's own probabilities of the action labels; no sampling error."""
    SAMPLED = "sampled"
    """From a sampled reply."""
    RULE = "rule"
    """From a strategy's definition."""


class Unreadable(StrEnum):
    """What to do with a reply in which no action can be read, after the resampling allowed."""

    ABORT = "abort"
    """Abort the match."""
    DEFAULT = "default"
    """Play a stated default action."""
    UNIFORM = "uniform"
    """Draw one of the actions uniformly."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One decision to make, in any PettingZoo environment."""

    agent: str
    """PettingZoo's name of the player, such as ``player_0``."""
    observation: Any
    info: Mapping[str, Any]
    """``info["view"]`` is a `View` in the environments of dilemmas."""
    space: Any
    """The player's action space."""
    rng: np.random.Generator
    """The stream of this decision and no other."""
    key: tuple[int, int] = (0, 0)
    """What the match's environment was reset with, and the player's place: the same in every turn of one player in one
    match. What an agent draws once per match, it draws from this."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision, recorded whole."""

    action: Any
    """The action to play: an index in social dilemmas, an array of shape (1,) where it is an amount, a text where
    words may be said. None aborts the match (the reply was unreadable)."""
    probabilities: tuple[float, ...] | None = None
    """Probability of every action, by index, from which `action` was drawn; None where there are none."""
    source: Source = Source.RULE
    mass: float | None = None
    """Probability, from 0 to 1, that a model's reply starts with an action's label at all; known where source is
    exact."""
    prompt: str | None = None
    """The text that the model was given."""
    labels: tuple[str, ...] | None = None
    """What the prompt calls every action, by index."""
    template: str | None = None
    """Name and digest of the prompt template, ``study@17d1235cb916``."""
    reply: str | None = None
    """What the model wrote, raw."""
    motivation: str | None = None
    """The part of the reply that gives the reason."""
    unreadable: str | None = None
    """What was done with an unreadable reply (a value of `Unreadable`); None where it was read."""
    attempts: int = 1
    """How many replies were sampled until one could be read, or the policy applied."""


IDLE = Decision(0)
"""Silence, or no sanction: what a player does in the phases of which it knows nothing."""


@dataclass(frozen=True, slots=True)
class PlayerRecord:
    """What a record stores about an agent: enough to rebuild it."""

    name: str
    """Name of the agent in tables and records."""
    kind: str
    """How the agent is rebuilt: ``automaton`` or ``language_model``; another value if it cannot be rebuilt."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values; for a language model ``model``, ``fingerprint``, ``adapter`` and settings."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What engines, compilers and the bridge need to know of an agent."""

    lookback: int | None = 0
    """How many rounds back the agent has to be shown; None for the whole match. 0 if it takes whatever it is shown."""
    deterministic: bool = False
    """Whether all its actions are certain."""
    automaton: Any = None
    """The agent as an `Automaton` (`dilemmas.agents.strategies.finite_state`), if it is one: exact engines play it."""
    counting: Any = None
    """The agent as a `CountingStrategy` (`dilemmas.agents.strategies.counting`), if it is one."""


class Agent(Protocol):
    """A player. It keeps no state between calls: everything it may know is in the turn."""

    @property
    def name(self) -> str:
        """Name in tables and records."""
        ...

    @property
    def traits(self) -> Traits:
        """How the agent can be played; `Traits()` for one that can only be asked."""
        ...

    def describe(self) -> PlayerRecord:
        """Return what a record stores about the agent."""
        ...

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn, in order; a decision does not depend on the rest of the batch."""
        ...

    def policy(self, turns: Sequence[Turn]) -> list[Decision]:
        """As `decide`, with probabilities averaged over all that the agent draws besides the action, such as labels.

        Policy tables are compiled from it. It is `decide` for an agent that draws nothing else.
        """
        ...


def draw(probabilities: Sequence[float], rng: np.random.Generator) -> int:
    """An action index drawn by the inverse of the cumulative distribution.

    Every agent that draws an action from probabilities draws it here, so that a record can be drawn again. A
    sure thing takes nothing from `rng`; anything else takes one uniform number. ValueError where the numbers
    are not a distribution (to within 1e-6).
    """
    if not all(p >= 0.0 for p in probabilities) or not abs(sum(probabilities) - 1.0) <= 1e-6:
        raise ValueError(f"{tuple(probabilities)} is not a distribution: needs numbers from 0 up that add up to 1")
    possible = [action for action, probability in enumerate(probabilities) if probability > 0.0]
    if len(possible) == 1:
        return possible[0]
    threshold, reached = rng.random(), 0.0
    for action in possible[:-1]:
        reached += probabilities[action]
        if threshold < reached:
            return action
    return possible[-1]
