"""A policy table: P(action | the last k rounds) of one game. It needs no torch and its pickle is small.

In an agent-based model, one look-up decides for a whole population:

    table = load_table("teacher.json")
    states = table.start(2500)                            # no agent has seen a round
    actions = table.act(states, rng)                      # 0 = cooperate
    states = table.after(states, actions, actions[partner])

The table is identical to the agent from which it was compiled as long as the agent sees no more than the last k rounds.
Any dependence of the agent on earlier rounds, or on the number of the round, is not in the table.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilemmas.agents.agent import IDLE, Decision, PlayerRecord, Source, Traits, Turn, View, draw
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.tables.histories import (
    History,
    HistoryError,
    HistoryNumbers,
    Numbering,
    extend_histories,
    histories,
    initial_states,
    numbering_of,
    same_payoffs,
)
from dilemmas.envs.checks import generator, unmasked
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import Game
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.theory.outcomes import is_symmetric
from dilemmas.envs.validation import written

FORMAT = "dilemmas-policy-table"
VERSION = 1


class PolicyTableError(InputError):
    """A table that cannot be compiled, read or played; the message names the agent or the file, and the remedy."""


@written(nulls=True)
@dataclass(frozen=True, slots=True)
class Origin:
    """Where the probabilities of a table come from."""

    agent: str
    """Name of the compiled agent."""
    source: Source = Source.RULE
    """Where the agent's probabilities come from."""
    model: str | None = None
    """Fingerprint of the weights if the agent is a language model."""
    context: str | None = None
    """Name of the social context of the agent."""
    template: str | None = None
    """Name and digest of the prompt template if the agent was prompted."""
    dilemmas: str | None = None
    """Version of dilemmas that compiled the table."""
    presentation: Literal["counterbalanced", "fixed"] | None = None
    """``counterbalanced``: the probabilities are the mean over all presentations (labels and their order); ``fixed``:
    those in the template's. None if the agent was not prompted."""


@dataclass(frozen=True)
class PolicyTable:
    """P(action | the last `memory` rounds) of one game: an agent, and a look-up for arrays of agents.

    Raises
    ------
    PolicyTableError
        If there is not one row of probabilities per history.
    """

    game: StageGame
    """The game, with the payoffs for which the agent was compiled."""
    memory: int
    """Number of past rounds on which the probabilities depend, 0 or more."""
    rows: tuple[tuple[float, ...], ...]
    """Probability of every action after each of `histories(game, memory, player)`, in that order."""
    origin: Origin
    masses: tuple[float, ...] | None = None
    """Label mass by row (probability that the model's reply starts with a label); None if the agent was not a model."""
    player: int = 0
    """The seat of the agent in an asymmetric game; otherwise 0."""

    def __post_init__(self) -> None:
        count = len(histories(self.game, self.memory, self.player))
        if len(self.rows) != count:
            wanted = f"{self.game.name} with memory {self.memory} has {count} histories"
            raise PolicyTableError(f"rows: {wanted}; got {len(self.rows)} rows")
        for number, row in enumerate(self.rows):
            if not _is_distribution(row, self.game.options[self.player]):
                wanted = f"{self.game.options[self.player]} numbers from 0 up that add up to 1"
                raise PolicyTableError(f"rows[{number}]: probabilities = {list(row)}; needs {wanted}")
        if self.masses is not None and (len(self.masses) != count or not all(map(_is_share, self.masses))):
            raise PolicyTableError(f"masses: needs {count} numbers from 0 to 1; got {list(self.masses)}")

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone, so that a pickle is small; cached arrays are computed again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def name(self) -> str:
        return f"table of {self.origin.agent}"

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Probability of every action after every history, shape (histories, actions), read-only."""
        values = np.array(self.rows, dtype=np.float64)
        values.setflags(write=False)
        return values

    @cached_property
    def _ends(self) -> NDArray[np.float64]:
        """End of the interval in [0, 1) of each action but the last, shape (histories, actions - 1)."""
        ends = self.probabilities.cumsum(axis=1)
        rest = self.probabilities[:, :0:-1].cumsum(axis=1)[:, ::-1]  # probability of all later actions
        return np.where(rest > 0, ends[:, :-1], 1.0)  # the last possible action has the rest, regardless of rounding

    @cached_property
    def _numbering(self) -> Numbering:
        return numbering_of(self.game, self.memory, self.player)

    @cached_property
    def _alike(self) -> bool:
        """Whether the game is the same from every seat."""
        return is_symmetric(self.game)

    def start(self, shape: int | tuple[int, ...] = ()) -> HistoryNumbers:
        """States of agents that have seen no round: zeros of a shape. Tables with another memory refuse them.

        `HistoryError` if the shape is not made of whole numbers from 0.
        """
        return initial_states(shape, self._numbering)

    def act(self, index: HistoryNumbers, rng: np.random.Generator) -> HistoryNumbers:
        """Draw an action for every agent.

        Parameters
        ----------
        index
            Number of the history of every agent, any shape.
        rng
            Source of one uniform number per agent, which gives the same action as in `dilemmas.agents.agent.draw`.

        Returns
        -------
        ndarray
            Actions, same shape; 0 is the most cooperative one.

        Raises
        ------
        HistoryError
            If a state is not a history of this table, or `rng` no generator.
        """
        states = self._numbering.check(index)
        threshold = generator(rng, "rng", HistoryError).random(states.shape)
        return np.asarray((threshold[..., None] >= self._ends[states]).sum(axis=-1), dtype=np.intp)

    def after(self, index: HistoryNumbers, own: ArrayLike, others: ArrayLike) -> HistoryNumbers:
        """Update the states of agents with one more round.

        Parameters
        ----------
        index
            Numbers of the histories before the round, any shape.
        own
            Own actions, same shape.
        others
            The other player's actions, same shape; with n > 2 players one more axis, for the n - 1 others.

        Returns
        -------
        ndarray
            Numbers of the histories after the round, same shape.

        Raises
        ------
        HistoryError
            If a shape differs, or a value is not a history or an action of the game.
        """
        theirs = unmasked(others, "the others' actions", HistoryError)
        if self.game.n_players == 2:
            theirs = theirs[..., None]
        return extend_histories(self.game, self.memory, index, own, theirs, self.player)

    def index(self, played: ArrayLike) -> HistoryNumbers:
        """Numbers of histories.

        Parameters
        ----------
        played
            Actions, shape (..., rounds, players), own action and oldest round first.

        Returns
        -------
        ndarray
            Numbers, shape (...).

        Raises
        ------
        HistoryError
            If the last axis is not that of the players, or a value is not an action of the game.
        """
        actions = unmasked(played, "actions", HistoryError)
        if actions.ndim < 2 or actions.shape[-1] != self.game.n_players:
            raise HistoryError(f"actions of shape {actions.shape}; needs (..., rounds, {self.game.n_players})")
        index = self.start(actions.shape[:-2])
        for past in range(actions.shape[-2]):
            index = extend_histories(
                self.game, self.memory, index, actions[..., past, 0], actions[..., past, 1:], self.player
            )
        return index

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn, in order.

        Raises
        ------
        PolicyTableError
            If a turn is about another game or another seat, or has no view of a game.
        """
        return [self._decide(turn) for turn in turns]

    policy = decide

    @cached_property
    def traits(self) -> Traits:
        automaton = self.automaton() if set(self.game.options) == {2} else None
        return Traits(self.memory, all(max(row) == 1.0 for row in self.rows), automaton)

    def describe(self) -> PlayerRecord:
        """The whole table as JSON values."""
        return PlayerRecord(name=self.name, kind="policy_table", parameters=self.document())

    def memory_one(self) -> tuple[float, float, float, float, float]:
        """Probability to cooperate in the first round, and after CC, CD, DC and DD (own action first).

        Raises
        ------
        PolicyTableError
            If the table does not have memory 1, or the game not two players with two actions.
        """
        if (self.memory, self.game.n_players, self.game.n_actions) != (1, 2, 2):
            raise PolicyTableError(
                f"{self.name} has memory {self.memory} in a game of {self.game.n_players} players with"
                f" {self.game.n_actions} actions; only memory 1 with 2 players and 2 actions gives five probabilities"
            )
        first, cc, cd, dc, dd = (row[0] for row in self.rows)
        return first, cc, cd, dc, dd

    def automaton(self) -> Automaton:
        """The table as a finite-state strategy whose states are the histories.

        Raises
        ------
        PolicyTableError
            If the game has more than two actions.
        """
        n = self.game.n_players
        if set(self.game.options) != {2}:
            raise PolicyTableError(
                f"{self.name} is for {self.game.name}, with {self.game.options} actions; an automaton needs 2 each"
            )
        index = np.arange(len(self.rows))
        met = [np.arange(n - 1) >= n - 1 - defectors for defectors in range(n)]
        others = [np.broadcast_to(one, (len(index), n - 1)) for one in met]
        then = [
            extend_histories(
                self.game, self.memory, index, np.full_like(index, own), theirs.astype(np.intp), self.player
            )
            for own in range(2)
            for theirs in others
        ]
        rows = tuple(map(tuple, np.stack(then, axis=-1).tolist()))
        return Automaton(self.origin.agent, tuple(row[0] for row in self.rows), rows, n)

    def document(self) -> dict[str, Any]:
        """The table as the plain values of its JSON form.

        Raises
        ------
        PolicyTableError
            If the game is not one of the catalogue's classes.
        """
        if not isinstance(self.game, Game):
            raise PolicyTableError(
                f"{self.name}: only games of the catalogue can be written to a file, not {self.game.name}"
            )
        masses = self.masses or [None] * len(self.rows)
        asked = zip(histories(self.game, self.memory, self.player), self.rows, masses, strict=True)
        return {
            "format": FORMAT,
            "version": VERSION,
            "origin": asdict(self.origin),
            "game": asdict(self.game),
            "player": self.player,
            "memory": self.memory,
            "rows": [
                {"history": history_lists(history), "probabilities": list(row), "mass": mass}
                for history, row, mass in asked
            ],
        }

    def _decide(self, turn: Turn) -> Decision:
        view = turn.info.get("view")
        if not isinstance(view, View):
            raise PolicyTableError(
                f"{self.name} needs info['view'], which environments of dilemmas have with views=True"
            )
        if view.phase != "act":
            return IDLE
        if not same_payoffs(view.game, self.game):
            raise PolicyTableError(f"{self.name} is for {self.game}; compile one for {view.game}")
        row = int(self.index(self._seen(view)))
        action = draw(self.rows[row], turn.rng)
        return Decision(action, self.rows[row], self.origin.source, self.masses[row] if self.masses else None)

    def _seen(self, view: View) -> NDArray[np.intp]:
        """The history of a view, shape (rounds, players), without rounds in which the player had no partner."""
        if view.seat != self.player and not self._alike:
            raise PolicyTableError(f"{self.name} is for player_{self.player}, not for player_{view.player}")
        rounds = [joint for joint in view.history if len(joint) > 1]
        if any(len(joint) != self.game.n_players for joint in rounds):
            met = max(map(len, rounds)) - 1
            raise PolicyTableError(
                f"{self.name} is for games with one other player; player_{view.player} has {met} neighbours"
            )
        return np.array(rounds, dtype=np.intp).reshape(-1, self.game.n_players)


def _is_share(value: object) -> bool:
    return isinstance(value, float | int) and 0.0 <= value <= 1.0


def _is_distribution(row: Sequence[float], length: int) -> bool:
    return len(row) == length and all(map(_is_share, row)) and abs(sum(row) - 1.0) <= 1e-6


def history_lists(history: History) -> list[list[int]]:
    """A history as nested lists, as in JSON."""
    return [list(joint) for joint in history]
