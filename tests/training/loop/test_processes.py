"""Two processes train as one does, and only the first of them writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from dilemmas.training.loop.processes import ALONE, Processes  # noqa: E402

SCRIPT = """
import sys
from pathlib import Path
from dataclasses import replace
from dilemmas.agents.models.open_model import open_model
from dilemmas.training.demonstrations import Demonstration
from dilemmas.training.distill import distil
from dilemmas.training.lora import LoraSettings

prompts = [f"Your friend and you choose C or D. You get {points}." for points in range(5)]
ways = [(f"{order} {prompt}", labels, prompt) for prompt in prompts for order, labels in (("1", "CD"), ("2", "DC"))]
soft = [Demonstration(way, tuple(labels), (0.7, 0.3), situation=name) for way, labels, name in ways]
hard = [replace(one, reply=f"{one.labels[place % 2]}. So it is.") for place, one in enumerate(soft * 2)]
base = LoraSettings(rank=4, alpha=8, rate=2e-3, batch=7, pack=3, steps=6)
cases = {
    "hard": (hard, replace(base, layers=1, tokens=64)),
    "consistent": (soft, replace(base, method="soft", consistency=2.0)),
    "tokens": (hard, replace(base, method="tokens", divergence="reverse", batch=1)),
    "ending": (soft, replace(base, method="soft", held_out=0.4, measure_every=1, patience=2, steps=20, rate=0.02)),
}
for name, (shown, settings) in cases.items():
    model, teacher = (open_model(f"miniature-{role}", device="cpu") for role in ("student", "teacher"))
    out = Path(sys.argv[1]) / name
    for _ in distil(*model.weights(), shown, settings, out, 3, save_every=2, teacher=teacher):
        pass
"""
LAUNCHED = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def run(*command: object) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Adapters of one process, and of two."""
    folder = tmp_path_factory.mktemp("processes")
    script = folder / "train.py"
    script.write_text(SCRIPT)
    run(sys.executable, script, folder / "one")
    run(*LAUNCHED, script, folder / "two")
    return folder / "one", folder / "two"


@pytest.mark.parametrize("name", ["hard", "consistent", "tokens"])
def test_two_processes_have_the_losses_and_the_adapter_of_one(trained: tuple[Path, Path], name: str) -> None:
    """Also where presentations must stay together, and where a step has less than there are processes."""
    records = [json.loads((folder / name / "training.json").read_text()) for folder in trained]
    losses = [record["losses"] for record in records]
    assert len(losses[0]) == 6
    assert max(abs(one - two) for one, two in zip(*losses, strict=True)) < 1e-5
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    one, two = (load_file(folder / name / "adapter_model.safetensors") for folder in trained)
    for key, weights in one.items():
        torch.testing.assert_close(two[key], weights, atol=1e-4, rtol=1e-3)
    assert {path.name for path in (trained[1] / name).iterdir()} == {
        path.name for path in (trained[0] / name).iterdir()
    }


def test_two_processes_measure_and_end_as_one(trained: tuple[Path, Path]) -> None:
    one, two = (json.loads((folder / "ending" / "training.json").read_text()) for folder in trained)
    assert len(one["losses"]) == len(two["losses"]) < 20
    for (step, value), (other_step, other) in zip(one["held_out"], two["held_out"], strict=True):
        assert step == other_step
        assert other == pytest.approx(value, abs=1e-5)


def test_the_parts_of_all_processes_are_all_items() -> None:
    for size in (0, 1, 2, 7, 16):
        parts = [Processes(rank, 3).part_of(range(size)) for rank in range(3)]
        assert [item for part in parts for item in part] == list(range(size))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert list(ALONE.part_of(range(4))) == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_command_that_is_launched_twice_over_writes_once(tmp_path: Path) -> None:
    command = [
        "-m",
        "dilemmas",
        "distill",
        "tit_for_tat",
        "--game",
        "prisoners_dilemma",
        "--student",
        "miniature:student",
    ]
    said = run(*LAUNCHED, *command, "--lora", "steps=2", "--out", tmp_path / "run", "--json")
    assert json.loads(said)["steps"] == 2, "one document, of the first process"
    assert (tmp_path / "run" / "log.txt").read_text().count("demonstrations") == 1
