"""Strategies that no small automaton holds: they count, estimate and test, for many matches side by side.

A routine keeps one row of numbers per match. It is for two players and, like an automaton, plays C or D.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.agents.agent import IDLE, Decision, Player, Turn
from dilemmas.agents.strategies.finite_state import StrategyError, action_with, view_of
from dilemmas.agents.two_actions import stakes
from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.rules.protocol import View
from dilemmas.envs.rules.repeated import Repeated

Actions = NDArray[np.int64]
"""0 = C, 1 = D, shape (matches,)."""


class Briefing(NamedTuple):
    """What a player is told before a match."""

    payoffs: Numbers
    """Points of the two players, own first, by own and the other's action: shape (matches, 2, 2, 2)."""
    rounds: int | None = None
    """Number of rounds, from 1; None where nobody is told."""


def briefing(game: StageGame, rounds: int | None, seats: ArrayLike) -> Briefing:
    """What who sits in `seats`, shape (matches,), is told before matches of a game for two.

    `rounds`: of a match under `Repeated` rules it is told only where they have a clock.
    """
    points = stakes(Repeated(game))
    by_seat = np.stack([points, points.swapaxes(0, 1)[..., ::-1]])
    return Briefing(by_seat[np.asarray(seats, dtype=np.int64)], rounds)


class Routine(ABC):
    """A strategy as array operations. An instance keeps its parameters only, never anything of a match."""

    name: str
    """What tables and records call it."""
    luck: int = 0
    """Uniform random numbers of its own that it takes before every round, beyond the draw of its action."""
    deterministic: bool = False
    """Whether nothing is left to chance."""

    @abstractmethod
    def begin(self, luck: Numbers, briefing: Briefing) -> Numbers:
        """What it knows before the first round: one row per match. `luck`: shape (matches, self.luck).

        The first number of a row is the probability to cooperate in the round that comes next; the others are its own.
        """

    @abstractmethod
    def learn(self, state: Numbers, round: int, own: Actions, theirs: Actions, luck: Numbers) -> Numbers:
        """What it knows after a round, counted from 1, in which the actions happened as told.

        `state`: may be written into and returned; `luck`: as in `begin`.
        """

    @final
    def chances(self, state: Numbers, round: int) -> Numbers:
        """Probability to cooperate in a round, counted from 1, shape (matches,)."""
        return state[:, 0]

    def describe(self) -> Player:
        return Player(name=self.name, kind="routine")

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    def _decide(self, turn: Turn) -> Decision:
        view = view_of(turn, self.name)
        if view.phase != "act":
            return IDLE
        return action_with(float(self._replayed(view, turn)), turn, view)

    def _replayed(self, view: View, turn: Turn) -> float:
        """Probability to cooperate, found by going through the match once more from its beginning."""
        if view.game.n_players != 2 or view.population is not None:
            who = "a population" if view.population is not None else f"{view.game.n_players} players"
            raise StrategyError(f"strategy '{self.name}' is for two players who stay together, not for {who}")
        if len(view.history) < view.round:
            raise StrategyError(
                f"strategy '{self.name}' looks at the whole history, and the environment shows {len(view.history)} of"
                f" {view.round} rounds: set memory to None"
            )
        state = self.begin(self._luck(turn, 1), briefing(view.game, view.rounds, [view.player]))
        for round, joint in enumerate(view.history, 1):
            own, theirs = (
                np.array([view.game.cooperation(action, seat) < 0.5], dtype=np.int64)
                for action, seat in zip(joint, (view.player, 1 - view.player), strict=True)
            )
            state = self.learn(state, round, own, theirs, self._luck(turn, round + 1))
        return float(self.chances(state, view.round + 1)[0])

    def _luck(self, turn: Turn, round: int) -> Numbers:
        """Its own random numbers of a round, the same whenever it goes through the match again."""
        return np.random.default_rng([*turn.key, round]).random((1, self.luck)) if self.luck else np.empty((1, 0))
