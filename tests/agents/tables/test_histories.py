"""The histories that a player can distinguish, in order, and those that cannot be listed."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.histories import HistoryError, HistoryStates, distinct_rounds, histories
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame

PD = DEFAULTS["prisoners_dilemma"]
C, D = 0, 1


def test_the_five_histories_of_two_players_with_two_actions() -> None:
    assert histories(PD, 1) == [(), ((C, C),), ((C, D),), ((D, C),), ((D, D),)]


def test_in_a_group_with_two_actions_the_number_of_cooperators_distinguishes_rounds() -> None:
    expected = [(own, *others) for own in (C, D) for others in ((C, C, C), (C, C, D), (C, D, D), (D, D, D))]
    assert distinct_rounds(PublicGoods(n_players=4)) == expected


@pytest.mark.parametrize(
    ("game", "memory", "message"),
    [
        (PD, -1, "memory = -1"),
        (PD, 9, "over 100,000 histories"),
        (PublicGoods(levels=None), 1, "free amounts"),
        (PublicGoods(n_players=3, endowment=(1, 2, 3)), 1, "only if all its players are alike"),
    ],
)
def test_histories_that_cannot_be_listed_are_refused(game: StageGame, memory: int, message: str) -> None:
    with pytest.raises(HistoryError, match=message):
        histories(game, memory)


def table(name: str, memory: int, game: StageGame = PD) -> PolicyTable:
    return compile_agent(strategy(name), game, memory)


TFT, TF2T = table("tit_for_tat", 1), table("tit_for_two_tats", 2)


@pytest.mark.parametrize(
    "shared",
    [
        lambda states: states,
        lambda states: states[:3],
        lambda states: states[np.array([True, False] * 4)],
        lambda states: states.reshape(2, 4),
        copy.copy,
        copy.deepcopy,
        lambda states: pickle.loads(pickle.dumps(states)),
        lambda states: TFT.after(states, np.zeros(8, dtype=int), np.zeros(8, dtype=int)),
    ],
)
def test_tables_of_different_memory_cannot_share_their_states(shared: Any) -> None:
    states = shared(TFT.start(8))
    assert isinstance(states, HistoryStates)
    rng = np.random.default_rng(0)
    with pytest.raises(HistoryError, match=r"memory 1 and 2 x 2 .* memory 2 and 2 x 2 .* an array of its own"):
        TF2T.act(states, rng)
    with pytest.raises(HistoryError, match="an array of its own"):
        TF2T.after(states, np.zeros(states.shape, dtype=int), np.zeros(states.shape, dtype=int))
    other = table("always_cooperate", 1, stage_game("stag_hunt"))
    assert other.act(states, rng).shape == states.shape  # the same memory and actions: one array for two tables


GROUP = table("always_defect", 1, PublicGoods(n_players=4))


@pytest.mark.parametrize(
    ("own", "others", "message"),
    [
        ([0, 0], [[0, 0, 0, 0, 0]] * 2, r"the others' \(2, 5\); needs \(2,\), \(2,\), \(2, 3\)"),
        ([0, 0], [[0, 0]] * 2, r"the others' \(2, 2\); needs \(2,\), \(2,\), \(2, 3\)"),
        ([0, 0], [0, 0], r"the others' \(2,\); needs \(2,\), \(2,\), \(2, 3\)"),
        ([0], [[0, 0, 0]] * 2, r"own actions \(1,\)"),
        (0, [[0, 0, 0]] * 2, r"own actions \(\)"),
        ([0, 0, 0], [[0, 0, 0]] * 3, r"states of shape \(2,\)"),
        ([0, 2], [[0, 0, 0]] * 2, "own actions: 2; needs integers from 0 to 1"),
        ([0, 0], [[0, 0, -1]] * 2, "the others' actions: -1; needs integers from 0 to 1"),
        ([0.0, 0.0], [[0, 0, 0]] * 2, "own actions of type float64; needs integers"),
        ([True, True], [[0, 0, 0]] * 2, "own actions of type bool; needs integers"),
    ],
)
def test_rounds_that_the_game_does_not_have_are_refused(own: Any, others: Any, message: str) -> None:
    with pytest.raises(HistoryError, match=message):
        GROUP.after(GROUP.start(2), own, others)


@pytest.mark.parametrize("action", [5, -1])
def test_actions_outside_a_two_player_game_are_refused(action: int) -> None:
    for played in ((action, 0), (0, action)):
        with pytest.raises(HistoryError, match=f"{action}; needs integers from 0 to 1"):
            TFT.after(TFT.start(), *played)
        with pytest.raises(HistoryError, match=f"{action}; needs integers from 0 to 1"):
            TFT.index([played])
    for played in ([[0, 0, 0]], [0, 0], [[0]]):
        with pytest.raises(HistoryError, match="needs"):
            TFT.index(played)


@pytest.mark.parametrize("state", [5, -1])
def test_states_that_are_no_history_are_refused(state: int) -> None:
    states = TFT.start(3)
    states[1] = state
    with pytest.raises(HistoryError, match=f"states: {state}; needs integers from 0 to 4"):
        TFT.act(states, np.random.default_rng(0))
    with pytest.raises(HistoryError, match="states of type float64; needs integers"):
        TFT.act(np.zeros(3), np.random.default_rng(0))


@pytest.mark.parametrize("shape", [-1, (2, -1), 1.5, True, "a", 10**30])
def test_shapes_that_no_array_has_are_refused(shape: Any) -> None:
    with pytest.raises(HistoryError, match="needs a whole number"):
        TFT.start(shape)
