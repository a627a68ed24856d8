"""Solution concepts of a stage game: best responses, equilibria, Pareto front, welfare, dilemma strength.

All results are for one round of a finite game, without talk, sanctions and repetition. Payoffs are compared with one
tolerance for rounding (`dilemmas.envs.theory.regions.TOLERANCE`). In symmetric games of three or more players a
`JointOutcome` represents all its permutations and has their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.n_player import PROMISES
from dilemmas.envs.games.stage_game import StageGame, whole
from dilemmas.envs.theory.bimatrix_equilibria import MixedEquilibrium, can_be_enumerated, extreme_equilibria
from dilemmas.envs.theory.equilibria_2x2 import Equilibrium, mixed_equilibria
from dilemmas.envs.theory.outcomes import (
    JointOutcome,
    OutcomeTable,
    against,
    all_outcomes,
    is_symmetric,
    own_payoffs,
    tie_of,
)
from dilemmas.envs.theory.regions import Region, ranks, region, region_title
from dilemmas.envs.theory.schelling import schelling_diagram


@dataclass(frozen=True, slots=True)
class DominantAction:
    """A dominant action of a player."""

    action: int
    """Index of the action."""
    strict: bool
    """Whether it is strictly better whatever the others do; otherwise it is never worse and sometimes better."""


@dataclass(frozen=True, slots=True)
class WelfareBounds:
    """The smallest and the largest total payoff of a round."""

    least: float
    """Total payoff in points."""
    least_at: tuple[JointOutcome, ...]
    """The joint actions with the smallest total."""
    greatest: float
    """Total payoff in points."""
    greatest_at: tuple[JointOutcome, ...]
    """The joint actions with the largest total."""


@dataclass(frozen=True, slots=True)
class DilemmaStrength:
    """Strength of the dilemma between cooperation (action 0) and defection (action 1) in a symmetric game.

    Greed and fear as in Macy & Flache 2002 (PNAS 99:7229), scaled as in Wang, Kokubo, Jusup & Tanimoto 2015 (Phys Life
    Rev 14:1). With n players, T, R, P and S are the payoffs of a player whose n - 1 opponents all take the same
    action.
    """

    cooperate: tuple[float, ...]
    """Points of a cooperator by the number of other cooperators, 0 to n - 1; with two players S, R."""
    defect: tuple[float, ...]
    """Points of a defector by the number of other cooperators, 0 to n - 1; with two players P, T."""

    @property
    def gains(self) -> tuple[float, ...]:
        """Gain of defection over cooperation in points, by the number of other cooperators."""
        return tuple(d - c for c, d in zip(self.cooperate, self.defect, strict=True))

    @property
    def greed(self) -> float:
        """Gain of defection if all others cooperate, in points: T - R."""
        return self.gains[-1]

    @property
    def fear(self) -> float:
        """Gain of defection if all others defect, in points: P - S."""
        return self.gains[0]

    @property
    def stake(self) -> float:
        """Gain of each player from mutual cooperation over mutual defection, in points: R - P."""
        return self.cooperate[-1] - self.defect[0]

    @property
    def scaled_greed(self) -> float | None:
        """Greed divided by stake, Dg' of Wang et al.; None if the stake is not positive."""
        return self._scaled(self.greed)

    @property
    def scaled_fear(self) -> float | None:
        """Fear divided by stake, Dr' of Wang et al.; None if the stake is not positive."""
        return self._scaled(self.fear)

    @property
    def against_turns(self) -> float:
        """Total payoff of mutual cooperation minus that of the best round in which some, not all, players cooperate.

        With two players 2R - (T + S): if positive, mutual cooperation is better than alternating defection.
        """
        n = len(self.gains)
        mixed = (k * self.cooperate[k - 1] + (n - k) * self.defect[k] for k in range(1, n))
        return n * self.cooperate[-1] - max(mixed)

    def _scaled(self, points: float) -> float | None:
        return points / self.stake if self.stake > tie_of(np.array([self.cooperate, self.defect])) else None


@dataclass(frozen=True, slots=True)
class Solution:
    """All results for one game."""

    dilemma: str
    """The type of dilemma in words."""
    symmetric: bool
    """Whether payoffs depend on the actions only and not on who takes them."""
    dominant: tuple[DominantAction | None, ...]
    """DominantAction actions, by player."""
    pure: tuple[JointOutcome, ...]
    """Pure Nash equilibria."""
    mixed: tuple[Equilibrium, ...] | None
    """All Nash equilibria of a 2x2 game; None for other games."""
    extreme: tuple[MixedEquilibrium, ...] | None
    """Extreme Nash equilibria of a larger two-player game; None for other games and for those that are too large."""
    pareto: tuple[JointOutcome, ...]
    """Joint actions that are not Pareto-dominated."""
    welfare: WelfareBounds
    """Smallest and largest total payoff."""
    price_of_anarchy: float | None
    """Largest total payoff divided by that of the worst pure equilibrium, at least 1; None where it is undefined."""
    strength: DilemmaStrength | None
    """Greed and fear; None where they are undefined."""


def solve(game: StageGame) -> Solution:
    """All results for a game.

    Raises
    ------
    GameError
        If actions are amounts, or if there are more than `outcomes.LARGEST` joint actions.
    """
    outcomes = all_outcomes(game)
    symmetric = outcomes.exchanged or is_symmetric(game)
    stable, bounds = _stable(outcomes), _welfare(outcomes)
    unlike = range(1 if symmetric else game.n_players)
    dominant = tuple(dominant_action(game, player) for player in unlike)
    return Solution(
        dilemma=dilemma(game),
        symmetric=symmetric,
        dominant=dominant * game.n_players if symmetric else dominant,
        pure=stable,
        mixed=mixed_equilibria(game) if game.options == (2, 2) else None,
        extreme=extreme_equilibria(game) if game.options != (2, 2) and can_be_enumerated(game) else None,
        pareto=_undominated(outcomes),
        welfare=bounds,
        price_of_anarchy=_price(stable, bounds),
        strength=dilemma_strength(game),
    )


def best_responses(game: StageGame, player: int, others: Sequence[int]) -> tuple[int, ...]:
    """The actions with the largest payoff to a player.

    Parameters
    ----------
    game
        The game.
    player
        Index of the player.
    others
        Actions of the other players, in order.

    Raises
    ------
    GameError
        If there is no such player, or if `others` has another length or an action that does not exist.
    """
    if not whole(player, game.n_players):
        raise GameError(f"{game.name}: player = {player!r}; needs a whole number from 0 to {game.n_players - 1}")
    options = (*game.options[:player], *game.options[player + 1 :])
    if len(others) != len(options) or not all(map(whole, others, options)):
        raise GameError(f"{game.name}: others = {tuple(others)}; needs {len(options)} actions, each below {options}")
    joint = np.array([others], dtype=np.intp)
    points = np.array([own_payoffs(game, player, action, joint)[0] for action in range(game.options[player])])
    return tuple(np.flatnonzero(points >= points.max() - tie_of(points)).tolist())


def dominant_action(game: StageGame, player: int) -> DominantAction | None:
    """The dominant action of a player; None if there is none."""
    points = against(game, player)
    tie = tie_of(points)
    for action in range(len(points)):
        more = points[action] - np.delete(points, action, axis=0)  # (other actions, M)
        if (more > tie).all():
            return DominantAction(action, strict=True)
        if (more >= -tie).all() and (more > tie).any(axis=1).all():
            return DominantAction(action, strict=False)
    return None


def pure_equilibria(game: StageGame) -> tuple[JointOutcome, ...]:
    """The pure Nash equilibria."""
    return _stable(all_outcomes(game))


def pareto_front(game: StageGame) -> tuple[JointOutcome, ...]:
    """The joint actions that are not Pareto-dominated."""
    return _undominated(all_outcomes(game))


def welfare(game: StageGame) -> WelfareBounds:
    """The smallest and the largest total payoff and their joint actions."""
    return _welfare(all_outcomes(game))


def price_of_anarchy(game: StageGame) -> float | None:
    """Largest total payoff over that of the worst pure equilibrium, at least 1 (Koutsoupias & Papadimitriou 1999).

    None where it is undefined: without a pure equilibrium, or if the total of the worst one is not positive.
    """
    outcomes = all_outcomes(game)
    return _price(_stable(outcomes), _welfare(outcomes))


def dilemma_strength(game: StageGame) -> DilemmaStrength | None:
    """Greed and fear of a symmetric game with two actions, of which one is more cooperative; None for other games."""
    symmetric_2 = game.options == (2,) * game.n_players and is_symmetric(game)
    if not symmetric_2 or game.cooperation(0) <= game.cooperation(1):
        return None
    diagram = schelling_diagram(game)
    return DilemmaStrength(diagram.cooperate, diagram.defect)


def region_of(game: StageGame) -> Region | None:
    """The named region of a symmetric 2x2 game; None for other games."""
    if game.options != (2, 2) or not is_symmetric(game):
        return None
    (R, _), (S, _), (T, _), (P, _) = (game.payoffs(joint) for joint in product((0, 1), repeat=2))
    return region(T, R, P, S)


def dilemma(game: StageGame) -> str:
    """The type of dilemma of a game in words."""
    if place := region_of(game):
        return place.title
    if game.n_players > 2 and (strength := dilemma_strength(game)):
        return _group_dilemma(game.name, strength)
    stable, front = pure_equilibria(game), pareto_front(game)
    if not stable:
        return "no pure equilibrium"
    poor = sum(outcome not in front for outcome in stable)
    if len(stable) == 1:
        return "one pure equilibrium" + ", Pareto-dominated" * poor
    return f"{len(stable)} pure equilibria, {poor} of them Pareto-dominated"


def _group_dilemma(name: str, strength: DilemmaStrength) -> str:
    """The dilemma of a game of three or more players, and when cooperation pays, in words."""
    n = len(strength.gains)
    standing = ranks([*strength.cooperate, *strength.defect])
    cooperate, defect = standing[:n], standing[n:]
    if cooperate == defect:
        return "no dilemma: cooperating and defecting pay the same"
    if name not in PROMISES:
        name = next((known for known, (_, kept) in PROMISES.items() if kept(cooperate, defect)), "no_named_dilemma")
    pays = [k for k in range(n) if cooperate[k] > defect[k]]
    return f"{region_title(name.removeprefix('n_person_'))}: cooperating {_where(pays, n)}"


def _where(pays: list[int], n: int) -> str:
    """The numbers of other cooperators with which cooperation pays, in words."""
    if len(pays) in (0, n):
        return "always pays" if pays else "never pays"
    if pays == [0]:
        return "pays where nobody else does"
    in_a_row = 1 < len(pays) == pays[-1] - pays[0] + 1
    return f"pays where {f'{pays[0]} to {pays[-1]}' if in_a_row else ', '.join(map(str, pays))} others do"


def _stable(outcomes: OutcomeTable) -> tuple[JointOutcome, ...]:
    return outcomes.at(np.flatnonzero((outcomes.payoffs >= outcomes.best - outcomes.tie).all(axis=1)))


def _undominated(outcomes: OutcomeTable) -> tuple[JointOutcome, ...]:
    """The Pareto front; outcomes up to permutation are compared by their sorted payoffs."""
    payoffs = np.sort(outcomes.payoffs, axis=1) if outcomes.exchanged else outcomes.payoffs
    front: list[int] = []
    for row in np.argsort(-payoffs.sum(axis=1), kind="stable").tolist():  # a dominating outcome has a larger total
        more = payoffs[front] - payoffs[row]
        if not ((more >= -outcomes.tie).all(axis=1) & (more > outcomes.tie).any(axis=1)).any():
            front.append(row)
    return outcomes.at(sorted(front))


def _welfare(outcomes: OutcomeTable) -> WelfareBounds:
    totals = outcomes.payoffs.sum(axis=1)
    least, greatest, tie = float(totals.min()), float(totals.max()), tie_of(totals)
    lowest, highest = np.flatnonzero(totals <= least + tie), np.flatnonzero(totals >= greatest - tie)
    return WelfareBounds(least, outcomes.at(lowest), greatest, outcomes.at(highest))


def _price(stable: Sequence[JointOutcome], bounds: WelfareBounds) -> float | None:
    worst = min((outcome.total for outcome in stable), default=0.0)
    return bounds.greatest / worst if worst > tie_of(np.array([bounds.least, bounds.greatest])) else None
