"""One process at a time holds a folder or a file; the others are told which one does."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dilemmas.envs.data_files import write_text
from dilemmas.envs.locks import LOCK, InUseError, locked_file, locked_folder

HOLD = """
import sys
from pathlib import Path
from dilemmas.envs.locks import locked_folder
with locked_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
COUNT = """
import sys
from contextlib import suppress
from pathlib import Path
from dilemmas.envs.locks import InUseError, locked_folder
folder, done = Path(sys.argv[1]), 0
while done < 40:
    with suppress(InUseError), locked_folder(folder):
        (folder / "count").write_text(str(int((folder / "count").read_text()) + 1))
        done += 1
"""


@contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock of a folder."""
    words = [sys.executable, "-c", HOLD, str(folder)]
    holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def refused(folder: Path) -> str:
    with pytest.raises(InUseError) as error, locked_folder(folder):
        pass
    return str(error.value)


def test_the_error_names_the_holder_and_the_way_out(tmp_path: Path) -> None:
    with held(tmp_path / "run") as holder:
        message = refused(tmp_path / "run")
        kept = json.loads((tmp_path / "run" / LOCK).read_text())
    assert (kept["pid"], kept["host"]) == (holder.pid, socket.gethostname())
    assert str(tmp_path / "run") in kept["command"]
    for value in kept.values():
        assert str(value) in message
    assert message.startswith(f"{tmp_path / 'run'} is in use by another process")
    assert message.endswith("wait until that process has ended, or end it")


def test_a_folder_is_the_same_under_every_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    with held(tmp_path / "run"):
        for spelling in ("run", "./run", "run/../run", "link", str(tmp_path / "link" / ".")):
            assert "in use" in refused(Path(spelling))


def test_a_stopped_holder_still_holds_and_a_killed_one_does_not(tmp_path: Path) -> None:
    with held(tmp_path) as holder:
        os.kill(holder.pid, signal.SIGSTOP)
        assert f"process {holder.pid} " in refused(tmp_path)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    assert (tmp_path / LOCK).exists()
    with locked_folder(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert not (tmp_path / LOCK).exists()


def test_an_error_ends_the_lock(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locked_folder(tmp_path):
            raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_into_which_nothing_was_written_is_not_left_behind(tmp_path: Path) -> None:
    for name in ("new", "a/b"):
        with pytest.raises(ZeroDivisionError), locked_folder(tmp_path / name):
            raise ZeroDivisionError
        assert not (tmp_path / name).exists()
    with locked_folder(tmp_path / "new"):
        write_text(tmp_path / "new" / "file", "")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]
    (tmp_path / "own").mkdir()
    with locked_folder(tmp_path / "own"):
        pass
    assert (tmp_path / "own").exists()


def test_many_processes_that_come_and_go_never_hold_it_together(tmp_path: Path) -> None:
    """Each takes the lock, deletes its file and releases it: a lock on a deleted file must not count."""
    write_text(tmp_path / "count", "0")
    words = [sys.executable, "-c", COUNT, str(tmp_path)]
    counting = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in counting] == ["", "", ""]
    assert (tmp_path / "count").read_text() == "120"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    with locked_file(path), pytest.raises(InUseError, match=r"table\.json is in use by another process \(process"):
        write_text(path, "{}")
    write_text(path, "{}")
    assert [one.name for one in tmp_path.iterdir()] == ["table.json"]


def test_a_lock_file_that_says_nothing_still_locks(tmp_path: Path) -> None:
    with held(tmp_path):
        (tmp_path / LOCK).write_text("")
        assert f"which {tmp_path / LOCK} does not name" in refused(tmp_path)
