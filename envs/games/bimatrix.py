"""Two-player games with two payoff tables: any number of actions per player, symmetric or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError, finite_payoff, items
from dilemmas.envs.games.stage_game import checked_action, checked_joint, checked_joints
from dilemmas.envs.validation import written

Table = Sequence[Sequence[float]]
"""Points by the row player's action, then by the column player's; lists and arrays are converted to tuples."""

NEUTRAL = 0.5
"""Degree of cooperation of actions in games in which no action is cooperative."""


@written(nulls=True)
@dataclass(frozen=True, slots=True)
class BimatrixGame:
    """A two-player game in which the row player (``player_0``) has m actions and the column player n."""

    name: str
    """Catalogue name, for example ``matching_pennies``."""
    row: Table
    """Payoffs of the row player in points, m x n."""
    column: Table
    """Payoffs of the column player in points, m x n: the row player's action comes first here, too."""
    degrees: Table | None = None
    """How cooperative each action is, from 0 to 1: m numbers for the row player, n for the column player. None: evenly
    spaced from 1 for the first action to 0 for the last."""

    def __post_init__(self) -> None:
        for side in ("row", "column"):
            object.__setattr__(self, side, _table(getattr(self, side), f"{self.name}: {side}"))
        rows, columns = self.options
        if rows * columns < 2:
            raise GameError(f"{self.name}: row = {self.row!r}; at least one player needs two actions or more")
        if (len(self.column), len(self.column[0])) != (rows, columns):
            found = f"{len(self.column)} x {len(self.column[0])}"
            raise GameError(f"{self.name}: column is {found}, row is {rows} x {columns}; both need the same shape")
        if self.degrees is not None:
            object.__setattr__(self, "degrees", self._checked_degrees(self.degrees))

    @property
    def n_players(self) -> int:
        return 2

    @property
    def options(self) -> tuple[int, ...]:
        return len(self.row), len(self.row[0])

    @property
    def n_actions(self) -> int:
        return max(self.options)

    @property
    def endowments(self) -> tuple[float, ...]:
        return ()

    def payoffs(self, joint: tuple[int, ...]) -> tuple[float, ...]:
        """Payoffs in points, one per player, of one joint action (one action index per player)."""
        row, column = checked_joint(self, joint)
        return self.row[row][column], self.column[row][column]

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        """Payoffs in points of many joint actions: shape (..., 2) in and out."""
        actions = checked_joints(self, joints)
        cells = np.stack([np.array(self.row), np.array(self.column)], axis=-1)  # (m, n, players)
        found: NDArray[np.float64] = cells[actions[..., 0], actions[..., 1]]
        return found

    def cooperation(self, action: int, player: int | None = None) -> float:
        """How cooperative an action is, from 0 to 1; without `player`, that of the player with more actions."""
        checked_action(self, action, player)
        if player is None:
            player = self.options.index(self.n_actions)
        if self.degrees is not None:
            return self.degrees[player][action]
        return 1.0 - action / max(1, self.options[player] - 1)

    def _checked_degrees(self, given: Table) -> tuple[tuple[float, ...], ...]:
        try:
            degrees: tuple[tuple[float, ...], ...] = tuple(map(items, items(given)))
        except TypeError:
            raise GameError(
                f"{self.name}: degrees = {given!r}; needs one list of numbers per player, such as [[1, 0], [1, 0]]"
            ) from None
        if tuple(map(len, degrees)) != self.options:
            needed = " and ".join(map(str, self.options))
            raise GameError(f"{self.name}: degrees = {degrees}; needs {needed} numbers, one per action")
        if not all(isinstance(degree, Real) and 0 <= degree <= 1 for player in degrees for degree in player):
            raise GameError(f"{self.name}: degrees = {degrees}; needs numbers from 0 to 1")
        return tuple(tuple(map(float, player)) for player in degrees)


def bimatrix_game(row: Table, column: Table | None = None, degrees: Table | None = None) -> BimatrixGame:
    """Any two-player game.

    Parameters
    ----------
    row
        Payoffs of the row player in points, shape (m, n).
    column
        Payoffs of the column player in points, shape (m, n). None: the game is symmetric, which requires m = n.
    degrees
        How cooperative each action is, from 0 to 1, for each player; see `BimatrixGame`.

    Raises
    ------
    GameError
        If the shapes differ, if a value is not a payoff, or if a symmetric game is not square.
    """
    return BimatrixGame("bimatrix_game", row, _mirrored(row, "bimatrix_game") if column is None else column, degrees)


def matching_pennies() -> BimatrixGame:
    """The row player wins one point if both players show the same side, otherwise the column player wins one.

    Source: von Neumann & Morgenstern 1944, Theory of Games and Economic Behavior.
    """
    row = ((1, -1), (-1, 1))
    return BimatrixGame("matching_pennies", row, ((-1, 1), (1, -1)), ((NEUTRAL,) * 2,) * 2)


def rock_paper_scissors() -> BimatrixGame:
    """Each action wins one point against one action and loses one against another (rock, paper, scissors, in order)."""
    row = ((0, -1, 1), (1, 0, -1), (-1, 1, 0))
    return BimatrixGame("rock_paper_scissors", row, _mirrored(row, "rock_paper_scissors"), ((NEUTRAL,) * 3,) * 2)


MOST_CLAIMS = 1000
"""Largest difference between the highest and the lowest claim of the traveler's dilemma."""


def travelers_dilemma(low: int = 2, high: int = 100, bonus: float = 2) -> BimatrixGame:
    """Both players get the lower claim; the lower claimant also gets a bonus from the other (Basu 1994, AER 84:391).

    Action a claims `high` - a points. With a `bonus` above 1 the best reply is to claim one point less than the other
    player, down to `low`, which is the only equilibrium.

    Parameters
    ----------
    low, high
        Lowest and highest claim, whole numbers of points; `high` is 1 to `MOST_CLAIMS` above `low`.
    bonus
        Points that the higher claimant pays to the lower claimant, above 1.

    Raises
    ------
    GameError
        If an argument is outside its range.
    """
    for option, value in (("low", low), ("high", high)):
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise GameError(f"travelers_dilemma: {option} = {value!r}; needs a whole number of points")
    if not low < high <= low + MOST_CLAIMS:
        raise GameError(f"travelers_dilemma: low = {low}, high = {high}; needs low < high <= low + {MOST_CLAIMS}")
    if not finite_payoff(bonus, "travelers_dilemma: bonus") > 1:
        raise GameError(f"travelers_dilemma: bonus = {bonus!r}; needs more than 1 point")
    claims = np.arange(int(high), int(low) - 1, -1)
    mine, theirs = claims[:, None], claims[None, :]
    row = np.minimum(mine, theirs) + float(bonus) * np.sign(theirs - mine)
    return BimatrixGame("travelers_dilemma", row.tolist(), row.T.tolist())


def inspection_game(output: float = 6, wage: float = 4, effort: float = 2, inspection: float = 1) -> BimatrixGame:
    """An employee works or shirks while an employer trusts or inspects (Fudenberg & Tirole 1991, Game Theory).

    The only equilibrium is mixed: the employee shirks with probability inspection / wage, and the employer inspects
    with probability effort / wage.

    Parameters
    ----------
    output
        Value of the work to the employer in points, above `wage`.
    wage
        What the employer pays in points, unless an inspection finds that the employee shirks.
    effort
        Cost of working to the employee in points, above 0 and below `wage`.
    inspection
        Cost of an inspection to the employer in points, above 0 and below `wage`.

    Raises
    ------
    GameError
        If an argument is outside its range.
    """
    given = {"output": output, "wage": wage, "effort": effort, "inspection": inspection}
    v, w, g, h = (finite_payoff(value, f"inspection_game: {option}") for option, value in given.items())
    if not (0 < g < w < v and 0 < h < w):
        values = ", ".join(f"{option}={value:g}" for option, value in given.items())
        raise GameError(f"inspection_game needs 0 < effort < wage < output, 0 < inspection < wage; got {values}")
    employee = ((w - g, w - g), (w, 0))
    employer = ((v - w, v - w - h), (-w, -h))
    return BimatrixGame("inspection_game", employee, employer)


def _table(values: Any, place: str) -> tuple[tuple[float, ...], ...]:
    """A table as tuples of floats; `GameError` with the place if it is not a table of payoffs."""
    try:
        rows = tuple(map(items, items(values)))
    except TypeError:
        raise GameError(
            f"{place} = {values!r}; needs a table: one list of payoffs per row, such as [[3, 0], [5, 1]]"
        ) from None
    if not rows or not rows[0] or len(set(map(len, rows))) > 1:
        raise GameError(f"{place} = {values!r}; needs rows of equal length with at least one column")
    return tuple(
        tuple(finite_payoff(value, f"{place}[{i}][{j}]") for j, value in enumerate(row)) for i, row in enumerate(rows)
    )


def _mirrored(row: Table, name: str) -> tuple[tuple[float, ...], ...]:
    """The column player's payoffs in a symmetric game."""
    table = _table(row, f"{name}: row")
    if len(table) != len(table[0]):
        found = f"{len(table)} x {len(table[0])}"
        raise GameError(f"{name}: row is {found}, column is not specified; a symmetric game needs a square table")
    return tuple(zip(*table, strict=True))
