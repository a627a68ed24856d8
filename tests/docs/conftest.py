"""The pages of the documentation as lists of blocks, and folders in which they are executed."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = ("reference", "generated", "_build")
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[a-z ]+): (?P<note>[^>]*?) -->\n+)?```(?P<kind>\w+)\n(?P<body>.*?)```\n", re.DOTALL
)


class Block(NamedTuple):
    """A fenced block of a page."""

    kind: str
    """Language of the block: ``python``, ``sh``, ``text``, ``toml`` ..."""
    body: str
    mark: str
    """What is to be done with it, from the comment above it (see `test_pages`); empty to run it."""
    note: str
    """What the comment says after the mark: a reason, or the name of the file."""
    line: int
    """Where it begins."""
    printed: str | None
    """The text block directly below, which is what it prints."""


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page, in order."""
    found = list(BLOCK.finditer(text))
    below = {match.start(): match["body"] for match in found if match["kind"] == "text" and not match["mark"]}
    return [
        Block(
            match["kind"],
            match["body"],
            match["mark"] or "",
            match["note"] or "",
            text.count("\n", 0, match.start()) + 1,
            below.get(match.end() + len(text[match.end() :]) - len(text[match.end() :].lstrip("\n"))),
        )
        for match in found
    ]


def pages() -> list[Path]:
    """Every page that is not generated."""
    below = sorted((ROOT / "docs").rglob("*.md"))
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(p for p in below if not set(GENERATED) & set(p.parts))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page" in metafunc.fixturenames:
        found = pages()
        metafunc.parametrize("page", found, ids=[str(path.relative_to(ROOT)) for path in found])


@pytest.fixture
def read() -> Callable[[Path], list[Block]]:
    """The blocks of a page."""
    return lambda page: blocks_of(page.read_text(encoding="utf-8"))


@pytest.fixture
def workplace(small_run: Path, tmp_path: Path) -> Path:
    """A folder in which `make replicate` has left its run, here one of ten observations."""
    shutil.copytree(small_run / "runs", tmp_path / "runs")
    return tmp_path
