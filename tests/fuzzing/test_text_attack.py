"""Text of strangers, wherever it can stand, does not act on a terminal, a page or a spreadsheet in any output."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import TEXTS, Tags, cells, is_number, printed

from dilemmas.agents.agent import Decision, PlayerRecord, Source
from dilemmas.agents.matches.record import MatchRecord, Move, match_outcome
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.experiments.tournaments.run_folder import play_tournament
from dilemmas.experiments.tournaments.tournament import Settings, Tournament


def recorded(text: str, number: int) -> MatchRecord:
    """A match in which a text stands wherever a model's words, or an unknown environment's, can stand."""
    words = Decision(text, (0.5, 0.5), Source.SAMPLED, 1.0, text, (text, "D"), text, text, text)
    move = Move(text or "x", [0.0], decision=words, played=text, reward=1.0, terminated=True)
    other = replace(move, player="other", decision=Decision(0, None, Source.RULE), played=0)
    steps = ((move, other),)
    return MatchRecord(number, 0, steps, match_outcome(steps))


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a match per text, of an environment that cannot be made again."""
    path = tmp_path_factory.mktemp("played") / "\x1b[2J\u202e.trajectory.jsonl"
    agents = (PlayerRecord("\x1b]0;x\x07\x9b2J", "scripted"), PlayerRecord("\u202eb", "scripted"))
    with TrajectoryWriter(path, Header("strange/\x1b[2J-v0", agents, 0, {}, "\x1b[31m", "\u202e")) as writer:
        for number, text in enumerate(TEXTS):
            writer.write(recorded(text, number))
    return path


def test_there_are_a_hundred_texts() -> None:
    assert len(set(TEXTS)) == len(TEXTS) >= 100


def test_recorded_texts_do_not_act_in_the_viewer(trajectory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "watch", str(trajectory))
    for number in range(len(TEXTS)):
        printed(capsys, "watch", str(trajectory), "--match", str(number))
        found = json.loads(printed(capsys, "watch", str(trajectory), "--match", str(number), "--step", "1", "--json"))
        assert found[0]["decision"]["reply"] == TEXTS[number]


@pytest.mark.parametrize("command", ["replay", "fingerprint", "infer"])
def test_recorded_texts_do_not_act_in_messages(
    command: str, trajectory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(capsys, command, str(trajectory), code=2)


def tournament(names: Sequence[str], folder: Path, graph: str | None = None) -> Path:
    """A tournament of players with these names."""
    guests = {name: (strategy(("tft", "alld", "allc")[place % 3]),) * 2 for place, name in enumerate(names)}
    play_tournament(Tournament(Settings("harmony", tuple(names), {"rounds": 5}, graph=graph), guests), folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two equal tournaments: of players named by the texts, and of players with tame names."""
    folder = tmp_path_factory.mktemp("tournament")
    tame = [f"player {number}" for number in range(len(TEXTS))]
    return tournament(TEXTS, folder / "hostile", "ring"), tournament(tame, folder / "tame", "ring")


def test_names_do_not_act_in_a_report(folders: tuple[Path, Path]) -> None:
    hostile, tame = ((folder / "report.html").read_text(encoding="utf-8") for folder in folders)
    assert Tags(hostile).found == Tags(tame).found
    for file in (*folders[0].glob("*.json*"), *folders[0].glob("report.*")):
        for line in file.read_text(encoding="utf-8").split("\n"):
            assert line.isprintable(), (file.name, ascii(line))


def test_names_do_not_act_in_tables(folders: tuple[Path, Path], tmp_path: Path, capsys) -> None:
    printed(capsys, "tournament", "export", str(folders[0]), "--out", str(tmp_path / "all.csv"))
    for file in (folders[0] / "payoffs.csv", folders[0] / "ranking.csv", tmp_path / "all.csv"):
        for cell in cells(file):
            assert cell.replace("\n", "").isprintable(), ascii(cell)
            assert not cell.startswith(("=", "+", "@", "-", "＝")) or is_number(cell), ascii(cell)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_names_do_not_act_in_the_terminal(more: list[str], folders: tuple[Path, Path], tmp_path: Path, capsys) -> None:
    found = printed(capsys, "tournament", "show", str(folders[0]), *more)
    assert not more or json.loads(found)["players"] == TEXTS
    few = tournament(TEXTS[:20], tmp_path / "few")
    found = printed(capsys, "tournament", "evolve", str(few), *more)
    assert not more or set(json.loads(found)["shares"]) == set(TEXTS[:20])


@pytest.mark.parametrize("words", [["infer", "--bootstrap", "2"], ["fingerprint"]])
def test_cells_of_a_table_of_play_do_not_act(words: list[str], tmp_path: Path, capsys) -> None:
    lines = ["subject,match,round,own,other"]
    subjects = [text for text in TEXTS if text.strip() and not {"\0", "\n", "\r"} & set(text) and len(text) < 1000]
    for number, text in enumerate(subjects):
        quoted = text.replace('"', '""')
        lines += [f'"{quoted}",{number},{round},{own},C' for round, own in ((1, "C"), (2, "D"))]
    (tmp_path / "play.csv").write_bytes("\n".join(lines).encode())
    printed(capsys, words[0], str(tmp_path / "play.csv"), *words[1:])
    printed(capsys, words[0], str(tmp_path / "play.csv"), *words[1:], "--json")
