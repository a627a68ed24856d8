"""The public goods game for any number of players: contributions are multiplied and shared by all."""

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import MOST_PLAYERS, GameError, finite_payoff, flag, from_zero, whole_number

ROUNDING = 1 - 1e-9
"""Share of the threshold that is enough: a sum of levels must not fail by its rounding."""


@dataclass(frozen=True, slots=True)
class PublicGoods:
    """Payoff of i = endowment_i - c_i + multiplier * sum(c) / n (Isaac & Walker 1988, QJE 103:179).

    With a provision point, the pot is shared only if the contributions reach it; else they are lost, or refunded
    (Isaac, Schmidtz & Walker 1989, Public Choice 62:217; Bagnoli & Lipman 1989, Rev Econ Stud 56:583).
    """

    name: str = "public_goods"
    """Catalogue name."""
    n_players: int = 4
    """Number of players, at least 2."""
    endowment: float | tuple[float, ...] = 20.0
    """Points each player starts with and may contribute (20 as in Fehr & Gächter 2000); one per player if unequal."""
    multiplier: float = 1.6
    """What the pot is multiplied by before it is shared; a dilemma where 1 < multiplier < n."""
    levels: int | None = 2
    """Contribution levels: action 0 contributes the endowment, the last action nothing, evenly spaced. None: an action
    is the contribution itself, any number of points from 0 to the endowment."""
    threshold: float = 0.0
    """Provision point: contributions in points, of all together, below which nothing is shared."""
    refund: bool = False
    """Whether contributions that do not reach the threshold are given back."""

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
                f"{self.name}: threshold = {self.threshold:g}; needs 0 to {most:g}, all endowments together"
            )
        object.__setattr__(self, "refund", flag(self.refund, f"{self.name}: refund"))
        if self.refund and not self.threshold:
            raise GameError(f"{self.name}: refund = True, threshold = 0; without a threshold nothing is given back")

    @property
    def options(self) -> tuple[int, ...]:
        return (self.levels or 0,) * self.n_players

    @property
    def n_actions(self) -> int:
        return self.levels or 0

    @property
    def endowments(self) -> tuple[float, ...]:
        """Largest contribution of each player where an action is a contribution; empty where it is a level."""
        return () if self.levels else tuple(self.endowment_of(player) for player in range(self.n_players))

    @property
    def mpcr(self) -> float:
        """Marginal per-capita return: what a point in the pot brings to each player."""
        return self.multiplier / self.n_players

    def endowment_of(self, player: int | None = None) -> float:
        """Points that a player starts with; `GameError` where they have different ones and none is named."""
        if not isinstance(self.endowment, tuple):
            return self.endowment
        if player is None:
            raise GameError(f"{self.name}: endowment = {self.endowment}; they differ, so a player has to be named")
        return self.endowment[player]

    def contribution(self, action: Any, player: int | None = None) -> float:
        """Points that a player's action puts into the pot; the player is to be named where endowments differ."""
        return float(self._given(action, player))

    def payoffs(self, joint: tuple[Any, ...]) -> tuple[float, ...]:
        """Payoffs in points, one per player, of one joint action (one action index, or contribution, per player)."""
        return tuple(self._paid(joint))

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        """The same for many joint actions at once: shape (..., n) in and out."""
        return np.stack(self._paid(np.moveaxis(joints, -1, 0)), axis=-1)

    def cooperation(self, action: Any, player: int | None = None) -> float:
        """The fraction of the endowment that an action contributes, 0 to 1; without a player, of the largest one."""
        if self.levels is not None:
            return float(1.0 - action / (self.levels - 1))
        return float(action) / (max(self.endowments) if player is None else self.endowment_of(player))

    def _given(self, action: Any, player: int | None) -> Any:
        """Contribution; of one action, or of an array of them."""
        return action if self.levels is None else self.endowment_of(player) * (1.0 - action / (self.levels - 1))

    def _paid(self, joint: Any) -> list[Any]:
        """Payoffs by player; of one joint action, or of arrays of actions by player."""
        given = [self._given(action, player) for player, action in enumerate(joint)]
        total = reduce(add, given)  # in one order, so that both pay the same to the last bit
        reached = total >= self.threshold * ROUNDING
        share = self.multiplier * total / self.n_players * reached
        spent = [own * reached for own in given] if self.refund else given
        return [self.endowment_of(player) - own + share for player, own in enumerate(spent)]

    def _checked_endowment(self) -> float | tuple[float, ...]:
        """A number, or one per player if they are not all the same."""
        given: Any = self.endowment
        if isinstance(given, np.ndarray):
            given = given.tolist()
        unequal = isinstance(given, tuple | list)
        each = tuple(given) if unequal else (given,) * self.n_players
        if len(each) != self.n_players:
            raise GameError(
                f"{self.name}: endowment = {given!r}; needs a number, or n_players = {self.n_players} of them"
            )
        for player, value in enumerate(each):
            place = f"{self.name}: endowment{f' of player_{player}' if unequal else ''}"
            if not finite_payoff(value, place) > 0:
                raise GameError(f"{place} = {value!r}; needs a positive number of points")
        endowments = tuple(map(float, each))
        return endowments[0] if len(set(endowments)) == 1 else endowments


def public_goods(mpcr: float | None = None, **options: Any) -> PublicGoods:
    """A public goods game by its `multiplier`, or by its marginal per-capita return, which is multiplier / n_players.

    `options`: the fields of `PublicGoods`. Raises `GameError` if both are given.
    """
    game = PublicGoods(**options)
    if mpcr is None:
        return game
    if "multiplier" in options:
        raise GameError(f"{game.name}: multiplier = {options['multiplier']!r} and mpcr = {mpcr!r}; give one of them")
    return replace(game, multiplier=from_zero(mpcr, f"{game.name}: mpcr") * game.n_players)
