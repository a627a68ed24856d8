"""A population that plays a game for two with its neighbours, or with partners drawn anew every round.

Every player takes one action a round, which meets the actions of all its neighbours on a graph (Nowak & May 1992,
Nature 359:826) or that of one random partner (Kandori 1992, Review of Economic Studies 59:63).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from numbers import Integral
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from dilemmas.envs.checks import MOST_PLAYERS, GameError, whole_number
from dilemmas.envs.games.stage_game import Joint, Numbers
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.networks import Edges, as_edges, lattice, neighbours
from dilemmas.envs.rules.observations import Observation
from dilemmas.envs.rules.protocol import Phase, State, View
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.theory.outcomes import tie_of

PAYOFFS = ("mean", "sum")


@dataclass(frozen=True)
class Population(Repeated):
    """Rules of a population game. Its `stage` is the symmetric game that two of them play.

    In a `View` the history has, per round, the player's own action and then those it met.
    """

    size: int = 9
    """Number of players."""
    edges: Edges | None = None
    """Who are neighbours; None: random pairs every round, and one sits it out where the number is odd."""
    payoff: str = "mean"
    """Whether a player gets the ``mean`` or the ``sum`` of its payoffs against those it met; 0 if it met nobody."""

    def __post_init__(self) -> None:
        lookup("payoff", self.payoff, dict.fromkeys(PAYOFFS), place="population")
        object.__setattr__(self, "size", whole_number(self.size, "population: size", 2, MOST_PLAYERS))
        if self.edges is not None:
            object.__setattr__(self, "edges", as_edges(self.edges, self.size))
        game = self.stage
        if game.n_players != 2 or 0 in game.options or game.options[0] != game.options[1]:
            shape = " x ".join(map(str, game.options))
            raise GameError(f"{game.name}: {shape} actions; a population plays games for two with the same for both")
        unlike = abs(self._table - game.payoff_array(self._joints)[..., 1].T) > tie_of(self._table)
        for mine, theirs in np.argwhere(unlike)[:1].tolist():
            one, other = game.payoffs((mine, theirs)), game.payoffs((theirs, mine))
            what = f"actions {mine}, {theirs} pay {one} and {theirs}, {mine} pay {other}"
            raise GameError(f"{game.name}: {what}; a population plays symmetric games, where nobody is the row player")
        for option in ("misperception", "talk", "punishment", "reward"):
            if getattr(self, option):
                raise GameError(f"population: {option} = {getattr(self, option)!r}; a population takes none")
        super().__post_init__()

    @property
    def n_players(self) -> int:
        return self.size

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        options = self.stage.options[0]
        return (Phase("act", (options,) * self.size, (options - 1,) * self.size),)

    @cached_property
    def predictable(self) -> bool:
        """Whether nothing is left to chance once a match has begun."""
        return self.edges is not None and super().predictable

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """Whom each player meets in every round; nobody where pairs are random."""
        return neighbours(self.edges or (), self.size)

    @property
    def observation_size(self) -> int:
        return max(1, self.memory * 2 * self.stage.n_actions + self.clock)

    @property
    def state_size(self) -> int:
        return max(1, self.memory * self.size * self.stage.n_actions + self.clock)

    @cached_property
    def side(self) -> int:
        """Players in a row of the square lattice; 0 where the graph is none."""
        side = isqrt(self.size)
        square = side >= 3 and side * side == self.size
        return side if square and any(self.edges == lattice(self.size, degree) for degree in (4, 8)) else 0

    def start(self, rng: np.random.Generator) -> State:
        state = super().start(rng)
        return state._replace(seen=((),) * self.size) if self.edges is None else state

    def view(self, state: State, player: int) -> View:
        history = state.seen[player] if state.seen is not None else tuple(map(self._around[player], state.history))
        told = state.length if self.clock else None
        return View(self.stage, player, state.round, history, "act", (), None, None, told, self)

    def encode(self, view: View) -> Observation:
        """Per round, oldest first: own action one-hot, and the share of each action among those met; then the clock."""
        options = self.stage.n_actions
        block = np.zeros((self.memory, 2, options), dtype=np.float32)
        for place, (mine, *theirs) in enumerate(view.history, start=self.memory - len(view.history)):
            block[place, 0, mine] = 1
            if theirs:
                block[place, 1] = np.bincount(theirs, minlength=options) / len(theirs)
        return self._timed(block, view.round)

    def encode_state(self, state: State) -> Observation:
        """Per round, oldest first, everybody's action one-hot, by player and action; then the clock."""
        block = np.zeros((self.memory, self.size, self.stage.n_actions), dtype=np.float32)
        for place, joint in enumerate(state.history, start=self.memory - len(state.history)):
            block[place, np.arange(self.size), joint] = 1
        return self._timed(block, state.round)

    def _timed(self, block: Observation, played: int) -> Observation:
        """A vector that ends with the share of the rounds that is left, where it is told; never an empty one."""
        left: list[float] = [1 - played / int(self.rounds)] if self.clock and isinstance(self.rounds, Integral) else []
        return np.append(block.ravel(), left if left or block.size else [0.0]).astype(np.float32)

    def _meet(self, joint: Joint, rng: np.random.Generator) -> tuple[tuple[float, ...], Sequence[Joint]]:
        actions = np.array(joint)
        if self.edges is None:
            order = rng.permutation(self.size)[: self.size // 2 * 2].reshape(-1, 2)
            ends = np.concatenate([order, order[:, ::-1]])
        else:
            ends = self._ends
        one, other = ends.T
        total = np.bincount(one, self._table[actions[one], actions[other]], self.size).astype(np.float64)
        if self.payoff == "mean":
            total = total / np.maximum(1, np.bincount(one, minlength=self.size))
        if self.edges is not None:
            return tuple(total.tolist()), ()
        partner = dict(ends.tolist())
        seen = [(joint[i], joint[partner[i]]) if i in partner else (joint[i],) for i in range(self.size)]
        return tuple(total.tolist()), seen

    @cached_property
    def _around(self) -> list[Callable[[Joint], Joint]]:
        """What takes from a joint action what each player sees of it: its own action and its neighbours'."""
        return [itemgetter(player, *met) for player, met in enumerate(self.neighbours)]

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """Every pair of neighbours in both directions, shape (2 * edges, 2)."""
        pairs = np.array(self.edges)
        return np.concatenate([pairs, pairs[:, ::-1]])

    @cached_property
    def _joints(self) -> NDArray[np.int64]:
        """Every joint action of two, shape (actions, actions, 2)."""
        return np.moveaxis(np.indices(self.stage.options), 0, -1).astype(np.int64)

    @cached_property
    def _table(self) -> Numbers:
        """Own payoff by own and the other's action."""
        return self.stage.payoff_array(self._joints)[..., 0]
