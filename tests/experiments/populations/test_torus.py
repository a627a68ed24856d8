"""What is known in closed form about pairs that play by tables has to be seen on the torus."""

import csv
import subprocess
import sys
import time
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from dilemmas.agents.agent import Source, Turn, View
from dilemmas.agents.strategies.catalogue import bernoulli, strategy
from dilemmas.agents.strategies.finite_state import memory_one as automaton
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.histories import histories
from dilemmas.agents.tables.policy_table import Origin, PolicyTable, PolicyTableError
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.experiments.populations.torus import (
    BACK,
    DIRECTIONS,
    LatticeError,
    Torus,
    curves_csv,
    load_tables,
    moore_neighbours,
    run_lattice,
)

PD = DEFAULTS["prisoners_dilemma"]
PAIRS = 50 * 50 * 8 // 2


def memory_one(first: float, cc: float, cd: float, dc: float, dd: float) -> PolicyTable:
    return compile_agent(automaton("memory_one", first, cc, cd, dc, dd), PD, 1)


def curve(table: PolicyTable, size: int = 50, steps: int = 20, seed: int = 0) -> np.ndarray:
    return run_lattice({"table": table}, size, steps, seed)["table"]


@pytest.mark.parametrize(("name", "rate"), [("always_cooperate", 1), ("always_defect", 0), ("tit_for_tat", 1)])
def test_populations_of_a_sure_strategy_stay_as_they_are(name: str, rate: float) -> None:
    assert (curve(compile_agent(strategy(name), PD, 1)) == rate).all()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.83])
def test_a_coin_stays_a_coin(p: float) -> None:
    error = sqrt(p * (1 - p) / (2 * PAIRS))
    assert (abs(curve(compile_agent(bernoulli(p), PD, 1)) - p) <= 4 * error).all()


def test_tit_for_tat_echoes_the_first_step_for_ever() -> None:
    """CC stays, DD stays, CD and DC take turns: cooperation never changes, whatever it was at first."""
    rates = curve(memory_one(0.6, 1, 0, 1, 0))
    assert 0.5 < rates[0] < 0.7
    assert (rates == rates[0]).all()


def test_grim_keeps_the_pairs_that_both_began_with_cooperation() -> None:
    rates = curve(memory_one(0.6, 1, 0, 0, 0))
    assert (rates[1:] == rates[1]).all()
    assert abs(rates[1] - 0.36) <= 4 * sqrt(0.36 * 0.64 / PAIRS)


TABLES = [(0.5, 0.9, 0.2, 0.6, 0.05), (0.0, 0.95, 0.3, 0.7, 0.2), (1.0, 0.6, 0.5, 0.4, 0.3)]


@pytest.mark.parametrize("strategy", TABLES)
def test_the_long_run_is_the_stationary_distribution_of_a_pair(strategy: tuple[float, ...]) -> None:
    """Two equal memory-one players are a Markov chain on CC, CD, DC, DD (Nowak & Sigmund 1990)."""
    _, cc, cd, dc, dd = strategy
    one, two = np.array([cc, cd, dc, dd]), np.array([cc, dc, cd, dd])
    chain = np.stack([one * two, one * (1 - two), (1 - one) * two, (1 - one) * (1 - two)], axis=1)
    values, vectors = np.linalg.eig(chain.T)
    stationary = np.real(vectors[:, np.argmin(abs(values - 1))])
    stationary /= stationary.sum()
    cooperation = np.array([1, 0.5, 0.5, 0])
    expected = stationary @ cooperation
    error = sqrt((stationary @ cooperation**2 - expected**2) / PAIRS)
    late = curve(memory_one(*strategy), steps=80)[-1]
    assert abs(late - expected) <= 4 * error


@pytest.mark.parametrize("memory", [0, 1, 2])
def test_the_look_up_is_every_agent_asked_one_by_one(memory: int) -> None:
    """The same random numbers, drawn by the table as an agent for one directed edge after the other."""
    rng = np.random.default_rng(7)
    rows = tuple((p, 1 - p) for p in rng.uniform(0.1, 0.9, len(histories(PD, memory))).tolist())
    table = PolicyTable(PD, memory, rows, Origin("dice", Source.RULE))
    torus, rng = Torus(table, size=3), np.random.default_rng(5)
    stream = np.random.default_rng(5)
    past: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {
        (i, int(j)): () for i, row in enumerate(torus.neighbours) for j in row
    }
    for step in range(4):
        played = {}
        for i, j in past:
            view = View(PD, 0, step, past[i, j])
            played[i, j] = table.decide([Turn("player_0", None, {"view": view}, None, stream)])[0].action
        past = {(i, j): (*past[i, j], (played[i, j], played[j, i])) for i, j in past}
        torus.step(rng)
        assert torus.rates.mean() == pytest.approx(1 - np.mean(list(played.values())), abs=1e-12)


@pytest.mark.parametrize("size", [3, 4, 7])
def test_the_lattice_is_a_torus_with_eight_neighbours_each(size: int) -> None:
    neighbours = moore_neighbours(size)
    places = np.array([(row, column) for row in range(size) for column in range(size)])
    away = (places[neighbours] - places[:, None] + 1) % size - 1
    assert (away == np.array(DIRECTIONS)).all()
    assert (neighbours[neighbours, BACK] == np.arange(size * size)[:, None]).all(), "there and back"


def test_curves_depend_on_the_seed_and_on_no_other_table() -> None:
    one, two = memory_one(0.5, 0.9, 0.2, 0.6, 0.05), memory_one(0.2, 0.5, 0.5, 0.5, 0.5)
    both = run_lattice({"one": one, "two": two}, 10, 20, 3)
    assert (both["two"] == run_lattice({"two": two}, 10, 20, 3)["two"]).all()
    assert (both["two"] != run_lattice({"two": two}, 10, 20, 4)["two"]).any()


def test_global_random_numbers_are_neither_used_nor_touched() -> None:
    np.random.seed(1)
    before = np.random.get_state()[1].tolist()  # type: ignore[index]
    first = curve(memory_one(0.5, 0.9, 0.2, 0.6, 0.05), size=5)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]
    np.random.seed(2)
    assert (curve(memory_one(0.5, 0.9, 0.2, 0.6, 0.05), size=5) == first).all()


def test_2500_agents_and_100_steps_take_seconds() -> None:
    start = time.process_time()
    curve(memory_one(0.5, 0.9, 0.2, 0.6, 0.05), steps=100)
    assert time.process_time() - start < 10


def test_groups_small_sizes_and_negative_seeds_are_refused() -> None:
    group = compile_agent(strategy("tit_for_tat"), PublicGoods(n_players=4), 1)
    with pytest.raises(LatticeError, match="a game of 4 players"):
        Torus(group)
    with pytest.raises(LatticeError, match="size = 2"):
        Torus(memory_one(1, 1, 1, 1, 1), size=2)
    with pytest.raises(LatticeError, match="seed = -1"):
        curve(memory_one(1, 1, 1, 1, 1), seed=-1)


def test_the_csv_has_a_line_per_step_and_a_column_per_table() -> None:
    text = curves_csv({"teacher": np.array([1.0, 0.5]), "a, b": np.array([0.25, 0.0])})
    assert list(csv.reader(text.splitlines())) == [
        ["step", "teacher", "a, b"],
        ["1", "1.0", "0.25"],
        ["2", "0.5", "0.0"],
    ]


def test_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "teacher.json"
    save_table(memory_one(1, 1, 0, 1, 0), path)
    with pytest.raises(LatticeError, match="two tables have the same name"):
        load_tables([path, path])
    with pytest.raises(PolicyTableError, match="No such file"):
        load_tables([tmp_path / "x.json"])


def test_the_population_of_a_study_needs_no_mesa() -> None:
    """What the study imports for its population stage, in an interpreter that refuses to import Mesa."""
    code = "import sys; sys.modules['mesa'] = None; import dilemmas.experiments.study.conduct.procedure"
    subprocess.run([sys.executable, "-c", code], check=True)
