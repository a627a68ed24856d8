"""A compiled table has the probabilities of the agent, asked once after every distinct history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, View
from dilemmas.agents.strategies.finite_state import memory_one
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.histories import HistoryError, histories
from dilemmas.agents.tables.policy_table import Origin, PolicyTableError
from dilemmas.agents.tables.table_file import load_table, save_table
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.stage_game import StageGame

Case = tuple[StageGame, int, int]
PD = DEFAULTS["prisoners_dilemma"]
C, D = 0, 1
PROBABILITIES = (0.5, 0.9, 0.25, 0.6, 0.05)
WARY = memory_one("wary", *PROBABILITIES)


@dataclass
class Scripted:
    """An agent whose probabilities are a function of the view, and which records its calls."""

    probabilities: Callable[[View], tuple[float, ...] | None]
    name: str = "scripted"
    batches: list[int] = field(default_factory=list)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        self.batches.append(len(turns))
        views = [turn.info["view"] for turn in turns]
        return [Decision(C, self.probabilities(view), Source.EXACT, template="study@0") for view in views]

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:

        return PlayerRecord(self.name, "scripted")


def turn(game: StageGame, *history: tuple[int, ...], seed: int = 0) -> Turn:
    view = View(game, 0, len(history), tuple(history))
    return Turn("player_0", None, {"view": view}, None, np.random.default_rng(seed))


def test_every_distinct_history_is_asked_once_and_in_one_batch(case: Case) -> None:
    game, memory, count = case
    uniform = Scripted(lambda view: (1 / game.n_actions,) * game.n_actions)
    table = compile_agent(uniform, game, memory)
    assert uniform.batches == [count] == [len(table.rows)]
    assert len(set(histories(game, memory))) == count


def test_a_caller_who_is_told_gets_the_same_table_from_batches_that_grow() -> None:
    agent, told = Scripted(lambda view: (0.25 + 0.5 * view.round / 4, 0.75 - 0.5 * view.round / 4)), []
    table = compile_agent(agent, PD, 4, tell=lambda *numbers: told.append(numbers))
    assert agent.batches == [1, 4, 16, 64, 256]
    assert told == [(0, 341), (1, 341), (5, 341), (21, 341), (85, 341), (341, 341)]
    assert table == compile_agent(agent, PD, 4)


def test_the_table_is_the_strategy_it_was_compiled_from() -> None:
    table = compile_agent(WARY, PD, 1)
    assert table.memory_one() == PROBABILITIES
    for history in [(), ((D, C),), ((C, C), (D, C)), ((C, C), (C, D), (D, D))]:
        (mine,), (theirs,) = table.decide([turn(PD, *history)]), WARY.decide([turn(PD, *history)])
        assert (mine.action, mine.probabilities, mine.source) == (
            theirs.action,
            theirs.probabilities,
            Source.RULE,
        )


def test_the_origin_of_a_table_is_recorded() -> None:
    agent = Scripted(lambda view: (0.5, 0.5), name="llama")
    origin = compile_agent(agent, PD, 1, model="abc", context="friends").origin
    assert origin.dilemmas
    assert replace(origin, dilemmas=None) == Origin("llama", Source.EXACT, "abc", "friends", "study@0")


def test_an_agent_without_probabilities_cannot_be_compiled() -> None:
    with pytest.raises(PolicyTableError, match=r"agent 'mute' gives no probabilities"):
        compile_agent(Scripted(lambda view: None, name="mute"), PD, 1)


def test_a_table_too_large_is_refused_before_anything_is_asked() -> None:
    agent = Scripted(lambda view: (0.5, 0.5))
    with pytest.raises(HistoryError, match="over 100,000 histories"):
        compile_agent(agent, PD, 9)
    assert agent.batches == []


UNLIKE = stage_game("bimatrix_game", row=[[1, 2, 3], [4, 5, 6]], column=[[6, 5, 4], [3, 2, 1]], degrees=None)


@pytest.mark.parametrize(("player", "own", "theirs"), [(0, 2, 3), (1, 3, 2)])
def test_a_seat_of_an_asymmetric_game_has_its_own_actions_and_histories(
    tmp_path: Path, player: int, own: int, theirs: int
) -> None:
    uniform = Scripted(lambda view: (1 / own,) * own)
    table = compile_agent(uniform, UNLIKE, 2, player=player)
    asked = histories(UNLIKE, 2, player)
    assert len(asked) == 1 + own * theirs + (own * theirs) ** 2 == len(set(asked)) == len(table.rows)
    assert [int(table.index(np.array(history).reshape(-1, 2))) for history in asked] == list(range(len(asked)))
    save_table(table, tmp_path / "table.json")
    assert load_table(tmp_path / "table.json") == table
