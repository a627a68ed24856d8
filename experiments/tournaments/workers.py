"""The workers of a tournament: this process, several processes, or several machines; the results are identical.

Batches are submitted and their rows returned in a fixed order, so the order of rows in the file does not depend on the
speed of workers.
"""

import logging
import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from dilemmas.agents.matches.match import AgentError
from dilemmas.envs.errors import InputError
from dilemmas.experiments.tournaments.fixtures import Fixture, Row
from dilemmas.experiments.tournaments.tournament import PlayedElsewhere, Tournament

EXECUTORS = ("process", "ray")
AHEAD = 2
"""Number of batches per worker that are submitted before the first of them is returned."""

PATIENCE = 10.0
"""Timeout for connecting to a cluster, in seconds."""

Batch = Sequence[Fixture]
Played = list[Row | AgentError]
"""A row for each fixture of a batch, or the error if an agent failed in it."""
Handle = TypeVar("Handle")


class WorkerError(InputError):
    """Workers that cannot be started."""


def rows_of(
    tournament: Tournament, batches: Iterable[Batch], workers: int = 1, executor: str = "process", address: str = ""
) -> Iterator[Played]:
    """The rows of each batch, in order.

    `workers`: number of processes, or with ``ray`` number of concurrent tasks on the cluster at `address`, or on this
    machine without an address.
    """
    check_executor(executor)
    if executor == "ray":
        return _on_ray(tournament, batches, workers, address)
    if workers == 1:
        return map(tournament.play, batches)
    return _in_processes(tournament, batches, workers)


def check_people(tournament: Tournament, workers: int, executor: str) -> None:
    """`WorkerError` if a person would be asked from several processes."""
    if tournament.people and (workers > 1 or executor != "process"):
        raise WorkerError("a person is asked in one process: leave out --workers and --executor")


def check_executor(executor: str) -> None:
    """`WorkerError` if an executor needs a package that is not installed."""
    if executor == "ray" and find_spec("ray") is None:
        raise WorkerError('--executor ray needs Ray: pip install "dilemmas[cluster]"')


def _in_order(
    batches: Iterable[Batch], ahead: int, submit: Callable[[Batch], Handle], result: Callable[[Handle], Played]
) -> Iterator[Played]:
    waiting: deque[Handle] = deque()
    for batch in batches:
        waiting.append(submit(batch))
        if len(waiting) >= ahead:
            yield result(waiting.popleft())
    while waiting:
        yield result(waiting.popleft())


def _in_processes(tournament: Tournament, batches: Iterable[Batch], workers: int) -> Iterator[Played]:
    spawn = get_context("spawn")
    theirs, ours = spawn.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, spawn, _enter, (tournament, theirs))

    def submit(batch: Batch) -> Future[PlayedElsewhere]:
        with _ctrl_c_only_here():
            return pool.submit(_work, batch)

    try:
        yield from _in_order(batches, AHEAD * workers, submit, lambda future: tournament.take(future.result()))
    except BrokenProcessPool:
        raise WorkerError(
            "a worker was killed (out of memory?); with --out, repeat the same command to resume"
        ) from None
    except BaseException:
        ours.close()  # makes the workers exit at once
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _ctrl_c_only_here() -> Iterator[None]:
    """Processes started meanwhile ignore Ctrl-C, even while loading; this process receives it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_here: list[Tournament] = []
"""The tournament of this worker process."""


def _enter(tournament: Tournament, parent: Connection) -> None:
    """Start a worker: ignore Ctrl-C, and exit when the pipe to the parent is closed, which happens even if it is
    killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def exit_with_parent() -> None:
        parent.poll(None)
        os._exit(1)

    threading.Thread(target=exit_with_parent, daemon=True).start()
    _here.append(tournament)


def _work(batch: Batch) -> PlayedElsewhere:
    return _here[0].play_elsewhere(batch)


def _knock(address: str) -> None:
    """Raise `WorkerError` if no server listens at HOST:PORT; Ray itself would retry for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        try:
            socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
        except (OSError, OverflowError, ValueError) as error:
            raise WorkerError(f"--ray-address {address}: no Ray cluster answers there ({error})") from None


def _on_ray(tournament: Tournament, batches: Iterable[Batch], workers: int, address: str) -> Iterator[Played]:
    import ray

    begun = not ray.is_initialized()
    if begun:
        _knock(address)
        settings: dict[str, Any] = {"address": address} if address else {"num_cpus": workers}
        try:
            ray.init(logging_level=logging.ERROR, log_to_driver=False, **settings)
        except (ConnectionError, ValueError) as error:
            raise WorkerError(f"--ray-address {address}: {error}") from None
    try:
        shared = ray.put(tournament)
        task: Any = ray.remote(Tournament.play_elsewhere)

        def submit(batch: Batch) -> Any:
            return task.remote(shared, batch)

        yield from _in_order(batches, AHEAD * workers, submit, lambda handle: tournament.take(ray.get(handle)))
    except ray.exceptions.RayTaskError as error:  # contains the error of dilemmas raised by a task
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise WorkerError(f"Ray: {str(error).splitlines()[0]}; with --out, repeat the same command to resume") from None
    finally:
        if begun:
            ray.shutdown()
