"""Who plays the stage game with whom in a round: one group, or a population in pairs."""

from collections.abc import Callable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.stage_game import Joint, Numbers, StageGame
from dilemmas.envs.rules.population import Population
from dilemmas.envs.theory.outcomes import tie_of


class Interaction(Protocol):
    """Who meets whom, what it pays, and what each player sees of it."""

    @property
    def n_players(self) -> int: ...
    @property
    def options(self) -> tuple[int, ...]:
        """Number of actions of each player; 0 where an action is an amount."""
        ...

    @property
    def random(self) -> bool:
        """Whether it is left to chance who meets whom. What `meet` says was seen is then kept by player."""
        ...

    @property
    def looks(self) -> Sequence[Callable[[Joint], Joint]]:
        """By player: what turns a joint action as it is kept into what the player sees, own action first."""
        ...

    def meet(self, joint: Joint, rng: np.random.Generator) -> tuple[tuple[float, ...], Sequence[Joint]]:
        """Payoffs of a joint action by player; and, where it is random who meets, what each player saw."""
        ...


class OneGroup:
    """All players play the game together."""

    random = False

    def __init__(self, game: StageGame) -> None:
        self._game = game
        self.n_players = game.n_players
        self.options = game.options
        every = range(self.n_players)
        self.looks = [itemgetter(player, *(other for other in every if other != player)) for player in every]

    def meet(self, joint: Joint, rng: np.random.Generator) -> tuple[tuple[float, ...], Sequence[Joint]]:
        return self._game.payoffs(joint), ()


class InPairs:
    """The players of a population play a symmetric game for two, with each neighbour or with a random partner.

    Raises
    ------
    GameError
        Where the game is not symmetric or not for two players with the same number of actions.
    """

    def __init__(self, game: StageGame, population: Population) -> None:
        if game.n_players != 2 or 0 in game.options or game.options[0] != game.options[1]:
            shape = " x ".join(map(str, game.options))
            raise GameError(
                f"{game.name}: {shape} actions; a population plays games for two players with the same actions"
            )
        joints = np.moveaxis(np.indices(game.options), 0, -1)
        payoffs = game.payoff_array(joints)
        _check_symmetry(game, payoffs)
        self._table: Numbers = payoffs[..., 0]  # own payoff by own and the other's action
        self._population = population
        self.n_players = population.size
        self.options = (game.options[0],) * population.size
        self.random = population.edges is None

    @cached_property
    def looks(self) -> Sequence[Callable[[Joint], Joint]]:
        if self.random:
            return [tuple] * self.n_players  # what each player saw is kept as it saw it
        return [itemgetter(player, *met) for player, met in enumerate(self._population.neighbours)]

    def meet(self, joint: Joint, rng: np.random.Generator) -> tuple[tuple[float, ...], Sequence[Joint]]:
        actions, n = np.array(joint), self.n_players
        ends = self._random_pairs(rng) if self.random else self._ends  # (meetings, 2)
        one, other = ends.T
        total = np.bincount(one, self._table[actions[one], actions[other]], n).astype(np.float64)
        if self._population.payoff == "mean":
            total = total / np.maximum(1, np.bincount(one, minlength=n))
        payoffs = tuple(total.tolist())
        if not self.random:
            return payoffs, ()
        partner = dict(ends.tolist())
        return payoffs, [(joint[i], joint[partner[i]]) if i in partner else (joint[i],) for i in range(n)]

    def _random_pairs(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Random pairs in both directions, shape (players or one less, 2)."""
        n = self.n_players
        return _both_ways(rng.permutation(n)[: n // 2 * 2].reshape(-1, 2))

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """Every pair of neighbours in both directions, shape (2 * edges, 2)."""
        return _both_ways(np.array(self._population.edges))


def _both_ways(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([pairs, pairs[:, ::-1]])


def _check_symmetry(game: StageGame, payoffs: Numbers) -> None:
    """`GameError` with the first joint action where it matters who is the row player."""
    own = payoffs[..., 0]
    for mine, theirs in np.argwhere(abs(own - payoffs[..., 1].T) > tie_of(own))[:1].tolist():
        one, other = game.payoffs((mine, theirs)), game.payoffs((theirs, mine))
        raise GameError(
            f"{game.name}: actions {mine}, {theirs} pay {one} and {theirs}, {mine} pay {other}; a population plays"
            " symmetric games, in which it does not matter who is the row player"
        )
