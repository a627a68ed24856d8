"""The behavioural model behind the miniature teacher: a logit quantal response with social preferences.

    P(C) = 1 / (1 + exp(-habit - precision * (EU(C) - EU(D)) / range)) EU(a) = sum over what the others do, with
    belief b that each of them cooperates, of own + alpha * mean(others' points)

- logit quantal response: McKelvey & Palfrey 1995 (Games and Economic Behavior 10:6)
- weight `alpha` on the others' points, negative for rivals: Charness & Rabin 2002 (QJE 117:817), Levine 1998 (RED
  1:593)
- `alpha` and `b` rise with social closeness (Fehr & Schmidt 2006, Handbook of the Economics of Giving, ch. 8) and with
  how often the others cooperated before: reciprocity, Rabin 1993 (AER 83:1281), Falk & Fischbacher 2006 (GEB 54:293)

The numbers are ours, chosen so that the four games and five degrees of closeness pull choices far apart. They are no
estimate of how people or large language models behave.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import comb, exp, log
from typing import Literal, get_args

from dilemmas.envs.games.stage_game import Joint, StageGame

Role = Literal["teacher", "student"]
"""Which of the two miniatures."""
Motive = Literal["reciprocity", "care", "spite", "gain", "trust", "fear", "whim"]
"""What drove a choice; see `motive`."""
MOTIVES: tuple[Motive, ...] = get_args(Motive)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the model does in one situation."""

    cooperate: float
    """Probability of cooperation."""
    own: float
    """Part of (EU(C) - EU(D)) / range that comes from own points."""
    social: float
    """Part that comes from the others' points."""
    belief: float
    """Belief that another player cooperates."""
    reciprocal: float
    """Change of the whole by what happened before; 0 without a history."""


@dataclass(frozen=True, slots=True)
class BehaviouralModel:
    """Parameters of the decision; the defaults are the miniature teacher's."""

    precision: float = 7.0
    """Sensitivity to expected utility, per range of own points; 0 = coin flip."""
    alpha: tuple[float, ...] = (-0.5, -0.15, 0.2, 0.55, 0.9)
    """Weight on the others' points, by closeness 0 (enemies) to 4 (the closest)."""
    belief: tuple[float, ...] = (0.2, 0.35, 0.5, 0.65, 0.8)
    """Belief that another cooperates, by closeness."""
    answer_in_kind: float = 0.4
    """Added to alpha where the others always cooperated, subtracted where they never did."""
    learning: float = 0.5
    """Weight of the others' observed cooperation in the belief, against the prior by closeness."""
    habit: float = 0.0
    """Added to the logit of P(C): cooperation that nothing in the situation calls for."""

    def judge(self, game: StageGame, closeness: int, history: Sequence[Joint] = ()) -> Judgement:
        """Judge a symmetric game with two actions. `history`: own action first, oldest round first."""
        return self.weigh(game, self.alpha[closeness], self.belief[closeness], history)

    def weigh(self, game: StageGame, alpha: float, belief: float, history: Sequence[Joint] = ()) -> Judgement:
        """The same for somebody of any weight on the others' points and any prior belief."""
        own, social = self._difference(game, belief)
        if not history:
            return Judgement(self._logit(own + alpha * social), own, alpha * social, belief, 0.0)
        seen = [game.cooperation(action) for joint in history for action in joint[1:]]
        kindness = sum(seen) / len(seen)
        before = own + alpha * social
        alpha += self.answer_in_kind * (2 * kindness - 1)
        belief = (1 - self.learning) * belief + self.learning * kindness
        own, social = self._difference(game, belief)
        whole = own + alpha * social
        return Judgement(self._logit(whole), own, alpha * social, belief, whole - before)

    def _logit(self, difference: float) -> float:
        return 1.0 / (1.0 + exp(-self.habit - self.precision * difference))

    def _difference(self, game: StageGame, belief: float) -> tuple[float, float]:
        """(EU(C) - EU(D)) / range for own points and for the others' mean points, at one belief."""
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
"""Adapts to context and game; also how both miniatures decide when a prompt states attitude and expectation."""

INDIFFERENT = BehaviouralModel(precision=0.0, habit=log(0.85 / 0.15))
"""Cooperates with probability 0.85 whatever the context and the game."""

UNTUNED = BehaviouralModel(precision=0.84, alpha=(0.55,) * 5, belief=(0.65,) * 5, habit=1.6)
"""The student: blind to the context, almost blind to the game, and cooperative: P(C) near 0.83."""


def motive(judgement: Judgement, action: int, game: StageGame) -> Motive:
    """What drove an action: the largest part of the difference that speaks for it.

    ``reciprocity``: what the others did before; ``care``/``spite``: their points; ``gain``: own points whatever the
    others do; ``trust``/``fear``: own points, given what the others are expected to do; ``whim``: nothing speaks
    for it.
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
    """Whether the action gives the others more than its alternative does, all others cooperating."""
    others = (0,) * (game.n_players - 1)
    return game.payoffs((action, *others))[1] >= game.payoffs((1 - action, *others))[1]
