"""The README is short, its links lead somewhere, and what it shows of a whole study is what the study gives."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = ROOT / "docs" / "_static" / "gap_closed.svg"
LINKS = sorted(set(re.findall(r"\]\(([^)#]+)\)", README)))


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 170


@pytest.mark.parametrize("target", LINKS)
def test_links_lead_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()


def test_the_two_commands_are_targets_that_call_the_study_and_the_tests() -> None:
    assert "```sh\nmake replicate\nmake test\n```" in README
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^replicate:.*\n\t\$\(BIN\)/dilemmas replicate --out runs/replicate$", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_picture_is_small() -> None:
    assert PICTURE.stat().st_size < 100_000


@pytest.mark.slow
def test_table_and_picture_are_those_of_the_whole_study(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "dilemmas", "replicate", "--out", "runs/replicate"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = re.search(r"<!-- excerpt .*?-->\n```text\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    printed = "\n".join(line.rstrip() for line in done.stdout.splitlines())
    assert printed.startswith(shown[1].rstrip("\n"))
    report = (tmp_path / "runs" / "replicate" / "report.html").read_text(encoding="utf-8")
    picture = runpy.run_path(str(ROOT / "docs" / "readme_picture.py"))["picture"]
    assert picture(report) == PICTURE.read_text(encoding="utf-8")
