"""Two-player games given by two tables of payoffs: any numbers of actions, and players who need not be alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError, finite_payoff

Table = Sequence[Sequence[float]]
"""Points by the row player's action, then the column player's. Lists and arrays are taken too, and kept as tuples."""

NEUTRAL = 0.5
"""How cooperative an action is that has nothing to do with cooperation."""


@dataclass(frozen=True, slots=True)
class BimatrixGame:
    """A game for two in which the row player (``player_0``) has m actions and the column player n."""

    name: str
    """Catalogue name, for example ``matching_pennies``."""
    row: Table
    """Payoffs of the row player in points, m x n."""
    column: Table
    """Payoffs of the column player in points, m x n as well: the row player's action still comes first."""
    degrees: Table | None = None
    """How cooperative each action is, from 0 to 1: the m of the row player, the n of the column player. None: evenly
    spaced, from 1 for the first to 0 for the last."""

    def __post_init__(self) -> None:
        for side in ("row", "column"):
            object.__setattr__(self, side, _table(getattr(self, side), f"{self.name}: {side}"))
        rows, columns = self.options
        if rows * columns < 2:
            raise GameError(f"{self.name}: row = {self.row!r}; somebody needs two actions or more")
        if (len(self.column), len(self.column[0])) != (rows, columns):
            found = f"{len(self.column)} x {len(self.column[0])}"
            raise GameError(f"{self.name}: column is {found}, row is {rows} x {columns}; both need one shape")
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
        row, column = joint
        return self.row[row][column], self.column[row][column]

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        """The same for many joint actions at once: shape (..., 2) in and out."""
        cells = np.stack([np.array(self.row), np.array(self.column)], axis=-1)  # (m, n, players)
        found: NDArray[np.float64] = cells[joints[..., 0], joints[..., 1]]
        return found

    def cooperation(self, action: int, player: int | None = None) -> float:
        """How cooperative a player's action is, from 0 to 1; without a player, of the one who has more actions."""
        if player is None:
            player = self.options.index(self.n_actions)
        if self.degrees is not None:
            return self.degrees[player][action]
        return 1.0 - action / max(1, self.options[player] - 1)

    def _checked_degrees(self, given: Table) -> tuple[tuple[float, ...], ...]:
        try:
            degrees = tuple(map(tuple, given))
        except TypeError:
            raise GameError(f"{self.name}: degrees = {given!r}; needs a list of numbers for each player") from None
        if tuple(map(len, degrees)) != self.options:
            needed = " and ".join(map(str, self.options))
            raise GameError(f"{self.name}: degrees = {degrees}; needs {needed} numbers, one per action")
        if not all(isinstance(degree, Real) and 0 <= degree <= 1 for player in degrees for degree in player):
            raise GameError(f"{self.name}: degrees = {degrees}; each lies in [0, 1]")
        return tuple(tuple(map(float, player)) for player in degrees)


def bimatrix_game(
    row: Table = ((0, 0), (0, 0)), column: Table | None = None, degrees: Table | None = None
) -> BimatrixGame:
    """Any game for two. Without `column` it is symmetric: the column player gets what a row player would in its place.

    Raises `GameError` for tables of two shapes, for what is no payoff, and for a symmetric game that is not square.
    """
    return BimatrixGame("bimatrix_game", row, _mirrored(row, "bimatrix_game") if column is None else column, degrees)


def matching_pennies() -> BimatrixGame:
    """The row player wins a point if both show the same side, the column player if they differ.

    As in von Neumann & Morgenstern 1944, Theory of Games and Economic Behavior.
    """
    row = ((1, -1), (-1, 1))
    return BimatrixGame("matching_pennies", row, ((-1, 1), (1, -1)), ((NEUTRAL,) * 2,) * 2)


def rock_paper_scissors() -> BimatrixGame:
    """Each beats one and loses to another for a point (rock, paper, scissors, in this order)."""
    row = ((0, -1, 1), (1, 0, -1), (-1, 1, 0))
    return BimatrixGame("rock_paper_scissors", row, _mirrored(row, "rock_paper_scissors"), ((NEUTRAL,) * 3,) * 2)


MOST_CLAIMS = 1000


def travelers_dilemma(low: int = 2, high: int = 100, bonus: float = 2) -> BimatrixGame:
    """Both get the lower of two claims, and the lower claimant `bonus` points from the other (Basu 1994, AER 84:391).

    Action a claims `high` - a points. With a `bonus` above 1 it pays to claim a point less than the other, down to
    `low`, the only equilibrium.
    """
    for option, value in (("low", low), ("high", high)):
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise GameError(f"travelers_dilemma: {option} = {value!r}; needs a whole number of points")
    if not low < high <= low + MOST_CLAIMS:
        raise GameError(f"travelers_dilemma: low = {low}, high = {high}; high lies 1 to {MOST_CLAIMS} above low")
    if not finite_payoff(bonus, "travelers_dilemma: bonus") > 1:
        raise GameError(f"travelers_dilemma: bonus = {bonus!r}; needs more than 1 point")
    claims = np.arange(int(high), int(low) - 1, -1)
    mine, theirs = claims[:, None], claims[None, :]
    row = np.minimum(mine, theirs) + float(bonus) * np.sign(theirs - mine)
    return BimatrixGame("travelers_dilemma", row.tolist(), row.T.tolist())


def inspection_game(output: float = 6, wage: float = 4, effort: float = 2, inspection: float = 1) -> BimatrixGame:
    """An employee works or shirks, an employer trusts or inspects (Fudenberg & Tirole 1991, Game Theory).

    Work takes `effort` and yields `output`; the `wage` is paid unless shirking is found out by an `inspection`, which
    costs the employer. With 0 < `effort` < `wage` < `output` and 0 < `inspection` < `wage`, which is enforced, the
    only equilibrium is mixed: the employee shirks with probability inspection / wage, the employer inspects with
    probability effort / wage.
    """
    given = {"output": output, "wage": wage, "effort": effort, "inspection": inspection}
    v, w, g, h = (finite_payoff(value, f"inspection_game: {option}") for option, value in given.items())
    if not (0 < g < w < v and 0 < h < w):
        told = ", ".join(f"{option}={value:g}" for option, value in given.items())
        raise GameError(f"inspection_game needs 0 < effort < wage < output, 0 < inspection < wage; got {told}")
    employee = ((w - g, w - g), (w, 0))
    employer = ((v - w, v - w - h), (-w, -h))
    return BimatrixGame("inspection_game", employee, employer)


def _table(values: Any, place: str) -> tuple[tuple[float, ...], ...]:
    """A table as tuples of floats; `GameError` with the place for what is none."""
    try:
        rows = tuple(tuple(row) for row in values)
    except TypeError:
        raise GameError(f"{place} = {values!r}; needs a table: a list of payoffs for each own action") from None
    if not rows or not rows[0] or len(set(map(len, rows))) > 1:
        raise GameError(f"{place} = {values!r}; needs rows of one length, one column or more")
    return tuple(
        tuple(finite_payoff(value, f"{place}[{i}][{j}]") for j, value in enumerate(row)) for i, row in enumerate(rows)
    )


def _mirrored(row: Table, name: str) -> tuple[tuple[float, ...], ...]:
    """The column player's payoffs where the two are alike."""
    table = _table(row, f"{name}: row")
    if len(table) != len(table[0]):
        found = f"{len(table)} x {len(table[0])}"
        raise GameError(f"{name}: row is {found}, column is not given; a symmetric game is square")
    return tuple(zip(*table, strict=True))
