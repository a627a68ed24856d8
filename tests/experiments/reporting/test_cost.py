"""The duration of a run is said where it is long, and a run for which nobody can wait is refused."""

import pytest

from dilemmas.experiments.reporting.cost import CostError, MeasuredDuration


class Work:
    """Work whose parts take `seconds` each by a false clock, after `loading` seconds in the first of them."""

    def __init__(self, seconds: float, loading: float) -> None:
        self.seconds, self.now = seconds, -loading
        self.duration = MeasuredDuration("asking", "ask less", lambda: self.now)

    def do(self, parts: int, total: int, before: int = 0) -> None:
        for done in range(before, parts + 1):
            self.duration.follow(done, total)
            self.now += self.seconds


def test_the_rest_is_estimated_once_from_the_first_parts_without_the_loading(capsys: pytest.CaptureFixture) -> None:
    Work(seconds=2.0, loading=500.0).do(20, total=1000)
    assert capsys.readouterr().err == "asking: this may take up to 33 min\n"  # 996 parts of 2 s


def test_what_was_kept_from_before_says_nothing_about_speed(capsys: pytest.CaptureFixture) -> None:
    Work(seconds=10.0, loading=0.0).do(910, total=1000, before=900)
    assert capsys.readouterr().err == "asking: this may take up to 16 min\n"  # 98 parts of 10 s


def test_short_work_is_not_announced(capsys: pytest.CaptureFixture) -> None:
    Work(seconds=1.0, loading=0.0).do(50, total=50)
    assert capsys.readouterr().err == ""


def test_work_of_more_than_a_week_is_refused() -> None:
    with pytest.raises(CostError, match="asking: up to about 12 days, and at most 7 days; ask less"):
        Work(seconds=10.0, loading=0.0).do(5, total=100_000)
