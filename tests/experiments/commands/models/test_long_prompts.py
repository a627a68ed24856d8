"""Questions that are too long for a model's window, and amounts, are refused before anything is played or asked."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from dilemmas.envs.errors import InputError
from dilemmas.experiments.commands.compile import command as compile_command
from dilemmas.experiments.commands.tournament.run import command as tournament

AGENTS = ("--agents", "one=miniature-student,tit_for_tat", "--repetitions", "1", "--out", "run")
LONG = ("--rounds", "200", "--memory", "150", "--engine", "environment")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", [LONG, (*LONG, "--dry-run")])
def test_a_tournament(words: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"model 'miniature-student' after 150 rounds: .* maximum .* is 1,024"):
        tournament((*AGENTS, *words), standalone_mode=False)
    assert not Path("run").exists()


def test_a_template_that_tells_fewer_rounds_is_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    Path("short.toml").write_text('name = "short"\nbase = "study"\nmemory.rounds = 3\n')
    tournament((*AGENTS, *LONG, "--template", "short.toml", "--dry-run"), standalone_mode=False)
    assert "2 agents: one, tit_for_tat" in capsys.readouterr().out


def test_amounts() -> None:
    game = ("--game", "public_goods", "--set", "n_players=2", "--set", "levels=none", "--rounds", "2")
    with pytest.raises(InputError, match="amounts have no exact probabilities; use contribution levels"):
        tournament((*AGENTS, *game), standalone_mode=False)
    assert not Path("run").exists()


def test_a_table() -> None:
    words = ("miniature-student", "--game", "harmony", "--context", "team", "--out", "table.json")
    with pytest.raises(InputError, match="'miniature-student' after 90 rounds: "):
        compile_command((*words, "--memory", "90"), standalone_mode=False)
    assert not Path("table.json").exists()
