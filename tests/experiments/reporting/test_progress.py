"""The remaining time is that of the work that is left, at the speed of the work that was done here."""

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
