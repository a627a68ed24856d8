"""A damaged file is refused in one line, or understood: it never ends the program otherwise, nor costs it much."""

import multiprocessing
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from traceback import extract_tb

import pytest
from formats import FORMATS, damaged, make_corpus

from dilemmas.envs.errors import InputError

FEW, MANY = 16, 480
"""Damaged files of each format in the fast tests, and in the slow one, where they are more than 10,000 in all."""
MOST_SECONDS, MOST_BYTES = 20.0, 1 << 30


@pytest.fixture(scope="session")
def corpus(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    make_corpus(folder, small_run / "runs" / "replicate")
    return folder


def faults(name: str, folder: Path, seeds: range) -> Iterator[str]:
    """What goes wrong with damaged files of a format: one line for each."""
    one, path = FORMATS[name], folder / FORMATS[name].file
    whole = path.read_bytes()
    understood = one.use(path)
    for seed in seeds:
        data = damaged(name, whole, seed)
        path.write_bytes(data)
        start = time.monotonic()
        try:
            found = one.use(path)
            if one.sealed and found != understood[: len(found)]:
                yield f"{name} {seed}: another content is taken for true"
        except InputError as error:
            if "\n" in str(error):
                yield f"{name} {seed}: not one line: {str(error)[:200]!r}"
        except OSError as error:  # the command line prints it with the file
            if error.filename is None:
                yield f"{name} {seed}: {error!r}"
        except Exception as error:
            where = extract_tb(error.__traceback__)[-1]
            yield f"{name} {seed}: {type(error).__name__}: {str(error)[:100]} ({where.filename}:{where.lineno})"
        if time.monotonic() - start > MOST_SECONDS:
            yield f"{name} {seed}: {time.monotonic() - start:.0f} s"
    path.write_bytes(whole)


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_is_refused_or_understood(name: str, corpus: Path) -> None:
    assert list(faults(name, corpus, range(FEW))) == []


def hunt(folder: Path, answer: "multiprocessing.Queue[tuple[list[str], int]]") -> None:
    found = [line for name in FORMATS for line in faults(name, folder, range(FEW, MANY + FEW))]
    answer.put((found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


@pytest.mark.slow
def test_ten_thousand_damaged_files_are_refused_or_understood(corpus: Path) -> None:
    """In a process of their own, whose memory is measured."""
    assert len(FORMATS) * MANY >= 10_000
    context = multiprocessing.get_context("fork")
    answer: multiprocessing.Queue[tuple[list[str], int]] = context.Queue()
    process = context.Process(target=hunt, args=(corpus, answer))
    process.start()
    found, most = answer.get()
    process.join()
    assert found == []
    assert most < MOST_BYTES
