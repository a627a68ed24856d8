"""Every code block and every command of the README and the site is executed, page by page, from top to bottom.

A block may carry a comment above it:

    <!-- not executed: REASON -->   is shown only
    <!-- slow: REASON -->           runs with the slow tests only
    <!-- needs: MODULES -->         runs where these modules are installed
    <!-- file: NAME -->             is the content of a file that later blocks use
    <!-- source file: NAME -->      is the content of a file that is added to a copy of the source

A ``text`` block directly below another block is what that block prints: all of it for ``python``, some successive lines
of it for ``sh``. ``diff`` blocks are applied to a copy of the source. The rest of the page uses that copy and is run
in its folder.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dilemmas.experiments.commands.main import main

ROOT = Path(__file__).parents[2]
LINKS = ".links"
"""Folder with a link ``dilemmas`` to the copy of the source."""
SHOWN = {"text", "json", "toml", "csv", "bibtex"}
"""Kinds of blocks that are not run by themselves."""
INTERPRETER = {"python", "python3", ".venv/bin/python"}
Read = Callable[[Path], list[Any]]


def outside(block: Any) -> list[str]:
    """What is run elsewhere: targets of make and packages to install, whose names are checked."""
    commands = [line.split("#")[0].strip() for line in block.body.splitlines()]
    return [line for line in commands if line.startswith(("make ", "pip install "))]


class Session:
    """A page that is being executed, in a folder of its own."""

    def __init__(self, folder: Path, slow: bool) -> None:
        self.folder = folder
        self.slow = slow
        self.names: dict[str, Any] = {"__name__": "page"}
        self.changed = False
        """Whether the folder holds a copy of the source, which is then used instead of the installed package."""

    def run(self, page: Path, block: Any) -> None:
        """Execute a block; AssertionError where it fails or prints something else than the page says."""
        place = f"{page.name}, line {block.line}"
        if block.mark in ("file", "source file"):
            self._copy_source(block.mark == "source file")
            path = self.folder / block.note
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
        elif block.mark == "needs" and not all(map(find_spec, block.note.split(", "))):
            pass
        elif block.mark == "not executed" or block.kind in SHOWN or (block.mark == "slow" and not self.slow):
            assert not block.mark or block.note, f"{place}: needs a reason"
        elif block.kind == "python":
            printed = self._python(block.body)
            assert block.printed is None or printed == block.printed, f"{place} prints:\n{printed}"
        elif block.kind == "sh":
            self._commands(block, place)
        elif block.kind == "diff":
            self._change(block.body, place)
        else:
            pytest.fail(f"{place}: no way to execute a block of {block.kind}")

    def _python(self, code: str) -> str:
        if self.changed:
            return self._process([sys.executable, "-c", code])
        with contextlib.redirect_stdout(io.StringIO()) as seen:
            exec(compile(code, "page", "exec"), self.names)
        return seen.getvalue()

    def _commands(self, block: Any, place: str) -> None:
        printed = ""
        for line in re.sub(r"\\\n\s*", "", block.body).splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] != "make" and words[:2] != ["pip", "install"]:
                printed = self._command(words, place)
        if block.printed is not None and printed:
            wanted = "\n".join(line.rstrip() for line in block.printed.splitlines())
            assert wanted in "\n".join(line.rstrip() for line in printed.splitlines()), f"{place} prints:\n{printed}"

    def _command(self, words: list[str], place: str) -> str:
        if words[0] in INTERPRETER:
            return self._process([sys.executable, *words[1:]])
        if words[0] == "rm":
            Path(self.folder, words[1]).unlink()
            return ""
        assert words[0].removeprefix(".venv/bin/") == "dilemmas", f"{place}: {words[0]} needs a mark"
        if self.changed:
            return self._process([sys.executable, "-m", "dilemmas", *words[1:]])
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(words[1:])
        assert not ended.value.code, f"{place}: {shlex.join(words)}\n{err.getvalue()}"
        return out.getvalue()

    def _process(self, words: list[str]) -> str:
        path = [str(self.folder / LINKS)] if self.changed else []
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*path, os.environ.get("PYTHONPATH", "")])}
        done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _copy_source(self, wanted: bool = True) -> None:
        """Make the folder a copy of the source, unless it is one."""
        if wanted and not self.changed:
            shutil.copytree(ROOT, self.folder, ignore=_not_the_source, dirs_exist_ok=True)
            (self.folder / LINKS).mkdir()
            (self.folder / LINKS / "dilemmas").symlink_to(self.folder)
            self.changed = True

    def _change(self, diff: str, place: str) -> None:
        """Apply a diff whose hunks are found by their unchanged lines, each of which must occur once."""
        head, *hunks = re.split(r"^@@.*\n", diff, flags=re.MULTILINE)
        self._copy_source()
        path = self.folder / re.findall(r"^[+]{3} (.*)$", head, re.MULTILINE)[0]
        text = path.read_text(encoding="utf-8")
        for hunk in hunks:
            lines = hunk.splitlines(keepends=True)
            old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
            assert text.count(old) == 1, f"{place}: {path.name} has these lines {text.count(old)} times:\n{old}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")


def _not_the_source(folder: str, names: list[str]) -> set[str]:
    """Of the root, only the package and the tests are copied; nowhere compiled files."""
    kept = {"__init__.py", "__main__.py", "py.typed", "pyproject.toml"}
    kept |= {"envs", "agents", "training", "experiments", "tests"}
    left = set(names) - kept if Path(folder) == ROOT else set()
    return left | ({"__pycache__"} & set(names))


def execute(page: Path, blocks: list[Any], folder: Path, monkeypatch: pytest.MonkeyPatch, slow: bool) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    session = Session(folder, slow)
    for block in blocks:
        session.run(page, block)


def test_blocks_of_a_page_are_executed(
    page: Path, read: Read, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(page, read(page), workplace, monkeypatch, slow=False)


@pytest.mark.slow
def test_slow_blocks_do_too(page: Path, read: Read, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = read(page)
    if any(block.mark == "slow" for block in blocks):
        execute(page, blocks, workplace, monkeypatch, slow=True)


def test_make_targets_and_extras_exist(page: Path, read: Read) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for line in (line for block in read(page) if block.kind == "sh" for line in outside(block)):
        if line.startswith("make "):
            assert {word for word in line.split()[1:] if "=" not in word} <= set(targets), line
        else:
            named = {name.strip() for group in re.findall(r"\[([a-z, ]+)\]", line) for name in group.split(",")}
            assert named <= set(extras), line


def test_the_table_of_extras_is_that_of_the_project() -> None:
    """All extras, with those that each of them contains, and packages that it installs: all of them, or some and …"""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    table = page.partition("## Extras")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z]+)` \| (.*?) \|", table, re.MULTILINE))

    def within(names: set[str]) -> set[str]:
        """The extras with all that they contain."""
        found = {
            name
            for one in names
            for group in re.findall(r"dilemmas\[(.*?)\]", " ".join(extras[one]))
            for name in group.split(",")
        }
        return names if found <= names else within(names | found)

    def plain(name: str) -> str:
        return re.sub(r"[^a-z0-9]", "", name.lower())

    assert rows.keys() == extras.keys()
    for extra, adds in rows.items():
        named = set(re.findall("`([a-z]+)`", adds))
        assert within({extra}) == within({extra, *named}) == {extra} | within(named), f"{extra} adds {adds}"
        packages = [plain(re.split(r"[^\w-]", one)[0]) for one in extras[extra] if not one.startswith("dilemmas[")]
        told = [
            word
            for word in map(plain, re.split(r", (?:and )?| and | …", re.sub("`[a-z]+`", "", adds)))
            if word and word != "with"
        ]
        assert all(any(word.startswith(package) for package in packages) for word in told), f"{extra} adds {told}"
        assert "…" in adds or len(told) == len(packages), f"{extra} adds {packages}"


WRONG = (
    "```sh\ndilemmas games no_such_game\n```\n",
    "```python\nprint(1)\n```\n\n```text\n2\n```\n",
    "<!-- not executed: -->\n```sh\nls\n```\n",
)


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_page_is_found(text: str, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "wrong.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError, match=r"wrong\.md, line [12]"):
        execute(page, read(page), tmp_path, monkeypatch, slow=False)
