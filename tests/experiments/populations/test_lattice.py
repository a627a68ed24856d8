"""The Mesa model is the population of `torus`, with agents, cells and data where Mesa users expect them."""

import json
from pathlib import Path

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
from dilemmas.experiments.commands.lattice import command
from dilemmas.experiments.populations.lattice import Lattice, run_model

PD = DEFAULTS["prisoners_dilemma"]


def memory_one(first: float, cc: float, cd: float, dc: float, dd: float) -> PolicyTable:
    return compile_agent(automaton("memory_one", first, cc, cd, dc, dd), PD, 1)


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


def test_negative_seeds_are_refused() -> None:
    with pytest.raises(LatticeError, match="seed = -1"):
        Lattice(memory_one(1, 1, 1, 1, 1), seed=-1)


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
