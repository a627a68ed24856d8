"""What game theory says of a stage game: best responses, equilibria, Pareto front, welfare, dilemma strength.

All of it is about one round of a finite game; talk, sanctions and repetition are left out. Comparisons allow for
rounding by one tolerance (`dilemmas.envs.theory.regions.TOLERANCE`), else they are exact. In symmetric games of three
or more players an `JointOutcome` stands for all that only exchange players, and says how many they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.n_player import PROMISES
from dilemmas.envs.games.stage_game import StageGame, whole
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
    """An action that beats all others of its player."""

    action: int
    """Index of the action."""
    strict: bool
    """Whether it is better whatever the others do; else it is never worse than another action, and sometimes better."""


@dataclass(frozen=True, slots=True)
class WelfareBounds:
    """The least and the greatest total payoff of a round."""

    least: float
    """Points of all players together."""
    least_at: tuple[JointOutcome, ...]
    """The joint actions with the least total."""
    greatest: float
    """Points of all players together."""
    greatest_at: tuple[JointOutcome, ...]
    """The joint actions with the greatest total."""


@dataclass(frozen=True, slots=True)
class DilemmaStrength:
    """How strong the dilemma of cooperating (action 0) or defecting (action 1) is, for players who are alike.

    Macy & Flache 2002 (PNAS 99:7229) for greed and fear; Wang, Kokubo, Jusup & Tanimoto 2015 (Phys Life Rev 14:1) for
    their scaling. For n players the payoffs of two become those of a player among n - 1 who all do the same.
    """

    cooperate: tuple[float, ...]
    """Points of a cooperator by the number of other cooperators, 0 to n - 1: S, R for two."""
    defect: tuple[float, ...]
    """Points of a defector by the number of other cooperators, 0 to n - 1: P, T for two."""

    @property
    def gains(self) -> tuple[float, ...]:
        """What it pays to defect, in points, by the number of other cooperators."""
        return tuple(d - c for c, d in zip(self.cooperate, self.defect, strict=True))

    @property
    def greed(self) -> float:
        """What it pays to defect from all who cooperate, in points: T - R."""
        return self.gains[-1]

    @property
    def fear(self) -> float:
        """What it pays to defect among all who defect, in points: P - S."""
        return self.gains[0]

    @property
    def stake(self) -> float:
        """What each has from everybody's cooperation, in points: R - P."""
        return self.cooperate[-1] - self.defect[0]

    @property
    def scaled_greed(self) -> float | None:
        """Greed by stake, Dg' of Wang et al.; None where nothing is to be had from everybody's cooperation."""
        return self._scaled(self.greed)

    @property
    def scaled_fear(self) -> float | None:
        """Fear by stake, Dr' of Wang et al.; None where nothing is to be had from everybody's cooperation."""
        return self._scaled(self.fear)

    @property
    def against_turns(self) -> float:
        """Total points of everybody's cooperation over the best round in which some, not all, cooperate.

        For two it is 2R - (T + S): where it is positive, cooperation in every round beats taking turns at defecting.
        """
        n = len(self.gains)
        mixed = (k * self.cooperate[k - 1] + (n - k) * self.defect[k] for k in range(1, n))
        return n * self.cooperate[-1] - max(mixed)

    def _scaled(self, points: float) -> float | None:
        return points / self.stake if self.stake > tie_of(np.array([self.cooperate, self.defect])) else None


@dataclass(frozen=True, slots=True)
class Solution:
    """All that is said of one game."""

    dilemma: str
    """Which dilemma it is, in a line of words."""
    symmetric: bool
    """Whether only the actions count and not who takes them."""
    dominant: tuple[DominantAction | None, ...]
    """DominantAction actions, by player."""
    pure: tuple[JointOutcome, ...]
    """Pure equilibria."""
    mixed: tuple[Equilibrium, ...] | None
    """All equilibria of a 2x2 game; None for other games."""
    pareto: tuple[JointOutcome, ...]
    """Pareto front of the joint actions."""
    welfare: WelfareBounds
    """Bounds of the total payoff."""
    price_of_anarchy: float | None
    """Greatest total over that of the worst pure equilibrium, 1 or more; None where it is not defined."""
    strength: DilemmaStrength | None
    """Greed and fear; None where they are not defined."""


def solve(game: StageGame) -> Solution:
    """Everything at once. Raises `GameError` where actions are amounts or joint actions more than `LARGEST`."""
    outcomes = all_outcomes(game)
    stable, bounds = _stable(outcomes), _welfare(outcomes)
    return Solution(
        dilemma=dilemma(game),
        symmetric=is_symmetric(game),
        dominant=tuple(dominant_action(game, player) for player in range(game.n_players)),
        pure=stable,
        mixed=mixed_equilibria(game) if game.options == (2, 2) else None,
        pareto=_undominated(outcomes),
        welfare=bounds,
        price_of_anarchy=_price(stable, bounds),
        strength=dilemma_strength(game),
    )


def best_responses(game: StageGame, player: int, others: Sequence[int]) -> tuple[int, ...]:
    """The actions that pay a player most while the others, in their order, do what they do.

    Raises `GameError` for a player who is none, for another number of others and for actions that they do not have.
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
    """The action that is best for a player whatever the others do; None where there is none."""
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
    """The joint actions from which no player gains by leaving alone."""
    return _stable(all_outcomes(game))


def pareto_front(game: StageGame) -> tuple[JointOutcome, ...]:
    """The joint actions to which no other is better for somebody and as good for all."""
    return _undominated(all_outcomes(game))


def welfare(game: StageGame) -> WelfareBounds:
    """The least and the greatest total payoff, and where."""
    return _welfare(all_outcomes(game))


def price_of_anarchy(game: StageGame) -> float | None:
    """The greatest total over that of the worst pure equilibrium (Koutsoupias & Papadimitriou 1999), 1 or more.

    None where it is not defined: without a pure equilibrium, or where a total is not above 0.
    """
    outcomes = all_outcomes(game)
    return _price(_stable(outcomes), _welfare(outcomes))


def dilemma_strength(game: StageGame) -> DilemmaStrength | None:
    """Greed, fear and what they are made of; None where players are not alike, have more than two actions, or where
    neither action is the cooperative one."""
    alike = game.options == (2,) * game.n_players and is_symmetric(game)
    if not alike or game.cooperation(0) <= game.cooperation(1):
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
    """Which dilemma a game is, in a line of words."""
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
    """The dilemma of three or more players, and when it pays to cooperate."""
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
    """With which numbers of other cooperators it pays to cooperate, in words."""
    if len(pays) in (0, n):
        return "always pays" if pays else "never pays"
    if pays == [0]:
        return "pays where nobody else does"
    in_a_row = 1 < len(pays) == pays[-1] - pays[0] + 1
    return f"pays where {f'{pays[0]} to {pays[-1]}' if in_a_row else ', '.join(map(str, pays))} others do"


def _stable(outcomes: OutcomeTable) -> tuple[JointOutcome, ...]:
    return outcomes.at(np.flatnonzero((outcomes.payoffs >= outcomes.best - outcomes.tie).all(axis=1)))


def _undominated(outcomes: OutcomeTable) -> tuple[JointOutcome, ...]:
    """The front. Where players may be exchanged, one outcome beats another if it does so from best off to worst off."""
    payoffs = np.sort(outcomes.payoffs, axis=1) if outcomes.exchanged else outcomes.payoffs
    front: list[int] = []
    for row in np.argsort(-payoffs.sum(axis=1), kind="stable").tolist():  # what beats an outcome has a greater total
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
