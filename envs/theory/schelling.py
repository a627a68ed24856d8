"""Schelling diagrams: the payoff of each of two actions as a function of the number of other cooperators."""

from typing import NamedTuple

import numpy as np

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.theory.outcomes import is_symmetric


class SchellingDiagram(NamedTuple):
    """A Schelling diagram."""

    others: tuple[int, ...]
    """Numbers of other cooperators: 0, 1, ..., n - 1."""
    cooperate: tuple[float, ...]
    """Points of a player who cooperates, by number of other cooperators."""
    defect: tuple[float, ...]
    """Points of a player who defects, by number of other cooperators."""
    crossings: tuple[float, ...]
    """Numbers of other cooperators at which both actions pay the same, by linear interpolation."""


def schelling_diagram(game: StageGame) -> SchellingDiagram:
    """The diagram of a symmetric game with two actions (Schelling 1973, J Conflict Resolution 17:381).

    Raises
    ------
    GameError
        If players have other than two actions, or if the game is not symmetric.
    """
    n = game.n_players
    if tuple(game.options) != (2,) * n:
        raise GameError(f"{game.name}: options = {game.options}; a Schelling diagram requires two actions per player")
    if not is_symmetric(game):
        raise GameError(f"{game.name}: the game is not symmetric; a Schelling diagram requires a symmetric game")
    paid = game.payoff_array((np.arange(n) >= np.arange(n + 1)[:, None]).astype(np.intp))  # by number of cooperators
    cooperate, defect = tuple(paid[1:, 0].tolist()), tuple(paid[:-1, -1].tolist())
    return SchellingDiagram(tuple(range(n)), cooperate, defect, tuple(_crossings(np.subtract(cooperate, defect))))


def _crossings(gains: Numbers) -> list[float]:
    """Where the linear interpolation of the gains of cooperation is 0."""
    found = []
    for k, gain in enumerate(gains.tolist()):
        if gain == 0:
            found.append(float(k))
        elif k + 1 < len(gains) and gain * gains[k + 1] < 0:
            found.append(k + gain / (gain - float(gains[k + 1])))
    return found
