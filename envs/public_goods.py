"""The linear public goods game for any number of players: contributions are multiplied and shared by all."""

from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real

from understudy.envs.matrix_games import GameError


@dataclass(frozen=True, slots=True)
class PublicGoods:
    """Payoff of i = endowment - c_i + multiplier * sum(c) / n (Isaac & Walker 1988, QJE 103:179)."""

    name: str = "public_goods"
    """Catalogue name."""
    n_players: int = 4
    """Number of players, at least 2."""
    endowment: float = 20.0
    """Points each player starts with and may contribute (20 as in Fehr & Gächter 2000)."""
    multiplier: float = 1.6
    """What the pot is multiplied by before it is shared; a dilemma where 1 < multiplier < n."""
    levels: int = 2
    """Contribution levels: action 0 contributes the endowment, the last action nothing, evenly spaced."""

    def __post_init__(self) -> None:
        for option in ("n_players", "levels"):
            count = getattr(self, option)
            if not (isinstance(count, Integral) and int(count) >= 2):
                raise GameError(f"{self.name}: {option} = {count!r}; needs a whole number from 2 up")
        if not (_finite(self.endowment) and self.endowment > 0):
            raise GameError(f"{self.name}: endowment = {self.endowment!r}; needs a positive number of points")
        if not (_finite(self.multiplier) and self.multiplier >= 0):
            raise GameError(f"{self.name}: multiplier = {self.multiplier!r}; needs a number from 0 up")

    @property
    def n_actions(self) -> int:
        return self.levels

    def contribution(self, action: int) -> float:
        """Points that an action puts into the pot."""
        return self.endowment * self.cooperation(action)

    def payoffs(self, joint: tuple[int, ...]) -> tuple[float, ...]:
        """Payoffs in points, one per player, of one joint action (one action index per player)."""
        given = [self.contribution(action) for action in joint]
        share = self.multiplier * sum(given) / self.n_players
        return tuple(self.endowment - own + share for own in given)

    def cooperation(self, action: int) -> float:
        """The fraction of the endowment that an action contributes, from 0 to 1."""
        return 1.0 - action / (self.levels - 1)


def _finite(value: object) -> bool:
    return isinstance(value, Real) and isfinite(value)
