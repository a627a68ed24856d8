"""Interaction of the players in a round: as one group, or as a population in pairs."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from operator import itemgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.stage_game import Joint, Numbers, StageGame
from dilemmas.envs.rules.population import Population
from dilemmas.envs.theory.outcomes import tie_of


class Interaction(Protocol):
    """Which players interact in a round, their payoffs, and what each player observes."""

    @property
    def n_players(self) -> int: ...
    @property
    def options(self) -> tuple[int, ...]:
        """Number of actions of each player; 0 if the action is an amount."""
        ...

    @property
    def random(self) -> bool:
        """Whether partners are drawn at random. Observations of a round are then stored by player."""
        ...

    @property
    def looks(self) -> Sequence[Callable[[Joint], Joint]]:
        """For each player, the function from a stored joint action to what the player observes, own action first."""
        ...

    def meet(self, joint: Joint, rng: np.random.Generator) -> tuple[tuple[float, ...], Sequence[Joint]]:
        """Play one round.

        Parameters
        ----------
        joint
            Action of each player.
        rng
            Random generator; used only if `random`.

        Returns
        -------
        Payoff of each player and, if `random`, what each player observed, own action first; otherwise an empty
        sequence.
        """
        ...


class OneGroup:
    """All players play the stage game together."""

    random = False

    def __init__(self, game: StageGame) -> None:
        self._game = game
        self.n_players = game.n_players
        self.options = game.options
        self.looks = [partial(_own_first, player) for player in range(self.n_players)]

    def meet(self, joint: Joint, rng: np.random.Generator) -> tuple[tuple[float, ...], Sequence[Joint]]:
        return self._game.payoffs(joint), ()


def _own_first(player: int, joint: Joint) -> Joint:
    """The joint action with one player first, then the others in order."""
    return joint[player], *joint[:player], *joint[player + 1 :]


class InPairs:
    """The players of a population play a symmetric two-player game with each neighbour or with a random partner.

    Raises
    ------
    GameError
        If the game is not symmetric, or not for two players with the same number of actions.
    """

    def __init__(self, game: StageGame, population: Population) -> None:
        if game.n_players != 2 or 0 in game.options or game.options[0] != game.options[1]:
            shape = " x ".join(map(str, game.options))
            raise GameError(
                f"{game.name}: {shape} actions; a population needs a two-player game with equally many actions for both"
            )
        joints = np.moveaxis(np.indices(game.options), 0, -1)
        payoffs = game.payoff_array(joints)
        _check_symmetry(game, payoffs)
        self._table: Numbers = payoffs[..., 0]  # own payoff, by own action and partner's action
        self._population = population
        self.n_players = population.size
        self.options = (game.options[0],) * population.size
        self.random = population.edges is None

    @cached_property
    def looks(self) -> Sequence[Callable[[Joint], Joint]]:
        if self.random:
            return [tuple] * self.n_players  # observations are stored by player
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
        """Random pairs in both directions, shape (2 * (n // 2), 2)."""
        n = self.n_players
        return _both_ways(rng.permutation(n)[: n // 2 * 2].reshape(-1, 2))

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """Each pair of neighbours in both directions, shape (2 * edges, 2)."""
        return _both_ways(np.array(self._population.edges))


def _both_ways(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([pairs, pairs[:, ::-1]])


def _check_symmetry(game: StageGame, payoffs: Numbers) -> None:
    """`GameError` with the first joint action whose payoffs depend on which player is the row player."""
    own = payoffs[..., 0]
    for mine, theirs in np.argwhere(abs(own - payoffs[..., 1].T) > tie_of(own))[:1].tolist():
        one, other = game.payoffs((mine, theirs)), game.payoffs((theirs, mine))
        raise GameError(
            f"{game.name}: actions {mine}, {theirs} pay {one} and {theirs}, {mine} pay {other}; a population needs a"
            " symmetric game, whose payoffs do not depend on which player is the row player"
        )
