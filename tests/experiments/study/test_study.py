"""The study as a whole, on the miniatures."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dilemmas.agents as agents
from dilemmas.agents.models.open_model import open_model

BARS = {"within": 0.90, "new_context": 0.60, "new_game": 0.45, "new_both": 0.40}
STAGES = ("teacher", "untuned student", "distillation", "tuned student", "matches", "population", "evaluation")
DILEMMAS = [sys.executable, "-c", "from dilemmas.experiments.commands.main import main; main()"]


def replicate(folder: Path, *options: str) -> dict:
    done = subprocess.run([*DILEMMAS, "replicate", "--out", str(folder), *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "results.json").read_text())


def test_a_run_folder_is_complete(small_run: Path) -> None:
    folder = small_run / "runs" / "replicate"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert {
        "recipe.json",
        "provenance.json",
        "results.json",
        "report.md",
        "report.html",
        "examples.jsonl",
        "answers/teacher.jsonl",
        "adapter/adapter_model.safetensors",
        "adapter/README.md",
        "tables/tuned.json",
        "population/lattice.csv",
        "log.txt",
    } <= names
    assert not [name for name in names if "dilemmas-" in name]
    results = json.loads((folder / "results.json").read_text())
    assert set(results["alignment"]) == set(BARS)
    for row in results["alignment"].values():
        assert {"gap_closed", "interval", "null"} <= set(row)
    assert results["seed"] == 0
    assert sum(json.loads((folder / "seconds.json").read_text()).values()) > 0


def test_an_adapter_names_its_base_on_every_machine(small_run: Path) -> None:
    adapter = small_run / "runs" / "replicate" / "adapter"
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "miniature-student"
    base = json.loads((adapter / "training.json").read_text())["base"]
    assert base["name"] == "miniature-student"
    assert len(base["fingerprint"]) == 16
    assert open_model(str(adapter)).fingerprint.startswith(base["fingerprint"])
    for file in adapter.glob("*.[jm][sd]*"):
        assert str(Path(agents.__file__).parent) not in file.read_text(), file


@pytest.mark.slow
def test_a_resumed_run_has_the_same_results(small_run: Path, tmp_path: Path) -> None:
    """Everything behind the first answers is taken away, and one file is cut in the middle of a line."""
    import shutil

    whole = small_run / "runs" / "replicate"
    stopped = tmp_path / "stopped"
    shutil.copytree(whole, stopped)
    for name in ("results.json", "report.md", "report.html"):
        (stopped / name).unlink()
    cut = stopped / "answers" / "tuned.jsonl"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 3])
    match = sorted((stopped / "matches").iterdir())[0]
    match.write_bytes(match.read_bytes()[: match.stat().st_size // 2])
    resumed = replicate(stopped, "--observations", "10")
    undisturbed = json.loads((whole / "results.json").read_text())
    assert resumed == undisturbed


def stopped_in(stage: str, folder: Path, how: signal.Signals) -> tuple[int, str]:
    """Exit code and stderr of the command, sent a signal in a stage."""
    command = [*DILEMMAS, "replicate", "--out", str(folder), "--observations", "10"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    log = folder / "log.txt"
    while run.poll() is None and not (log.is_file() and log.read_text().endswith(f" {stage}: begins\n")):
        time.sleep(0.02)
    time.sleep(0.3)  # amid it
    run.send_signal(how)
    return run.wait(), run.communicate()[1]


def test_ctrl_c_prints_how_to_resume(tmp_path: Path) -> None:
    code, found = stopped_in("teacher", tmp_path / "run", signal.SIGINT)
    assert code == 130
    assert found.split("\n")[0] == "the teacher answers"
    assert found.strip().split("\n")[-1] == "interrupted; repeat the same command to resume"


@pytest.mark.slow
def test_a_run_killed_in_every_stage_ends_as_if_undisturbed(small_run: Path, tmp_path: Path) -> None:
    whole, killed = small_run / "runs" / "replicate", tmp_path / "killed"
    for stage in STAGES:
        assert stopped_in(stage, killed, signal.SIGKILL)[0] == -signal.SIGKILL
    replicate(killed, "--observations", "10")
    for name in ("matches", "tables", "answers", "population"):
        for path in (whole / name).iterdir():
            assert path.read_bytes() == (killed / name / path.name).read_bytes(), path
    resumed, undisturbed = (json.loads((folder / "results.json").read_text()) for folder in (killed, whole))
    assert resumed == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_miniatures_reach_the_bars(seed: int, tmp_path: Path) -> None:
    results = replicate(tmp_path / "run", "--seed", str(seed))
    for name, bar in BARS.items():
        row = results["alignment"][name]
        assert row["gap_closed"] >= bar, name
        assert row["interval"][0] > 0, name
        assert row["gap_closed"] > row["null"], name


@pytest.mark.slow
def test_the_same_seed_gives_the_same_results(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        replicate(folder, "--observations", "40", "--seed", "3")
    for name in ("results.json", "seals.jsonl"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
