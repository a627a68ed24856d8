"""The histories of up to k rounds that a player can tell apart, and a number for each, also for whole arrays.

They are numbered as the nodes of a complete tree: 0 is the empty history, then come those of one round, of
two and so on; among those of one length the oldest round varies slowest. One round of two players with two
actions makes none, CC, CD, DC, DD, own action first.
"""

from itertools import combinations_with_replacement, product
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.theory.outcomes import is_symmetric

History = tuple[Joint, ...]
"""Joint actions as one player sees them: own action first, then the others'; oldest round first."""
Indices = NDArray[np.intp]
"""Numbers of histories, or of actions."""

MOST = 100_000
"""More histories than this are refused: they make a table that is neither small nor soon asked."""


class HistoryError(InputError):
    """A memory for which histories cannot be listed."""


def rounds(game: StageGame, player: int = 0) -> list[Joint]:
    """Every round that a player can tell apart, own action first: CC, CD, DC, DD.

    In groups with two actions it is the number of the others who cooperated that counts, most first. `HistoryError`
    where actions are amounts, and for groups whose players are not alike.
    """
    if 0 in game.options:
        raise HistoryError(f"{game.name}: free amounts make endlessly many histories; take contribution levels")
    own, theirs = _options(game, player)
    others = game.n_players - 1
    if others > 1 and not is_symmetric(game):
        raise HistoryError(f"{game.name}: histories of a group are listed where all its players are alike")
    if game.n_actions == 2 and others > 1:
        seen = list(combinations_with_replacement(range(theirs), others))
    else:
        seen = list(product(range(theirs), repeat=others))
    return [(mine, *others_) for mine in range(own) for others_ in seen]


def histories(game: StageGame, memory: int, player: int = 0) -> list[History]:
    """Every history of up to `memory` rounds, in the order of their numbers."""
    if type(memory) is not int or memory < 0:
        raise HistoryError(f"memory = {memory!r}; needs a whole number of rounds from 0 up")
    one = rounds(game, player)
    if memory * log(len(one)) > log(MOST):
        raise HistoryError(f"memory = {memory}: {game.name} has over {MOST:,} histories; look back less far")
    return [history for length in range(memory + 1) for history in product(one, repeat=length)]


def after(
    game: StageGame, memory: int, index: Indices, own: NDArray[Any], theirs: NDArray[Any], player: int = 0
) -> Indices:
    """Numbers of the histories after one more round; only the last `memory` rounds are kept.

    `index`: numbers before, any shape; `own`: own actions, same shape; `theirs`: the others' actions, with
    one more axis.
    """
    options, each = _options(game, player)
    code, codes = _others(game, each, theirs)
    branches = options * codes
    longest = branches**memory  # how many histories have full length; they have the last numbers
    total = (longest * branches - 1) // (branches - 1)
    longer = np.asarray(index * branches + 1 + own * codes + code, dtype=np.intp)
    return np.where(longer < total, longer, total - longest + (longer - total) % longest)


def _options(game: StageGame, player: int) -> tuple[int, int]:
    """How many actions a player has, and how many each of the others."""
    return game.options[player], game.options[player - 1]


def _others(game: StageGame, each: int, theirs: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """What the others did, shape (..., n - 1), as a place in the order of `rounds`; and how many."""
    others = game.n_players - 1
    if game.n_actions == 2 and others > 1:
        return theirs.sum(axis=-1), others + 1
    return theirs @ each ** np.arange(others - 1, -1, -1), each**others
