"""The distinct histories of up to k rounds from the view of one player, and their numbering, also for whole arrays.

They are numbered like the nodes of a complete tree: 0 is the empty history, followed by those of one round, of two
rounds and so on; among those of one length the oldest round varies slowest. With two players, two actions and k = 1 the
order is: none, CC, CD, DC, DD, own action first.
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
"""Joint actions from the view of one player: own action first, then the others'; oldest round first."""
HistoryNumbers = NDArray[np.intp]
"""Numbers of histories, or of actions."""

MOST_HISTORIES = 100_000
"""Maximum number of histories: a larger table would be neither small nor quickly compiled."""


class HistoryError(InputError):
    """A game or a memory for which histories cannot be enumerated."""


def distinct_rounds(game: StageGame, player: int = 0) -> list[Joint]:
    """The distinct rounds from the view of a player, own action first: CC, CD, DC, DD.

    In groups with two actions, rounds are distinguished by the number of others who cooperated, largest first.

    Raises
    ------
    HistoryError
        If actions are amounts, or the game is for a group whose players are not alike.
    """
    if 0 in game.options:
        raise HistoryError(f"{game.name}: free amounts have infinitely many histories; use contribution levels")
    own, theirs = _options(game, player)
    others = game.n_players - 1
    if others > 1 and not is_symmetric(game):
        raise HistoryError(f"{game.name}: the histories of a group can be listed only if all its players are alike")
    if game.n_actions == 2 and others > 1:
        seen = list(combinations_with_replacement(range(theirs), others))
    else:
        seen = list(product(range(theirs), repeat=others))
    return [(mine, *others_) for mine in range(own) for others_ in seen]


def histories(game: StageGame, memory: int, player: int = 0) -> list[History]:
    """Every distinct history of up to `memory` rounds, in the order of their numbers.

    Parameters
    ----------
    game
        The game.
    memory
        Maximum length of a history in rounds, 0 or more.
    player
        Seat of the player, in an asymmetric game.

    Raises
    ------
    HistoryError
        If `memory` is not a whole number from 0 up, or there are more than 100,000 histories, or those of the game
        cannot be listed.
    """
    if type(memory) is not int or memory < 0:
        raise HistoryError(f"memory = {memory!r}; needs a whole number of rounds from 0 up")
    one = distinct_rounds(game, player)
    if memory * log(len(one)) > log(MOST_HISTORIES):
        raise HistoryError(
            f"memory = {memory}: {game.name} has over {MOST_HISTORIES:,} histories; use a smaller memory"
        )
    return [history for length in range(memory + 1) for history in product(one, repeat=length)]


def extend_histories(
    game: StageGame, memory: int, index: HistoryNumbers, own: NDArray[Any], theirs: NDArray[Any], player: int = 0
) -> HistoryNumbers:
    """Numbers of the histories after one more round; only the last `memory` rounds are kept.

    Parameters
    ----------
    game, memory, player
        As in `histories`.
    index
        Numbers of the histories before the round, any shape.
    own
        Own actions, same shape.
    theirs
        The others' actions, with one more axis for the n - 1 others.

    Returns
    -------
    ndarray
        Numbers of the histories after the round, shape of `index`.
    """
    options, each = _options(game, player)
    code, codes = _others(game, each, theirs)
    branches = options * codes
    longest = branches**memory  # number of histories of full length, which have the highest numbers
    total = (longest * branches - 1) // (branches - 1)
    longer = np.asarray(index * branches + 1 + own * codes + code, dtype=np.intp)
    return np.where(longer < total, longer, total - longest + (longer - total) % longest)


def _options(game: StageGame, player: int) -> tuple[int, int]:
    """Number of actions of a player, and of each of the others."""
    return game.options[player], game.options[player - 1]


def _others(game: StageGame, each: int, theirs: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Position of the others' actions, shape (..., n - 1), in the order of `distinct_rounds`; and their number."""
    others = game.n_players - 1
    if game.n_actions == 2 and others > 1:
        return theirs.sum(axis=-1), others + 1
    return theirs @ each ** np.arange(others - 1, -1, -1), each**others
