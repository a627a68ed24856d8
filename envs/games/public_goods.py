"""The public goods game for any number of players: contributions are multiplied and shared equally."""

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import MOST_PLAYERS, GameError, finite_payoff, flag, from_zero, whole_number
from dilemmas.envs.games.stage_game import checked_action, checked_joint, checked_joints
from dilemmas.envs.validation import written

ROUNDING = 1 - 1e-9
"""Share of the threshold that suffices, so that a sum of contributions does not miss it by rounding."""


@written(nulls=True)
@dataclass(frozen=True, slots=True)
class PublicGoods:
    """Payoff of player i: endowment_i - c_i + multiplier * sum(c) / n (Isaac & Walker 1988, QJE 103:179).

    With a provision point, the pot is shared only if the contributions reach it; otherwise they are lost or refunded
    (Isaac, Schmidtz & Walker 1989, Public Choice 62:217; Bagnoli & Lipman 1989, Rev Econ Stud 56:583).
    """

    name: str = "public_goods"
    """Catalogue name."""
    n_players: int = 4
    """Number of players, at least 2."""
    endowment: float | tuple[float, ...] = 20.0
    """Points that each player has and may contribute, above 0 (20 as in Fehr & Gächter 2000); a tuple if unequal."""
    multiplier: float = 1.6
    """Factor by which the pot is multiplied before it is shared, from 0 up; a dilemma if 1 < multiplier < n."""
    levels: int | None = 2
    """Number of evenly spaced contribution levels, at least 2: action 0 contributes the endowment, the last action
    nothing. None: an action is the contribution itself, any number of points from 0 to the endowment."""
    threshold: float = 0.0
    """Provision point: total contributions in points below which nothing is shared; 0 for none."""
    refund: bool = False
    """Whether contributions below the threshold are returned."""

    def __post_init__(self) -> None:
        players = whole_number(self.n_players, f"{self.name}: n_players", 2, MOST_PLAYERS)
        object.__setattr__(self, "n_players", players)
        if self.levels is not None:
            object.__setattr__(self, "levels", whole_number(self.levels, f"{self.name}: levels", 2))
        for option in ("multiplier", "threshold"):
            object.__setattr__(self, option, from_zero(getattr(self, option), f"{self.name}: {option}"))
        object.__setattr__(self, "endowment", self._checked_endowment())
        most = sum(self.endowment_of(player) for player in range(self.n_players))
        if self.threshold * ROUNDING > most:
            raise GameError(
                f"{self.name}: threshold = {self.threshold:g}; needs 0 to {most:g}, the sum of all endowments"
            )
        object.__setattr__(self, "refund", flag(self.refund, f"{self.name}: refund"))
        if self.refund and not self.threshold:
            raise GameError(f"{self.name}: refund = True, threshold = 0; refund needs a threshold above 0")

    @property
    def options(self) -> tuple[int, ...]:
        return (self.levels or 0,) * self.n_players

    @property
    def n_actions(self) -> int:
        return self.levels or 0

    @property
    def endowments(self) -> tuple[float, ...]:
        """Largest contribution of each player in points where `levels` is None; otherwise empty."""
        return () if self.levels else tuple(self.endowment_of(player) for player in range(self.n_players))

    @property
    def mpcr(self) -> float:
        """Marginal per-capita return: what one point in the pot returns to each player."""
        return self.multiplier / self.n_players

    def endowment_of(self, player: int | None = None) -> float:
        """Endowment of a player in points; `GameError` where endowments differ and `player` is None."""
        if not isinstance(self.endowment, tuple):
            return self.endowment
        if player is None:
            raise GameError(f"{self.name}: endowment = {self.endowment}; endowments differ: specify the player")
        return self.endowment[player]

    def contribution(self, action: Any, player: int | None = None) -> float:
        """Contribution of an action in points; `player` is required where endowments differ."""
        return float(self._given(checked_action(self, action, player), player))

    def payoffs(self, joint: tuple[Any, ...]) -> tuple[float, ...]:
        """Payoffs in points, one per player, of one joint action (one action index, or contribution, per player)."""
        return tuple(self._paid(checked_joint(self, joint)))

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        """Payoffs in points of many joint actions: shape (..., n) in and out."""
        return np.stack(self._paid(np.moveaxis(checked_joints(self, joints), -1, 0)), axis=-1)

    def cooperation(self, action: Any, player: int | None = None) -> float:
        """Fraction of the endowment that an action contributes, from 0 to 1; without `player`, of the largest one."""
        checked_action(self, action, player)
        if self.levels is not None:
            return float(1.0 - action / (self.levels - 1))
        return float(action) / (max(self.endowments) if player is None else self.endowment_of(player))

    def _given(self, action: Any, player: int | None) -> Any:
        """Contribution in points of one action or of an array of actions."""
        return action if self.levels is None else self.endowment_of(player) * (1.0 - action / (self.levels - 1))

    def _paid(self, joint: Any) -> list[Any]:
        """Payoffs by player, of one joint action or of one array of actions per player."""
        given = [self._given(action, player) for player, action in enumerate(joint)]
        total = reduce(add, given)  # in the same order for one and for many, so that the results are bit-identical
        reached = total >= self.threshold * ROUNDING
        share = self.multiplier * total / self.n_players * reached
        spent = [own * reached for own in given] if self.refund else given
        return [self.endowment_of(player) - own + share for player, own in enumerate(spent)]

    def _checked_endowment(self) -> float | tuple[float, ...]:
        """The endowment as one number, or as one per player if they differ."""
        given: Any = self.endowment
        if isinstance(given, np.ndarray):
            given = given.tolist()
        unequal = isinstance(given, tuple | list)
        each = tuple(given) if unequal else (given,) * self.n_players
        if len(each) != self.n_players or isinstance(given, str):
            raise GameError(
                f"{self.name}: endowment = {given!r}; needs a number, or a list of n_players ="
                f" {self.n_players} numbers, such as [10, 20] for two players"
            )
        for player, value in enumerate(each):
            place = f"{self.name}: endowment{f' of player_{player}' if unequal else ''}"
            if not finite_payoff(value, place) > 0:
                raise GameError(f"{place} = {value!r}; needs a positive number of points")
        endowments = tuple(map(float, each))
        return endowments[0] if len(set(endowments)) == 1 else endowments


def public_goods(mpcr: float | None = None, **options: Any) -> PublicGoods:
    """A public goods game.

    Parameters
    ----------
    mpcr
        Marginal per-capita return, multiplier / n_players, from 0 up; an alternative to `multiplier`.
    options
        Fields of `PublicGoods`.

    Raises
    ------
    GameError
        If both `mpcr` and `multiplier` are specified, or if a value is outside its range.
    """
    game = PublicGoods(**options)
    if mpcr is None:
        return game
    if "multiplier" in options:
        raise GameError(f"{game.name}: multiplier = {options['multiplier']!r} and mpcr = {mpcr!r}; specify one")
    return replace(game, multiplier=from_zero(mpcr, f"{game.name}: mpcr") * game.n_players)
