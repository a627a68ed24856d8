"""The joint actions of a finite stage game as arrays: their payoffs, and the best payoff each player could get instead.

In a symmetric game of three or more players, joint actions that differ only by a permutation of the players are
represented by one of them: forty players with two actions have 41 such joint actions instead of 2**40.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement, islice
from math import comb, factorial, gcd, prod

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.theory.regions import TOLERANCE

LARGEST = 1 << 14
"""Largest number of joint actions of a game that is solved."""
MOST_PAYOFFS = 1 << 21
"""Largest number of payoffs of all its players in them: some seconds."""
PERMUTATIONS = 16
"""Number of permutations of the players that are tested in a game of more than `LARGEST` joint actions."""

Joints = NDArray[np.intp]
"""Joint actions, shape (M, players)."""


@dataclass(frozen=True, slots=True)
class JointOutcome:
    """A joint action and its payoffs."""

    joint: tuple[int, ...]
    """One action per player."""
    payoffs: tuple[float, ...]
    """Points, one number per player."""
    ways: int = 1
    """Number of joint actions it represents: its permutations, in a symmetric game of three or more players."""

    @property
    def total(self) -> float:
        """Points of all players together."""
        return sum(self.payoffs)


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeTable:
    """The M joint actions of a game of n players."""

    joints: Joints
    """Shape (M, n)."""
    payoffs: Numbers
    """Points, shape (M, n)."""
    best: Numbers
    """Best payoff of each player against the actions of the others, in points, shape (M, n)."""
    exchanged: bool
    """Whether a joint action represents all its permutations."""

    @property
    def tie(self) -> float:
        """Largest difference in points between two payoffs of the game that count as equal."""
        return tie_of(self.payoffs)

    def at(self, rows: Iterable[int]) -> tuple[JointOutcome, ...]:
        """The joint outcomes of some rows."""
        return tuple(map(self._outcome, rows))

    def _outcome(self, row: int) -> JointOutcome:
        joint = tuple(self.joints[row].tolist())
        return JointOutcome(joint, tuple(self.payoffs[row].tolist()), _ways(joint) if self.exchanged else 1)


def all_outcomes(game: StageGame) -> OutcomeTable:
    """All joint actions of a game.

    Raises
    ------
    GameError
        If there are infinitely many, more than `LARGEST`, or more than `MOST_PAYOFFS` payoffs.
    """
    if game.n_players > 2 and is_symmetric(game):
        joints = _tallies(game, game.n_players)
        payoffs = game.payoff_array(joints)
        return OutcomeTable(joints, payoffs, _best_up_to_permutation(game, joints), True)
    joints = _all_joints(game, game.options)
    payoffs = game.payoff_array(joints)
    table = payoffs.reshape(*game.options, game.n_players)
    best = [
        np.broadcast_to(table[..., player].max(axis=player, keepdims=True), game.options).ravel()
        for player in range(game.n_players)
    ]
    return OutcomeTable(joints, payoffs, np.stack(best, axis=-1), False)


def is_symmetric(game: StageGame) -> bool:
    """Whether payoffs depend on the actions only and not on who takes them.

    The result is exact for games of up to `LARGEST` joint actions. In a larger game, every number of players per action
    is tested with `PERMUTATIONS` permutations of the players, which detects players with different payoffs and
    neighbours on a ring, but is not a proof.

    Raises
    ------
    GameError
        If actions are amounts, or if the game is too large even for that test.
    """
    n = game.n_players
    if len(set(game.options)) > 1:
        return False
    if 0 in game.options:
        raise _endless(game)
    if prod(game.options) <= LARGEST:
        joints, permuted = _all_joints(game, game.options), _transpositions(n)
    else:
        joints, permuted = _tallies(game, n), _permutations(n)
    payoffs = game.payoff_array(joints)
    tie = tie_of(payoffs)
    return all((abs(game.payoff_array(joints[:, seats]) - payoffs[:, seats]) <= tie).all() for seats in permuted)


def alike_seats(game: StageGame) -> bool:
    """Whether the game is the same from every seat; also for amounts. `GameError` as in `is_symmetric`."""
    if isinstance(game, CountGame):
        return True
    if isinstance(game, PublicGoods):
        return not isinstance(game.endowment, tuple)
    return len(set(game.endowments)) == 1 if game.endowments else is_symmetric(game)


def against(game: StageGame, player: int) -> Numbers:
    """Payoffs of a player in points, by its own action and by the joint action of the others, shape (actions, M)."""
    options = game.options[player]
    if game.n_players > 2 and is_symmetric(game):
        others = _tallies(game, game.n_players - 1)
    else:
        others = _all_joints(game, (*game.options[:player], *game.options[player + 1 :]))
    return np.stack([own_payoffs(game, player, action, others) for action in range(options)])


def own_payoffs(game: StageGame, player: int, action: int, others: Joints) -> Numbers:
    """Payoffs of a player in points for one action against joint actions of the others, shapes (M, n - 1) -> (M,)."""
    own: Numbers = game.payoff_array(np.insert(others, player, action, axis=1))[:, player]
    return own


def tie_of(payoffs: Numbers) -> float:
    """Largest difference in points between two of some payoffs that count as equal."""
    return TOLERANCE * float(abs(payoffs).max(initial=0.0))


def _all_joints(game: StageGame, options: tuple[int, ...]) -> Joints:
    if 0 in options:
        raise _endless(game)
    if prod(options) > LARGEST:
        raise _too_many(game, prod(options))
    return np.indices(options).reshape(len(options), -1).T


def _tallies(game: StageGame, n: int) -> Joints:
    """Joint actions of `n` players up to permutation, lowest actions first, shape (M, n)."""
    count = comb(n + game.n_actions - 1, n)
    if count > LARGEST or count * n > MOST_PAYOFFS:
        raise _too_many(game, count)
    return np.array(list(combinations_with_replacement(range(game.n_actions), n)), dtype=np.intp)


def _best_up_to_permutation(game: StageGame, joints: Joints) -> Numbers:
    """Largest payoff of each player against the others' actions, shape (M, n); players of equal actions have equal
    ones."""
    best = np.zeros(joints.shape)
    for action in range(game.n_actions):
        rows = np.flatnonzero((joints == action).any(axis=1))
        one = joints[rows]
        rest = np.ones(one.shape, dtype=bool)
        rest[np.arange(len(rows)), (one == action).argmax(axis=1)] = False
        others = one[rest].reshape(len(rows), game.n_players - 1)
        own = np.max([own_payoffs(game, 0, reply, others) for reply in range(game.n_actions)], axis=0)
        best[rows] = np.where(one == action, own[:, None], best[rows])
    return best


def _transpositions(n: int) -> Iterator[list[int]]:
    """All transpositions of adjacent players, which generate all permutations."""
    for left in range(n - 1):
        seats = list(range(n))
        seats[left], seats[left + 1] = left + 1, left
        yield seats


def _permutations(n: int) -> Iterator[list[int]]:
    """Permutations that move every player and separate adjacent ones: multiplication by a number coprime to `n`."""
    steps = (step for step in range(1, n) if gcd(step, n) == 1)
    for step in islice(steps, PERMUTATIONS):
        yield [(step * (seat + 1)) % n for seat in range(n)]


def _ways(joint: tuple[int, ...]) -> int:
    return factorial(len(joint)) // prod(map(factorial, Counter(joint).values()))


def _endless(game: StageGame) -> GameError:
    return GameError(f"{game.name}: actions are amounts; solutions require a finite number of actions (levels)")


def _too_many(game: StageGame, count: int) -> GameError:
    n, most = game.n_players, min(LARGEST, MOST_PAYOFFS // game.n_players)
    return GameError(
        f"{game.name}: {count} joint actions of {n} players; at most {most} of so many players can be solved: use fewer"
        " players or actions"
    )
