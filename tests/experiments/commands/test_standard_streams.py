"""Standard streams that are closed, full or no longer read; and folders that another process writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dilemmas.envs.locks import locked_folder
from dilemmas.experiments.commands.main import main

DILEMMAS = f"{sys.executable} -m dilemmas"
PLAY = "tournament run --agents tft,alld --rounds 5 --out"


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True)


def sealed(folder: Path) -> dict[str, str]:
    """The last checksum of every sealed file but the one that has the command."""
    seals = map(json.loads, (folder / "seals.jsonl").read_text().splitlines())
    return {seal["file"]: seal["sha256"] for seal in seals if seal["file"] != "provenance.json"}


@pytest.mark.parametrize("command", ["games", "tournament strategies", "tournament strategies --json", "--help"])
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_stops_reading_is_no_error(command: str, reader: str, tmp_path: Path) -> None:
    done = shell(f"{DILEMMAS} {command} | {reader}; echo ${{PIPESTATUS[0]}}", tmp_path)
    assert done.stdout.splitlines()[-1] == "0"
    assert "Error" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_file(closed: str, tmp_path: Path) -> None:
    """A file that is opened while stderr is closed would get its number, and with it all messages."""
    for folder, streams in (("open", ""), ("closed", closed)):
        done = shell(f"{DILEMMAS} {PLAY} {folder} {streams}", tmp_path)
        assert done.returncode == 0, done.stderr
    for name in ("rows.jsonl", "results.json", "report.md"):
        assert (tmp_path / "open" / name).read_bytes() == (tmp_path / "closed" / name).read_bytes()
    one, other = (sealed(tmp_path / folder) for folder in ("open", "closed"))
    assert one == other
    assert "rows.jsonl" in one


def test_an_error_has_its_exit_code_without_a_reader(tmp_path: Path) -> None:
    for streams in ("2>&-", "2>/dev/full"):
        assert shell(f"{DILEMMAS} games nothing {streams}", tmp_path).returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    done = shell(f"{DILEMMAS} games --json >/dev/full", tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: standard output: No space left on device"


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("replicate --out out", "out"),
        ("tournament run --agents tft,alld --out out", "out"),
        ("tournament run --agents tft,alld --out out --force", "out"),
        ("lattice --table table.json --size 3 --steps 1 --out out", "out"),
        ("miniatures build --role student --out out", "out/student"),
    ],
)
def test_a_folder_in_use_is_refused_in_one_line(
    command: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["compile", "tit_for_tat", "--game", "stag_hunt", "--out", "table.json"])
    capsys.readouterr()
    with locked_folder(Path(folder)), pytest.raises(SystemExit) as ended:
        main(command.split())
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "in use" in line]
    assert ended.value.code == 2
    assert line.startswith(f"error: {folder} is in use by another process (process ")
    assert not Path(folder).exists(), "the holder wrote nothing"


def test_bytes_that_are_not_utf_8_are_shown_and_written_as_escapes(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "dilemmas", "tournament", "run", "--agents", "tft,alld", "--rounds", "3", "--out"]
    done = subprocess.run([*words, b"run\xff"], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr.decode().splitlines()[-1]) == (0, "run\N{REPLACEMENT CHARACTER}/report.html")
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/run\xff"))
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert os.fsencode(provenance["command"][-1]) == b"run\xff"
    words[6] = b"na\xffme=tft,alld"
    done = subprocess.run([*words, "other"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 2
    assert b"needs printable characters" in done.stderr
