"""The type of dilemma of every symmetric 2x2 game, from the order of its payoffs, including borders between types.

Of the 24 strict orders of T, R, P and S, twelve have R > P. These are the symmetric games of Robinson & Goforth 2005
(The Topology of the 2x2 Games); the other twelve are the same games with the two actions exchanged. The names are
those of `ORDERINGS`, then those of Bruns 2015 (Games 6:495), who calls snowdrift chicken, calls leader battle, and
distinguishes three harmonies by the rank of T: peace, harmony and concord.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, permutations, product

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.catalogue import title
from dilemmas.envs.games.matrix_games import ORDERINGS, MatrixGame, holds

TOLERANCE = 1e-12
"""Payoffs count as equal if they differ by at most this share of the largest absolute payoff among those compared.

It is about a thousand times the rounding error of a sum of forty terms, so that 0.1 + 0.2 equals 0.3.
"""

FURTHER = {
    "hero": "S>T>R>P",
    "compromise": "T>P>S>R",
    "assurance": "R>P>T>S",
    "coordination": "R>P>S>T",
}
"""Orders that are not in `ORDERINGS`. Hero after Rapoport 1967 (Behav Sci 12:81), the others after Bruns 2015."""

EXCHANGED = str.maketrans("TRPS", "SPRT")
"""Symbols of the payoffs when the two actions are exchanged."""

_ORDERINGS = {**ORDERINGS, **FURTHER}
NAMES = _ORDERINGS | {f"{name}_exchanged": ordering.translate(EXCHANGED) for name, ordering in _ORDERINGS.items()}
"""The order of payoffs of each region. Every strict order is in a region; where it is in two, the first one counts."""

CHICKEN = "snowdrift (chicken)"
"""Title of the region of snowdrift, which is better known by its other name."""


@dataclass(frozen=True, slots=True)
class Region:
    """The position of a symmetric 2x2 game among the dilemmas."""

    name: str | None
    """The region whose ordering the payoffs satisfy; None on a border that belongs to no region."""
    between: tuple[str, ...]
    """The adjacent regions; only one inside a region."""
    ties: tuple[str, ...]
    """The equalities that place the game on a border, such as ``P = S``; empty inside a region."""

    @property
    def title(self) -> str:
        """The position in words."""
        if len(self.between) == 1:
            return region_title(self.between[0])
        if self.ties == ("T = R = P = S",):
            return "no dilemma: all payoffs are the same"
        others = [region_title(name) for name in self.between if name != self.name]
        where = f"{', '.join(others[:-1])} and {others[-1]}" if others[1:] else others[0]
        why = ", ".join(self.ties)
        if self.name is None:
            return f"on the border between {where} ({why})"
        return f"{region_title(self.name)}, on the border to {where} ({why})"


def region(T: float, R: float, P: float, S: float) -> Region:
    """The dilemma of four payoffs in points, or the border on which they lie.

    Payoffs that differ only by rounding count as equal (`TOLERANCE`); `MatrixGame` compares them exactly.

    Raises
    ------
    GameError
        If a payoff is not a finite number.
    """
    game = MatrixGame("matrix_game", T=T, R=R, P=P, S=S)
    standing = dict(zip("TRPS", ranks([game.T, game.R, game.P, game.S]), strict=True))
    tied = [[symbol for symbol in "TRPS" if standing[symbol] == rank] for rank in range(max(standing.values()), -1, -1)]
    name = next((name for name, ordering in NAMES.items() if holds(ordering, standing)), None)
    met = {_region_of(order) for order in product(*map(permutations, tied))}
    ties = tuple(" = ".join(group) for place, group in enumerate(tied) if _decides(place, tied))
    return Region(name, tuple(known for known in NAMES if known in met), ties)


def region_at(S: float, T: float) -> Region:
    """The dilemma at a point of the S-T plane, where R = 1 and P = 0 (Santos, Pacheco & Lenaerts 2006)."""
    return region(T=T, R=1.0, P=0.0, S=S)


def plane_point(T: float, R: float, P: float, S: float) -> tuple[float, float]:
    """Coordinates of a game on the S-T plane: its S and its T after scaling to R = 1 and P = 0.

    Raises
    ------
    GameError
        If R <= P.
    """
    if not R > P:
        raise GameError(f"R = {R:g}, P = {P:g}; only games with R > P lie on the S-T plane")
    return (S - P) / (R - P), (T - P) / (R - P)


def region_title(name: str) -> str:
    """Title of a region for people, in lower case, such as "stag hunt"."""
    base = name.removesuffix("_exchanged")
    words = CHICKEN if base == "snowdrift" else title(base)[0].lower() + title(base)[1:]
    return words if base == name else f"{words} with the actions exchanged"


def ranks(payoffs: Sequence[float]) -> list[int]:
    """Rank of each payoff, from 0 for the lowest; equal payoffs have the same rank."""
    tie = TOLERANCE * max(map(abs, payoffs))
    rising = sorted(range(len(payoffs)), key=lambda place: payoffs[place])
    found = [0] * len(payoffs)
    for lower, higher in pairwise(rising):
        found[higher] = found[lower] + (payoffs[higher] - payoffs[lower] > tie)
    return found


def _region_of(order: Iterable[Sequence[str]]) -> str:
    """The region of a strict order, specified as consecutive groups of symbols."""
    standing = {symbol: -place for place, symbol in enumerate(chain.from_iterable(order))}
    return next(name for name, ordering in NAMES.items() if holds(ordering, standing))


def _decides(place: int, tied: Sequence[Sequence[str]]) -> bool:
    """Whether different ways of breaking the ties of one group lead to different regions."""
    above, below = ([[*permutations(group)] for group in part] for part in (tied[:place], tied[place + 1 :]))
    return any(
        len({_region_of((*rest[:place], own, *rest[place:])) for own in permutations(tied[place])}) > 1
        for rest in product(*above, *below)
    )
