"""Text that leaves the program: no character of it acts on a terminal, and none is lost on one without UTF-8.

Everything that is printed passes `echo` or `dilemmas.experiments.reporting.safe_console.SafeConsole`, and all JSON
passes `dilemmas.envs.data_files.json_text`.
"""

from typing import TextIO

import click

from dilemmas.agents.visible_text import visible

LONGEST = 2000
"""Number of characters of a message; the middle of a longer one is omitted."""


def one_line(text: str) -> str:
    """As `visible`, with all whitespace collapsed to single spaces."""
    return visible(" ".join(text.split()))


def shortened(text: str, cells: int) -> str:
    """Shorten text to one line of a terminal by omitting its middle.

    The end is kept because names often differ there.

    Parameters
    ----------
    cells
        Available width, 2 or more; East Asian characters take two cells.
    """
    from rich.cells import cell_len

    short = one_line(text)
    whole = short if len(short) <= 2 * cells else short[:cells] + short[-cells:]  # a character may take no cell
    kept = len(whole)
    while cell_len(short) > cells:
        kept -= 1
        short = f"{whole[: (kept + 1) // 2].rstrip()}…{whole[len(whole) - kept // 2 :].lstrip()}"
    return short


def message_line(text: str) -> str:
    """A message, such as that of an error, in one line of at most `LONGEST` characters."""
    line = one_line(text)
    if len(line) <= LONGEST:
        return line
    half = LONGEST // 2
    return f"{line[:half]} ... {line[-half:]}"


def echo(text: str = "", err: bool = False) -> None:
    """Print lines of text on stdout, or on stderr."""
    click.echo(visible(text), err=err)


def write_every_character(*streams: TextIO) -> None:
    """Let streams whose encoding does not have a character write its number instead."""
    for stream in streams:
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
