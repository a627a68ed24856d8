"""The card of a student says what taught it, and its commands run as they are printed, in the folder of the card."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from dilemmas.agents.models.model_files import locate
from dilemmas.agents.tables.policy_table import Origin, PolicyTable
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.experiments.commands.main import main

GAME = {"name": "prisoners_dilemma", "T": 6.0, "R": 3.0, "P": 1.0, "S": 0.0}
WAYS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "strategy": (
        ["tit_for_tat", "--game", "prisoners_dilemma", "--set", "T=6", "--memory", "2", "--method", "hard"],
        {
            "data": [
                {
                    **{"teacher": "tit_for_tat", "on": ["histories"], "game": GAME, "memory": 2},
                    "answers_per_situation": 300,
                }
            ],
            "on_policy": 0,
        },
    ),
    "table": (
        ["people.json", "--recipe", "miniatures"],
        {"data": [{"teacher": "people.json", "on": ["histories"], "game": GAME, "memory": 1}]},
    ),
    "recorded play": (
        ["recorded", "--player", "tit_for_tat", "--context", "friends"],
        {
            "data": [
                {
                    **{"recorded": "recorded", "players": ["tit_for_tat"], "asked_anew": False},
                    "games": [{"name": "dilemmas/stag_hunt-v0", "rounds": 2}],
                }
            ],
            "context": "friends",
        },
    ),
    "scenarios": (
        ["miniature:teacher", "--on", "scenarios", "--on", "questions", "--questions", "3"],
        {"data": [{"teacher": "miniature:teacher", "on": ["scenarios", "questions"], "random_games": 3}]},
    ),
    "own matches": (
        [
            *["win_stay_lose_shift", "--game", "prisoners_dilemma", "--on-policy", "1"],
            *["--opponents", "random(0.3)", "--rounds", "3", "--matches", "1"],
        ],
        {"on_policy": 1, "presentation": "fixed"},
    ),
}


def run(*words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert not ended.value.code


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a table, recorded play and a student of its own."""
    monkeypatch.chdir(tmp_path)
    game = stage_game("prisoners_dilemma", T=6.0, R=3.0, P=1.0, S=0.0)
    shares = [(p, 1 - p) for p in (0.6, 0.95, 0.3, 0.4, 0.1)]
    save_table(PolicyTable(game, 1, tuple(shares), Origin("people")), tmp_path / "people.json")
    recording = ["--agents", "tit_for_tat,random", "--rounds", "2", "--repetitions", "1", "--engine", "environment"]
    run("tournament", "run", *recording, "--game", "stag_hunt", "--out", "recorded")
    shutil.copytree(locate("miniature-student"), tmp_path / "models" / "student")
    return tmp_path


def blocks(card: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", card.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("student", ["miniature:student", "models/student"])
@pytest.mark.parametrize("way", WAYS)
def test_a_card_says_what_taught_and_its_commands_run_where_it_is(
    way: str, student: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words, told = WAYS[way]
    run("distill", *words, "--student", student, "--lora", "steps=1", "--out", "runs/x")
    adapter = here / "runs" / "x" / "adapter"
    card = adapter / "README.md"
    (facts,) = (json.loads(block) for block in blocks(card, "json"))
    assert {key: facts["taught"][key] for key in told} == told
    assert str(here) not in card.read_text(encoding="utf-8")
    measured, used = blocks(card, "sh")
    monkeypatch.chdir(adapter)
    capsys.readouterr()
    run(*shlex.split(measured.replace("\\\n", ""))[1:])
    shown = capsys.readouterr().out
    assert {"Untuned", "Tuned"} <= set(shown.split())
    (merge, _) = used.splitlines()
    run(*shlex.split(merge)[1:])
    served = here / "runs" / "x" / "merged" / "README.md"
    assert str(here) not in served.read_text(encoding="utf-8")
    assert ("path/to" in card.read_text(encoding="utf-8")) is False


@pytest.mark.parametrize("student", ["miniature:student", "models/student"])
def test_the_snippet_loads_the_student_from_anywhere(student: str, here: Path, tmp_path: Path) -> None:
    run("distill", *WAYS["table"][0], "--student", student, "--lora", "steps=1", "--out", "runs/x")
    adapter = here / "runs" / "x" / "adapter"
    (code,) = blocks(adapter / "README.md", "python")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for place, folder in ((adapter, "."), (elsewhere, str(adapter))):
        program = code.replace('folder = "."', f"folder = {folder!r}") + "\nprint(model.peft_config['default'].r)"
        found = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=True)
        assert found.stdout.strip().isdigit()
