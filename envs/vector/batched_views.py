"""What the players of many matches see, and what many joint actions pay: arrays, kept up to date phase by phase.

The numbers are those of `dilemmas.envs.rules.observations`, which says how they are laid out. Where a game has few
joint actions, each is a number, and payoffs and vectors are looked up in tables by it; else they are worked out.
"""

from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.games.stage_game import Numbers, StageGame
from dilemmas.envs.rules.observations import GroupLayout, Observation
from dilemmas.envs.rules.repeated import Repeated

LARGEST_TABLE = 1 << 18
"""Most numbers in a table: a megabyte, which a processor keeps near."""


def own_first(n: int) -> NDArray[np.intp]:
    """The players in the order in which each sees them, shape (viewer, seat)."""
    return np.array([[player, *(other for other in range(n) if other != player)] for player in range(n)])


class Reader(Protocol):
    """Reads joint actions once, and then tells what they pay and how they look."""

    def read(self, joints: NDArray[Any]) -> NDArray[Any]:
        """Joint actions, shape (matches, players) or (matches, viewer, players), as the other two take them."""
        ...

    def payoffs(self, read: NDArray[Any], out: Numbers | None) -> Numbers:
        """Points, shape (matches, players); in `out`, where it is given and can be used."""
        ...

    def show(self, read: NDArray[Any], out: Observation) -> None:
        """Write joint actions in numbers into `out`, shape (matches, viewer, seat, width)."""
        ...


def reader(rules: Repeated) -> Reader:
    """The quicker of the two ways that the game allows."""
    n, width = rules.n_players, rules.stage.n_actions or 1
    few = 0 < prod(rules.stage.options) * n * n * width <= LARGEST_TABLE
    return Tabled(rules.stage, width) if few else Computed(rules.stage, width)


class Tabled:
    """Joint actions as numbers: their digits are the actions, the last player's changes fastest."""

    def __init__(self, stage: StageGame, width: int) -> None:
        """`width`: numbers per action."""
        n = stage.n_players
        self._options = stage.options
        every = np.indices(stage.options).reshape(n, -1).T  # (joint actions, players)
        self._payoffs = np.ascontiguousarray(stage.payoff_array(every), dtype=np.float64)
        self._looks = np.eye(width, dtype=np.float32)[every[:, own_first(n)]]  # (joint actions, viewer, seat, width)
        by_viewer = self._looks.swapaxes(0, 1)
        self._private = by_viewer.reshape(-1, n, width)  # (viewer x joint actions, seat, width)
        self._starts = np.arange(n) * len(every)

    def read(self, joints: NDArray[Any]) -> NDArray[np.intp]:
        """One number per joint action."""
        code = joints[..., 0].astype(np.intp)
        for player in range(1, len(self._options)):
            code *= self._options[player]
            code += joints[..., player]
        return code

    def payoffs(self, read: NDArray[np.intp], out: Numbers | None) -> Numbers:
        return np.take(self._payoffs, read, axis=0, out=out, mode="clip")  # the other modes copy `out`

    def show(self, read: NDArray[np.intp], out: Observation) -> None:
        if read.ndim == 1:
            np.take(self._looks, read, axis=0, out=out, mode="clip")
        else:
            np.take(self._private, read + self._starts, axis=0, out=out, mode="clip")


class Computed:
    """Joint actions as they are, for games with too many of them, or with amounts."""

    def __init__(self, stage: StageGame, width: int) -> None:
        """`width`: numbers per action."""
        self._stage = stage
        self._order = own_first(stage.n_players)
        self._units = np.eye(width, dtype=np.float32)

    def read(self, joints: NDArray[Any]) -> NDArray[Any]:
        return joints

    def payoffs(self, read: NDArray[Any], out: Numbers | None) -> Numbers:
        return np.ascontiguousarray(self._stage.payoff_array(read), dtype=np.float64)

    def show(self, read: NDArray[Any], out: Observation) -> None:
        viewers = np.arange(len(self._order))[:, None]
        seats = read[:, self._order] if read.ndim == 2 else read[:, viewers, self._order]
        if self._stage.endowments:
            out[..., 0] = seats / max(self._stage.endowments)
        else:
            out[...] = self._units[seats]


class Sight:
    """The vectors of all players of all matches."""

    def __init__(self, rules: Repeated, count: int, reader: Reader) -> None:
        """`count`: number of matches; `reader`: shows joint actions."""
        self._layout = GroupLayout(rules)
        self._reader = reader
        self._order = own_first(rules.n_players)
        self._signals = np.eye(self._layout.shapes["said"][-1], dtype=np.float32)
        start = rules.start(np.random.default_rng(0))  # every match looks alike at its start
        self._blank = np.stack([rules.encode(rules.view(start, player)) for player in range(rules.n_players)])
        self.vectors: Observation = np.repeat(self._blank[None], count, axis=0)
        """Shape (matches, players, size)."""

    def _part(self, name: str) -> Observation:
        """A part of all vectors, in its own shape: what is written there is in the vectors."""
        where, shape = self._layout.places[name], self._layout.shapes[name]
        return self.vectors[:, :, where].reshape(*self.vectors.shape[:2], *shape)

    def restart(self, rows: NDArray[np.intp] | slice) -> None:
        """Some matches start anew."""
        self.vectors[rows] = self._blank

    def turn(self, phase: int) -> None:
        """The phase that comes next in all matches."""
        if len(self._layout.phases) > 1:
            part = self._part("phase")
            part[...] = 0
            part[..., phase] = 1

    def hear(self, turn: int, signals: NDArray[Any]) -> None:
        """What was said in a turn of talk, shape (matches, players)."""
        self._part("said")[:, :, turn] = self._signals[signals[:, self._order]]

    def remember(self, read: NDArray[Any]) -> None:
        """A round as it was perceived becomes the last of the history, whose oldest is forgotten."""
        history = self._part("history")
        if history.shape[2]:
            history[:, :, :-1] = history[:, :, 1:]
            self._reader.show(read, history[:, :, -1])

    def await_sanctions(self, read: NDArray[Any]) -> None:
        """This round's joint action is seen, and sanctions are due."""
        self._reader.show(read, self._part("acted"))

    def sanction(self, points: Numbers) -> None:
        """What the sanctions of the round have moved so far, shape (matches, players)."""
        most = self._layout.most_sanctioned
        self._part("sanctioned")[...] = 0.5 + 0.5 * points[:, self._order] / (most or 1)

    def end_round(self, left: Numbers | None) -> None:
        """Forget what belongs to the round; `left`: share of the rounds that is left, where players are told."""
        self._part("said")[...] = 0
        self._part("acted")[...] = 0
        if left is not None:
            self._part("clock")[...] = left[:, None, None]
