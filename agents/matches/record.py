"""The record of a match: every decision with its prompt and probabilities, the payoffs, and why the match ended."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import fsum
from typing import Any

import numpy as np

from dilemmas.agents.agent import Decision, Deliberation
from dilemmas.envs.errors import InputError
from dilemmas.envs.validation import Count, written


class RecordError(InputError):
    """A record that cannot be made or read; the message names the place and the reason."""


class Reason(StrEnum):
    """Why a match ended."""

    TERMINATED = "terminated"
    """By the rules of the game."""
    TRUNCATED = "truncated"
    """By the environment's limit on the number of steps."""
    ABORTED = "aborted"
    """Because a reply was unreadable and the policy was to abort."""
    FAILED = "failed"
    """Because an agent raised an error or returned an action outside its space."""


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """How a match ended."""

    reason: Reason
    """Why the match ended."""
    detail: str
    """The reason in words."""
    rounds: Count
    """Number of completed steps."""
    totals: Mapping[str, float]
    """Sum of the payoffs by player, in points."""
    unreadable: Mapping[str, Count]
    """Number of decisions by player in which every reply was unreadable."""


@written(nulls=False)
@dataclass(frozen=True, slots=True)
class Move:
    """Observation, decision and reward of one player in one step."""

    player: str
    """PettingZoo's name of the player."""
    observation: Any = None
    """The observation in JSON types."""
    decision: Decision = field(kw_only=True)
    """What the player decided."""
    played: Any = None
    """The action after noise; None if the environment does not show it or the step was not played."""
    reward: float | None = None
    """In points; None if the step was not played because the match was aborted or an agent failed."""
    terminated: bool = False
    """Whether the match ended by the rules."""
    truncated: bool = False
    """Whether the match ended by the environment's limit on the number of steps."""


@dataclass(frozen=True, slots=True)
class MatchRecord:
    """The record of a match."""

    match: int
    """Number of the match in its run, from 0."""
    seed: int
    """The number with which the environment was reset."""
    steps: tuple[tuple[Move, ...], ...]
    """For each step one move per player."""
    outcome: MatchOutcome


def match_outcome(steps: Sequence[tuple[Move, ...]]) -> MatchOutcome:
    """The outcome of a match that ended with the last of `steps`."""
    moves = [move for step in steps for move in step]
    players = list(dict.fromkeys(move.player for move in moves))
    return MatchOutcome(
        *_ending(steps[-1]),
        rounds=sum(step[0].reward is not None for step in steps),
        totals={player: fsum(m.reward or 0.0 for m in moves if m.player == player) for player in players},
        unreadable={
            player: sum(m.decision.unreadable is not None for m in moves if m.player == player) for player in players
        },
    )


def _ending(last: tuple[Move, ...]) -> tuple[Reason, str]:
    for move in last:
        if move.decision.error is not None:
            return Reason.FAILED, f"{move.player}: {move.decision.error}"
    for move in last:
        if move.decision.action is None:
            if not move.decision.attempts:
                return Reason.ABORTED, f"the prompt of {move.player} is too long for its model"
            replies = f"{move.decision.attempts} repl{'y' if move.decision.attempts == 1 else 'ies'}"
            return Reason.ABORTED, f"no action could be read in {replies} of {move.player}"
    if all(move.terminated for move in last):
        return Reason.TERMINATED, "by the rules of the game"
    return Reason.TRUNCATED, "by the clock of the environment"


def json_value(value: Any) -> Any:
    """Convert a value to the types of JSON; numbers are unchanged.

    Raises
    ------
    RecordError
        If the value has a type that has no equivalent in JSON.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return json_value(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, Deliberation):
        return {key: json_value(item) for key, item in asdict(value).items() if item is not None}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [json_value(item) for item in value]
    for kind in (int, float, str):  # subclasses, such as enumerations
        if isinstance(value, kind):
            return kind(value)
    raise RecordError(f"{value!r} of type {type(value).__name__} cannot be recorded; use numbers, strings or arrays")
