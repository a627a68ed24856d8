"""Recorded play teaches once, and only what was recorded; the folder of a distillation says what was asked for."""

from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from dilemmas.envs.errors import InputError
from dilemmas.envs.seals import SealError
from dilemmas.experiments.commands.main import cli


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
