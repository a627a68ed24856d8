"""Games whose histories are listed, and tables with random probabilities."""

from collections.abc import Callable

import numpy as np
import pytest

from dilemmas.agents.tables.histories import histories
from dilemmas.agents.tables.policy_table import Origin, PolicyTable
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame

PD = DEFAULTS["prisoners_dilemma"]

GAMES = [
    (PD, 0, 1),
    (PD, 1, 1 + 4),
    (PD, 2, 1 + 4 + 16),
    (PublicGoods(n_players=4), 1, 1 + 2 * 4),  # own action and how many of three others cooperated
    (PublicGoods(n_players=4), 2, 1 + 8 + 64),
    (PublicGoods(n_players=2, levels=3), 1, 1 + 9),
    (PublicGoods(n_players=3, levels=3), 1, 1 + 27),
    (stage_game("n_person_snowdrift", n_players=3), 1, 1 + 2 * 3),
    (stage_game("rock_paper_scissors"), 2, 1 + 9 + 81),
]


@pytest.fixture(params=GAMES, ids=lambda case: f"{case[0].name}-{case[0].n_players}-{case[1]}")
def case(request: pytest.FixtureRequest) -> tuple[StageGame, int, int]:
    """A game, a memory, and the number of distinct histories."""
    found: tuple[StageGame, int, int] = request.param
    return found


@pytest.fixture
def random_table() -> Callable[[StageGame, int, int], PolicyTable]:
    """Makes a table with random probabilities for a game, a memory and a seed."""

    def make(game: StageGame, memory: int, seed: int) -> PolicyTable:
        rng = np.random.default_rng(seed)
        rows = rng.dirichlet(np.ones(game.n_actions), len(histories(game, memory)))
        return PolicyTable(game, memory, tuple(map(tuple, rows.tolist())), Origin("dice"))

    return make
