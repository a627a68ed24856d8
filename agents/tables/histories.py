"""The distinct histories of up to k rounds from the view of one player, and their numbering, also for whole arrays.

They are numbered like the nodes of a complete tree: 0 is the empty history, followed by those of one round, of two
rounds and so on; among those of one length the oldest round varies slowest. With two players, two actions and k = 1 the
order is: none, CC, CD, DC, DD, own action first.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from math import log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.envs.checks import unmasked, whole_number
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
    if _counted(game):
        seen = list(combinations_with_replacement(range(theirs), others))
    else:
        seen = list(product(range(theirs), repeat=others))
    return [(mine, *others_) for mine in range(own) for others_ in seen]


def same_payoffs(game: StageGame, other: StageGame) -> bool:
    """Whether two games have the same actions and payoffs, whatever their names.

    Raises
    ------
    HistoryError
        If actions are amounts, for which there are no tables.
    """
    if game.options != other.options:
        return False
    if game == other:
        return True
    if game.n_players > 2 and is_symmetric(game) != is_symmetric(other):
        return False
    return all(game.payoffs(joint) == other.payoffs(joint) for joint in distinct_rounds(game))


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


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the histories of a player are numbered."""

    own: int
    """Number of own actions."""
    others: int
    """Number of joint actions of the others that are distinguished."""
    memory: int
    """Largest length of a history in rounds."""

    @property
    def count(self) -> int:
        """Number of histories."""
        branches = self.own * self.others
        return int(branches ** (self.memory + 1) - 1) // (branches - 1)

    def check(self, index: ArrayLike) -> HistoryNumbers:
        """Return an array of numbers of histories.

        Raises
        ------
        HistoryError
            If the array was made for another numbering, or has other values than integers from 0 to `count` - 1.
        """
        made = index.numbering if isinstance(index, HistoryStates) else None
        if made is not None and made != self:
            raise HistoryError(
                f"states of a table with {made}, given to one with {self}; give each table an array of its own"
            )
        return checked_numbers(index, self.count, "states")

    def __str__(self) -> str:
        return f"memory {self.memory} and {self.own} x {self.others} distinct rounds"


class HistoryStates(np.ndarray[Any, np.dtype[np.intp]]):
    """Numbers of histories with their numbering, so that a table with another memory refuses them.

    Slices, copies and pickles keep the numbering; what NumPy combines from several arrays may have none.
    """

    numbering: Numbering | None

    def __array_finalize__(self, made_from: Any) -> None:
        self.numbering = getattr(made_from, "numbering", None)

    def __reduce__(self) -> Any:
        return numbered_states, (np.asarray(self), self.numbering)


def numbered_states(index: NDArray[Any], numbering: Numbering | None) -> HistoryStates:
    """Numbers of histories with their numbering."""
    states = np.asarray(index, dtype=np.intp).view(HistoryStates)
    states.numbering = numbering
    return states


def initial_states(shape: int | tuple[int, ...], numbering: Numbering) -> HistoryStates:
    """The empty history for an array of players; `HistoryError` if the shape is not made of whole numbers from 0."""
    sizes = shape if isinstance(shape, tuple) else (shape,)
    whole = [whole_number(size, "shape", 0, error=HistoryError) for size in sizes]
    return numbered_states(np.zeros(whole, dtype=np.intp), numbering)


def checked_numbers(values: ArrayLike, limit: int, place: str) -> HistoryNumbers:
    """Return integers from 0 to `limit` - 1 as an array; `HistoryError` with the place for anything else."""
    numbers = unmasked(values, place, HistoryError)
    if numbers.size and numbers.dtype.kind not in "iu":
        raise HistoryError(f"{place} of type {numbers.dtype}; needs integers")
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < limit):
        wrong = numbers[(numbers < 0) | (numbers >= limit)].flat[0]
        raise HistoryError(f"{place}: {wrong}; needs integers from 0 to {limit - 1}")
    return numbers.astype(np.intp, copy=False)


def numbering_of(game: StageGame, memory: int, player: int = 0) -> Numbering:
    """The numbering of `histories(game, memory, player)`."""
    own, each = _options(game, player)
    others = game.n_players - 1
    return Numbering(own, others + 1 if _counted(game) else each**others, memory)


def extend_histories(
    game: StageGame, memory: int, index: ArrayLike, own: ArrayLike, theirs: ArrayLike, player: int = 0
) -> HistoryStates:
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

    Raises
    ------
    HistoryError
        If a shape differs, or a value is not a history or an action.
    """
    numbering = numbering_of(game, memory, player)
    options, each = _options(game, player)
    before = numbering.check(index)
    mine, others = checked_numbers(own, options, "own actions"), checked_numbers(theirs, each, "the others' actions")
    needed = (*before.shape, game.n_players - 1)
    if mine.shape != before.shape or others.shape != needed:
        found = f"states of shape {before.shape}, own actions {mine.shape}, the others' {others.shape}"
        raise HistoryError(f"{found}; needs {before.shape}, {before.shape}, {needed}: {game.n_players - 1} others")
    branches = numbering.own * numbering.others
    longest = branches**memory  # number of histories of full length, which have the highest numbers
    longer = np.asarray(before * branches + 1 + mine * numbering.others + _others(game, each, others), dtype=np.intp)
    kept = np.where(longer < numbering.count, longer, numbering.count - longest + (longer - numbering.count) % longest)
    return numbered_states(kept, numbering)


def _options(game: StageGame, player: int) -> tuple[int, int]:
    """Number of actions of a player, and of each of the others."""
    return game.options[player], game.options[player - 1]


def _counted(game: StageGame) -> bool:
    """Whether rounds are distinguished by the number of others who cooperated."""
    return game.n_actions == 2 and game.n_players > 2


def _others(game: StageGame, each: int, theirs: NDArray[Any]) -> NDArray[Any]:
    """Position of the others' actions, shape (..., n - 1), in the order of `distinct_rounds`."""
    if _counted(game):
        return np.asarray(theirs.sum(axis=-1))
    return np.asarray(theirs @ each ** np.arange(game.n_players - 2, -1, -1))
