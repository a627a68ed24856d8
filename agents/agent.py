"""The agent protocol: one method that decides many turns in one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from dilemmas.envs.rules.protocol import View
from dilemmas.envs.validation import Count, Share, written

PERSON = "human"
"""Name of a person as an agent, in specifications and tables, and kind of their records."""

__all__ = [
    "PERSON",
    "Agent",
    "Decision",
    "Deliberation",
    "PlayerRecord",
    "Source",
    "Traits",
    "Turn",
    "Unreadable",
    "View",
    "draw",
]


class Source(StrEnum):
    """Where the probabilities of a decision come from."""

    EXACT = "exact"
    """From the model's own probabilities of the action labels; no sampling error."""
    WITHIN = "within"
    """As exact, but a server gives the probabilities only within a margin."""
    SAMPLED = "sampled"
    """From a sampled reply."""
    REASONED = "reasoned"
    """The mean of the model's own probabilities given reasonings that it has written; each is exact, and the mean has a
    sampling error."""
    STATED = "stated"
    """The mean of the probabilities that sampled replies state."""
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
    """``info["view"]`` is a `View` in the environments of dilemmas, in which `run_matches` turns views on."""
    space: Any
    """The player's action space."""
    rng: np.random.Generator
    """Random stream of this decision only."""
    key: tuple[int, int] = (0, 0)
    """Seed with which the environment of the match was reset, and index of the player: the same in all turns of a
    player in a match. It seeds what an agent draws once per match."""


@written(nulls=False)
@dataclass(frozen=True, slots=True)
class Deliberation:
    """What a model wrote before its action was decided, and what follows from it."""

    text: str
    """A reasoning, a prediction, or a reply that states probabilities."""
    probabilities: tuple[Share, ...] | None = None
    """Probability of every action, by index, given the text; None if the text is unreadable."""
    thoughts: str | None = None
    """What the model thought before the text, if it is known: no part of it."""


@written(nulls=False)
@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with everything that is recorded about it."""

    action: Any = None
    """The action to play: an index in social dilemmas, an array of shape (1,) if it is an amount, or a text message.
    None aborts the match after an unreadable reply."""
    probabilities: tuple[Share, ...] | None = None
    """Probability of every action, by index, from which `action` was drawn; None if unknown."""
    source: Source = Source.RULE
    """Where the probabilities come from."""
    mass: Share | None = None
    """Label mass: probability, from 0 to 1, that the reply of a model starts with the label of an action, times that of
    a label in the prediction before, if there is one; known if `source` is exact, within or reasoned."""
    prompt: str | None = None
    """The text that the model was given."""
    labels: tuple[str, ...] | None = None
    """Label of every action in the prompt, by index."""
    template: str | None = None
    """Name and digest of the prompt template, ``study@1123755535a6``."""
    reply: str | None = None
    """The raw text of the model."""
    motivation: str | None = None
    """The part of the reply that gives the reason."""
    unreadable: Unreadable | None = None
    """Policy applied to an unreadable reply, or in place of one if the model could not be asked; None if the
    reply is readable."""
    attempts: Count = 1
    """Number of replies sampled until one was readable, or until the policy was applied; 0 if the model could not be
    asked."""
    error: str | None = None
    """Name of the agent and the error with which it failed, instead of deciding; the match then ends."""
    margin: Share | None = None
    """How far the probabilities may be from the model's own; None if they are exact or there are none."""
    deliberations: tuple[Deliberation, ...] | None = None
    """What the model wrote before its action was decided, in order; None if it answered at once."""
    prediction: tuple[Share, ...] | None = None
    """Probability that the model gives to every action of the other player, by index; in games of more players, to
    every number of others who cooperate, from 0, or to every level as their mean contribution. None if it was not
    asked."""
    thoughts: str | None = None
    """What the model thought before the reply, if it is known: no part of it."""


IDLE = Decision(0)
"""Silence, or no sanction: the default in phases that an agent does not handle."""


@written(nulls=False)
@dataclass(frozen=True, slots=True)
class PlayerRecord:
    """What a record stores about an agent: enough to rebuild it."""

    name: str
    """Name of the agent."""
    kind: str
    """How the agent is rebuilt: ``automaton`` or ``language_model``; another value if it cannot be rebuilt."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values; for a language model ``model``, ``fingerprint``, ``adapter`` and settings."""
    entered: str | None = None
    """Name under which it took part, as results show it, such as NAME of ``NAME=AGENT``; None if it is `name`."""

    @property
    def called(self) -> str:
        """The name under which it took part."""
        return self.entered or self.name

    def entered_as(self, name: str) -> "PlayerRecord":
        """The record of the agent under the name under which it takes part."""
        return replace(self, entered=None if name == self.name else name)


@dataclass(frozen=True, slots=True)
class Traits:
    """Properties of an agent that engines, the compiler and the bridge to Axelrod need."""

    lookback: int | None = 0
    """Number of past rounds that the agent needs to observe; None for the whole match. 0 if it accepts any number."""
    deterministic: bool = False
    """Whether all its action probabilities are 0 or 1."""
    automaton: Any = None
    """The agent as an `Automaton` (`dilemmas.agents.strategies.finite_state`), if it is one: exact engines play it."""
    counting: Any = None
    """The agent as a `CountingStrategy` (`dilemmas.agents.strategies.counting`), if it is one."""
    axelrod: Any = None
    """The agent as a player of Axelrod-Python, if it is one: it is classified as that player."""


class Agent(Protocol):
    """An agent. It keeps no state between calls: all its information is in the turn."""

    @property
    def name(self) -> str:
        """Name in tables and records."""
        ...

    @property
    def traits(self) -> Traits:
        """Properties for engines; `Traits()` for an agent that only has `decide`."""
        ...

    def describe(self) -> PlayerRecord:
        """Return what a record stores about the agent."""
        ...

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn, in order; a decision does not depend on the rest of the batch."""
        ...

    def policy(self, turns: Sequence[Turn]) -> list[Decision]:
        """As `decide`, with probabilities averaged over other random choices of the agent, such as labels.

        Policy tables are compiled from it. It equals `decide` for an agent that makes no other random choice.
        """
        ...


def draw(probabilities: Sequence[float], rng: np.random.Generator) -> int:
    """Draw an action index by inversion of the cumulative distribution.

    All agents draw their actions with this function, so recorded decisions can be reproduced.

    Parameters
    ----------
    probabilities
        Probability of each action, with sum 1 (within 1e-6).
    rng
        Generator; one uniform number is used, or none if an action has probability 1.

    Raises
    ------
    ValueError
        If the probabilities are not a distribution.
    """
    if not all(p >= 0.0 for p in probabilities) or not abs(sum(probabilities) - 1.0) <= 1e-6:
        raise ValueError(f"{tuple(probabilities)} is not a distribution; needs numbers of at least 0 with sum 1")
    possible = [action for action, probability in enumerate(probabilities) if probability > 0.0]
    if len(possible) == 1:
        return possible[0]
    threshold, reached = rng.random(), 0.0
    for action in possible[:-1]:
        reached += probabilities[action]
        if threshold < reached:
            return action
    return possible[-1]
