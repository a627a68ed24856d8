"""What matches of one group came to: the same counts from every engine, so that tables and tests need not ask which.

A group is the strategies at one table, by seat. Actions are C = 0 and D = 1, the most and the least cooperative one of
the game. What a player saw of a round is a number: own action times the number of players, plus how many of the others
defected; for two players CC, CD, DC, DD, own action first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from understudy.envs.errors import InputError
from understudy.envs.repeated import Repeated
from understudy.envs.rules import Numbers


class EngineError(InputError):
    """Matches that an engine cannot play; the message says which one can."""


@dataclass(frozen=True)
class Tally:
    """Counts of `K` matches of one group of `n` players; or expected counts of one match, where K is 1 and `exact`."""

    engine: str
    """``cycle``, ``chain``, ``agents``, or ``lockstep``, whose matches are those of ``kernel``."""
    rounds: Numbers
    """Rounds of each match, shape (K,)."""
    payoffs: Numbers
    """Points of each player over a match, shape (K, n)."""
    moves: Numbers
    """How often a player, after what it saw of the round before, played C or D: shape (K, n, 1 + 2n, 2); the first of
    the middle axis is the first round."""
    outcomes: Numbers
    """How often a player saw what, over all rounds: shape (K, n, 2n)."""
    variance: Numbers | None = None
    """Variance of a player's points over one match, shape (n,): known where the counts are expectations."""
    aborted: int = 0
    """Matches that a reply in which no action could be read ended early; they count as far as they went."""

    @property
    def exact(self) -> bool:
        """Whether the counts are expectations, without sampling error."""
        return self.variance is not None


def stakes(rules: Repeated, punishers: Sequence[bool] = ()) -> Numbers:
    """Points of a round by joint action of C and D: shape (2,) * n + (n,).

    `punishers`: who gives everybody who defected all the penalty points there are; nobody where empty. `EngineError`
    for rules under which more can happen than that.
    """
    only_two_actions(rules)
    joints = np.moveaxis(np.indices((2,) * rules.n_players), 0, -1)  # (2, ..., 2, n)
    return paid(rules, joints == 1, np.array(list(punishers) or [False] * rules.n_players))


def paid(rules: Repeated, defected: NDArray[np.bool_], punishers: NDArray[np.bool_]) -> Numbers:
    """Points of rounds in which these players defected: shape (..., n) in and out; `punishers` is broadcast with it."""
    stage = rules.stage
    if stage.endowments:
        played = np.where(defected, 0.0, np.array(stage.endowments))
    else:
        played = defected * (np.array(stage.options) - 1)
    points = np.array(stage.payoff_array(played), dtype=np.float64)
    if rules.punishment is not None and punishers.any():
        others = ~np.eye(rules.n_players, dtype=np.bool_)
        given = defected[..., None, :] & punishers[..., :, None] & others  # (..., who gives, who gets)
        most = rules.punishment.points
        points -= rules.punishment.cost * most * given.sum(axis=-1)
        points -= rules.punishment.effect * most * given.sum(axis=-2)
    return points


def only_two_actions(rules: Repeated) -> None:
    """`EngineError` where anything but C and D can happen in a match between strategies that know nothing else."""
    if rules.n_players != rules.stage.n_players:
        raise EngineError(f"a population of {rules.n_players} is one match; only the engine 'agents' plays it")
    if rules.misperception:
        raise EngineError(f"misperception = {rules.misperception:g}: only the engine 'agents' plays such matches")
    if rules.noise and set(rules.stage.options) != {2}:
        options = " x ".join("amounts" if not count else str(count) for count in rules.stage.options)
        raise EngineError(
            f"{rules.stage.name}: {options} actions and noise = {rules.noise:g}, which may bring any of them about;"
            " only the engine 'agents' plays such matches"
        )
    if rules.endless:
        raise EngineError("a match without end; set rounds, or a continuation below 1")


def outcome_numbers(n: int) -> NDArray[np.int64]:
    """What each player saw, as a number, by joint action of C and D: shape (2,) * n + (n,)."""
    defected = np.moveaxis(np.indices((2,) * n), 0, -1)
    return np.asarray(defected * n + defected.sum(axis=-1, keepdims=True) - defected, dtype=np.int64)


def match_keys(seed: int, names: Sequence[str], first: int, count: int) -> NDArray[np.uint64]:
    """Keys of the random numbers of repetitions `first`, `first` + 1 ... of a group's matches, shape (count,).

    They depend on who plays, never on who else is in the tournament, nor on how many repetitions there are.
    """
    told = json.dumps([seed, list(names)], ensure_ascii=False)
    stream = np.random.PCG64(int.from_bytes(sha256(told.encode()).digest(), "little"))
    return np.asarray(stream.advance(first).random_raw(count), dtype=np.uint64)
