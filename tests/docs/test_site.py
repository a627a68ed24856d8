"""Dead links fail the build of the site; docstrings are read as prose, names in backticks and indented code."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_extensions"
DEAD = ("[a page](no_such_page.md)", "[a heading](#no-such-heading)", "{py:mod}`dilemmas.no_such_module`")


@pytest.mark.parametrize("link", DEAD)
def test_a_dead_link_fails_the_build(link: str, tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text(f"# Page\n\n{link}\n", encoding="utf-8")
    words = [sys.executable, "-m", "sphinx", "-n", "-W", "-q", "-C", "-D", "extensions=myst_parser"]
    done = subprocess.run([*words, str(tmp_path), str(tmp_path / "out")], capture_output=True, text=True)
    assert done.returncode != 0
    assert "no_such" in done.stderr.replace("-", "_")


@pytest.fixture(scope="module")
def docstrings() -> dict[str, Any]:
    return runpy.run_path(str(EXTENSIONS / "docstrings.py"))


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("P(|T| <= t) and (*seed, i)", r"P(\|T\| <= t) and (\*seed, i)"),
        ("`name`s, ``a * b`` and `c|d`", r"`name`\ s, ``a * b`` and `c|d`"),
    ],
)
def test_prose_of_docstrings_has_no_markup_but_backticks(line: str, read: str, docstrings: dict[str, Any]) -> None:
    assert list(docstrings["marked"]([line])) == [read]


def test_indented_lines_of_docstrings_are_code(docstrings: dict[str, Any]) -> None:
    lines = ["Use it so:", "", "    f(*x)", "", "and so on."]
    assert list(docstrings["marked"](lines)) == ["Use it so:", "", "::", "", "    f(*x)", "", "and so on."]
