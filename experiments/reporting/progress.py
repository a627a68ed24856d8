"""Progress bars on stderr."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

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

from dilemmas.experiments.reporting.cost import MeasuredDuration

FIRST_LINE = 30.0
"""Seconds after which a line is printed where stderr is not a terminal."""
LATER = 1.5
"""Factor from the time of one such line to that of the next."""
Result = TypeVar("Result")


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
    """Set how much of a task is complete; with the first known total, as much was complete before.

    If stderr is not a terminal, a line says so after `FIRST_LINE` seconds, and then at growing intervals.
    """
    known = next(one for one in bar.tasks if one.id == task)
    if known.total is None and total is not None:
        bar.reset(task, total=total, completed=int(done), begun=done)
    bar.update(task, total=total, completed=done)
    spent = known.elapsed or 0.0
    if bar.disable and spent >= known.fields.get("due", FIRST_LINE):
        bar.update(task, due=LATER * spent)
        of = "" if total is None else f" of {total:,.0f}, {remaining(known)} left"
        bar.console.print(f"{known.description}: {done:,.0f}{of}", highlight=False, markup=False, soft_wrap=True)


def follow_steps(bar: Progress, label: str, steps: Generator[tuple[int, int], None, Result]) -> Result:
    """Carry out a task whose steps tell how much is done, and of how much; returns what it returns."""
    task = add_task(bar, label)
    while True:
        try:
            follow_task(bar, task, *next(steps))
        except StopIteration as end:
            result: Result = end.value
            return result


class MeasuredTask:
    """A task of the progress bar, which appears with its first step; a long duration is announced."""

    def __init__(self, bar: Progress, name: str, way_out: str) -> None:
        """`way_out`: how to make it shorter."""
        self._bar, self._name = bar, name
        self._task: TaskID | None = None
        self._duration = MeasuredDuration(name, way_out)

    def follow(self, done: int, total: int | None, note: str = "") -> None:
        """Show how much is done, and of how much if it is known; `CostError` if the rest would take too long."""
        if self._task is None:
            self._task = add_task(self._bar, self._name)
        self._bar.update(self._task, description=f"{self._name} ({note})" if note else self._name)
        follow_task(self._bar, self._task, done, total)
        self._duration.follow(done, total)


@contextmanager
def progress_bar(console: Console, shown: bool = True) -> Iterator[Progress]:
    """Progress bars on stderr, shortened for a narrow terminal; none if stderr is no terminal, or without `shown`."""
    narrow = console.width < 60
    label = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=not narrow))
    columns = [label, MofNCompleteColumn(), RemainingTime()]
    if not narrow:
        columns = [label, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), RemainingTime()]
    with Progress(*columns, console=console, disable=not (shown and sys.stderr.isatty())) as bar:
        yield bar
