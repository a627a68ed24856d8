"""Interaction of the players in a round: as one group, or as a population in pairs."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from operator import itemgetter
from typing import Any, Protocol

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
        partners = self.partners([rng])
        played = np.array([joint])
        payoffs = tuple(self.payoffs(played, self.met(played, partners))[0].tolist())
        if partners is None:
            return payoffs, ()
        return payoffs, [
            (joint[i], joint[other]) if other >= 0 else (joint[i],) for i, other in enumerate(partners[0].tolist())
        ]

    def partners(self, streams: Sequence[np.random.Generator]) -> NDArray[np.int64] | None:
        """Random partners in one match per random generator, shape (matches, players), -1 for the player who has none;
        None if neighbours are fixed."""
        if not self.random:
            return None
        n = self.n_players
        found = np.full((len(streams), n), -1)
        for row, stream in zip(found, streams, strict=True):
            one, other = stream.permutation(n)[: n // 2 * 2].reshape(-1, 2).T
            row[one], row[other] = other, one
        return found

    def met(self, joints: NDArray[Any], partners: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Number of partners or neighbours of each player who took each action.

        Parameters
        ----------
        joints
            Joint actions, shape (matches, players).
        partners
            As from `partners`.

        Returns
        -------
        Shape (matches, players, actions).
        """
        (matches, n), options = joints.shape, len(self._table)
        rows = np.arange(matches)[:, None]
        if partners is None:
            one, other = self._ends
            where, theirs = (rows * n + one), joints[:, other]
        else:
            where, theirs = (rows * n + np.arange(n))[partners >= 0], joints[rows, partners][partners >= 0]
        counts = np.bincount((where * options + theirs).ravel(), minlength=matches * n * options)
        return counts.reshape(matches, n, options)

    def payoffs(self, joints: NDArray[Any], met: NDArray[np.int64]) -> Numbers:
        """Payoffs from the actions and the numbers of `met`, shape (matches, players)."""
        total: Numbers = (self._table[joints] * met).sum(axis=-1)
        return total / np.maximum(1, met.sum(axis=-1)) if self._population.payoff == "mean" else total

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """Player and neighbour for each pair of neighbours in both directions, shape (2, 2 * edges)."""
        pairs = np.array(self._population.edges).T
        return np.concatenate([pairs, pairs[::-1]], axis=1)


def _check_symmetry(game: StageGame, payoffs: Numbers) -> None:
    """`GameError` with the first joint action whose payoffs depend on which player is the row player."""
    own = payoffs[..., 0]
    for mine, theirs in np.argwhere(abs(own - payoffs[..., 1].T) > tie_of(own))[:1].tolist():
        one, other = game.payoffs((mine, theirs)), game.payoffs((theirs, mine))
        raise GameError(
            f"{game.name}: actions {mine}, {theirs} pay {one} and {theirs}, {mine} pay {other}; a population needs a"
            " symmetric game, whose payoffs do not depend on which player is the row player"
        )
