"""Progress bars on stderr."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column


def follow(bar: Progress, label: str, steps: Iterable[str], total: int) -> None:
    """Run all steps with a progress bar and the remaining time."""
    task = add_task(bar, label, total)
    for _ in steps:
        bar.advance(task)


def add_task(bar: Progress, label: str, total: int | None = None) -> TaskID:
    """Add a bar, or print its label if stderr is not a terminal."""
    if bar.disable:
        bar.console.print(label, highlight=False, markup=False)
    return bar.add_task(label, total=total)


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """Progress bars on stderr, shortened for a narrow terminal; disabled if stderr is not a terminal."""
    narrow = console.width < 60
    label = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=not narrow))
    columns = [label, MofNCompleteColumn(), TimeRemainingColumn()]
    if not narrow:
        columns = [label, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        yield bar
