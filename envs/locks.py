"""Locks: one process at a time writes a folder or a file; every other one is told who it is, and what to do.

A lock is a file inside the folder, so that it is the same under every spelling of the path and through every symbolic
link. The operating system holds it for the process (`flock`), also while that process is stopped, and ends it with the
process, however it ends. The file says who holds the lock; it is deleted at the end, and one that a killed process has
left behind is taken over.
"""

import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dilemmas.envs.errors import InputError, naming

LOCK = "run.lock"
"""Name of the lock file of a folder."""
SUFFIX_OF_LOCKS = ".dilemmas-lock"
"""Suffix of the lock file beside a file that is being written."""
PATIENCE = 1.0
"""Seconds after which a lock that another process holds is refused."""


class InUseError(InputError):
    """A folder or file that another process is writing; the message names the process and the way out."""


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Context manager: holds the lock of a folder, which is created if it does not exist, and then deleted if it is
    still empty at the end.

    Raises
    ------
    InUseError
        If another process holds the lock.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _held(folder / LOCK, folder):
            yield
    finally:
        if made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


@contextmanager
def locked_file(path: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Context manager: holds the lock of a file that is being written; errors as for `locked_folder`.

    `patience`: seconds after which a lock that another process holds is refused.
    """
    with _held(path.with_name(path.name + SUFFIX_OF_LOCKS), path, patience):
        yield


@contextmanager
def _held(file: Path, what: Path, patience: float = PATIENCE) -> Iterator[None]:
    from filelock import FileLock, Timeout  # here, because it imports asyncio

    lock = FileLock(file, timeout=patience)
    try:
        lock.acquire(poll_interval=0.02)
    except Timeout:
        raise InUseError(f"{what} is in use by {_holder(file)}; wait until that process has ended, or end it") from None
    try:
        with naming(file):
            file.write_text(json.dumps(_this_process()), encoding="utf-8")
        yield
    finally:
        file.unlink(missing_ok=True)  # before the lock is released: whoever opened the file then tries again
        lock.release()


def _this_process() -> dict[str, str | int]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _holder(file: Path) -> str:
    """The holder of a lock in words, from its file."""
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        where = f"process {held['pid']} on {held['host']}, since {held['started']}: {held['command']}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"another process, which {file} does not name"
    return f"another process ({where})"
