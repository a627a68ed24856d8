"""Progress bars on stderr."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text


def follow(bar: Progress, label: str, steps: Iterable[str], total: int) -> None:
    """Run all steps with a progress bar and the remaining time."""
    task = add_task(bar, label, total)
    for _ in steps:
        bar.advance(task)


class RemainingTime(ProgressColumn):
    """The remaining time at the mean speed since the task began here, without what was complete before."""

    def render(self, task: Task) -> Text:
        return Text(remaining(task), style="progress.remaining")


def remaining(task: Task) -> str:
    """The remaining time of a task in hours, minutes and seconds; dashes while it is not known."""
    done = task.completed - task.fields.get("begun", 0.0)
    if task.total is None or done <= 0 or task.elapsed is None:
        return "-:--:--"
    return str(timedelta(seconds=round(task.elapsed / done * max(0.0, task.total - task.completed))))


def add_task(bar: Progress, label: str, total: int | None = None) -> TaskID:
    """Add a bar, or print its label if stderr is not a terminal."""
    if bar.disable:
        bar.console.print(label, highlight=False, markup=False)
    return bar.add_task(label, total=total)


def follow_task(bar: Progress, task: TaskID, done: float, total: float | None) -> None:
    """Set how much of a task is complete; with the first known total, as much was complete before."""
    known = next(one for one in bar.tasks if one.id == task)
    if known.total is None and total is not None:
        bar.reset(task, total=total, completed=int(done), begun=done)
    bar.update(task, total=total, completed=done)


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """Progress bars on stderr, shortened for a narrow terminal; disabled if stderr is not a terminal."""
    narrow = console.width < 60
    label = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=not narrow))
    columns = [label, MofNCompleteColumn(), RemainingTime()]
    if not narrow:
        columns = [label, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), RemainingTime()]
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        yield bar
