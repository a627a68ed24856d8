"""The project has one name: the one it had before is in no file of it, and in none that it writes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = (".ci", "agents", "docs", "envs", "experiments", "tests", "training")
MADE = {"__pycache__", "_build", "generated"}
"""Folders that are built."""
OLD = b"under" + b"study"
"""Put together, since this file is searched too."""
TOURNAMENT = (
    "from dilemmas.experiments.commands.main import main;"
    "main(['tournament', 'run', '--agents', 'tft,alld,random', '--engine', 'environment', '--repetitions', '1',"
    " '--out', 'played'])"
)


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not MADE & {*path.relative_to(folder).parts})


def with_old_name(root: Path, files: Iterator[Path]) -> list[str]:
    """Files with the old name in their path or, in any case of its letters, in their content."""
    named = ((str(path.relative_to(root)), path) for path in files)
    return [name for name, path in named if OLD in name.encode().lower() or OLD in path.read_bytes().lower()]


def test_no_file_of_the_project_has_the_old_name() -> None:
    files = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    for folder in FOLDERS:
        files.extend(files_below(ROOT / folder))
    assert len(files) > 400
    assert with_old_name(ROOT, iter(files)) == []


def test_no_file_of_a_study_has_the_old_name(small_run: Path) -> None:
    run = small_run / "runs" / "replicate"
    assert {"results.json", "report.html", "examples.jsonl"} <= {path.name for path in run.iterdir()}
    assert with_old_name(run, files_below(run)) == []


def test_no_file_of_a_tournament_has_the_old_name(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", TOURNAMENT], cwd=tmp_path, check=True, capture_output=True)
    assert [*(tmp_path / "played" / "matches").iterdir()]
    assert with_old_name(tmp_path, files_below(tmp_path)) == []


@pytest.mark.parametrize("name", ["notes.txt", "Under" + "Study-1.0.bin"])
def test_the_search_finds_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff made by Under" + b"study 0.1" if name == "notes.txt" else b"")
    assert with_old_name(tmp_path, files_below(tmp_path)) == [name]
