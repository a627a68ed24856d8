"""The viewer behind `dilemmas watch`: step through recorded matches in the terminal.

Files are indexed by byte offsets and only the displayed matches are parsed, so large runs open quickly.
"""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import click
from rich.console import Console, Group, RenderableType
from rich.control import Control
from rich.segment import Segment, Segments
from rich.text import Text

from dilemmas.agents.matches.record import MatchRecord, RecordError
from dilemmas.agents.matches.trajectory import SUFFIX, Header, TrajectoryIndex
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.viewer.episode_screen import LIST_HEADING, match_line, match_screen, step_screen

KEYS = {
    "next": ("→ l space", ("\x1b[C", "\x1bOC", "l", " "), "next round; in the list: open the match"),
    "previous": ("← h", ("\x1b[D", "\x1bOD", "h"), "previous round"),
    "next match": ("] n", ("]", "n"), "next match"),
    "previous match": ("[ p", ("[", "p"), "previous match"),
    "down": ("↓ j", ("\x1b[B", "\x1bOB", "j"), "scroll down; in the list: next match"),
    "up": ("↑ k", ("\x1b[A", "\x1bOA", "k"), "scroll up; in the list: previous match"),
    "page down": ("PgDn", ("\x1b[6~",), "a screen down"),
    "page up": ("PgUp", ("\x1b[5~",), "a screen up"),
    "first": ("g", ("g", "\x1b[H", "\x1b[1~", "\x1bOH"), "first round, or match of the list"),
    "last": ("G", ("G", "\x1b[F", "\x1b[4~", "\x1bOF"), "last round, or match of the list"),
    "open": ("Enter", ("\r", "\n"), "open the match"),
    "list": ("m Esc", ("m", "\x1b", "\x7f", "\x08"), "back to the list of matches"),
    "help": ("?", ("?",), "these keys"),
    "quit": ("q", ("q", "\x04"), "quit"),
}
"""Command -> name of the key on the help page, codes that terminals send, purpose."""
COMMANDS = {"": "redraw", **{code: name for name, (_, codes, _) in KEYS.items() for code in codes}}
CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Za-z]|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Position in the run, and the state of the screen."""

    match: int
    """Number of the match in the list, from 0."""
    step: int | None = None
    """Step on the screen, from 1; None for the list of matches."""
    scroll: int = 0
    """Number of lines scrolled down."""
    help: bool = False
    """Whether the page of keys is shown."""


class Shelf:
    """The matches of a run, read one by one."""

    def __init__(self, paths: list[Path]) -> None:
        self._indexes = [TrajectoryIndex(path) for path in paths]
        self._places = [(index, place) for index in self._indexes for place in range(len(index))]
        if not self._places:
            raise RecordError(f"{paths[0]} contains no complete match yet")
        self.notes = [str(index.cut) for index in self._indexes if index.cut]
        """Where matches are left out because they are incomplete."""
        self.record = lru_cache(maxsize=200)(self._record)

    def __len__(self) -> int:
        return len(self._places)

    def _record(self, match: int) -> MatchRecord:
        index, place = self._places[match]
        return index[place]

    def header(self, match: int) -> Header:
        return self._places[match][0].header

    def name(self, match: int) -> str:
        """Name of the file of a match, without its suffix."""
        return self._places[match][0].path.name.removesuffix(SUFFIX)

    def page(self, here: Place) -> RenderableType:
        """The step at a place, or all steps of the match."""
        header, record, name = self.header(here.match), self.record(here.match), self.name(here.match)
        if here.step is None:
            return match_screen(header, record, name)
        return step_screen(header, record, here.step, name)

    def at(self, match: int | None, step: int | None) -> Place:
        """The place given by --match and --step; `RecordError` if it does not exist."""
        if match is None and step is not None:
            raise RecordError(f"--step {step}: needs --match")
        if match is None:
            return Place(0)
        if not 0 <= match < len(self):
            raise RecordError(f"--match {match}: the run has {len(self)} matches, 0 to {len(self) - 1}")
        steps = len(self.record(match).steps)
        if step is not None and not 1 <= step <= steps:
            raise RecordError(f"--step {step}: match {match} has steps 1 to {steps}")
        return Place(match, step)


def browse(shelf: Shelf, here: Place) -> None:
    """Show the run in the full terminal until the user quits."""
    console = SafeConsole()
    with _typing() as typed, console.screen() as screen:
        for key in _keys(typed):
            after = press(here, COMMANDS.get(key, "none"), shelf, page=console.height - 2)
            if after is None:
                return
            page, here = rendered_page(console, shelf, after)
            console.control(Control.home())
            screen.update(page)


def press(here: Place, command: str, shelf: Shelf, page: int = 20) -> Place | None:
    """The place after a command; None to quit. `page`: number of lines of the screen."""
    if command == "help" or (here.help and command != "redraw"):
        return replace(here, help=not here.help)
    if command == "quit":
        return None
    if here.step is None:
        return _in_list(here, command, len(shelf), page)
    return _in_match(here, command, shelf, page)


def _in_list(here: Place, command: str, matches: int, page: int) -> Place:
    if command in ("open", "next"):
        return Place(here.match, 1)
    ways = {"down": 1, "next match": 1, "up": -1, "previous match": -1, "page down": page, "page up": -page}
    ends = {"first": -matches, "last": matches}
    match = here.match + {**ways, **ends}.get(command, 0)
    return Place(min(max(match, 0), matches - 1))


def _in_match(here: Place, command: str, shelf: Shelf, page: int) -> Place:
    match, step, steps = here.match, here.step or 1, len(shelf.record(here.match).steps)
    scrolls = {"down": 1, "up": -1, "page down": page, "page up": -page}
    if command in scrolls:
        return replace(here, scroll=max(0, here.scroll + scrolls[command]))
    if command in ("next match", "previous match"):
        match = min(max(match + (1 if command == "next match" else -1), 0), len(shelf) - 1)
        return Place(match, 1) if match != here.match else here
    if command == "list":
        return Place(match)
    steps_to = {"next": min(step + 1, steps), "previous": max(step - 1, 1), "first": 1, "last": steps}
    return Place(match, steps_to[command]) if command in steps_to else here


def rendered_page(console: Console, shelf: Shelf, here: Place) -> tuple[Segments, Place]:
    """The content of the screen, and the place with its scrolling limited to the content."""
    width, height = console.size
    if here.help:
        page: RenderableType = _help()
    elif here.step is None:
        page = _list(shelf, here.match, width, height - 1)
    else:
        page = shelf.page(here)
    lines = console.render_lines(page, console.options.update(width=width, height=None), pad=False)
    here = replace(here, scroll=min(here.scroll, max(0, len(lines) - height + 1)))
    window = lines[here.scroll : here.scroll + height - 1]
    window += [[]] * (height - 1 - len(window))
    below = len(lines) - here.scroll - (height - 1)
    keys = "any key: back" if here.help else "? keys   q quit"
    foot = f" {here.match + 1} of {len(shelf)} matches   {keys}" + (f"   ↓ {below} more lines" if below > 0 else "")
    rows = [*window, [Segment(foot[:width].ljust(width), console.get_style("reverse"))]]
    return Segments([part for row in rows for part in (*row, Segment.line())][:-1]), here


def _list(shelf: Shelf, chosen: int, width: int, height: int) -> Group:
    """The part of the list around the chosen match that fits."""
    rows = height - 1
    first = min(max(0, chosen - rows // 2), max(0, len(shelf) - rows))
    lines = [Text(LIST_HEADING, "bold")]
    for number in range(first, min(first + rows, len(shelf))):
        line = match_line(shelf.header(number), shelf.record(number), number, shelf.name(number))
        line.truncate(width, overflow="ellipsis", pad=number == chosen)
        if number == chosen:
            line.stylize("reverse")
        lines.append(line)
    return Group(*lines)


def _help() -> Text:
    return Text("\n".join(f"{names:<10} {purpose}" for names, _, purpose in KEYS.values()))


class _Resized(Exception):
    """The terminal was resized while waiting for a key."""


@contextmanager
def _typing() -> Iterator[Callable[[], str]]:
    """A function that waits for keys and returns their codes, "" at the end. The terminal stays in one mode until the
    user quits, because a change would lose keys that are typed ahead.
    """
    try:
        import termios
        import tty
    except ImportError:  # Windows
        yield click.getchar
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield lambda: os.read(terminal, 1024).decode(errors="replace")
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _keys(typed: Callable[[], str]) -> Iterator[str]:
    """Codes of the keys that are pressed; "" at first and whenever the terminal is resized."""
    yield ""
    while True:
        try:
            with _resize_signals():
                codes = CODES.findall(typed())
        except _Resized:
            codes = [""]
        if not codes:
            return
        yield from codes


@contextmanager
def _resize_signals() -> Iterator[None]:
    """Raises `_Resized` on systems with SIGWINCH."""
    if not hasattr(signal, "SIGWINCH"):
        yield
        return

    def interrupt(*_: object) -> None:
        raise _Resized

    before = signal.signal(signal.SIGWINCH, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
