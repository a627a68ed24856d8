"""Logit quantal response with social preferences: a stated behavioural model that depends on the context.

    P(C)  = 1 / (1 + exp(-habit - precision * (EU(C) - EU(D)) / range))
    EU(a) = E[own payoff + alpha * mean payoff of the others], where each other player cooperates with probability b

- logit quantal response: McKelvey & Palfrey 1995 (Games and Economic Behavior 10:6)
- weight `alpha` on the payoffs of others, negative for rivals: Charness & Rabin 2002 (QJE 117:817), Levine 1998 (RED
  1:593)
- `alpha` and `b` increase with social closeness (Fehr & Schmidt 2006, Handbook of the Economics of Giving, ch. 8) and
  with previous cooperation of the others: reciprocity, Rabin 1993 (AER 83:1281), Falk & Fischbacher 2006 (GEB 54:293)

The parameters are chosen so that choices differ strongly between the four games of the study and five degrees of
closeness. They are not estimates of the behaviour of people or large language models.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import comb, exp
from pathlib import Path

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, View, draw
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.theory.outcomes import is_symmetric

NAME = "quantal_response"
"""Name of the agent in specifications."""


class BehaviourError(InputError):
    """A game or a context in which a behavioural model does not decide."""


@cache
def closeness() -> Mapping[str, int]:
    """Degree of social closeness, 0 (enemies) to 4 (the closest), of every built-in context."""
    text = Path(__file__).with_name("closeness.toml").read_text(encoding="utf-8")
    return {name: int(degree) for name, degree in tomllib.loads(text).items()}


def degree_of(context: str) -> int:
    """Degree of social closeness of a built-in context; `BehaviourError` for any other."""
    if context not in closeness():
        raise BehaviourError(
            f"{NAME}: how close people are in the context '{context}' is not stated; use one of the built-in contexts"
        )
    return closeness()[context]


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
    """Parameters of the decision; the defaults are those of the agent and of the miniature teacher."""

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


@dataclass(frozen=True, slots=True)
class QuantalResponse:
    """A player who decides by the behavioural model in a social context."""

    context: str = "team"
    """Name of a built-in context."""
    name: str = NAME
    """Name in tables and records."""
    model: BehaviouralModel = field(default_factory=BehaviouralModel)
    """Parameters of the decision."""

    def __post_init__(self) -> None:
        degree_of(self.context)

    @property
    def traits(self) -> Traits:
        return Traits()

    def describe(self) -> PlayerRecord:
        return PlayerRecord(self.name, NAME, {"context": self.context})

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn; `BehaviourError` in a game that is not symmetric, or has other than two actions."""
        return [self._decide(turn) for turn in turns]

    policy = decide

    def _decide(self, turn: Turn) -> Decision:
        view: View = turn.info["view"]
        if view.phase != "act":
            return Decision(0, source=Source.RULE)
        check_decidable(view.game)
        cooperate = self.model.judge(view.game, degree_of(self.context), view.history).cooperate
        shares = (cooperate, 1 - cooperate)
        return Decision(draw(shares, turn.rng), shares, Source.RULE)


def check_decidable(game: StageGame) -> None:
    """`BehaviourError` for a game in which the model does not decide: asymmetric, or with other than two actions."""
    if set(game.options) != {2} or not is_symmetric(game):
        raise BehaviourError(f"{NAME} plays symmetric games with two actions; {game.name} is another kind of game")
