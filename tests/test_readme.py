"""The README is executed: its examples print what it says, its commands run, its links lead somewhere."""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
EXAMPLES = [(code, BLOCKS[place + 1][1]) for place, (language, code) in enumerate(BLOCKS) if language == "python"]
COMMANDS = [line.split("#")[0].strip() for language, code in BLOCKS if language == "sh" for line in code.splitlines()]


@pytest.mark.parametrize(("code", "printed"), EXAMPLES)
def test_an_example_prints_what_it_says(code: str, printed: str) -> None:
    seen = io.StringIO()
    with contextlib.redirect_stdout(seen):
        exec(compile(code, "README.md", "exec"), {})
    assert seen.getvalue() == printed


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README)) - {""}))
def test_links_lead_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()


def test_the_two_commands_are_targets_that_call_the_study_and_the_tests() -> None:
    assert COMMANDS[:2] == ["make replicate", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^replicate:.*\n\t\$\(BIN\)/dilemmas replicate --out runs/replicate$", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the README, with this Python and this dilemmas."""
    words = command.split()
    dilemmas = [sys.executable, "-c", "from dilemmas.experiments.commands.main import main; main()"]
    words = [*dilemmas, *words[1:]] if words[0] == "dilemmas" else [sys.executable, *words[1:]]
    return subprocess.run(words, cwd=folder, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True)


def test_every_other_command_runs_as_written(small_run: Path) -> None:
    """In the folder in which `make replicate` has left its run, here one of ten observations."""
    commands = [command for command in COMMANDS if not command.startswith("make ")]
    assert len(commands) >= 7
    for command in commands:
        done = run(command, small_run)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert done.stdout
