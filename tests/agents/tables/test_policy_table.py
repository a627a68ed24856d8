"""A compiled table is the agent it came from, one by one and by the thousand, in memory and in a file."""

import json
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.agents.agent import Decision, Source, Turn, View
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.strategies.finite_state import memory_one
from dilemmas.agents.tables.histories import HistoryError, histories
from dilemmas.agents.tables.policy_table import Origin, PolicyTable, PolicyTableError, compile_agent
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.networks import ring
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated

PD = DEFAULTS["prisoners_dilemma"]
C, D = 0, 1
PROBABILITIES = (0.5, 0.9, 0.25, 0.6, 0.05)
WARY = memory_one("wary", *PROBABILITIES)


@dataclass
class Scripted:
    """An agent whose cooperation is a function of the view, and which counts how it is asked."""

    probabilities: Callable[[View], tuple[float, ...] | None]
    name: str = "scripted"
    batches: list[int] = field(default_factory=list)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        self.batches.append(len(turns))
        views = [turn.info["view"] for turn in turns]
        return [Decision(C, self.probabilities(view), Source.EXACT, template="study@0") for view in views]


def turn(game: StageGame, *history: tuple[int, ...], seed: int = 0) -> Turn:
    view = View(game, 0, len(history), tuple(history))
    return Turn("player_0", None, {"view": view}, None, np.random.default_rng(seed))


def random_table(game: StageGame, memory: int, seed: int) -> PolicyTable:
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(game.n_actions), len(histories(game, memory)))
    return PolicyTable(game, memory, tuple(map(tuple, rows.tolist())), Origin("dice"))


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


@pytest.mark.parametrize(("game", "memory", "count"), GAMES)
def test_every_distinct_history_is_asked_once_and_in_one_batch(game: StageGame, memory: int, count: int) -> None:
    uniform = Scripted(lambda view: (1 / game.n_actions,) * game.n_actions)
    table = compile_agent(uniform, game, memory)
    assert uniform.batches == [count] == [len(table.rows)]
    assert len(set(histories(game, memory))) == count


def test_the_five_questions_of_two_players_with_two_actions() -> None:
    assert histories(PD, 1) == [(), ((C, C),), ((C, D),), ((D, C),), ((D, D),)]


def test_in_a_group_the_order_of_the_others_does_not_matter() -> None:
    table = random_table(PublicGoods(n_players=4), 2, seed=1)
    assert table.index([(C, C, D, D), (D, D, C, C)]) == table.index([(C, D, D, C), (D, C, C, D)])
    assert table.index([(C, C, D, D)]) != table.index([(C, C, C, D)])


@pytest.mark.parametrize(("game", "memory", "count"), GAMES)
def test_the_numbers_of_histories_are_their_places(game: StageGame, memory: int, count: int) -> None:
    table = random_table(game, memory, seed=0)
    played = [np.array(history).reshape(-1, game.n_players) for history in histories(game, memory)]
    assert [int(table.index(history)) for history in played] == list(range(count))


@pytest.mark.parametrize(("game", "memory", "count"), GAMES)
def test_round_by_round_a_population_knows_the_last_rounds(game: StageGame, memory: int, count: int) -> None:
    rng = np.random.default_rng(2)
    table = random_table(game, memory, seed=3)
    played = rng.integers(game.n_actions, size=(50, 5, game.n_players))  # (agents, rounds, players)
    known = table.start(50)
    for past in range(5):
        others = played[:, past, 1] if game.n_players == 2 else played[:, past, 1:]
        known = table.after(known, played[:, past, 0], others)
        recent = played[:, max(0, past + 1 - memory) : past + 1]
        np.testing.assert_array_equal(known, table.index(recent))


@pytest.mark.parametrize(("game", "memory", "count"), GAMES)
def test_the_look_up_is_the_agent(game: StageGame, memory: int, count: int) -> None:
    """Same probabilities, and the same action from the same random numbers."""
    table = random_table(game, memory, seed=4)
    asked = histories(game, memory)
    for seed in range(5):
        decisions = table.decide([turn(game, *history, seed=seed) for history in asked])
        for number, decision in enumerate(decisions):
            assert decision.probabilities == tuple(table.probabilities[number])
            assert decision.action == table.act(np.array(number), np.random.default_rng(seed))


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


def test_tables_sit_at_the_table_of_an_environment() -> None:
    tft, alld = (compile_agent(strategy(name), PD, 1) for name in ("tit_for_tat", "always_defect"))
    (record,) = run_matches(lambda: parallel("prisoners_dilemma", rounds=4), [tft, alld], matches=1, seed=0)
    played = [tuple(move.decision.action for move in step) for step in record.steps]
    assert played == [(C, D), (D, D), (D, D), (D, D)]
    assert record.outcome.totals == {"player_0": 0 + 3 * PD.P, "player_1": PD.T + 3 * PD.P}


def test_a_million_agents_choose_as_often_as_the_table_says() -> None:
    game = PublicGoods(n_players=2, levels=4)
    table = PolicyTable(game, 0, ((0.1, 0.2, 0.0, 0.7),), Origin("dice"))
    chosen = np.bincount(table.act(table.start(1_000_000), np.random.default_rng(0)), minlength=4) / 1e6
    error = np.sqrt(table.probabilities[0] * (1 - table.probabilities[0]) / 1e6)
    assert (abs(chosen - table.probabilities[0]) <= 4 * error).all()


class Same(np.random.Generator):
    """Random numbers that are all the same."""

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


@given(
    probabilities=st.lists(st.floats(0, 1), min_size=5, max_size=5),
    context=st.none() | st.text(max_size=8),
)
def test_a_file_gives_the_same_table_back(
    tmp_path_factory: pytest.TempPathFactory, probabilities: list[float], context: str | None
) -> None:
    rows = tuple((p, 1 - p) for p in probabilities)
    table = PolicyTable(PD, 1, rows, Origin("x", Source.EXACT, context=context), masses=tuple(probabilities))
    path = tmp_path_factory.mktemp("tables") / "table.json"
    table.save(path)
    assert PolicyTable.load(path) == table
    assert [file.name for file in path.parent.iterdir()] == ["table.json"]


@pytest.mark.parametrize(("game", "memory", "count"), GAMES)
def test_games_for_groups_and_with_levels_fit_into_files(
    tmp_path: Path, game: StageGame, memory: int, count: int
) -> None:
    table = random_table(game, memory, seed=5)
    table.save(tmp_path / "table.json")
    assert PolicyTable.load(tmp_path / "table.json") == table


def test_the_file_of_version_1_stays_readable(tmp_path: Path) -> None:
    """A document of format version 1, whole: every later version has to read it."""
    row = '{{"history": {}, "probabilities": [{}, {}], "mass": 0.75}}'
    rows = [row.format(*values) for values in [("[]", 0.5, 0.5), ("[[0, 0]]", 1, 0), ("[[0, 1]]", 0, 1)]]
    rows += [row.format(*values) for values in [("[[1, 0]]", 0.25, 0.75), ("[[1, 1]]", 0, 1.0)]]
    text = f"""{{"format": "dilemmas-policy-table", "version": 1,
        "origin": {{"agent": "m", "source": "exact", "model": "sha", "context": "business",
                    "template": "study@1", "dilemmas": "0.1.0", "shuffled": false}},
        "game": {{"name": "prisoners_dilemma", "T": 5, "R": 3, "P": 1, "S": 0}}, "memory": 1,
        "rows": [{", ".join(rows)}]}}"""
    (tmp_path / "table.json").write_text(text)
    table = PolicyTable.load(tmp_path / "table.json")
    assert table.memory_one() == (0.5, 1, 0, 0.25, 0)
    assert table.game == PD
    assert table.masses == (0.75,) * 5
    assert table.decide([turn(PD)])[0].mass == 0.75
    assert table.origin == Origin("m", Source.EXACT, "sha", "business", "study@1", "0.1.0")


def test_where_a_table_comes_from_is_noted() -> None:
    agent = Scripted(lambda view: (0.5, 0.5), name="llama")
    origin = compile_agent(agent, PD, 1, model="abc", context="friends").origin
    assert origin.dilemmas
    assert replace(origin, dilemmas=None) == Origin("llama", Source.EXACT, "abc", "friends", "study@0")


BROKEN = [
    ('"version": 1', '"version": 2', "version = 2"),
    ("dilemmas-policy-table", "dilemmas-trajectory", "format = 'dilemmas-trajectory'"),
    ('"memory": 1', '"memory": 1.5', "memory = 1.5"),
    ('"prisoners_dilemma"', '["pd"]', "game: "),
    ('"memory": 1,', "", "the key 'memory' is missing"),
    ('"memory": 1', '"memory": 2', "rows: needs a list of 21"),
    ('"memory": 1', '"memory": 99', "memory = 99"),
    ('"T": 5.5', '"T": 2', "prisoners_dilemma needs T>R>P>S"),
    ('"T": 5.5', '"T": "five"', "T = 'five'"),
    ('"T": 5.5', '"t": 5, "T": 5', "game: unknown key 't'"),
    ('"agent"', '"agnet"', "origin: unknown key 'agnet'; did you mean 'agent'?"),
    ('"source": "rule"', '"source": "rul"', "unknown source 'rul' in origin; did you mean 'rule'?"),
    ("[[0, 1]]", "[[1, 1]]", "rows[2]"),
    ("0.9,", "1.9,", "rows[1]: probabilities = [1.9, 0.09999999999999998]"),
    ("0.9,", "0.8,", "rows[1]: probabilities = [0.8, 0.09999999999999998]"),
    ("0.9,", '"0.9",', "rows[1]"),
    ("0.9,", "NaN,", "rows[1]"),
    ('"mass": null', '"mass": 0.5', "masses: needs 5 numbers from 0 to 1; got [0.5]"),
    ('"mass"', '"mas"', "rows[0]: unknown key 'mas'; did you mean 'mass'?"),
    ("0.9,", "0.9 0.9,", "not JSON"),
]


@pytest.mark.parametrize(("good", "bad", "message"), BROKEN)
def test_a_broken_file_is_refused_with_its_name_and_the_key(tmp_path: Path, good: str, bad: str, message: str) -> None:
    path = tmp_path / "table.json"
    compile_agent(WARY, replace(PD, T=5.5), 1).save(path)
    text = path.read_text()
    assert good in text
    path.write_text(text.replace(good, bad, 1))
    with pytest.raises(PolicyTableError) as caught:
        PolicyTable.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyTableError, match=r"nowhere\.json: No such file"):
        PolicyTable.load(tmp_path / "nowhere.json")


def test_an_agent_without_probabilities_cannot_be_compiled() -> None:
    with pytest.raises(PolicyTableError, match=r"agent 'mute' gives no probabilities"):
        compile_agent(Scripted(lambda view: None, name="mute"), PD, 1)


def test_a_table_too_large_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(HistoryError, match="over 100,000 histories"):
        compile_agent(WARY, PD, 9)
    with pytest.raises(HistoryError, match="memory = -1"):
        compile_agent(WARY, PD, -1)


def test_a_table_plays_its_own_game_under_any_name_and_no_other() -> None:
    table = compile_agent(WARY, PD, 1)
    table.decide([turn(MatrixGame("matrix_game", T=5, R=3, P=1, S=0))])
    for other in (replace(PD, T=6), PublicGoods(n_players=2), PublicGoods(n_players=3)):
        with pytest.raises(PolicyTableError, match="compile one for"):
            table.decide([turn(other)])


def test_only_two_players_with_two_actions_and_memory_one_are_five_numbers() -> None:
    for table in (random_table(PD, 2, seed=0), random_table(PublicGoods(n_players=3), 1, seed=0)):
        with pytest.raises(PolicyTableError, match="five numbers"):
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
    code = "import conftest, sys, dilemmas.agents.tables.policy_table; print({'torch', 'mesa'} & {*sys.modules})"
    command, here = [sys.executable, "-c", code], Path(__file__).parents[2]
    assert run(command, cwd=here, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_rows_are_written_one_to_a_line(tmp_path: Path) -> None:
    compile_agent(WARY, PD, 1).save(tmp_path / "table.json")
    text = (tmp_path / "table.json").read_text()
    assert '    {"history": [[0, 1]], "probabilities": [0.25, 0.75], "mass": null},\n' in text
    assert json.loads(text)["game"] == {"name": "prisoners_dilemma", "T": 5, "R": 3, "P": 1, "S": 0}


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
    table.save(tmp_path / "table.json")
    assert PolicyTable.load(tmp_path / "table.json") == table


def test_a_table_of_one_seat_is_not_played_from_the_other() -> None:
    game = stage_game("inspection_game")
    table = compile_agent(WARY, game, 1, player=1)
    view = View(game, 1, 1, ((C, D),))
    ask = lambda view: Turn("", None, {"view": view}, None, np.random.default_rng(0))  # noqa: E731
    assert table.decide([ask(view)])[0].probabilities == WARY.decide([ask(view)])[0].probabilities
    with pytest.raises(PolicyTableError, match="of player_1, not of player_0"):
        table.decide([ask(view._replace(player=0))])
    symmetric = compile_agent(WARY, PD, 1)
    assert symmetric.decide([ask(View(PD, 1, 0, ()))])[0].probabilities == (0.5, 0.5)


def test_files_from_before_an_option_are_read_with_its_default(tmp_path: Path) -> None:
    """Public goods had neither threshold nor refund at first."""
    path = tmp_path / "table.json"
    table = random_table(PublicGoods(n_players=3), 1, seed=0)
    table.save(path)
    document = json.loads(path.read_text())
    for option in ("threshold", "refund"):
        del document["game"][option]
    path.write_text(json.dumps(document))
    assert PolicyTable.load(path) == table
    document["game"]["treshold"] = 0
    path.write_text(json.dumps(document))
    with pytest.raises(PolicyTableError, match="did you mean 'threshold'"):
        PolicyTable.load(path)


def test_games_whose_histories_cannot_be_numbered_are_refused() -> None:
    with pytest.raises(HistoryError, match="free amounts"):
        compile_agent(WARY, PublicGoods(levels=None), 1)
    with pytest.raises(HistoryError, match="all its players are alike"):
        compile_agent(WARY, PublicGoods(n_players=3, endowment=(1, 2, 3)), 1)


def test_a_table_is_about_one_game_whatever_the_others_have_as_actions() -> None:
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
    with pytest.raises(PolicyTableError, match="this one has 2 neighbours"):
        table.decide([ask(View(PD, 4, 1, ((D, C, C),), rules=Repeated(PD, population=Population(5, ring(5, 2)))))])


def test_a_table_neither_talks_nor_punishes() -> None:
    table = compile_agent(strategy("tit_for_tat"), PD, 1)
    make = lambda: parallel("prisoners_dilemma", talk=1, punishment=(1, 3), rounds=2)  # noqa: E731
    (record,) = run_matches(make, [table, strategy("alld")], matches=1, seed=0)
    actions = [tuple(move.decision.action for move in step) for step in record.steps]
    assert actions == [(0, 0), (C, D), (0, 0), (0, 0), (D, D), (0, 0)]
