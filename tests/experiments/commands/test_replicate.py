"""`dilemmas replicate` says how long each of its tasks takes as soon as its speed is known."""

import json
from collections.abc import Generator
from functools import partial
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from dilemmas.experiments.commands import replicate
from dilemmas.experiments.reporting import progress
from dilemmas.experiments.reporting.cost import MeasuredDuration
from dilemmas.experiments.study.conduct.procedure import TaskProgress


def test_each_long_task_is_announced_with_its_own_duration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress, "MeasuredDuration", partial(MeasuredDuration, clock=lambda: now[0]))

    def steps() -> Generator[TaskProgress, None, dict[str, Any]]:
        for task, seconds in (("the teacher answers", 10.0), ("the student answers", 1.0), ("training", 4.0)):
            for done in range(102):
                now[0] += seconds
                yield TaskProgress(task, done, 101)
        return {"result": 1}

    assert replicate.show_progress(steps(), Console(quiet=True)) == {"result": 1}
    assert capsys.readouterr().err.splitlines() == [
        "the teacher answers: this may take up to 16 min",
        "the student answers: this may take up to 95 s",
        "training: this may take up to 7 min",
    ]


def test_a_setting_of_the_recipe_is_given_on_the_command_line() -> None:
    words = ["--set", "lora.method=soft", "--set", 'scenarios.sets=["within"]', "--observations", "2", "--dry-run"]
    done = CliRunner().invoke(replicate.command, words, catch_exceptions=False)
    resolved = json.loads(done.stdout)
    assert resolved["lora"]["method"] == "soft"
    assert resolved["scenarios"]["sets"] == ["within"]
    assert resolved["cost"]["teacher_replies"] == 20 * 2
