"""Counting strategies: strategies that are not small automata, because they count, estimate or test.

A counting strategy keeps a row of numbers per match and is evaluated for many matches at once. It is for two players
and, like an automaton, plays C or D.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.agents.agent import IDLE, Decision, PlayerRecord, Traits, Turn
from dilemmas.agents.strategies.finite_state import StrategyError, action_with, view_of
from dilemmas.agents.two_actions import payoff_table
from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.rules.protocol import View
from dilemmas.envs.rules.repeated import Repeated

ActionArray = NDArray[np.int64]
"""0 = C, 1 = D, shape (matches,)."""


class MatchInformation(NamedTuple):
    """What a player knows before a match."""

    payoffs: Numbers
    """Payoffs of both players, own first, by own and the opponent's action: shape (matches, 2, 2, 2)."""
    rounds: int | None = None
    """Number of rounds, from 1; None if the players do not know it, or chance may end the match earlier."""


def match_information(game: StageGame, rounds: int | None, seats: ArrayLike) -> MatchInformation:
    """What players know before matches of a game for two.

    Parameters
    ----------
    game
        The stage game.
    rounds
        Number of rounds if the players know it and nothing else ends the match (`View.certain_rounds`).
    seats
        Seat of the player in each match, 0 or 1, shape (matches,); they are not checked.
    """
    payoffs = payoff_table(Repeated(game))
    by_seat = np.stack([payoffs, payoffs.swapaxes(0, 1)[..., ::-1]])
    return MatchInformation(by_seat[np.asarray(seats, dtype=np.int64)], rounds)


class CountingStrategy(ABC):
    """A strategy as array operations. An instance holds its parameters only; the state of matches is passed around."""

    name: str
    """Name in tables and records."""
    n_random: int = 0
    """Number of uniform random numbers that it uses in every round, besides the draw of its action."""
    deterministic: bool = False
    """Whether all its actions are certain."""

    @abstractmethod
    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        """State before the first round.

        Parameters
        ----------
        random
            Uniform random numbers, shape (matches, n_random).
        information
            What the player knows before the matches.

        Returns
        -------
        One row of numbers per match, the first being the probability of cooperation in the next round.
        """

    @abstractmethod
    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        """State after a round.

        Parameters
        ----------
        state
            State before the round; it may be modified and returned.
        round
            Number of the round, from 1.
        own, theirs
            Actions that were played, shape (matches,).
        random
            As in `initial_state`.

        Returns
        -------
        As `initial_state`.
        """

    @property
    def traits(self) -> Traits:
        return Traits(None, self.deterministic, counting=self)

    def describe(self) -> PlayerRecord:
        return PlayerRecord(name=self.name, kind="counting")

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    policy = decide

    def _decide(self, turn: Turn) -> Decision:
        view = view_of(turn, self.name)
        if view.phase != "act":
            return IDLE
        return action_with(float(self._replayed(view, turn)), turn, view)

    def _replayed(self, view: View, turn: Turn) -> float:
        """Probability of cooperation, computed by replaying the match from its beginning."""
        if view.game.n_players != 2 or view.population is not None:
            who = "a population" if view.population is not None else f"{view.game.n_players} players"
            raise StrategyError(f"strategy '{self.name}' is for two fixed players, not for {who}")
        if len(view.history) < view.round:
            raise StrategyError(
                f"strategy '{self.name}' needs the whole history, but the environment shows {len(view.history)} of"
                f" {view.round} rounds: set memory to None"
            )
        state = self.initial_state(
            self._random(turn, 1), match_information(view.game, view.certain_rounds, [view.player])
        )
        for round, joint in enumerate(view.history, 1):
            own, theirs = (
                np.array([view.game.cooperation(action, seat) < 0.5], dtype=np.int64)
                for action, seat in zip(joint, (view.player, 1 - view.player), strict=True)
            )
            state = self.update(state, round, own, theirs, self._random(turn, round + 1))
        return float(state[0, 0])

    def _random(self, turn: Turn, round: int) -> Numbers:
        """Its own random numbers of a round, the same in every replay of the match."""
        if not self.n_random:
            return np.empty((1, 0))
        return np.random.default_rng([*turn.key, round]).random((1, self.n_random))
