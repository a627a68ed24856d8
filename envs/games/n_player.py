"""Symmetric games of n players with two actions, whose payoffs depend on the number of other cooperators.

The general game takes any payoffs. The named games are computed from a few parameters, and their payoffs must have the
properties that the name requires for every number of cooperators.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from numbers import Integral
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import MOST_PLAYERS, GameError, finite_payoff, flag, items, whole_number
from dilemmas.envs.games.stage_game import checked_action, checked_joint, checked_joints

Payoffs = Sequence[float]
"""Points with 0, 1, ..., n - 1 other cooperators; lists and arrays are converted to tuples."""


@dataclass(frozen=True, slots=True)
class CountGame:
    """A symmetric game of n players with two actions and n payoffs for each action."""

    name: str
    """Catalogue name, for example ``n_person_snowdrift``."""
    cooperate: Payoffs
    """Points of a player who cooperates, by the number of other cooperators, 0 to n - 1."""
    defect: Payoffs
    """Points of a player who defects, by the number of other cooperators, 0 to n - 1."""

    def __post_init__(self) -> None:
        for side in ("cooperate", "defect"):
            object.__setattr__(self, side, _row(getattr(self, side), f"{self.name}: {side}"))
        n, other = len(self.cooperate), len(self.defect)
        if n != other or n < 2:
            raise GameError(f"{self.name}: {n} payoffs of cooperation, {other} of defection; needs n of each, n >= 2")
        promise = PROMISES.get(self.name)
        if promise and not promise[1](self.cooperate, self.defect):
            found = f"C = {_listed(self.cooperate)}; D = {_listed(self.defect)}"
            raise GameError(f"{self.name} needs {promise[0]}; got {found} (the game 'count_game' takes any payoffs)")

    @property
    def n_players(self) -> int:
        return len(self.cooperate)

    @property
    def options(self) -> tuple[int, ...]:
        return (2,) * self.n_players

    @property
    def n_actions(self) -> int:
        return 2

    @property
    def endowments(self) -> tuple[float, ...]:
        return ()

    def payoffs(self, joint: tuple[int, ...]) -> tuple[float, ...]:
        """Payoffs in points, one per player, of one joint action (one action index per player)."""
        actions = checked_joint(self, joint)
        cooperators = len(actions) - sum(actions)
        return tuple([self.defect[cooperators] if action else self.cooperate[cooperators - 1] for action in actions])

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        """Payoffs in points of many joint actions: shape (..., n) in and out."""
        n, players = self.n_players, np.moveaxis(checked_joints(self, joints).astype(np.intp, copy=False), -1, 0)
        others = n - 1 - reduce(add, players)  # cooperators other than a cooperator; a defector has one more
        table = np.array([*self.cooperate, *self.defect])
        return np.stack([table[action * (n + 1) + others] for action in players], axis=-1)

    def cooperation(self, action: int, player: int | None = None) -> float:
        """How cooperative an action is, from 0 (defect) to 1 (cooperate)."""
        return float(1.0 - checked_action(self, action, player))


def _prisoners_dilemma(C: Payoffs, D: Payoffs) -> bool:
    return _above(D, C) and _rises(C) and _rises(D) and C[-1] > D[0]


def _stag_hunt(C: Payoffs, D: Payoffs) -> bool:
    gains = np.subtract(C, D)
    return bool(gains[0] < 0 < gains.max()) and C[-1] > D[0] and not _falls(D)


def _snowdrift(C: Payoffs, D: Payoffs) -> bool:
    return _volunteers(C, D) and _rises(C)


def _volunteers(C: Payoffs, D: Payoffs) -> bool:
    return C[0] > D[0] and _above(D[1:], C[1:]) and not _falls(C) and not _falls(D)


def _harmony(C: Payoffs, D: Payoffs) -> bool:
    return _above(C, D) and _rises(C)


def _above(upper: Payoffs, lower: Payoffs) -> bool:
    return all(u > v for u, v in zip(upper, lower, strict=True))


def _rises(row: Payoffs) -> bool:
    return _above(row[1:], row[:-1])


def _falls(row: Payoffs) -> bool:
    """Whether any payoff is lower than the one before it."""
    return any(later < earlier for earlier, later in pairwise(row))


PROMISES: dict[str, tuple[str, Callable[[Payoffs, Payoffs], bool]]] = {
    # Schelling 1973 (J Conflict Resolution 17:381): the uniform multi-person prisoner's dilemma
    "n_person_prisoners_dilemma": ("D(k) > C(k), both rising with k, and C(n-1) > D(0)", _prisoners_dilemma),
    # Pacheco et al. 2009: cooperation does not pay alone, but pays among enough cooperators
    "n_person_stag_hunt": (
        "C(0) < D(0), C(k) > D(k) for a larger k, C(n-1) > D(0), and D not falling with k",
        _stag_hunt,
    ),
    # Zheng et al. 2007: cooperation pays only if nobody else cooperates
    "n_person_snowdrift": ("C(0) > D(0), C(k) < D(k) for k > 0, C rising and D not falling with k", _snowdrift),
    # Diekmann 1985: the same, but cooperators do not share the cost
    "volunteers_dilemma": ("C(0) > D(0), C(k) < D(k) for k > 0, and neither falling with k", _volunteers),
    "n_person_harmony": ("C(k) > D(k), and C rising with k", _harmony),
}
"""What each name requires of the payoffs C(k) of cooperation and D(k) of defection with k other cooperators. For two
players the requirements are the orderings of the two-player games of that name."""


def count_game(cooperate: Payoffs, defect: Payoffs) -> CountGame:
    """Any symmetric game with two actions; payoffs in points with 0, 1, ..., n - 1 other cooperators."""
    return CountGame("count_game", cooperate, defect)


def n_person_prisoners_dilemma(
    n_players: int = 4, benefit: float = 8, cost: float = 4, shared: bool = True
) -> CountGame:
    """Each player gains r per cooperator, and a cooperator pays a cost: C(k) = r(k+1) - cost, D(k) = rk.

    Sources: Hamburger 1973, J Math Sociol 3:27; Schelling 1973, J Conflict Resolution 17:381.

    Parameters
    ----------
    n_players
        Number of players, at least 2.
    benefit
        Points that one cooperator produces: r is `benefit` / `n_players` if it is shared, otherwise `benefit`.
    cost
        Cost of cooperation in points, above r and below `n_players` * r.
    shared
        Whether the benefit is divided among all players; otherwise each player receives all of it.

    Raises
    ------
    GameError
        If an argument is outside its range.
    """
    name = "n_person_prisoners_dilemma"
    cooperate, defect, gain = _linear(name, n_players, benefit, cost, shared)
    if not gain < cost < n_players * gain:
        raise GameError(f"{name}: cost = {cost!r}; needs more than {gain:g} and less than {n_players * gain:g}")
    return CountGame(name, cooperate, defect)


def n_person_harmony(n_players: int = 4, benefit: float = 16, cost: float = 2, shared: bool = True) -> CountGame:
    """By-product mutualism: C(k) = r(k+1) - cost and D(k) = rk, where a cooperator's own benefit exceeds its cost.

    Source: Hauert, Michor, Nowak & Doebeli 2006, J Theor Biol 239:195. Parameters are those of
    `n_person_prisoners_dilemma`, with `cost` from 0 to below r.
    """
    name = "n_person_harmony"
    cooperate, defect, gain = _linear(name, n_players, benefit, cost, shared)
    if not 0 <= cost < gain:
        raise GameError(f"{name}: cost = {cost!r}; needs a number from 0 to below {gain:g}")
    return CountGame(name, cooperate, defect)


def n_person_stag_hunt(n_players: int = 4, threshold: int = 3, multiplier: float = 6, cost: float = 2) -> CountGame:
    """Contributions are multiplied and shared by all players if at least `threshold` players contribute.

    D(k) = multiplier * cost * k / n_players if k >= threshold, otherwise 0, and C(k) = D(k+1) - cost (Pacheco, Santos,
    Souza & Skyrms 2009, Proc R Soc B 276:315). All-cooperate is an equilibrium if the multiplier is at least n_players
    or the threshold is n_players; otherwise exactly `threshold` players cooperate in an equilibrium with cooperation.

    Parameters
    ----------
    n_players
        Number of players, at least 2.
    threshold
        Smallest number of contributors that produces a benefit, from 2 to `n_players`.
    multiplier
        Factor by which the total contribution is multiplied, above `n_players` / `threshold`.
    cost
        Contribution of a cooperator in points, above 0.

    Raises
    ------
    GameError
        If an argument is outside its range.
    """
    name = "n_person_stag_hunt"
    n = _players(name, n_players)
    if not (isinstance(threshold, Integral) and 2 <= threshold <= n):
        raise GameError(f"{name}: threshold = {threshold!r}; needs a whole number from 2 to n_players = {n}")
    if not finite_payoff(multiplier, f"{name}: multiplier") > n / threshold:
        raise GameError(
            f"{name}: multiplier = {multiplier!r}; needs more than n_players / threshold = {n / threshold:g}"
        )
    if not finite_payoff(cost, f"{name}: cost") > 0:
        raise GameError(f"{name}: cost = {cost!r}; needs a positive number of points")
    shares = [multiplier * cost * k / n if k >= threshold else 0.0 for k in range(n + 1)]
    return CountGame(name, [share - cost for share in shares[1:]], shares[:-1])


def n_person_snowdrift(n_players: int = 4, benefit: float = 4, cost: float = 2) -> CountGame:
    """Cooperators share work that benefits all players: C(k) = benefit - cost / (k+1), D(k) = benefit, but D(0) = 0.

    Sources: Zheng, Yin, Chan & Hui 2007, EPL 80:18002; for two players Doebeli & Hauert 2005, Ecology Letters 8:748.

    Parameters
    ----------
    n_players
        Number of players, at least 2.
    benefit
        Benefit of the work to each player in points.
    cost
        Cost of the whole work in points, above 0 and below `benefit`.

    Raises
    ------
    GameError
        If an argument is outside its range.
    """
    return _work("n_person_snowdrift", n_players, benefit, cost, shared=True)


def volunteers_dilemma(n_players: int = 4, benefit: float = 4, cost: float = 2) -> CountGame:
    """One volunteer is enough, and each volunteer pays the cost: C(k) = benefit - cost, D(k) = benefit, but D(0) = 0.

    Source: Diekmann 1985, J Conflict Resolution 29:605. Parameters are those of `n_person_snowdrift`.
    """
    return _work("volunteers_dilemma", n_players, benefit, cost, shared=False)


def _row(values: Any, place: str) -> tuple[float, ...]:
    try:
        return tuple([finite_payoff(value, f"{place}[{k}]") for k, value in enumerate(items(values))])
    except TypeError:
        raise GameError(f"{place} = {values!r}; needs a list of payoffs, such as [0, 2, 4]") from None


def _listed(row: Payoffs) -> str:
    return ", ".join(f"{value:g}" for value in row[:8]) + (", ..." if len(row) > 8 else "")


def _players(name: str, n_players: Any) -> int:
    return whole_number(n_players, f"{name}: n_players", 2, MOST_PLAYERS)


def _linear(name: str, n_players: int, benefit: float, cost: float, shared: bool) -> tuple[Payoffs, Payoffs, float]:
    """Payoffs of cooperation and defection that are linear in the number of cooperators, and their slope."""
    n = _players(name, n_players)
    gain = finite_payoff(benefit, f"{name}: benefit") / (n if flag(shared, f"{name}: shared") else 1)
    cost = finite_payoff(cost, f"{name}: cost")
    return [gain * (k + 1) - cost for k in range(n)], [gain * k for k in range(n)], gain


def _work(name: str, n_players: int, benefit: float, cost: float, shared: bool) -> CountGame:
    """A game in which all players benefit if at least one player does the work."""
    n = _players(name, n_players)
    if not 0 < finite_payoff(cost, f"{name}: cost") < finite_payoff(benefit, f"{name}: benefit"):
        raise GameError(f"{name}: cost = {cost!r}; needs more than 0 and less than benefit = {benefit!r}")
    return CountGame(name, [benefit - cost / (k + 1 if shared else 1) for k in range(n)], [0.0] + [benefit] * (n - 1))
