"""A study on a real model that is killed again and again ends with the same bytes, and loses seconds each time."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from small_study import RECIPE, start_study

ASKED = """
[prompting]
template = "vignette"
[scenarios]
games = ["prisoners_dilemma", "harmony"]
contexts = ["friends", "business"]
sets = ["within"]
"""
KILLS = 20
LOST = 30
"""Most seconds of work that a kill may cost, besides the start of the command and the loading of the weights."""
DIFFERENT = ("seconds.json", "provenance.json", "log.txt", "report.html", "report.md", "seals.jsonl")
"""Files with times; the seals of a run that was stopped need not be those of the same parts."""


def start(model: Path, recipe: Path, out: Path) -> "subprocess.Popen[str]":
    spec = f"gguf:{model}"
    return start_study(
        recipe.parent, ["--recipe", str(recipe), "--teacher", spec, "--student", spec, "--out", str(out)]
    )


def content(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in DIFFERENT]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def finish(process: "subprocess.Popen[str]", begun: float) -> float:
    """Seconds since the process was started until it ended well."""
    error = process.communicate()[1]
    assert process.returncode == 0, error
    return time.monotonic() - begun


def test_twenty_kills(smollm2: Path, tmp_path: Path) -> None:
    recipe, moments = tmp_path / "small.toml", random.Random(0)
    recipe.write_text(RECIPE + ASKED, encoding="utf-8")
    undisturbed = finish(start(smollm2, recipe, tmp_path / "whole"), time.monotonic())
    again = finish(start(smollm2, recipe, tmp_path / "whole"), time.monotonic())  # finished: the start of the command
    stops, spent, out = 0, 0.0, tmp_path / "stopped"
    while stops < KILLS:
        begun = time.monotonic()
        process = start(smollm2, recipe, out)
        try:
            process.wait(moments.uniform(0.1, 0.5) * undisturbed)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            stops += 1
        spent += time.monotonic() - begun
        if process.returncode == 0:
            assert content(out) == content(tmp_path / "whole")
            out = tmp_path / f"stopped{stops}"
    spent += finish(start(smollm2, recipe, out), time.monotonic())
    assert content(out) == content(tmp_path / "whole")
    finished = len(list(tmp_path.glob("stopped*")))
    assert spent <= finished * undisturbed + KILLS * (LOST + again + 30)
