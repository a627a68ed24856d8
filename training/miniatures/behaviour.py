"""The behaviour of the miniatures, and the reasons that they give.

The teacher decides by `dilemmas.agents.behaviour.quantal_response`, the student hardly depends on context and game.
"""

from math import log
from typing import Literal, get_args

from dilemmas.agents.behaviour.quantal_response import BehaviouralModel, Judgement
from dilemmas.envs.games.stage_game import StageGame

Role = Literal["teacher", "student"]
"""Role of a miniature."""
Motive = Literal["reciprocity", "care", "spite", "gain", "trust", "fear", "whim"]
"""Main reason of a choice; see `motive`."""
MOTIVES: tuple[Motive, ...] = get_args(Motive)
"""All motives."""

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
