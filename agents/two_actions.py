"""Payoffs and outcomes of a round in which every player either cooperates (C) or defects (D)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.rules.repeated import Repeated


def payoff_table(rules: Repeated, punishers: Sequence[bool] = ()) -> Numbers:
    """Payoffs of a round by joint action of C and D.

    Parameters
    ----------
    rules
        Rules of the match, for ``n`` players.
    punishers
        Whether each player gives every defector the most penalty points that the rules allow; no player does if empty.

    Returns
    -------
    Array of shape ``(2,) * n + (n,)``, indexed by the action of each player (0 = C, 1 = D), then by player.
    """
    joints = np.moveaxis(np.indices((2,) * rules.n_players), 0, -1)  # (2, ..., 2, n)
    return round_payoffs(rules, joints == 1, np.array(list(punishers) or [False] * rules.n_players))


def round_payoffs(rules: Repeated, defected: NDArray[np.bool_], punishers: NDArray[np.bool_]) -> Numbers:
    """Payoffs of rounds from who defected in them.

    Parameters
    ----------
    rules
        Rules of the match, for ``n`` players.
    defected
        Whether each player defected, booleans, shape ``(..., n)``.
    punishers
        As in `payoff_table`, broadcast with `defected`.

    Returns
    -------
    Payoffs of all phases of the round, shape ``(..., n)``.
    """
    stage = rules.stage
    if stage.endowments:
        played = np.where(defected, 0.0, np.array(stage.endowments))
    else:
        played = defected * (np.array(stage.options) - 1)
    payoffs = np.array(stage.payoff_array(played), dtype=np.float64)
    if rules.punishment is not None and punishers.any():
        others = ~np.eye(rules.n_players, dtype=np.bool_)
        punished = defected[..., None, :] & punishers[..., :, None] & others  # (..., giver, receiver)
        points = rules.punishment.points
        payoffs -= rules.punishment.cost * points * punished.sum(axis=-1)
        payoffs -= rules.punishment.effect * points * punished.sum(axis=-2)
    return payoffs


def outcome_indices(n: int) -> NDArray[np.int64]:
    """The outcome of a round as each of `n` players sees it, by joint action of C and D.

    An outcome is the player's own action times `n` plus the number of others who defected.

    Returns
    -------
    Array of shape ``(2,) * n + (n,)`` with values from 0 to ``2 * n - 1``.
    """
    defected = np.moveaxis(np.indices((2,) * n), 0, -1)
    return np.asarray(defected * n + defected.sum(axis=-1, keepdims=True) - defected, dtype=np.int64)


def symmetric_payoffs(game: StageGame) -> tuple[float, ...] | None:
    """T, R, P and S of a game for two in which both players have the same payoffs; None for other games."""
    if game.n_players != 2:
        return None
    table = payoff_table(Repeated(game))  # (2, 2, player)
    if not np.allclose(table[..., 0], table[..., 1].T, rtol=1e-12, atol=0):
        return None
    (R, S), (T, P) = table[..., 0].tolist()
    return T, R, P, S


def shown_payoffs(payoffs: Sequence[float]) -> str:
    """T, R, P and S for a message."""
    return ", ".join(f"{symbol}={value:g}" for symbol, value in zip("TRPS", payoffs, strict=True))
