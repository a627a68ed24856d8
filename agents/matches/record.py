"""What a match leaves behind: every decision whole, what it brought, and why the match ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum
from typing import Any

import numpy as np

from dilemmas.agents.agent import Decision
from dilemmas.envs.errors import InputError


class RecordError(InputError):
    """A record that cannot be made or used; the message names the place and what is wrong."""


class Reason(StrEnum):
    """What ended a match."""

    TERMINATED = "terminated"
    """The rules of the game."""
    TRUNCATED = "truncated"
    """The clock of the environment."""
    ABORTED = "aborted"
    """A reply in which no action could be read, where the policy is to abort."""


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """How a match ended."""

    reason: Reason
    detail: str
    """The reason in words."""
    rounds: int
    """Steps that were played to the end."""
    totals: Mapping[str, float]
    """Sum of the payoffs by player, in points."""
    unreadable: Mapping[str, int]
    """Decisions by player in which no reply could be read."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one player saw, decided and got in one step."""

    player: str
    """PettingZoo's name of the player."""
    observation: Any
    """As plain lists and numbers."""
    decision: Decision
    played: Any = None
    """The action as it happened, after trembles; None where the environment does not say or did not play."""
    reward: float | None = None
    """In points; None where the step was not played, because the match was aborted."""
    terminated: bool = False
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class MatchRecord:
    """A match from its first decision to its end."""

    match: int
    """Number of the match in its run, from 0."""
    seed: int
    """What the environment was reset with."""
    steps: tuple[tuple[Move, ...], ...]
    """One move of every player at the table, step by step."""
    outcome: MatchOutcome


def match_outcome(steps: Sequence[tuple[Move, ...]]) -> MatchOutcome:
    """How a match ended whose last step is the last of `steps`."""
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
        if move.decision.action is None:
            replies = f"{move.decision.attempts} repl{'y' if move.decision.attempts == 1 else 'ies'}"
            return Reason.ABORTED, f"no action could be read in {replies} of {move.player}"
    if all(move.terminated for move in last):
        return Reason.TERMINATED, "by the rules of the game"
    return Reason.TRUNCATED, "by the clock of the environment"


def json_value(value: Any) -> Any:
    """A value in the types of JSON, numbers unchanged; `RecordError` where there is no such thing."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return json_value(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [json_value(item) for item in value]
    for kind in (int, float, str):  # their subclasses, such as enumerations
        if isinstance(value, kind):
            return kind(value)
    raise RecordError(f"{value!r} of type {type(value).__name__} cannot be recorded; use numbers, texts or arrays")
