"""The protocol of all stage games, which are played in one round."""

from numbers import Real
from operator import index
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.envs.checks import GameError, unmasked

Joint = tuple[Any, ...]
"""A joint action: one action per player in order; indices, or points where actions are continuous."""

Numbers = NDArray[np.float64]
"""An array of payoffs, probabilities or other numbers."""


@runtime_checkable
class StageGame(Protocol):
    """A game that is played in one round. Action 0 is the most cooperative, the last action the least cooperative."""

    @property
    def name(self) -> str:
        """Identifier of the game, for example ``stag_hunt``."""
        ...

    @property
    def n_players(self) -> int:
        """Number of players, at least 2."""
        ...

    @property
    def options(self) -> tuple[int, ...]:
        """Number of actions of each player; 0 where an action is any amount from 0 to the endowment."""
        ...

    @property
    def n_actions(self) -> int:
        """The largest of `options`."""
        ...

    @property
    def endowments(self) -> tuple[float, ...]:
        """Largest amount of each player, in points, where actions are amounts; otherwise empty."""
        ...

    def payoffs(self, joint: Joint) -> tuple[float, ...]:
        """Payoffs in points, one per player, of one joint action; `GameError` as in `checked_joint`."""
        ...

    def payoff_array(self, joints: NDArray[Any]) -> Numbers:
        """Payoffs in points of many joint actions, shape (..., players) in and out; `GameError` as in
        `checked_joints`."""
        ...

    def cooperation(self, action: Any, player: int | None = None) -> float:
        """How cooperative an action is, from 0 to 1; `player` is needed where players have different actions.

        `GameError` as in `checked_action`.
        """
        ...


def whole(action: Any, options: int) -> bool:
    """Whether an action is an integer from 0 to `options` - 1; a boolean is none."""
    try:
        return 0 <= index(action) < options and not isinstance(action, bool)
    except TypeError:
        return False


def checked_action(game: StageGame, action: Any, player: int | None) -> Any:
    """Return an action of a player; without `player`, of the one with the most actions, or the largest endowment.

    Raises
    ------
    GameError
        If it is none of the player's, as in `checked_joint`, or there is no such player.
    """
    if player is not None and not whole(player, game.n_players):
        raise GameError(f"{game.name}: player {player!r}; needs a number from 0 to {game.n_players - 1}, or None")
    amounts = game.endowments
    if amounts:
        most, valid = (limit := max(amounts) if player is None else amounts[player]), _between(action, limit)
    else:
        options = game.n_actions if player is None else game.options[player]
        most, valid = options - 1, whole(action, options)
    if not valid:
        raise _outside(game.name, action, "a player" if player is None else f"player_{player}", most)
    return action


def checked_joint(game: StageGame, joint: Any) -> Joint:
    """Return one joint action of a game as a tuple.

    Raises
    ------
    GameError
        If there is not one action per player, or an action is none of the player's: an integer below its number of
        actions, or a number from 0 to its endowment where actions are amounts.
    """
    given = unmasked(joint, f"{game.name}: joint action", GameError) if isinstance(joint, np.ndarray) else joint
    actions = tuple(given) if np.ndim(given) == 1 else ()
    if len(actions) != game.n_players:
        needed = f"needs {game.n_players} actions, one per player; payoff_array takes many joint actions"
        raise GameError(f"{game.name}: joint action {joint!r}; {needed}")
    if {*map(type, actions)} == {int} and min(actions) >= 0 and max(actions) < min(game.options):
        return actions  # fast path for large groups
    amounts = game.endowments
    for player, (action, options) in enumerate(zip(actions, game.options, strict=True)):
        if not (whole(action, options) if options else _between(action, amounts[player])):
            raise _outside(game.name, action, f"player_{player}", amounts[player] if amounts else options - 1)
    return actions


def checked_joints(game: StageGame, joints: ArrayLike) -> NDArray[Any]:
    """Return many joint actions of a game as an array, shape (..., players).

    Raises
    ------
    GameError
        If the last axis has not one action per player, the numbers are no integers (of any kind where actions are
        amounts), or an action is none of the player's.
    """
    actions = unmasked(joints, f"{game.name}: joint actions", GameError)
    if actions.shape[-1:] != (game.n_players,):
        raise GameError(f"{game.name}: joint actions of shape {actions.shape}; needs shape (..., {game.n_players})")
    return checked_actions(actions, game.endowments or game.options, bool(game.endowments), game.name)


def checked_actions(
    actions: NDArray[Any], limits: ArrayLike, amounts: bool, name: str, row: str = "row"
) -> NDArray[Any]:
    """Return an array of actions whose last axis is the player.

    Parameters
    ----------
    actions
        Shape (..., players).
    limits
        Number of actions of each player, or its largest amount.
    amounts
        Whether actions are amounts.
    name, row
        Of the game, and of an index of the other axes, in error messages.

    Raises
    ------
    GameError
        If the actions are no integers (no numbers, where they are amounts), or one is outside its player's range.
    """
    if actions.dtype.kind not in ("iuf" if amounts else "iu"):
        raise GameError(f"{name}: actions of type {actions.dtype}; needs {'numbers' if amounts else 'integers'}")
    each = np.asarray(limits)
    most = each.min()
    if actions.size and not (actions.min() >= 0 and (actions.max() <= most if amounts else actions.max() < most)):
        valid = (actions >= 0) & (actions <= each if amounts else actions < each)  # by player; nan is not
        for *place, player in np.argwhere(~valid)[:1].tolist():
            who = f"player_{player} in {row} {', '.join(map(str, place))}" if place else f"player_{player}"
            raise _outside(name, actions[(*place, player)].item(), who, each[player] - (not amounts))
    return actions


def _outside(name: str, action: Any, who: str, most: float) -> GameError:
    """The error for an action that is not one of a player's, which are from 0 to `most`."""
    return GameError(f"action {action!r} of {who} is outside 0..{most:g} of {name}")


def _between(action: Any, most: float) -> bool:
    """Whether an action is a number from 0 to `most`; a boolean is none."""
    return isinstance(action, Real) and not isinstance(action, bool) and 0 <= float(action) <= most
