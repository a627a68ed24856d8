"""All Nash equilibria of finite two-player games of any size, exactly, by their extreme points.

The mixed strategies of one player that leave a set of best replies to the other form a polyhedron for each player. The
extreme equilibria are the pairs of its vertices in which every action is either not played or a best reply (Mangasarian
1964, J. SIAM 12:778; Avis, Rosenberg, Savani & von Stengel 2010, Econ. Theory 42:9). In a degenerate game there are
infinitely many equilibria: with two extreme ones in which a player does the same, everything between these is an
equilibrium too, and there are no others. Arithmetic is in fractions, so ties are ties.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.stage_game import StageGame

MOST_BASES = 1000
"""Most systems of equations to solve for each player: games of up to 6 x 6 or 3 x 16 actions; two seconds."""

Row = list[Fraction]
Vertex = tuple[tuple[Fraction, ...], frozenset[int]]
"""A mixed strategy, and the labels of the actions of both players that are not played or are best replies to it."""


@dataclass(frozen=True, slots=True)
class MixedEquilibrium:
    """An extreme Nash equilibrium of a two-player game."""

    first: tuple[float, ...]
    """Probability of each action of the first player."""
    second: tuple[float, ...]
    """Probability of each action of the second player."""

    @property
    def pure(self) -> bool:
        """Whether both players take one action for certain."""
        return max(self.first) == max(self.second) == 1.0


def can_be_enumerated(game: StageGame) -> bool:
    """Whether a game has two players and few enough actions for `extreme_equilibria`."""
    return game.n_players == 2 and 0 not in game.options and comb(sum(game.options), game.options[0]) <= MOST_BASES


def extreme_equilibria(game: StageGame) -> tuple[MixedEquilibrium, ...]:
    """The extreme Nash equilibria of a two-player game, pure ones first: all of them, if the game is not degenerate.

    Raises
    ------
    GameError
        If the game has other than two players, or too many actions.
    """
    if not can_be_enumerated(game):
        raise GameError(
            f"{game.name}: options = {game.options}; mixed equilibria are computed for two players with up to 6 x 6"
            " actions, or 3 x 16"
        )
    rows, columns = game.options
    table = [[game.payoffs((i, j)) for j in range(columns)] for i in range(rows)]
    own = [[Fraction(str(table[i][j][0])) for j in range(columns)] for i in range(rows)]
    other = [[Fraction(str(table[i][j][1])) for i in range(rows)] for j in range(columns)]
    first = _vertices(other, rows, 0, rows)
    second = _vertices(own, columns, rows, 0)
    everything = frozenset(range(rows + columns))
    found = [(x, y) for x, seen in first for y, known in second if seen | known == everything]
    points = [MixedEquilibrium(tuple(map(float, x)), tuple(map(float, y))) for x, y in found]
    return tuple(sorted(points, key=lambda one: (not one.pure, [-p for p in one.first], [-p for p in one.second])))


def continua(points: Sequence[MixedEquilibrium]) -> bool:
    """Whether there are equilibria between extreme ones: two of these agree in what one of the players does."""
    return any(one.first == two.first or one.second == two.second for one, two in combinations(points, 2))


def _vertices(replies: list[Row], size: int, own: int, theirs: int) -> list[Vertex]:
    """Mixed strategies of a player that are vertices of its best-reply polyhedron.

    Parameters
    ----------
    replies
        Payoffs of the other player by its action and the player's, shape (actions of the other, `size`).
    own, theirs
        Label of the first action of the player and of the other.
    """
    least = min(min(row) for row in replies)
    faces: list[Row] = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]  # x_i >= 0
    faces += [[payoff - least + 1 for payoff in row] for row in replies]  # positive payoffs of at most 1
    levels = [Fraction(0)] * size + [Fraction(1)] * len(replies)
    labels = [*range(own, own + size), *range(theirs, theirs + len(replies))]
    found: dict[tuple[Fraction, ...], frozenset[int]] = {}
    for basis in combinations(range(len(faces)), size):
        point = _solved([[*faces[face], levels[face]] for face in basis])
        if point is None or not any(point) or min(point) < 0:
            continue
        values = [sum(a * x for a, x in zip(face, point, strict=True)) for face in faces]
        if max(values[size:]) <= 1:
            total = sum(point)
            tight = (value == level for value, level in zip(values, levels, strict=True))
            found[tuple(x / total for x in point)] = frozenset(
                label for label, is_tight in zip(labels, tight, strict=True) if is_tight
            )
    return list(found.items())


def _solved(rows: list[Row]) -> Row | None:
    """The solution of linear equations, right-hand sides last, by elimination; None if there is not exactly one."""
    size = len(rows)
    for column in range(size):
        pivot = next((row for row in range(column, size) if rows[row][column]), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        rows[column] = [value / head for value in rows[column]]
        for row in range(size):
            if row != column and (factor := rows[row][column]):
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[-1] for row in rows]
