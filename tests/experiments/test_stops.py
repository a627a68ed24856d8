"""Long jobs that are killed, interrupted or out of disk space at any moment end as if undisturbed when repeated."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

TRAINING = """
import sys
from pathlib import Path
from dilemmas.agents.models.open_model import open_model
from dilemmas.experiments.commands.main import main
from dilemmas.training.distill import distil
from dilemmas.training.demonstrations import from_example
from dilemmas.training.examples import Example
from dilemmas.training.lora import LoraSettings
import click, torch

torch.set_num_threads(1)

@click.command()
def command():
    student = open_model("miniature-student", device="cpu")
    prompts = [f"You choose C or D in round {number}. Which?" for number in range(40)]
    answers = ((prompt, label) for prompt in prompts for label in "CD")
    examples = [Example("harmony/team", prompt, label, "CD".index(label), "So.") for prompt, label in answers]
    shown = [from_example(example) for example in examples]
    for _ in distil(*student.weights(), shown, LoraSettings(epochs=20), Path(sys.argv[1]), 1, save_every=5):
        pass

main([], command)
"""
JOBS = {
    "replicate": ("-m", "dilemmas", "replicate", "--observations", "5", "--out"),
    "tournament": (
        *("-m", "dilemmas", "tournament", "run", "--agents", "@first_tournament", "--engine", "environment"),
        *("--rounds", "20", "--repetitions", "5", "--workers", "2", "--out"),
    ),
    "compile": (
        *("-m", "dilemmas", "compile", "miniature-student", "--game", "stag_hunt", "--context", "business"),
        *("--memory", "3", "--out"),
    ),
    "training": ("-c", TRAINING),
}
"""Command line of each job, without the path that it writes."""
DIFFERENT = ("seconds.json", "provenance.json", "log.txt", "report.html", "report.md", "seals.jsonl")
"""Files with times; the seals of a run that was stopped need not be those of the same parts."""


def start(job: str, place: Path) -> subprocess.Popen[str]:
    place.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, *JOBS[job], str(place / "table.json" if job == "compile" else place / "out")]
    pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, text=True, start_new_session=True, **pipes)


def content(place: Path) -> dict[str, bytes]:
    """Every file that a job leaves."""
    found = {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    return {name: b"" if name.rpartition("/")[2] in DIFFERENT else data for name, data in found.items()}


def finish(job: str, place: Path) -> float:
    """Carry the job out; returns how many seconds it took."""
    begun = time.monotonic()
    process = start(job, place)
    error = process.communicate()[1]
    assert process.returncode == 0, error
    assert "done again" not in error
    assert "put aside" not in error
    return time.monotonic() - begun


@pytest.fixture(scope="module", params=JOBS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, float]:
    """A job, what it leaves when it is not disturbed, and how many seconds it takes."""
    place = tmp_path_factory.mktemp(request.param)
    return request.param, place, finish(request.param, place)


@pytest.mark.parametrize(("how", "count"), [(signal.SIGKILL, 40), (signal.SIGINT, 20)])
def test_a_stopped_job_ends_as_if_undisturbed(
    whole: tuple[str, Path, float], how: signal.Signals, count: int, tmp_path: Path
) -> None:
    job, undisturbed, seconds = whole
    moments, stops, attempt = random.Random(how.value), 0, 0
    while stops < count:
        attempt += 1
        process = start(job, tmp_path / str(attempt))
        while process.poll() is None:
            try:
                process.wait(moments.uniform(0.1, 1.0) * seconds if stops < count else None)
            except subprocess.TimeoutExpired:
                stops += 1
                (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
                process.communicate()
                process = start(job, tmp_path / str(attempt))
        error = process.communicate()[1]
        assert process.returncode == 0, error
        assert "done again" not in error
        assert content(tmp_path / str(attempt)) == content(undisturbed)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A place to mount a small disk on."""
    place = tmp_path / "disk"
    place.mkdir()
    if not mounted(place, 1 << 20):
        pytest.skip("mounting a small disk is not allowed")
    subprocess.run(["umount", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], capture_output=True)


def mounted(place: Path, size: int, again: str = "") -> bool:
    options = f"{again}size={size}"
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(words, capture_output=True).returncode == 0


def test_a_full_disk_is_named_and_nothing_finished_is_lost(whole: tuple[str, Path, float], disk: Path) -> None:
    job, undisturbed, _ = whole
    files = [path for path in undisturbed.rglob("*") if path.is_file()]
    pages = sum(-(-path.stat().st_size // 4096) for path in files)
    for tenth in range(10):
        assert mounted(disk, 4096 * (1 + pages * tenth // 10))
        process = start(job, disk)
        error = process.communicate()[1].splitlines()[-1]
        assert process.returncode == 2, error
        assert error.startswith(f"error: {disk}/"), error
        assert error.endswith(": No space left on device")
        assert mounted(disk, 1 << 30, "remount,")
        finish(job, disk)
        assert content(disk) == content(undisturbed)
        subprocess.run(["umount", str(disk)], check=True)
