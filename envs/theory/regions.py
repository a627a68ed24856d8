"""Which dilemma is this? Names for every symmetric 2x2 game by the order of its payoffs, and its borders told.

Of the 24 strict orders of T, R, P and S, twelve put R over P. These are the symmetric games of Robinson & Goforth
2005 (The Topology of the 2x2 Games); the other twelve are the same games with the two actions exchanged. Names are
those of `ORDERINGS` first, then of Bruns 2015 (Games 6:495), who calls snowdrift chicken and leader battle, and who
tells three harmonies apart: peace, harmony and concord, by where T stands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, permutations, product

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.catalogue import title
from dilemmas.envs.games.matrix_games import ORDERINGS, MatrixGame, holds

TOLERANCE = 1e-12
"""Payoffs tie where they differ by no more than this share of the largest amount among those compared.

It is some thousand times what rounding does to a sum of forty terms, so that 0.1 + 0.2 ties with 0.3.
"""

FURTHER = {
    "hero": "S>T>R>P",
    "compromise": "T>P>S>R",
    "assurance": "R>P>T>S",
    "coordination": "R>P>S>T",
}
"""The games that complete `ORDERINGS`. Hero after Rapoport 1967 (Behav Sci 12:81), the others after Bruns 2015."""

EXCHANGED = str.maketrans("TRPS", "SPRT")
"""What payoffs are called when C is called D and D is called C."""

_ORDERINGS = {**ORDERINGS, **FURTHER}
NAMES = _ORDERINGS | {f"{name}_exchanged": ordering.translate(EXCHANGED) for name, ordering in _ORDERINGS.items()}
"""Region -> the order of payoffs that makes it. Every strict order is in one; where it is in two, the first counts."""

CHICKEN = "snowdrift (chicken)"
"""Title of the region of snowdrift, which is better known by its other name."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where the payoffs of a symmetric 2x2 game lie among the dilemmas."""

    name: str | None
    """The region whose ordering the payoffs keep; None on a border that belongs to no region."""
    between: tuple[str, ...]
    """The regions that meet here; only one inside of a region."""
    ties: tuple[str, ...]
    """The equalities that put the game on the border, such as ``P = S``; none inside of a region."""

    @property
    def title(self) -> str:
        """The place in words."""
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
    """The dilemma that four payoffs (points) make, or the border they lie on.

    Payoffs that differ by rounding alone tie (`TOLERANCE`), where `MatrixGame` compares them as they are. Raises
    `GameError` for payoffs that are no finite numbers.
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
    """Where a game lies on the S-T plane: its S and its T on the scale on which R is 1 and P is 0.

    Raises `GameError` where R is not above P.
    """
    if not R > P:
        raise GameError(f"R = {R:g}, P = {P:g}; only games with R above P lie on the S-T plane")
    return (S - P) / (R - P), (T - P) / (R - P)


def region_title(name: str) -> str:
    """A region's name as people write it."""
    base = name.removesuffix("_exchanged")
    words = CHICKEN if base == "snowdrift" else title(base)[0].lower() + title(base)[1:]
    return words if base == name else f"{words} with the actions exchanged"


def ranks(payoffs: Sequence[float]) -> list[int]:
    """Where each payoff stands, from 0 for the lowest; those that tie stand alike."""
    tie = TOLERANCE * max(map(abs, payoffs))
    rising = sorted(range(len(payoffs)), key=lambda place: payoffs[place])
    found = [0] * len(payoffs)
    for lower, higher in pairwise(rising):
        found[higher] = found[lower] + (payoffs[higher] - payoffs[lower] > tie)
    return found


def _region_of(order: Iterable[Sequence[str]]) -> str:
    """The region of a strict order, given as groups of symbols one after the other."""
    standing = {symbol: -place for place, symbol in enumerate(chain.from_iterable(order))}
    return next(name for name, ordering in NAMES.items() if holds(ordering, standing))


def _decides(place: int, tied: Sequence[Sequence[str]]) -> bool:
    """Whether it makes different games to break the ties of one group in one way or another."""
    above, below = ([[*permutations(group)] for group in part] for part in (tied[:place], tied[place + 1 :]))
    return any(
        len({_region_of((*rest[:place], own, *rest[place:])) for own in permutations(tied[place])}) > 1
        for rest in product(*above, *below)
    )
