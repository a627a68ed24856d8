"""Finite games of any shape for the tests of theory, drawn at random, and definitions applied one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.theory.outcomes import JointOutcome

C, D = 0, 1


BATTLE = BimatrixGame("battle", ((3, 0), (0, 2)), ((2, 0), (0, 3)))
"""Battle of the sexes as Osborne & Rubinstein 1994 have it, with 3 where they have 2 and 2 where they have 1."""


@dataclass(frozen=True)
class TensorGame:
    """Any finite game, from payoffs of shape (actions of player 0, actions of player 1, ..., players)."""

    payoff: NDArray[np.float64]
    name: str = "tensor"
    endowments: tuple[float, ...] = ()

    @property
    def n_players(self) -> int:
        return self.payoff.shape[-1]

    @property
    def options(self) -> tuple[int, ...]:
        return self.payoff.shape[:-1]

    @property
    def n_actions(self) -> int:
        return max(self.options)

    def payoffs(self, joint: tuple[int, ...]) -> tuple[float, ...]:
        return tuple(self.payoff[joint].tolist())

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        return self.payoff[tuple(np.moveaxis(joints, -1, 0))]

    def cooperation(self, action: int, player: int = 0) -> float:
        return 1.0 - action / (self.n_actions - 1)


@dataclass(frozen=True)
class RingGame(CountGame):
    """A game in which each payoff depends on the right neighbour only: players are alike, but seats matter."""

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        return 3.0 - 3.0 * np.roll(joints, -1, axis=-1) + joints


@st.composite
def tensors(draw: st.DrawFn) -> TensorGame:
    """Games of two or three players with two or three actions and payoffs of which many tie."""
    options = draw(st.lists(st.integers(2, 3), min_size=2, max_size=3))
    size = int(np.prod(options)) * len(options)
    payoffs = draw(st.lists(st.integers(-2, 2), min_size=size, max_size=size))
    return TensorGame(np.array(payoffs, dtype=float).reshape(*options, len(options)))


@st.composite
def counted(draw: st.DrawFn) -> CountGame:
    """Symmetric games of three to five players."""
    row = st.lists(st.integers(-2, 2), min_size=(n := draw(st.integers(3, 5))), max_size=n)
    return CountGame("count_game", draw(row), draw(row))


BIMATRIX = st.lists(st.integers(-2, 2), min_size=8, max_size=8).map(
    lambda points: BimatrixGame("bimatrix_game", (points[:2], points[2:4]), (points[4:6], points[6:]))
)


def joints(game: StageGame) -> Iterator[tuple[int, ...]]:
    return product(*map(range, game.options))


def deviations(game: StageGame, joint: tuple[int, ...], player: int) -> Iterator[tuple[int, ...]]:
    for action in range(game.options[player]):
        yield (*joint[:player], action, *joint[player + 1 :])


def stable(game: StageGame, joint: tuple[int, ...]) -> bool:
    """Whether no player gains by a unilateral deviation, computed one deviation at a time."""
    return all(
        game.payoffs(joint)[player] >= game.payoffs(other)[player]
        for player in range(game.n_players)
        for other in deviations(game, joint, player)
    )


def beaten(game: StageGame, joint: tuple[int, ...]) -> bool:
    """Whether another joint action is better for one player and no worse for the others."""
    mine = game.payoffs(joint)
    others = map(game.payoffs, joints(game))
    return any(their != mine and all(a >= b for a, b in zip(their, mine, strict=True)) for their in others)


def all_of(outcomes: tuple[JointOutcome, ...]) -> list[tuple[int, ...]]:
    """The joint actions that outcomes stand for."""
    found = []
    for outcome in outcomes:
        meant = set(permutations(outcome.joint)) if outcome.ways > 1 else {outcome.joint}
        assert len(meant) == outcome.ways
        found += meant
    return sorted(found)
