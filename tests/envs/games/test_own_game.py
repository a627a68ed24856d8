"""A game that is not in the catalogue is played, observed, put into words and rendered like any other."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pettingzoo.test import parallel_api_test

from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma
from dilemmas.envs.pettingzoo_api.text_observations import InWords
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.theory.solutions import pure_equilibria
from dilemmas.envs.vector.vector_matches import VectorMatches


@dataclass(frozen=True)
class PureCoordination:
    """Two players get `prize` points each if they choose the same of three actions."""

    prize: float
    name: str = "pure_coordination"
    n_players: int = 2
    options: tuple[int, ...] = (3, 3)
    n_actions: int = 3
    endowments: tuple[float, ...] = ()

    def payoffs(self, joint: tuple[int, ...]) -> tuple[float, ...]:
        return (self.prize * (joint[0] == joint[1]),) * 2

    def payoff_array(self, joints: NDArray[Any]) -> NDArray[np.float64]:
        return np.repeat(self.prize * (joints[..., :1] == joints[..., 1:]), 2, axis=-1)

    def cooperation(self, action: int, player: int | None = None) -> float:
        return 1.0 - action / 2


GAME = PureCoordination(prize=4.5)
RULES = Repeated(GAME, rounds=2)


def test_an_own_game_keeps_pettingzoos_protocol() -> None:
    assert isinstance(GAME, StageGame)
    parallel_api_test(SocialDilemma(RULES, "pure_coordination"), num_cycles=20)


def test_an_own_game_is_played_in_words_and_rendered() -> None:
    env = InWords(SocialDilemma(RULES, "pure_coordination", render_mode="ansi"), context("friends"))
    texts, _ = env.reset(seed=0)
    assert "You choose K, they choose K: you get 4.5, they get 4.5." in texts["player_0"]
    texts, rewards, *_ = env.step({"player_0": 1, "player_1": 1})
    assert rewards == {"player_0": 4.5, "player_1": 4.5}
    assert "Last round you chose K and they chose K." in texts["player_1"]
    assert env.render().splitlines()[-1].split() == ["player_1", "1", "4.5", "4.5", "1"]


def test_an_own_game_is_played_in_parallel_matches_and_solved() -> None:
    matches = VectorMatches(RULES, 3)
    matches.reset(seed=0)
    assert matches.step([[0, 0], [0, 1], [2, 2]]).payoffs.tolist() == [[4.5, 4.5], [0, 0], [4.5, 4.5]]
    assert [outcome.joint for outcome in pure_equilibria(GAME)] == [(0, 0), (1, 1), (2, 2)]
