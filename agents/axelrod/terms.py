"""What players know about a match, converted between Axelrod-Python and dilemmas."""

import math
from typing import Any, NamedTuple

import numpy as np

from dilemmas.agents.agent import View
from dilemmas.agents.axelrod.names import axelrod_library
from dilemmas.agents.strategies.finite_state import StrategyError
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.rules.repeated import Repeated

ENDLESS = 1 << 20
"""Rounds of memory if the length of a match is not known."""


class Terms(NamedTuple):
    """What a player of Axelrod-Python knows before a match."""

    game: StageGame
    """The stage game."""
    seat: int
    """Its seat, 0 or 1."""
    length: float
    """Number of rounds; infinite if the players do not know it."""
    noise: float
    """Probability, from 0 to 1, that an action is replaced by the other one."""

    @property
    def attributes(self) -> dict[str, Any]:
        """The same as match attributes of Axelrod-Python."""
        return {"length": self.length, "game": _axelrod_game(self.game, self.seat), "noise": self.noise}


def terms_of(view: View) -> Terms:
    """What Axelrod's Match would tell its players: the length only if nothing else ends a match."""
    rules = view.rules
    length = math.inf if view.certain_rounds is None else view.certain_rounds
    return Terms(view.game, view.player, length, 0.0 if rules is None else rules.noise)


def _axelrod_game(game: StageGame, seat: int) -> Any:
    """The payoffs as a game of Axelrod-Python: own ones and the opponent's, by own action and the opponent's."""

    def points(whose: int) -> Any:
        pairs = [[(own, other) if seat == 0 else (other, own) for other in range(2)] for own in range(2)]
        return np.array([[game.payoffs(pair)[whose] for pair in row] for row in pairs])

    mine, theirs = points(seat), points(1 - seat)
    (r, s), (t, p) = mine.tolist()
    found = axelrod_library().Game(r, s, t, p)
    found.B = theirs  # Axelrod's class for asymmetric games has no R, S, T and P
    found.scores = {pair: found.score(pair) for pair in found.scores}
    return found


def view_there(attributes: Any, game: StageGame | None, noise: float | None, history: tuple[Joint, ...]) -> View:
    """The view of an agent in a match of Axelrod-Python."""
    stage = _stage_game(attributes["game"]) if game is None else game
    length = int(attributes["length"]) if 0 < attributes["length"] < math.inf else None
    chance = float(attributes["noise"] if noise is None else noise)
    rules = Repeated(stage, length, noise=chance, memory=length or ENDLESS, clock=length is not None)
    return View(stage, 0, len(history), history, rounds=length, rules=rules)


def _stage_game(game: Any) -> MatrixGame:
    """The payoffs that Axelrod-Python tells its players."""
    if not isinstance(game, axelrod_library().Game):
        raise StrategyError(
            "players of Axelrod-Python do not know their seat in an AsymmetricGame; give axelrod_player the game"
        )
    r, p, s, t = (float(points) for points in game.RPST())
    return MatrixGame("matrix_game", T=t, R=r, P=p, S=s)
