"""Symmetric two-player games with two actions: the payoffs, and which dilemma they make.

Payoffs are written here once, as literal data; rewards, prompts, metrics and documents read them.
"""

from dataclasses import dataclass
from enum import IntEnum
from numbers import Real

from understudy.envs.errors import InputError


class Action(IntEnum):
    """In every game action 0 is the most cooperative one and the last action the least."""

    C = 0
    D = 1


class GameError(InputError):
    """A game that cannot be what it is called; the message names the value, the place and the way out."""


@dataclass(frozen=True, slots=True)
class MatrixGame:
    """A symmetric 2x2 game given by its four payoffs, in points."""

    name: str
    """Catalogue name, for example ``prisoners_dilemma``."""
    T: float
    """Temptation: I defect, the other cooperates."""
    R: float
    """Reward: both cooperate."""
    P: float
    """Punishment: both defect."""
    S: float
    """Sucker's payoff: I cooperate, the other defects."""

    def __post_init__(self) -> None:
        for symbol in "TRPS":
            value = getattr(self, symbol)
            if not (isinstance(value, Real) and -1e9 < float(value) < 1e9):
                raise GameError(f"{self.name}: {symbol} = {value!r} is not a finite payoff within ±1e9")
            object.__setattr__(self, symbol, float(value))
        ordering = ORDERINGS.get(self.name)
        if ordering and not all(self._holds(clause) for clause in ordering.split(", ")):
            raise GameError(
                f"{self.name} needs {ordering}; got T={self.T:g}, R={self.R:g}, P={self.P:g}, S={self.S:g}"
                f" (choose payoffs in that order, or the name 'matrix_game' for any payoffs)"
            )

    def _holds(self, clause: str) -> bool:
        """Whether an ordering such as ``T>R>=P`` is true of the payoffs."""
        symbols = clause.replace(">=", "~").replace(">", " > ").replace("~", " >= ").split()
        values = [getattr(self, symbol) for symbol in symbols[::2]]
        return all(
            a > b if relation == ">" else a >= b
            for a, relation, b in zip(values, symbols[1::2], values[1:], strict=False)
        )

    @property
    def n_players(self) -> int:
        return 2

    @property
    def n_actions(self) -> int:
        return 2

    def payoffs(self, joint: tuple[int, ...]) -> tuple[float, ...]:
        """Payoffs in points, one per player, of one joint action (one action index per player)."""
        row, column = joint
        table = ((self.R, self.S), (self.T, self.P))
        return table[row][column], table[column][row]

    def cooperation(self, action: int) -> float:
        """How cooperative an action is, from 0 (defect) to 1 (cooperate)."""
        return 1.0 - action


ORDERINGS = {
    "prisoners_dilemma": "T>R>P>S",
    "snowdrift": "T>R>S>P",
    "stag_hunt": "R>T>=P>S",
    "harmony": "R>T, R>S, S>P",
    "deadlock": "T>P>R>S",
    "leader": "T>S>R>P",
}
"""What a name promises about the payoffs. Source of the four: Macy & Flache 2002 (PNAS 99:7229), with harmony
after Liebrand 1983; deadlock and leader after Rapoport & Guyer 1966."""

DEFAULTS = {
    # Axelrod 1984, The Evolution of Cooperation
    "prisoners_dilemma": MatrixGame("prisoners_dilemma", T=5, R=3, P=1, S=0),
    # Skyrms 2004, The Stag Hunt and the Evolution of Social Structure: hare is safe, stag takes two
    "stag_hunt": MatrixGame("stag_hunt", T=3, R=4, P=3, S=0),
    # Doebeli & Hauert 2005 (Ecology Letters 8:748), benefit 4 and cost 2: T=b, R=b-c/2, S=b-c, P=0
    "snowdrift": MatrixGame("snowdrift", T=4, R=3, P=0, S=2),
    # Hofbauer & Sigmund 1998: no conflict of interest; the prisoner's delight
    "harmony": MatrixGame("harmony", T=3, R=5, P=0, S=1),
    # The two of Rapoport & Guyer 1966 with payoffs 1 to 4
    "deadlock": MatrixGame("deadlock", T=4, R=2, P=3, S=1),
    "leader": MatrixGame("leader", T=4, R=2, P=1, S=3),
}
"""The field's usual payoffs of the named games."""
