"""The remaining time is that of the work that is left, at the speed of the work that was done here."""

from io import StringIO
from itertools import pairwise

from rich.console import Console
from rich.progress import Progress

from dilemmas.experiments.reporting.progress import follow_task, remaining


def test_what_was_complete_before_says_nothing_about_speed() -> None:
    """A study resumed at 900 of 1,000 replies: 10 more in 100 seconds, so 90 take 900 seconds."""
    now = [0.0]
    bar = Progress(console=Console(quiet=True), get_time=lambda: now[0])
    task = bar.add_task("the teacher answers", total=None)
    assert remaining(bar.tasks[0]) == "-:--:--"
    follow_task(bar, task, 900, 1000)
    assert remaining(bar.tasks[0]) == "-:--:--"
    now[0] = 100.0
    follow_task(bar, task, 910, 1000)
    assert remaining(bar.tasks[0]) == "0:15:00"
    now[0] = 1000.0
    follow_task(bar, task, 1000, 1000)
    assert remaining(bar.tasks[0]) == "0:00:00"


def test_a_long_step_does_not_lose_the_estimate() -> None:
    now = [0.0]
    bar = Progress(console=Console(quiet=True), get_time=lambda: now[0])
    task = bar.add_task("the student is trained", total=None)
    follow_task(bar, task, 0, 10)
    for step in range(1, 4):
        now[0] = 120.0 * step
        follow_task(bar, task, step, 10)
    assert remaining(bar.tasks[0]) == "0:14:00"


def test_where_no_bar_is_shown_a_line_comes_now_and_then() -> None:
    """After 30 seconds, then at growing intervals: 8 lines in an hour, not one for each step."""
    now, out = [0.0], StringIO()
    bar = Progress(console=Console(file=out), get_time=lambda: now[0], disable=True)
    task = bar.add_task("[a] model", total=None)
    for second in range(0, 3601):
        now[0] = float(second)
        follow_task(bar, task, second, 7200)
    lines = out.getvalue().splitlines()
    assert lines[0] == "[a] model: 30 of 7,200, 1:59:30 left"
    assert 5 < len(lines) < 20
    times = [int(line.split()[2].replace(",", "")) for line in lines]
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps == sorted(gaps)
