"""Portraits of players: choices, nearest strategies, and the command `dilemmas fingerprint`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded_runs import record

from dilemmas.agents.agent import Decision, Source, Traits, Turn
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.experiments.commands.fingerprint import command
from dilemmas.experiments.commands.main import main
from dilemmas.experiments.inference.candidates import candidate_automata
from dilemmas.experiments.inference.fingerprint import character, moves
from dilemmas.experiments.inference.portraits import nearest_strategies, portraits
from dilemmas.experiments.inference.recorded_play import PlayerHistory, read_play


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    pairs = [("tft", "random"), ("wsls", "random"), ("conditional_cooperator", "alld")]
    for i, (one, other) in enumerate(pairs[:2]):
        record(
            folder / f"{i}.trajectory.jsonl",
            [strategy(one), strategy(other)],
            matches=5,
            rounds=20,
            memory=20,
            noise=0.1,
        )
    group = [strategy(name, 3) for name in (*pairs[2], "tft")]
    record(folder / "2.trajectory.jsonl", group, "public_goods", matches=3, rounds=6, memory=6, n_players=3)
    return folder


@pytest.mark.parametrize("name", ["tit_for_tat", "win_stay_lose_shift"])
def test_the_nearest_strategy_is_the_one_played(run: Path, name: str) -> None:
    found = {(one.player, one.players): one.nearest for one in portraits(read_play([run], "decided"))}
    nearest = found[name, 2]
    assert nearest is not None
    assert nearest.strategies[0] == name
    assert (nearest.tremble, nearest.log_likelihood) == (0, pytest.approx(0, abs=1e-6))


def test_supported_strategies_are_listed_by_likelihood() -> None:
    """Two defections in forty rounds after cooperation fit Tit for Tat with trembles, or Joss, which defects in 10%."""
    own, other = np.array([0] * 9 + [1] + [0] * 19 + [1] + [0] * 10), np.zeros(40, dtype=np.int64)
    plays = {"x": [PlayerHistory("f", "0", 0, "x", ("y",), own, other, own)]}
    (found,) = nearest_strategies(plays, candidate_automata(["joss", "always_defect", "tit_for_tat"], 2)).values()
    assert found.strategies == ("tit_for_tat", "joss")


def test_the_nearest_strategy_in_a_group(run: Path) -> None:
    found = {(one.player, one.players): one.nearest for one in portraits(read_play([run]))}
    for name in ("conditional_cooperator", "always_defect"):  # other strategies may play the same in so few rounds
        nearest = found[name, 3]
        assert nearest is not None
        assert nearest.log_likelihood > -30


def test_the_command_prints_every_player(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(run), "--json"], command)
    assert ended.value.code == 0
    data = json.loads(capsys.readouterr().out)
    assert {one["player"] for one in data["players"] if one["players"] == 2} == set(data["names"])
    first = data["players"][0]
    assert [habit["after"] for habit in first["habits"]] == ["start", "CC", "CD", "DC", "DD"]
    with pytest.raises(SystemExit):
        main([str(run)], command)
    printed = capsys.readouterr().out
    assert "win_stay_lose_shift" in printed
    assert "C, 1 D" in printed


def test_names_are_not_interpreted_as_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "a.trajectory.jsonl", [replace(strategy("tft"), name="[bold]x[/]"), strategy("alld")], rounds=3)
    with pytest.raises(SystemExit):
        main([str(tmp_path)], command)
    assert "[bold]x[/]" in capsys.readouterr().out


class Mute:
    """Its reply is unreadable in every other round, in which it plays C by default; otherwise it defects."""

    name = "mute"

    def describe(self) -> Any:
        return replace(strategy("alld").describe(), name=self.name)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [
            Decision(0, source=Source.SAMPLED, unreadable="default") if turn.info["view"].round % 2 else Decision(1)
            for turn in turns
        ]

    policy = decide

    traits = Traits()


def test_an_unreadable_reply_is_not_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "a.trajectory.jsonl"
    record(path, [Mute(), strategy("tft")], rounds=6)
    mute, other = read_play([path])
    assert mute.own.tolist() == [1, 0, 1, 0, 1, 0]
    assert mute.chosen.tolist() == [1, -1, 1, -1, 1, -1]
    assert moves([mute]).sum() == 3
    cooperation = character([mute]).cooperation
    assert cooperation is not None
    assert cooperation.value == 0
    assert character([other]).cooperation is not None
    (portrait, _) = portraits([mute, other])
    assert (portrait.choices, portrait.unreadable) == (3, 3)
