"""The bench: medians of turns, ratios of what is measured side by side, and contenders that do what they say."""

import json
from itertools import product

import pytest
from click.testing import CliRunner

from dilemmas.envs.errors import InputError
from dilemmas.experiments.benchmarks import envs as bench_envs
from dilemmas.experiments.benchmarks.envs import CONTENDERS, NATIVE, SHIPPED, PlainExample
from dilemmas.experiments.benchmarks.race import Bar, Contender, Measured, Play, judged, race
from dilemmas.experiments.commands.bench import command


def busy(units: int) -> Play:
    """Always the same work, said to be so much."""

    def play() -> int:
        sum(range(2000))
        return units

    return play


def absent() -> Play:
    raise ImportError("No module named 'pygame'")


def test_a_race() -> None:
    """One contender does a hundred times what the other does; the third is not installed."""
    slow, fast, missing = Contender("slow", "x", lambda: busy(1)), Contender("fast", "x", lambda: busy(100)), absent
    run = race(
        [slow, fast, Contender("missing", "x", missing)],
        [Bar("fast", 50, "slow"), Bar("fast", 200, "slow"), Bar("slow", 1), Bar("fast", 1, "missing")],
        turns=range(5),
        seconds=0.01,
    )
    assert [one.name for one in run.measured] == ["slow", "fast"]
    assert all(one.slowest <= one.rate <= one.fastest for one in run.measured)
    assert run.missing == ("missing: No module named 'pygame'",)
    assert [(verdict.least, verdict.met) for verdict in run.verdicts] == [(50, True), (200, False), (1, True)]


def test_a_ratio_is_the_median_over_turns() -> None:
    """So that a slow minute of the machine, which both see, does not count."""
    mine, theirs = Contender("mine", "x", absent), Contender("theirs", "x", absent)
    verdict = judged(Bar("mine", 2, "theirs"), {mine: [20.0, 2.0, 9.0], theirs: [10.0, 1.0, 3.0]})
    assert verdict is not None
    assert (verdict.reached, verdict.met) == (2, True)


def test_the_plain_example_is_rock_paper_scissors() -> None:
    """Paper beats rock, scissors paper, rock scissors; and an observation is the other's last action."""
    env = PlainExample()
    for first, second in product(range(3), repeat=2):
        env.reset()
        observations, rewards, *_ = env.step({"player_0": first, "player_1": second})
        won = {(1, 0): 1, (2, 1): 1, (0, 2): 1, (0, 1): -1, (1, 2): -1, (2, 0): -1}.get((first, second), 0)
        assert rewards == {"player_0": won, "player_1": -won}
        assert observations == {"player_0": second, "player_1": first}


def test_the_command_prints_rates_and_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_envs, "MATCHES", 100)
    short = ["envs", "--turns", "1", "--seconds", "0.001"]
    printed = json.loads(CliRunner().invoke(command, [*short, "--json"], catch_exceptions=False).stdout)
    rates = [Measured(**one) for one in printed["measured"]]
    assert len(rates) + len(printed["missing"]) == len(CONTENDERS)
    assert all(one.rate > 0 for one in rates)
    assert {NATIVE, SHIPPED} >= {verdict["contender"] for verdict in printed["verdicts"] if verdict["rival"]}
    text = CliRunner().invoke(command, short, catch_exceptions=False)
    assert text.exit_code == 0
    assert all(contender.name in text.stdout or contender.name in text.stderr for contender in CONTENDERS)


def test_a_benchmark_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(InputError, match="unknown benchmark 'foo'; known: envs, tournaments, models, matches"):
        CliRunner().invoke(command, ["foo"], catch_exceptions=False)
