"""No character of a text acts on a terminal, wherever the text is printed."""

import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from dilemmas.agents.visible_text import visible
from dilemmas.envs.data_files import json_text
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import LONGEST, echo, message_line, one_line, shortened

ACTING = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x9d0;title\x9c",
    "\x08",
    "\r",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
]
"""Texts that clear a screen, name a window, delete, or change the direction of reading."""
EXPERIMENTS = Path(__file__).parents[3] / "experiments"


@pytest.mark.parametrize("hostile", ACTING)
def test_a_text_is_visible_and_keeps_its_length(hostile: str) -> None:
    shown = visible(f"a{hostile}b\nc")
    assert len(shown) == len(hostile) + 4
    assert shown.replace("\n", "").isprintable()
    assert one_line(f"a{hostile}b").isprintable()


@pytest.mark.parametrize("hostile", ACTING)
def test_json_escapes_what_cannot_be_printed(hostile: str) -> None:
    text = json_text({hostile: f"é{hostile}\udcff😀"}, indent=1)
    assert "é" in text
    assert "😀" in text
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == {hostile: f"é{hostile}\udcff😀"}


@pytest.mark.parametrize("hostile", ACTING)
def test_the_console_shows_text_in_every_renderable(hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    table = Table(hostile)
    table.add_row(f"[red]{hostile}")
    console = SafeConsole()
    console.print(f"[red]{hostile}", Text(hostile), Panel(hostile, title=Text(hostile)), table)
    with Progress(console=console) as bar:
        bar.add_task(f"x{hostile}", total=1)
    found = sys.stdout.getvalue()
    assert found.replace("\n", "").isprintable()
    assert "[red]" in found


def test_colours_of_the_program_itself_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    SafeConsole().print(Text("a\x1b[31mb", "bold"))
    assert sys.stdout.getvalue() == "\x1b[1ma␛[31mb\x1b[0m\n"


def test_a_message_is_one_line_of_limited_length() -> None:
    assert message_line("a\n  b\x1b") == "a b␛"
    assert len(message_line("x" * 100_000)) < LONGEST + 10
    assert message_line("x" * 100_000 + " the end").endswith("the end")


def test_a_very_long_text_is_shortened_at_once() -> None:
    start = time.process_time()
    assert shortened("ab" * 1_000_000, 9) == "abab…abab"
    assert time.process_time() - start < 5


def test_nothing_is_printed_past_the_one_place() -> None:
    printing = re.compile(r"click\.(secho|echo)|(?<!\.)\bprint\(|(?<![a-zA-Z_])Console\(|sys\.std(out|err)\.write")
    allowed = {"terminal_text.py", "safe_console.py", "stub_server.py"}  # the last one tells its parent a number
    found = {
        f"{path.name}: {line.strip()}"
        for path in EXPERIMENTS.rglob("*.py")
        if path.name not in allowed
        for line in path.read_text(encoding="utf-8").splitlines()
        if printing.search(line)
    }
    assert not found


def test_a_stream_without_utf_8_gets_the_numbers_of_characters(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "dilemmas", "tournament", "strategies", "nydegger"]
    env = {"PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "ascii", "PATH": ""}
    done = subprocess.run([*words, "--json"], capture_output=True, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    table = subprocess.run([sys.executable, "-m", "dilemmas", "games"], capture_output=True, env=env)
    assert table.returncode == 0
    assert table.stdout.isascii()


def test_echo_shows_text_on_both_streams(capsys: pytest.CaptureFixture[str]) -> None:
    echo("a\x1bb\nc")
    echo("\x9b", err=True)
    assert capsys.readouterr() == ("a␛b\nc\n", "␡\n")


@given(st.text(), st.integers(2, 30))
def test_short_names_fit_and_keep_both_ends(name: str, cells: int) -> None:
    short = shortened(name, cells)
    assert cell_len(short) <= cells
    assert shortened("first_by_tideman", 10) == "first…eman"
    assert shortened(short, cells) == short
