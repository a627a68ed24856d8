"""A table is read from its file as it was written, and a damaged file is refused with its name and the key."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.agents.agent import Source, Turn, View
from dilemmas.agents.strategies.finite_state import memory_one
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import Origin, PolicyTable, PolicyTableError
from dilemmas.agents.tables.table_file import load_table, save_table
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame

Case = tuple[StageGame, int, int]
Random = Callable[[StageGame, int, int], PolicyTable]
PD = DEFAULTS["prisoners_dilemma"]
C, D = 0, 1
WARY = memory_one("wary", 0.5, 0.9, 0.25, 0.6, 0.05)


@given(
    probabilities=st.lists(st.floats(0, 1), min_size=5, max_size=5),
    context=st.none() | st.text(max_size=8),
)
def test_a_table_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, probabilities: list[float], context: str | None
) -> None:
    rows = tuple((p, 1 - p) for p in probabilities)
    table = PolicyTable(PD, 1, rows, Origin("x", Source.EXACT, context=context), masses=tuple(probabilities))
    path = tmp_path_factory.mktemp("tables") / "table.json"
    save_table(table, path)
    assert load_table(path) == table
    assert [file.name for file in path.parent.iterdir()] == ["table.json"]


def test_games_for_groups_and_with_levels_are_read_back(tmp_path: Path, case: Case, random_table: Random) -> None:
    game, memory, _ = case
    table = random_table(game, memory, 5)
    save_table(table, tmp_path / "table.json")
    assert load_table(tmp_path / "table.json") == table


def test_the_file_of_version_1_is_read(tmp_path: Path) -> None:
    """A complete document of format version 1."""
    row = '{{"history": {}, "probabilities": [{}, {}], "mass": 0.75}}'
    rows = [row.format(*values) for values in [("[]", 0.5, 0.5), ("[[0, 0]]", 1, 0), ("[[0, 1]]", 0, 1)]]
    rows += [row.format(*values) for values in [("[[1, 0]]", 0.25, 0.75), ("[[1, 1]]", 0, 1.0)]]
    text = f"""{{"format": "dilemmas-policy-table", "version": 1,
        "origin": {{"agent": "m", "source": "exact", "model": "sha", "context": "business",
                    "template": "study@1", "dilemmas": "0.1.0", "presentation": null}},
        "game": {{"name": "prisoners_dilemma", "T": 5, "R": 3, "P": 1, "S": 0}}, "memory": 1, "player": 0,
        "rows": [{", ".join(rows)}]}}"""
    (tmp_path / "table.json").write_text(text)
    table = load_table(tmp_path / "table.json")
    assert table.memory_one() == (0.5, 1, 0, 0.25, 0)
    assert table.game == PD
    assert table.masses == (0.75,) * 5
    turn = Turn("player_0", None, {"view": View(PD, 0, 0, ())}, None, np.random.default_rng(0))
    assert table.decide([turn])[0].mass == 0.75
    assert table.origin == Origin("m", Source.EXACT, "sha", "business", "study@1", "0.1.0")


BROKEN = [
    (
        '"version": 1',
        '"version": 2',
        "version: needs a number of at most 1; got 2; another version of dilemmas wrote it",
    ),
    (
        "dilemmas-policy-table",
        "dilemmas-trajectory",
        "got 'dilemmas-trajectory'; needs a policy table, as `dilemmas compile` writes it",
    ),
    ('"memory": 1', '"memory": 1.5', "memory: needs a whole number; got 1.5"),
    ('"prisoners_dilemma"', '["pd"]', "game.name: needs a text; got ['pd']"),
    ('"memory": 1,', "", "the key 'memory' is missing"),
    ('"memory": 1', '"memory": 2', "rows: needs a list of 21"),
    ('"memory": 1', '"memory": 99', "memory = 99"),
    ('"T": 5.5', '"T": 2', "prisoners_dilemma needs T>R>P>S"),
    ('"T": 5.5', '"T": "five"', "game.T: needs a number; got 'five'"),
    ('"T": 5.5', '"t": 5, "T": 5', "game: unknown key 't'"),
    ('"agent"', '"agnet"', "origin: unknown key 'agnet'; did you mean 'agent'?"),
    ('"source": "rule"', '"source": "rul"', "origin.source: needs 'exact', 'within', 'sampled', 'reasoned'"),
    ("[[0, 1]]", "[[1, 1]]", "rows[2]"),
    ("0.9,", "1.9,", "rows[1].probabilities[0]: needs a number of at most 1.000001; got 1.9"),
    ("0.9,", "0.8,", "rows[1]: probabilities = [0.8, 0.09999999999999998]"),
    ("0.9,", '"0.9",', "rows[1]"),
    ("0.9,", "NaN,", "rows[1]"),
    ('"mass": null', '"mass": 0.5', "masses: needs 5 numbers from 0 to 1; got [0.5]"),
    ('"T": 5.5, ', "", "game: the key 'T' is missing"),
    ('"game": {', '"game": 5, "x": {', "unknown key 'x'"),
    ("[[0, 1]]", "[[0], [1]]", "rows[2].history: needs [[0, 1]]; got [[0], [1]]"),
    ("[[0, 1]]", "[" * 300 + "]" * 300, "not JSON: nested too deeply"),
    ("5.5", "5" * 5000, "not JSON: number out of range"),
    ('"mass"', '"mas"', "rows[0]: unknown key 'mas'; did you mean 'mass'?"),
    ("0.9,", "0.9 0.9,", "not JSON"),
    ('"mass": null', '"probabilities": [0, 1], "mass": null', "rows[0]: the key 'probabilities' is there 2 times"),
]


@pytest.mark.parametrize(("good", "bad", "message"), BROKEN)
def test_a_broken_file_is_refused_with_its_name_and_the_key(tmp_path: Path, good: str, bad: str, message: str) -> None:
    path = tmp_path / "table.json"
    save_table(compile_agent(WARY, replace(PD, T=5.5), 1), path)
    text = path.read_text()
    assert good in text
    path.write_text(text.replace(good, bad, 1))
    with pytest.raises(PolicyTableError) as caught:
        load_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyTableError, match=r"nowhere\.json: No such file"):
        load_table(tmp_path / "nowhere.json")


def test_each_row_is_written_to_one_line(tmp_path: Path) -> None:
    save_table(compile_agent(WARY, PD, 1), tmp_path / "table.json")
    text = (tmp_path / "table.json").read_text()
    assert '    {"history": [[0, 1]], "probabilities": [0.25, 0.75], "mass": null},\n' in text
    assert json.loads(text)["game"] == {"name": "prisoners_dilemma", "T": 5, "R": 3, "P": 1, "S": 0}


@pytest.mark.parametrize("place", ["origin.model", "origin.source", "origin.presentation", "game.multiplier", "player"])
def test_a_key_that_is_always_written_must_be_there(place: str, tmp_path: Path, random_table: Random) -> None:
    path = tmp_path / "table.json"
    save_table(random_table(PublicGoods(n_players=3), 1, 0), path)
    document = json.loads(path.read_text())
    part, _, key = place.rpartition(".")
    del (document[part] if part else document)[key]
    path.write_text(json.dumps(document))
    with pytest.raises(PolicyTableError, match=f"{part}.*the key '{key}' is missing"):
        load_table(path)
