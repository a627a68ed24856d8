"""A study small enough for a real model on a laptop, as a recipe and as a running command."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

RECIPE = """
base = "study"
observations = 4
[lora]
rank = 4
epochs = 1
batch = 4
[matches]
games = ["harmony"]
contexts = ["friends"]
opponents = ["tit_for_tat"]
rounds = 3
repetitions = 2
[population]
game = "harmony"
context = "friends"
size = 6
steps = 3
"""
"""All of a recipe but the scenarios and how they are asked."""


def start_study(folder: Path, words: Sequence[str]) -> "subprocess.Popen[str]":
    """Start `dilemmas replicate` in a folder; what it prints on stderr can be read."""
    command = [sys.executable, "-m", "dilemmas", "replicate", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
