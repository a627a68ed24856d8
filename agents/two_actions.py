"""What a match between players of two actions comes to, round by round: points and what each player saw."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated


class EngineError(InputError):
    """Matches that an engine cannot play; the message says which one can."""


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
