"""Recorded play teaches once, and only what was recorded; the folder of a distillation says what was asked for."""

from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from dilemmas.envs.errors import InputError
from dilemmas.envs.seals import SealError
from dilemmas.experiments.commands.main import cli
from dilemmas.experiments.inference.recorded_play import read_play
from dilemmas.training.demonstrations import read_demonstrations


def dilemmas(*words: str) -> None:
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("played") / "run"
    asked = ("--agents", "tft,alld", "--rounds", "4", "--repetitions", "2", "--engine", "environment")
    dilemmas("tournament", "run", *asked, "--out", str(out))
    return out


def distill(*data: Path, out: Path) -> None:
    settings = ("--student", "miniature:student", "--lora", "steps=1", "--player", "tit_for_tat")
    dilemmas("distill", *map(str, data), *settings, "--out", str(out))


def test_the_same_play_is_not_taught_twice(played: Path, tmp_path: Path) -> None:
    match = next((played / "matches").iterdir())
    (tmp_path / "link.trajectory.jsonl").symlink_to(match)
    for other in (played, played / "matches", match, tmp_path / "link.trajectory.jsonl"):
        with pytest.raises(InputError, match="is given twice"):
            distill(played, other, out=tmp_path / "out")
    assert not (tmp_path / "out" / "distil.json").exists()


def taught(run: Path, player: str, out: Path) -> list[str]:
    """The actions of the player in order, by their labels."""
    words = ("--student", "miniature:student", "--method", "hard", "--lora", "steps=1", "--player", player)
    dilemmas("distill", str(run), *words, "--out", str(out))
    return [one.labels[one.probabilities.index(1.0)] for one in read_demonstrations(out / "demonstrations.jsonl")]


def test_an_agent_is_meant_by_the_name_under_which_it_was_entered(tmp_path: Path) -> None:
    """Or by its own, in any spelling, unless another agent was entered under that."""
    run, agents = tmp_path / "run", "Kind=always_cooperate,Mean=always_defect,always_defect=miniature:student"
    asked = ("--agents", agents, "--no-self-play", "--rounds", "2", "--repetitions", "1", "--engine", "environment")
    dilemmas("tournament", "run", *asked, "--out", str(run))
    for player, action in (("Kind", "C"), ("always_cooperate", "C"), ("allc", "C"), ("Mean", "D")):
        assert taught(run, player, tmp_path / player) == [action] * 4
    entered, own = (taught(run, name, tmp_path / name) for name in ("always_defect", "miniature-student"))
    assert entered == own, "a name under which an agent was entered is that of no other"
    with pytest.raises(InputError, match="known: Kind, Mean, always_defect"):
        taught(run, "nobody", tmp_path / "nobody")
    with pytest.raises(InputError, match="Kind, Mean, always_defect played"):
        dilemmas("distill", str(run), "--student", "miniature:student", "--out", str(tmp_path / "any"))


def test_two_agents_of_one_strategy_are_two_players(tmp_path: Path) -> None:
    run, asked = tmp_path / "run", ("--no-self-play", "--rounds", "2", "--repetitions", "1", "--engine", "environment")
    dilemmas("tournament", "run", "--agents", "Ann=tft,Bob=tft,Eve=alld", *asked, "--out", str(run))
    assert {play.player for play in read_play([run])} == {"Ann", "Bob", "Eve"}
    assert len(taught(run, "Ann", tmp_path / "one")) == 4
    assert len(taught(run, "tit_for_tat", tmp_path / "both")) == 8


def test_an_edited_distillation_is_refused_and_an_unedited_one_resumed(played: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        distill(played, out=out)
    settings = out / "distil.json"
    text = settings.read_text()
    settings.write_text(text.replace('"steps": 1', '"steps": 2'))
    assert settings.read_text() != text
    with pytest.raises(SealError, match=r"distil\.json has been changed"):
        distill(played, out=out)
