"""The Mesa model is the population of `torus`, with agents, cells and data where Mesa users expect them."""

import copy
import json
import pickle
import tracemalloc
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.strategies.finite_state import memory_one as automaton
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.experiments.populations.torus import LatticeError, run_lattice

pytest.importorskip("mesa")
from mesa import batch_run

from dilemmas.experiments.commands.lattice import command
from dilemmas.experiments.populations.lattice import Lattice, run_model

PD = DEFAULTS["prisoners_dilemma"]


def memory_one(first: float, cc: float, cd: float, dc: float, dd: float) -> PolicyTable:
    return compile_agent(automaton("memory_one", first, cc, cd, dc, dd), PD, 1)


TABLE = memory_one(0.5, 0.9, 0.2, 0.6, 0.05)


@pytest.mark.parametrize("size", [3, 8])
def test_the_model_has_the_curve_of_the_torus(size: int) -> None:
    table = memory_one(0.5, 0.9, 0.2, 0.6, 0.05)
    curve = run_lattice({"table": table}, size, 20, 3)["table"]
    assert run_model(table, size, 20, 3).datacollector.model_vars["cooperation"] == curve.tolist()


def test_neighbours_are_those_of_the_grid() -> None:
    model = Lattice(memory_one(1, 1, 1, 1, 1), size=4)
    rows = {agent.cell: agent.row for agent in model.agents}
    for agent in model.agents:
        neighbours = {rows[cell] for cell in agent.cell.connections.values()}
        assert neighbours == set(model.torus.neighbours[agent.row].tolist())


def test_mesa_users_find_agents_cells_and_data_where_they_expect_them() -> None:
    model = Lattice(memory_one(0.5, 0.9, 0.2, 0.6, 0.05), size=5)
    for _ in range(3):
        model.step()
    assert (len(model.agents), model.steps) == (25, 3)
    assert all(agent.cell.agents == [agent] for agent in model.agents)
    frame = model.datacollector.get_model_vars_dataframe()
    assert frame["cooperation"].iloc[-1] == pytest.approx(model.agents.agg("cooperation", np.mean))


def cooperation_of_runs(**given: Any) -> list[float]:
    """Cooperation at the end of the runs of a batch."""
    parameters = {"table": TABLE, "size": 5, **given.pop("parameters", {})}
    runs = batch_run(Lattice, parameters, max_steps=4, display_progress=False, **given)
    return [run["cooperation"] for run in runs]


@pytest.mark.filterwarnings("ignore:The `iterations` keyword:DeprecationWarning")
def test_runs_of_a_batch_differ() -> None:
    """Two of them may agree by chance, twenty may not."""
    assert len(set(cooperation_of_runs(iterations=20))) > 3


def test_runs_of_a_batch_can_be_reproduced() -> None:
    """Seeds are parameters of the model or, since Mesa 3.5, of the batch."""
    seeds = {"rng": [7, 7, 8]}
    one, other, third = cooperation_of_runs(
        **seeds if "rng" in signature(batch_run).parameters else {"parameters": seeds}
    )
    assert one == other != third
    assert Lattice(TABLE, 5, seed=7).rng.random() == Lattice(TABLE, 5, rng=7).rng.random()
    with pytest.raises(LatticeError, match="seed = 1, rng = 1; give one of them"):
        Lattice(TABLE, seed=1, rng=1)


@pytest.mark.parametrize("asked_for_agents", [False, True])
def test_a_copy_goes_on_from_where_the_model_is(asked_for_agents: bool) -> None:
    model = Lattice(TABLE, size=5, seed=1)
    model.step()
    if asked_for_agents:
        assert len(model.agents) == 25
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert (len(copied.agents), copied.steps) == (25, 1)
        twin = pickle.loads(pickle.dumps(model))
        twin.step()
        copied.step()
        assert copied.datacollector.model_vars == twin.datacollector.model_vars
        assert (copied.torus.rates == twin.torus.rates).all()


def test_a_model_of_a_million_agents_is_built_as_arrays() -> None:
    """Cells and agents as objects would take 2.5 GB."""
    tracemalloc.start()
    model = Lattice(TABLE, size=1000, seed=0)
    model.step()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 700e6
    assert 0 < model.datacollector.model_vars["cooperation"][0] < 1


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        ({"seed": -1}, "seed = -1"),
        ({"rng": -1}, "rng = -1; needs a whole number of at least 0"),
        ({"rng": 1.5}, "rng = 1.5"),
        ({"rng": True}, "rng = True"),
        ({"rng": np.random.RandomState(0)}, "rng = RandomState"),
        ({"size": 10**9}, "size = 1000000000; needs a whole number from 3 to 10000"),
        ({"table": None}, "table = None; needs a PolicyTable"),
    ],
)
def test_wrong_arguments_are_refused(given: dict[str, Any], needs: str) -> None:
    with pytest.raises(LatticeError, match=needs):
        Lattice(**({"table": TABLE} | given))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{name}.json" for name in ("teacher", "tuned")]
    for path, name in zip(paths, ("tit_for_tat", "always_defect"), strict=True):
        save_table(compile_agent(strategy(name), PD, 1), path)
    return [part for path in paths for part in ("--table", str(path))]


def test_the_command_writes_both_files_and_prints_the_result(tmp_path: Path, files: list[str]) -> None:
    out = tmp_path / "out"
    arguments = [*files, "--size", "5", "--steps", "3", "--out", str(out), "--json"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert json.loads(result.stdout) == {"teacher": [1, 1, 1], "tuned": [0, 0, 0]}
    assert (out / "lattice.csv").read_text() == "step,teacher,tuned\n1,1.0,0.0\n2,1.0,0.0\n3,1.0,0.0\n"
    assert (out / "lattice.svg").read_text().count("<polyline") == 4  # two curves, each also in the legend
