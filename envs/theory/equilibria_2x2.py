"""All Nash equilibria of two-player games with two actions each, symmetric or not; a continuum is one result.

The best replies of a player to all mixed strategies of the other form at most three lines, or the whole square of
probabilities. The equilibria are the intersection of the best replies of both players.
"""

from dataclasses import dataclass
from itertools import product

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.theory.outcomes import against, tie_of

ProbabilityRange = tuple[float, float]
"""Least and greatest probability; equal for a single probability."""


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """Nash equilibria of a 2x2 game: every pair of a probability in `first` and one in `second`."""

    first: ProbabilityRange
    """Probability range with which the first player takes action 0."""
    second: ProbabilityRange
    """Probability range with which the second player takes action 0."""

    @property
    def continuum(self) -> bool:
        """Whether it is a line or a square of equilibria instead of a single one."""
        return self.first[0] < self.first[1] or self.second[0] < self.second[1]

    @property
    def pure(self) -> bool:
        """Whether it is a single equilibrium in pure strategies."""
        return not self.continuum and {self.first[0], self.second[0]} <= {0.0, 1.0}


def mixed_equilibria(game: StageGame) -> tuple[Equilibrium, ...]:
    """All Nash equilibria of a 2x2 game, pure ones first; lines or squares where there are infinitely many.

    Raises
    ------
    GameError
        If the game is not a 2x2 game.
    """
    if game.options != (2, 2):
        raise GameError(f"{game.name}: options = {game.options}; mixed equilibria require two players and two actions")
    found = []
    for (p, answered_q), (q, answered_p) in product(_replies(against(game, 0)), _replies(against(game, 1))):
        first, second = _common(p, answered_p), _common(q, answered_q)
        if first and second:
            found.append(Equilibrium(first, second))
    whole = {one for one in found if not any(_within(one, other) for other in found if other != one)}
    return tuple(sorted(whole, key=lambda one: (not one.pure, one.continuum, one.first, one.second)))


def _replies(points: Numbers) -> list[tuple[ProbabilityRange, ProbabilityRange]]:
    """A player's best replies: ranges of its own probability of action 0, and the other player's to which they reply.

    `points`: own payoffs by own and the other player's action, shape (2, 2).
    """
    more = points[0] - points[1]  # advantage of action 0 over action 1, by the other player's action
    more[abs(more) <= tie_of(points)] = 0.0
    at_one, at_zero = more.tolist()  # by the other player's probability of action 0
    if at_zero == at_one == 0:
        return [((0.0, 1.0), (0.0, 1.0))]
    if at_zero * at_one and (at_zero > 0) == (at_one > 0):
        return [(_pure(at_zero), (0.0, 1.0))]
    even = abs(at_zero) / (abs(at_zero) + abs(at_one))  # at this probability both actions pay the same
    lines = [((0.0, 1.0), (even, even))]
    if at_zero:
        lines.append((_pure(at_zero), (0.0, even)))
    if at_one:
        lines.append((_pure(at_one), (even, 1.0)))
    return lines


def _pure(more: float) -> ProbabilityRange:
    return (1.0, 1.0) if more > 0 else (0.0, 0.0)


def _common(one: ProbabilityRange, other: ProbabilityRange) -> ProbabilityRange | None:
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else None


def _within(one: Equilibrium, other: Equilibrium) -> bool:
    return _common(one.first, other.first) == one.first and _common(one.second, other.second) == one.second
