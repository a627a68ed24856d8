"""Observations and payoffs of many matches: arrays that are updated phase by phase.

The layout of an observation is that of `dilemmas.envs.rules.observations`. In a game with few joint actions each joint
action is encoded as one integer, and payoffs and observations are looked up in tables; otherwise they are computed.
"""

from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.rules.interaction import InPairs
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import View
from dilemmas.envs.rules.repeated import Repeated

LARGEST_TABLE = 1 << 18
"""Largest number of entries in a lookup table: one megabyte, which fits into a processor's cache."""


Streams = Sequence[np.random.Generator]


def own_first(n: int) -> NDArray[np.intp]:
    """The order in which each of `n` players observes the players: itself first, shape (viewer, seat)."""
    return np.array([[player, *(other for other in range(n) if other != player)] for player in range(n)])


class JointActionEvaluator(Protocol):
    """Encodes joint actions once, then returns their payoffs and their observations."""

    def encode(self, joints: NDArray[Any], streams: Streams) -> NDArray[Any]:
        """The form in which the other two methods take joint actions.

        Parameters
        ----------
        joints
            Shape (matches, players), or (matches, viewer, players) where each player perceives its own joint action.
        streams
            Random generators, one for all matches or one for each; used where partners are drawn at random.
        """
        ...

    def payoffs(self, encoded: NDArray[Any], out: Numbers | None) -> Numbers:
        """Payoffs in points, shape (matches, players); written to `out` where it is given and can be used."""
        ...

    def write_observations(self, encoded: NDArray[Any], out: Observation) -> None:
        """Write joint actions as numbers into `out`, shape (matches, viewer, seat, width)."""
        ...


def evaluator_for(rules: Repeated) -> JointActionEvaluator:
    """The evaluator of a population, or the faster of the two that the game of a group allows."""
    if isinstance(rules.interaction, InPairs):
        return PairsEvaluator(rules.interaction, rules.stage.n_actions)
    n, width = rules.n_players, rules.stage.n_actions or 1
    few = 0 < prod(rules.stage.options) * n * n * width <= LARGEST_TABLE
    return LookupEvaluator(rules.stage, width) if few else DirectEvaluator(rules.stage, width)


class LookupEvaluator:
    """Encodes a joint action as an integer whose digits are the actions; the last player's digit varies fastest."""

    def __init__(self, stage: StageGame, width: int) -> None:
        """`width`: numbers per action in an observation."""
        n = stage.n_players
        self._options = stage.options
        every = np.indices(stage.options).reshape(n, -1).T  # (joint actions, players)
        self._payoffs = np.ascontiguousarray(stage.payoff_array(every), dtype=np.float64)
        self._shared = np.eye(width, dtype=np.float32)[every[:, own_first(n)]]  # (joint actions, viewer, seat, width)
        by_viewer = self._shared.swapaxes(0, 1)
        self._private = by_viewer.reshape(-1, n, width)  # (viewer x joint actions, seat, width)
        self._starts = np.arange(n) * len(every)

    def encode(self, joints: NDArray[Any], streams: Streams) -> NDArray[np.intp]:
        """One integer per joint action."""
        code = joints[..., 0].astype(np.intp)
        for player in range(1, len(self._options)):
            code *= self._options[player]
            code += joints[..., player]
        return code

    def payoffs(self, encoded: NDArray[np.intp], out: Numbers | None) -> Numbers:
        return np.take(self._payoffs, encoded, axis=0, out=out, mode="clip")  # the other modes copy `out`

    def write_observations(self, encoded: NDArray[np.intp], out: Observation) -> None:
        if encoded.ndim == 1:
            np.take(self._shared, encoded, axis=0, out=out, mode="clip")
        else:
            np.take(self._private, encoded + self._starts, axis=0, out=out, mode="clip")


class DirectEvaluator:
    """Computes payoffs and observations, for games with many joint actions or with continuous actions."""

    def __init__(self, stage: StageGame, width: int) -> None:
        """`width`: numbers per action in an observation."""
        self._stage = stage
        self._order = own_first(stage.n_players)
        self._units = np.eye(width, dtype=np.float32)

    def encode(self, joints: NDArray[Any], streams: Streams) -> NDArray[Any]:
        return joints

    def payoffs(self, encoded: NDArray[Any], out: Numbers | None) -> Numbers:
        return np.ascontiguousarray(self._stage.payoff_array(encoded), dtype=np.float64)

    def write_observations(self, encoded: NDArray[Any], out: Observation) -> None:
        for viewer, order in enumerate(self._order):  # one by one, because all together take four times the memory
            seats = encoded[:, order] if encoded.ndim == 2 else encoded[:, viewer, order]  # (matches, seat)
            if self._stage.endowments:
                out[:, viewer, :, 0] = seats / max(self._stage.endowments)
            else:
                out[:, viewer] = self._units[seats]


class PairsEvaluator:
    """Encodes a joint action of a population as each player's action, followed by the numbers of those it met by
    action."""

    def __init__(self, interaction: InPairs, width: int) -> None:
        """`width`: numbers per action in an observation."""
        self._interaction = interaction
        self._units = np.eye(width, dtype=np.float32)

    def encode(self, joints: NDArray[Any], streams: Streams) -> NDArray[np.int64]:
        """Shape (matches, players, 1 + actions)."""
        each = streams if len(streams) == len(joints) else [*streams] * len(joints)
        met = self._interaction.met(joints, self._interaction.partners(each))
        return np.concatenate([joints[..., None], met], axis=-1)

    def payoffs(self, encoded: NDArray[np.int64], out: Numbers | None) -> Numbers:
        return self._interaction.payoffs(encoded[..., 0], encoded[..., 1:])

    def write_observations(self, encoded: NDArray[np.int64], out: Observation) -> None:
        """Own action, one-hot, and share of those met by action; `out` has shape (matches, players, 2, actions)."""
        met = encoded[..., 1:]
        out[..., 0, :] = self._units[encoded[..., 0]]
        out[..., 1, :] = met / np.maximum(1, met.sum(axis=-1, keepdims=True))


class ObservationBuffer:
    """The observations of all players of all matches."""

    def __init__(self, rules: Repeated, count: int, evaluator: JointActionEvaluator) -> None:
        """`count`: number of matches; `evaluator`: writes joint actions as numbers."""
        self._layout = rules.layout
        self._evaluator = evaluator
        self._players = rules.n_players
        self._signals = np.eye(self._layout.shapes["said"][-1], dtype=np.float32)
        known = rules.rounds if rules.clock and isinstance(rules.rounds, int) else None
        first = View(rules.stage, 0, 0, (), rules.phases[0].name, rounds=known, rules=rules)
        self._blank = rules.encode(first)  # the first observation is the same for every player of every match
        self.vectors: Observation = np.tile(self._blank, (count, self._players, 1))
        """Shape (matches, players, size)."""

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        return own_first(self._players)

    def _part(self, name: str) -> Observation:
        """A part of all observations in its own shape; a view, so that writing to it writes to `vectors`."""
        where, shape = self._layout.places[name], self._layout.shapes[name]
        return self.vectors[:, :, where].reshape(*self.vectors.shape[:2], *shape)

    def reset(self, rows: NDArray[np.intp] | slice) -> None:
        """Set some matches to the first observation of a match."""
        self.vectors[rows] = self._blank

    def set_phase(self, phase: int) -> None:
        """Set the index of the next phase, in all matches."""
        if len(self._layout.phases) > 1:
            part = self._part("phase")
            part[...] = 0
            part[..., phase] = 1

    def add_signals(self, turn: int, signals: NDArray[Any]) -> None:
        """Add the signals of one turn of talk, shape (matches, players)."""
        self._part("said")[:, :, turn] = self._signals[signals[:, self._order]]

    def add_round(self, encoded: NDArray[Any]) -> None:
        """Append a round, as perceived, to the history and drop the oldest round."""
        history = self._part("history")
        if history.shape[2]:
            history[:, :, :-1] = history[:, :, 1:]
            self._evaluator.write_observations(encoded, history[:, :, -1])

    def set_acted(self, encoded: NDArray[Any]) -> None:
        """Set this round's joint action, which is observed until the sanctions of the round are over."""
        self._evaluator.write_observations(encoded, self._part("acted"))

    def set_sanctions(self, points: Numbers) -> None:
        """Set the points that sanctions have moved so far in this round, shape (matches, players)."""
        most = self._layout.most_sanctioned
        self._part("sanctioned")[...] = 0.5 + 0.5 * points[:, self._order] / (most or 1)

    def end_round(self, left: Numbers | None) -> None:
        """Clear what belongs to one round.

        Parameters
        ----------
        left
            Share of the rounds that is left, shape (matches,), in [0, 1]; None where players do not observe it.
        """
        self._part("said")[...] = 0
        self._part("acted")[...] = 0
        if left is not None:
            self._part("clock")[...] = left[:, None, None]
