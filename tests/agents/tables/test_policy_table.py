"""The look-up of a table decides as the agent, one by one and by the million, and refuses other games and seats."""

import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import pytest

from dilemmas.agents.agent import Turn, View
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.strategies.finite_state import memory_one
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.histories import histories
from dilemmas.agents.tables.policy_table import Origin, PolicyTable, PolicyTableError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.networks import ring
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated

Case = tuple[StageGame, int, int]
Random = Callable[[StageGame, int, int], PolicyTable]
PD = DEFAULTS["prisoners_dilemma"]
C, D = 0, 1
WARY = memory_one("wary", 0.5, 0.9, 0.25, 0.6, 0.05)


def turn(game: StageGame, *history: tuple[int, ...], seed: int = 0) -> Turn:
    view = View(game, 0, len(history), tuple(history))
    return Turn("player_0", None, {"view": view}, None, np.random.default_rng(seed))


def test_in_a_group_the_order_of_the_others_does_not_matter(random_table: Random) -> None:
    table = random_table(PublicGoods(n_players=4), 2, 1)
    assert table.index([(C, C, D, D), (D, D, C, C)]) == table.index([(C, D, D, C), (D, C, C, D)])
    assert table.index([(C, C, D, D)]) != table.index([(C, C, C, D)])


def test_the_numbers_of_histories_are_their_places(case: Case, random_table: Random) -> None:
    game, memory, count = case
    table = random_table(game, memory, 0)
    played = [np.array(history).reshape(-1, game.n_players) for history in histories(game, memory)]
    assert [int(table.index(history)) for history in played] == list(range(count))


def test_states_updated_round_by_round_are_the_last_rounds(case: Case, random_table: Random) -> None:
    game, memory, _ = case
    rng = np.random.default_rng(2)
    table = random_table(game, memory, 3)
    played = rng.integers(game.n_actions, size=(50, 5, game.n_players))  # (agents, rounds, players)
    known = table.start(50)
    for past in range(5):
        others = played[:, past, 1] if game.n_players == 2 else played[:, past, 1:]
        known = table.after(known, played[:, past, 0], others)
        recent = played[:, max(0, past + 1 - memory) : past + 1]
        np.testing.assert_array_equal(known, table.index(recent))


def test_the_look_up_is_the_agent(case: Case, random_table: Random) -> None:
    """Same probabilities, and the same action from the same random numbers."""
    game, memory, _ = case
    table = random_table(game, memory, 4)
    asked = histories(game, memory)
    for seed in range(5):
        decisions = table.decide([turn(game, *history, seed=seed) for history in asked])
        for number, decision in enumerate(decisions):
            assert decision.probabilities == tuple(table.probabilities[number])
            assert decision.action == table.act(np.array(number), np.random.default_rng(seed))


def test_tit_for_tat_against_win_stay_lose_shift_and_a_defector() -> None:
    tft, wsls = (compile_agent(strategy(name), PD, 1) for name in ("tit_for_tat", "win_stay_lose_shift"))
    alld = compile_agent(strategy("always_defect"), PD, 1)
    assert play(tft, alld) == [(C, D), (D, D), (D, D), (D, D)]
    assert play(wsls, alld) == [(C, D), (D, D), (C, D), (D, D)]
    assert play(tft, wsls) == [(C, C)] * 4


def play(one: PolicyTable, two: PolicyTable, length: int = 4) -> list[tuple[int, int]]:
    rng, knows_one, knows_two = np.random.default_rng(0), one.start(1), two.start(1)
    match = []
    for _ in range(length):
        a, b = one.act(knows_one, rng), two.act(knows_two, rng)
        knows_one, knows_two = one.after(knows_one, a, b), two.after(knows_two, b, a)
        match.append((int(a[0]), int(b[0])))
    return match


def test_tables_play_in_an_environment() -> None:
    tft, alld = (compile_agent(strategy(name), PD, 1) for name in ("tit_for_tat", "always_defect"))
    (record,) = run_matches(lambda: parallel("prisoners_dilemma", rounds=4), [tft, alld], matches=1, seed=0)
    played = [tuple(move.decision.action for move in step) for step in record.steps]
    assert played == [(C, D), (D, D), (D, D), (D, D)]
    assert record.outcome.totals == {"player_0": 0 + 3 * PD.P, "player_1": PD.T + 3 * PD.P}


def test_action_frequencies_of_a_million_agents_match_the_table() -> None:
    game = PublicGoods(n_players=2, levels=4)
    table = PolicyTable(game, 0, ((0.1, 0.2, 0.0, 0.7),), Origin("dice"))
    chosen = np.bincount(table.act(table.start(1_000_000), np.random.default_rng(0)), minlength=4) / 1e6
    error = np.sqrt(table.probabilities[0] * (1 - table.probabilities[0]) / 1e6)
    assert (abs(chosen - table.probabilities[0]) <= 4 * error).all()


class Same(np.random.Generator):
    """A generator whose random numbers are all equal."""

    value: float

    def random(self, size: Any = None, *_: Any) -> Any:  # type: ignore[override]
        return np.full(size, self.value)


@pytest.mark.parametrize("value", [0.0, np.nextafter(1.0, 0.0)])
@pytest.mark.parametrize("row", [(0.0, 1.0, 0.0), (0.0, 0.5, 0.5 - 1e-7), (0.5, 0.5 - 1e-7, 0.0)])
def test_an_impossible_action_is_never_taken_at_the_ends_of_the_interval(value: float, row: tuple[float, ...]) -> None:
    table = PolicyTable(PublicGoods(n_players=2, levels=3), 0, (row,), Origin("edge"))
    rng = Same(np.random.PCG64(0))
    rng.value = value
    (action,) = table.act(table.start(1), rng)
    assert row[action] > 0


def test_a_table_plays_its_own_game_under_any_name_and_no_other() -> None:
    table = compile_agent(WARY, PD, 1)
    table.decide([turn(MatrixGame("matrix_game", T=5, R=3, P=1, S=0))])
    for other in (replace(PD, T=6), PublicGoods(n_players=2), PublicGoods(n_players=3)):
        with pytest.raises(PolicyTableError, match="compile one for"):
            table.decide([turn(other)])


def test_only_two_players_with_two_actions_and_memory_one_give_five_probabilities(random_table: Random) -> None:
    for table in (random_table(PD, 2, 0), random_table(PublicGoods(n_players=3), 1, 0)):
        with pytest.raises(PolicyTableError, match="gives five probabilities"):
            table.memory_one()


def test_a_table_pickles_small_and_cannot_be_changed() -> None:
    table = compile_agent(WARY, PD, 1)
    table.act(table.start(10), np.random.default_rng(0))  # fills the caches, which are not pickled
    assert len(pickle.dumps(table)) < 1000
    copy = pickle.loads(pickle.dumps(table))
    assert copy == table
    assert hash(copy) == hash(table)
    with pytest.raises(ValueError, match="read-only"):
        copy.probabilities[0, 0] = 1.0


def test_a_table_needs_neither_torch_nor_mesa() -> None:
    code = "import conftest, sys, dilemmas.agents.tables.table_file; print({'torch', 'mesa'} & {*sys.modules})"
    command, here = [sys.executable, "-c", code], Path(__file__).parents[2]
    assert run(command, cwd=here, capture_output=True, text=True, check=True).stdout == "set()\n"


UNLIKE = stage_game("bimatrix_game", row=[[1, 2, 3], [4, 5, 6]], column=[[6, 5, 4], [3, 2, 1]], degrees=None)


def test_a_table_of_one_seat_is_not_played_from_the_other() -> None:
    game = stage_game("inspection_game")
    table = compile_agent(WARY, game, 1, player=1)
    view = View(game, 1, 1, ((C, D),))
    ask = lambda view: Turn("", None, {"view": view}, None, np.random.default_rng(0))  # noqa: E731
    assert table.decide([ask(view)])[0].probabilities == WARY.decide([ask(view)])[0].probabilities
    with pytest.raises(PolicyTableError, match="is for player_1, not for player_0"):
        table.decide([ask(view._replace(player=0))])
    symmetric = compile_agent(WARY, PD, 1)
    assert symmetric.decide([ask(View(PD, 1, 0, ()))])[0].probabilities == (0.5, 0.5)


def test_a_table_is_for_one_game_whatever_the_actions_of_the_other() -> None:
    table = compile_agent(WARY, PublicGoods(n_players=3), 1)
    for other in (
        PublicGoods(n_players=3, levels=None),
        PublicGoods(n_players=3, endowment=(1, 2, 3)),
        PublicGoods(n_players=3, threshold=30),
        UNLIKE,
    ):
        with pytest.raises(PolicyTableError, match="compile one for"):
            table.decide([turn(other)])


def test_in_a_population_a_table_meets_one_at_a_time_or_is_refused() -> None:
    table = compile_agent(WARY, PD, 1)
    pairs = Repeated(PD, memory=2, population=Population(5))
    seen = View(PD, 4, 2, ((D, C), (C,)), rules=pairs)  # met nobody in the last round
    ask = lambda view: Turn("", None, {"view": view}, None, np.random.default_rng(0))  # noqa: E731
    assert table.decide([ask(seen)])[0].probabilities == (0.6, 1 - 0.6)  # after DC
    with pytest.raises(PolicyTableError, match="player_4 has 2 neighbours"):
        table.decide([ask(View(PD, 4, 1, ((D, C, C),), rules=Repeated(PD, population=Population(5, ring(5, 2)))))])


def test_a_table_neither_talks_nor_punishes() -> None:
    table = compile_agent(strategy("tit_for_tat"), PD, 1)
    make = lambda: parallel("prisoners_dilemma", talk=1, punishment=(1, 3), rounds=2)  # noqa: E731
    (record,) = run_matches(make, [table, strategy("alld")], matches=1, seed=0)
    actions = [tuple(move.decision.action for move in step) for step in record.steps]
    assert actions == [(0, 0), (C, D), (0, 0), (0, 0), (D, D), (0, 0)]
