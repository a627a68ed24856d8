"""The joint actions of a finite stage game as arrays: what each pays, and the most each player could have instead.

A symmetric game of three or more players is looked at up to an exchange of players: one joint action stands for all
in which the same actions are taken by others. So forty players with two actions make 41 joint actions, not 2**40.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement, islice
from math import comb, factorial, gcd, prod

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.theory.regions import TOLERANCE

LARGEST = 1 << 14
"""Most joint actions that are looked at."""
SEATINGS = 16
"""Ways of exchanging the players that are tried where a game has more than `LARGEST` joint actions."""

Joints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class JointOutcome:
    """A joint action and what it pays."""

    joint: tuple[int, ...]
    """One action per player."""
    payoffs: tuple[float, ...]
    """Points, one number per player."""
    ways: int = 1
    """How many joint actions it stands for: all that only exchange players of a symmetric game of three or more."""

    @property
    def total(self) -> float:
        """Points of all players together."""
        return sum(self.payoffs)


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeTable:
    """The joint actions of a game, M of them, with n players."""

    joints: Joints
    """Shape (M, n)."""
    payoffs: Numbers
    """Points, shape (M, n)."""
    best: Numbers
    """The most points each player could have while the others do what they do, shape (M, n)."""
    exchanged: bool
    """Whether one joint action stands for all that only exchange players."""

    @property
    def tie(self) -> float:
        """Points by which two payoffs of the game may differ and still tie."""
        return tie_of(self.payoffs)

    def at(self, rows: Iterable[int]) -> tuple[JointOutcome, ...]:
        """The joint actions of some rows."""
        return tuple(map(self._outcome, rows))

    def _outcome(self, row: int) -> JointOutcome:
        joint = tuple(self.joints[row].tolist())
        return JointOutcome(joint, tuple(self.payoffs[row].tolist()), _ways(joint) if self.exchanged else 1)


def all_outcomes(game: StageGame) -> OutcomeTable:
    """Every joint action of a game. Raises `GameError` where there are infinitely many or more than `LARGEST`."""
    if game.n_players > 2 and is_symmetric(game):
        joints = _tallies(game, game.n_players)
        payoffs = game.payoff_array(joints)
        return OutcomeTable(joints, payoffs, _best_of_exchanged(game, joints), True)
    joints = _all_joints(game, game.options)
    payoffs = game.payoff_array(joints)
    table = payoffs.reshape(*game.options, game.n_players)
    best = [
        np.broadcast_to(table[..., player].max(axis=player, keepdims=True), game.options).ravel()
        for player in range(game.n_players)
    ]
    return OutcomeTable(joints, payoffs, np.stack(best, axis=-1), False)


def is_symmetric(game: StageGame) -> bool:
    """Whether only the actions count and not who takes them.

    With up to `LARGEST` joint actions this is certain. In a larger game every number of players per action is tried
    with the players in different seats, which finds players who are paid differently and neighbours on a ring, but
    is no proof.
    """
    n = game.n_players
    if len(set(game.options)) > 1:
        return False
    if 0 in game.options:
        raise _endless(game)
    if prod(game.options) <= LARGEST:
        joints, seatings = _all_joints(game, game.options), _neighbours_exchanged(n)
    else:
        joints, seatings = _tallies(game, n), _seatings(n)
    payoffs = game.payoff_array(joints)
    tie = tie_of(payoffs)
    return all((abs(game.payoff_array(joints[:, seats]) - payoffs[:, seats]) <= tie).all() for seats in seatings)


def against(game: StageGame, player: int) -> Numbers:
    """Points of a player by its own action and by what the others do, shape (actions, M)."""
    options = game.options[player]
    if game.n_players > 2 and is_symmetric(game):
        others = _tallies(game, game.n_players - 1)
    else:
        others = _all_joints(game, (*game.options[:player], *game.options[player + 1 :]))
    return np.stack([own_payoffs(game, player, action, others) for action in range(options)])


def own_payoffs(game: StageGame, player: int, action: int, others: Joints) -> Numbers:
    """Points of a player who takes an action while the others do what they do, shapes (M, n - 1) -> (M,)."""
    own: Numbers = game.payoff_array(np.insert(others, player, action, axis=1))[:, player]
    return own


def tie_of(payoffs: Numbers) -> float:
    """Points by which two of some payoffs may differ and still tie."""
    return TOLERANCE * float(abs(payoffs).max(initial=0.0))


def _all_joints(game: StageGame, options: tuple[int, ...]) -> Joints:
    if 0 in options:
        raise _endless(game)
    if prod(options) > LARGEST:
        raise _too_many(game, prod(options))
    return np.indices(options).reshape(len(options), -1).T


def _tallies(game: StageGame, n: int) -> Joints:
    """One joint action of `n` players for all that only exchange players, lowest actions first, shape (M, n)."""
    count = comb(n + game.n_actions - 1, n)
    if count > LARGEST:
        raise _too_many(game, count)
    return np.array(list(combinations_with_replacement(range(game.n_actions), n)), dtype=np.intp)


def _best_of_exchanged(game: StageGame, joints: Joints) -> Numbers:
    best = []
    for player in range(game.n_players):
        others = np.delete(joints, player, axis=1)
        own = [own_payoffs(game, player, action, others) for action in range(game.n_actions)]
        best.append(np.max(own, axis=0))
    return np.stack(best, axis=-1)


def _neighbours_exchanged(n: int) -> Iterator[list[int]]:
    """Every exchange of two players who sit side by side; together they make every exchange."""
    for left in range(n - 1):
        seats = list(range(n))
        seats[left], seats[left + 1] = left + 1, left
        yield seats


def _seatings(n: int) -> Iterator[list[int]]:
    """Some exchanges in which everybody moves and neighbours part: by steps of various lengths round the table."""
    steps = (step for step in range(1, n) if gcd(step, n) == 1)
    for step in islice(steps, SEATINGS):
        yield [(step * (seat + 1)) % n for seat in range(n)]


def _ways(joint: tuple[int, ...]) -> int:
    return factorial(len(joint)) // prod(map(factorial, Counter(joint).values()))


def _endless(game: StageGame) -> GameError:
    return GameError(f"{game.name}: an action is any amount; solutions need a number of actions (levels)")


def _too_many(game: StageGame, count: int) -> GameError:
    return GameError(f"{game.name}: {count} joint actions; at most {LARGEST} are solved: take fewer players or actions")
