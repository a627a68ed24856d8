"""Symmetric two-player games with two actions, and the order of payoffs that each name requires.

Payoffs are written here once, as literal data; rewards, prompts, metrics and documents read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError, finite_payoff
from dilemmas.envs.games.stage_game import checked_action, checked_joint, checked_joints


class Action(IntEnum):
    """The two actions of a symmetric 2x2 game: cooperate and defect."""

    C = 0
    D = 1


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
            object.__setattr__(self, symbol, finite_payoff(getattr(self, symbol), f"{self.name}: {symbol}"))
        ordering = ORDERINGS.get(self.name)
        if ordering and not holds(ordering, {symbol: getattr(self, symbol) for symbol in "TRPS"}):
            raise GameError(
                f"{self.name} needs {ordering}; got T={self.T:g}, R={self.R:g}, P={self.P:g}, S={self.S:g}"
                f" (use payoffs in that order, or the game 'matrix_game', which takes any payoffs)"
            )

    @property
    def n_players(self) -> int:
        return 2

    @property
    def options(self) -> tuple[int, ...]:
        return 2, 2

    @property
    def n_actions(self) -> int:
        return 2

    @property
    def endowments(self) -> tuple[float, ...]:
        return ()

    @property
    def table(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """A player's payoffs in points: own action by row, the other's by column."""
        return (self.R, self.S), (self.T, self.P)

    def payoffs(self, joint: tuple[int, ...]) -> tuple[float, ...]:
        """Payoffs in points, one per player, of one joint action (one action index per player)."""
        row, column = checked_joint(self, joint)
        table = self.table
        return table[row][column], table[column][row]

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        """Payoffs in points of many joint actions: shape (..., 2) in and out."""
        actions = checked_joints(self, joints)
        found: NDArray[np.float64] = np.array(self.table)[actions, actions[..., ::-1]]
        return found

    def cooperation(self, action: int, player: int | None = None) -> float:
        """How cooperative an action is, from 0 (defect) to 1 (cooperate)."""
        return float(1.0 - checked_action(self, action, player))


def matrix_game(T: float, R: float, P: float, S: float) -> MatrixGame:
    """Any symmetric 2x2 game; payoffs in points: temptation, reward, punishment, sucker's payoff."""
    return MatrixGame("matrix_game", T, R, P, S)


def plane_game(S: float, T: float) -> MatrixGame:
    """The game at a point of the S-T plane, where R = 1 and P = 0.

    Santos, Pacheco & Lenaerts 2006 (PNAS 103:3490) use the square -1 <= S <= 1, 0 <= T <= 2, whose four quarters are
    harmony, snowdrift, stag hunt and prisoner's dilemma.

    Parameters
    ----------
    S
        Sucker's payoff in points.
    T
        Temptation in points.
    """
    return MatrixGame("matrix_game", T=T, R=1, P=0, S=S)


def holds(ordering: str, standing: Mapping[str, float]) -> bool:
    """Whether payoffs satisfy an ordering.

    Parameters
    ----------
    ordering
        Such as ``R>T>=P>S`` or ``R>T, R>S``.
    standing
        Payoffs, or their ranks, by symbol.
    """
    for clause in ordering.split(", "):
        for better, worse in pairwise(clause.split(">")):
            more = standing[better[-1]] - standing[worse[-1]]
            if more < 0 or (more == 0 and not worse.startswith("=")):
                return False
    return True


ORDERINGS = {
    "prisoners_dilemma": "T>R>P>S",
    "snowdrift": "T>R>S>P",
    "stag_hunt": "R>T>=P>S",
    "harmony": "R>T, R>S, S>P",
    "deadlock": "T>P>R>S",
    "leader": "T>S>R>P",
    "battle_of_the_sexes": "T>S>R, S>P",
}
"""The order of payoffs that each name requires. Source of the dilemmas: Macy & Flache 2002 (PNAS 99:7229); harmony and
deadlock after Bruns 2015 (Games 6:495); leader after Rapoport 1967 (Behav Sci 12:81); battle of the sexes after Luce &
Raiffa 1957."""

DEFAULTS = {
    # Axelrod 1984, The Evolution of Cooperation
    "prisoners_dilemma": MatrixGame("prisoners_dilemma", T=5, R=3, P=1, S=0),
    # Skyrms 2004, The Stag Hunt and the Evolution of Social Structure: a hare is safe, a stag takes two hunters
    "stag_hunt": MatrixGame("stag_hunt", T=3, R=4, P=3, S=0),
    # Doebeli & Hauert 2005 (Ecology Letters 8:748), benefit 4 and cost 2: T=b, R=b-c/2, S=b-c, P=0
    "snowdrift": MatrixGame("snowdrift", T=4, R=3, P=0, S=2),
    # No conflict of interest: cooperation is the best action whatever the other player does
    "harmony": MatrixGame("harmony", T=3, R=5, P=0, S=1),
    # Ranks from 1 to 4
    "deadlock": MatrixGame("deadlock", T=4, R=2, P=3, S=1),
    "leader": MatrixGame("leader", T=4, R=2, P=1, S=3),
    # Luce & Raiffa 1957 (Games and Decisions, 5.3): to yield is to go to the other player's favorite place
    "battle_of_the_sexes": MatrixGame("battle_of_the_sexes", T=2, R=0, P=0, S=1),
}
"""The named games with their usual payoffs in the literature."""
