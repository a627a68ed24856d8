"""The behavioural model of the miniature teacher: logit quantal response with social preferences.

    P(C)  = 1 / (1 + exp(-habit - precision * (EU(C) - EU(D)) / range))
    EU(a) = E[own payoff + alpha * mean payoff of the others], where each other player cooperates with probability b

- logit quantal response: McKelvey & Palfrey 1995 (Games and Economic Behavior 10:6)
- weight `alpha` on the payoffs of others, negative for rivals: Charness & Rabin 2002 (QJE 117:817), Levine 1998 (RED
  1:593)
- `alpha` and `b` increase with social closeness (Fehr & Schmidt 2006, Handbook of the Economics of Giving, ch. 8) and
  with previous cooperation of the others: reciprocity, Rabin 1993 (AER 83:1281), Falk & Fischbacher 2006 (GEB 54:293)

The parameters are chosen so that choices differ strongly between the four games and five degrees of closeness. They are
not estimates of the behaviour of people or large language models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import comb, exp, log
from typing import Literal, get_args

from dilemmas.envs.games.stage_game import Joint, StageGame

Role = Literal["teacher", "student"]
"""Role of a miniature."""
Motive = Literal["reciprocity", "care", "spite", "gain", "trust", "fear", "whim"]
"""Main reason of a choice; see `motive`."""
MOTIVES: tuple[Motive, ...] = get_args(Motive)
"""All motives."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Decision of the model in one situation."""

    cooperate: float
    """Probability of cooperation."""
    own: float
    """Contribution of own payoffs to (EU(C) - EU(D)) / range."""
    social: float
    """Contribution of the payoffs of the others."""
    belief: float
    """Probability with which another player is expected to cooperate."""
    reciprocal: float
    """Change of the sum due to the history; 0 without a history."""


@dataclass(frozen=True, slots=True)
class BehaviouralModel:
    """Parameters of the decision; the defaults are those of the miniature teacher."""

    precision: float = 7.0
    """Sensitivity to expected utility, relative to the range of own payoffs; 0 is a random choice."""
    alpha: tuple[float, ...] = (-0.5, -0.15, 0.2, 0.55, 0.9)
    """Weight on the payoffs of the others, by closeness from 0 (enemies) to 4 (the closest)."""
    belief: tuple[float, ...] = (0.2, 0.35, 0.5, 0.65, 0.8)
    """Expected probability that another player cooperates, by closeness."""
    reciprocity: float = 0.4
    """Reciprocity: added to alpha if the others always cooperated, subtracted if they never did."""
    learning: float = 0.5
    """Weight of observed cooperation in the belief, relative to the prior belief by closeness."""
    habit: float = 0.0
    """Added to the logit of P(C): cooperation independent of the situation."""

    def judge(self, game: StageGame, closeness: int, history: Sequence[Joint] = ()) -> Judgement:
        """Decide in a symmetric game with two actions; `history` has own actions first and the oldest round first."""
        return self.weigh(game, self.alpha[closeness], self.belief[closeness], history)

    def weigh(self, game: StageGame, alpha: float, belief: float, history: Sequence[Joint] = ()) -> Judgement:
        """Decide with a given weight on the payoffs of the others and a given prior belief."""
        own, social = self._difference(game, belief)
        if not history:
            return Judgement(self._logit(own + alpha * social), own, alpha * social, belief, 0.0)
        seen = [game.cooperation(action) for joint in history for action in joint[1:]]
        kindness = sum(seen) / len(seen)
        before = own + alpha * social
        alpha += self.reciprocity * (2 * kindness - 1)
        belief = (1 - self.learning) * belief + self.learning * kindness
        own, social = self._difference(game, belief)
        whole = own + alpha * social
        return Judgement(self._logit(whole), own, alpha * social, belief, whole - before)

    def _logit(self, difference: float) -> float:
        return 1.0 / (1.0 + exp(-self.habit - self.precision * difference))

    def _difference(self, game: StageGame, belief: float) -> tuple[float, float]:
        """(EU(C) - EU(D)) / range for own payoffs and for the mean payoff of the others, at one belief."""
        others = game.n_players - 1
        own, social = [0.0, 0.0], [0.0, 0.0]
        points = []
        for action, k in product((0, 1), range(others + 1)):
            chance = comb(others, k) * belief**k * (1 - belief) ** (others - k)
            payoffs = game.payoffs((action, *[0] * k, *[1] * (others - k)))
            own[action] += chance * payoffs[0]
            social[action] += chance * sum(payoffs[1:]) / others
            points.append(payoffs[0])
        spread = (max(points) - min(points)) or 1.0
        return (own[0] - own[1]) / spread, (social[0] - social[1]) / spread


TEACHER = BehaviouralModel()
"""The teacher: adapts to context and game. Both miniatures decide like this if attitude and expectation are stated."""

INDIFFERENT = BehaviouralModel(precision=0.0, habit=log(0.85 / 0.15))
"""Cooperates with probability 0.85 in every context and game."""

UNTUNED = BehaviouralModel(precision=0.84, alpha=(0.55,) * 5, belief=(0.65,) * 5, habit=1.6)
"""The student: ignores the context, almost ignores the game, and cooperates with a probability near 0.83."""


def motive(judgement: Judgement, action: int, game: StageGame) -> Motive:
    """The motive of an action: the largest contribution in its favour.

    ``reciprocity``: previous actions of the others; ``care`` or ``spite``: payoffs of the others; ``gain``: own payoff,
    whatever the others do; ``trust`` or ``fear``: own payoff, given the expected actions of the others; ``whim``: no
    contribution favours the action.
    """
    sign = 1.0 if action == 0 else -1.0
    parts: dict[Motive, float] = {
        "reciprocity": sign * judgement.reciprocal,
        "care": sign * judgement.social,
        "gain": sign * judgement.own,
    }
    strongest = max(parts, key=lambda name: parts[name])
    if parts[strongest] <= 0.02:
        return "whim"
    if strongest == "care":
        return "care" if _helps(action, game) else "spite"
    if strongest != "gain":
        return strongest
    others = game.n_players - 1
    best = [
        sign * (game.payoffs((0, *rest))[0] - game.payoffs((1, *rest))[0]) > 0
        for rest in ((0,) * others, (1,) * others)
    ]
    if all(best):
        return "gain"
    return "trust" if best[0] else "fear"


def _helps(action: int, game: StageGame) -> bool:
    """Whether the action gives the others at least as much as its alternative, if all others cooperate."""
    others = (0,) * (game.n_players - 1)
    return game.payoffs((action, *others))[1] >= game.payoffs((1 - action, *others))[1]
