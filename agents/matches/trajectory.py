"""Trajectory files, which hold the record of a run: writing match by match, reading with checks, and random access.

    with TrajectoryWriter("run.trajectory.jsonl", header) as writer:
        done = len(writer.matches)
        for record in run_matches(make_env, agents, 100 - done, seed, first_match=done):
            writer.write(record)

Matches are appended one at a time; after a crash, the same code removes an incomplete last match and
resumes from there. The format is described in `dilemmas.agents.matches.trajectory_format`.
"""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from dilemmas.agents.matches.record import MatchRecord, RecordError
from dilemmas.agents.matches.trajectory_format import (
    BEGINNING,
    Header,
    Prompts,
    checksum_key,
    encode_header,
    encode_match,
    is_end_line,
    is_prompt_line,
    parse_header,
    parse_match,
    parse_prompt,
    prompt_key,
    split_checksum,
)
from dilemmas.envs.checks import check_different_files
from dilemmas.envs.data_files import LINE_SIZE, differences
from dilemmas.envs.errors import naming
from dilemmas.envs.seals import check_listed, check_sealed

__all__ = [
    "SUFFIX",
    "CutError",
    "Header",
    "TrajectoryIndex",
    "TrajectoryWriter",
    "read_trajectory",
]

MOST_BYTES = 1 << 28
"""Longest match that is read, in bytes; about three times as much memory is used."""
SUFFIX = ".trajectory.jsonl"
"""Suffix of the names of trajectory files."""


class CutError(RecordError):
    """A file whose last match is incomplete because the run was killed or is still running."""


def read_trajectory(path: str | Path) -> tuple[Header, Iterator[MatchRecord]]:
    """Read a trajectory file.

    Returns
    -------
    tuple
        The header, and an iterator over the matches, which are read and checked one at a time.

    Raises
    ------
    RecordError
        If a line is not valid or a checksum does not match; for the header at once, for matches from the iterator.
    CutError
        From the iterator, after all complete matches, if the last match is incomplete.
    SealError
        If the file was changed after its run had finished it.
    """
    check_sealed(Path(path))
    reader = _Reader(Path(path))
    return reader.header, reader.matches()


def _header(path: Path) -> tuple[bytes, Header]:
    """The first line, and the header in it."""
    first = _first_line(path)
    if not first:
        raise CutError(f"{path}: the file is empty; repeat the command that wrote it to resume it")
    if not first.endswith(b"\n") and may_be_trajectory(path):
        raise CutError(f"{path}: the first line is incomplete; repeat the command that wrote the file to resume it")
    return first, parse_header(path, first)


def may_be_trajectory(path: Path) -> bool:
    """Whether a file begins as a trajectory file does; it may be incomplete or damaged."""
    first = _first_line(path)
    return BEGINNING.startswith(first[: len(BEGINNING)])


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.readline(LINE_SIZE)
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}") from None


class _Blocks:
    """The lines of each complete match of a file, whose checksums are checked.

    Keeps what is needed to append to the file after the last match read.
    """

    def __init__(self, path: Path) -> None:
        first, self.header = _header(path)
        self.path = path
        self.offset = len(first)
        """Number of bytes read: the header and complete matches."""
        self.line = 2
        """Number of the first line after them."""
        self.digest = sha256(first)
        """SHA-256 of these bytes."""

    def __iter__(self) -> Iterator[list[bytes]]:
        """Read the remaining matches; `CutError` if the last one is incomplete."""
        block: list[bytes] = []
        size = 0
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while line := file.readline(LINE_SIZE):
                block.append(line)
                size += len(line)
                if size > MOST_BYTES:
                    where = f"{self.path}, line {self.line}: the match that begins here"
                    raise RecordError(f"{where} has over {MOST_BYTES:,} bytes and would not fit into memory")
                if is_end_line(line):
                    self._check(block)
                    yield block
                    self.offset += size
                    self.line += len(block)
                    block, size = [], 0
        if block:
            raise CutError(
                f"{self.path}, line {self.line + len(block) - 1}: the match that begins on line {self.line} is"
                " incomplete; repeat the command that wrote the file to resume it"
            )

    def _check(self, block: list[bytes]) -> None:
        before, checksum = split_checksum(block[-1])
        self.digest.update(b"".join([*block[:-1], before]))
        if checksum != checksum_key(self.digest.hexdigest()):
            first, last = self.line if self.line > 2 else 1, self.line + len(block) - 1
            raise RecordError(
                f"{self.path}, lines {first} to {last}: the checksum on line {last} does not match, so the"
                " lines have been changed; restore the file from a copy, or play the matches again"
            )
        self.digest.update(checksum)


class _Reader:
    """Reads a file from its beginning."""

    def __init__(self, path: Path) -> None:
        self.blocks = _Blocks(path)
        self.header = self.blocks.header
        self.numbers: set[int] = set()
        """Numbers of the matches read."""
        self.prompts: Prompts = {}
        """Prompts of the matches read."""

    def matches(self) -> Iterator[MatchRecord]:
        """Read the remaining matches; `CutError` if the last one is incomplete."""
        for block in self.blocks:
            line, agents = self.blocks.line, len(self.header.agents)
            record = parse_match(self.blocks.path, line, block, self.prompts, agents)
            if record.match in self.numbers:
                raise RecordError(f"{self.blocks.path}, line {line}: match {record.match} occurs twice")
            self.numbers.add(record.match)
            yield record


class TrajectoryWriter:
    """Appends matches to a file; each is written at once and flushed.

    An existing file is resumed: `matches` has the numbers of its matches, and an incomplete last match is removed.
    """

    def __init__(self, path: str | Path, header: Header) -> None:
        """Open or create a file.

        Raises
        ------
        RecordError
            If an existing file is damaged or the record of another run; the file is not changed.
        """
        self.path = Path(path)
        first = encode_header(header)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        held = _first_line(self.path)
        if held != first and first.startswith(held):  # new, or killed while it was written
            with naming(self.path):
                self.path.write_bytes(first)
        reader = _Reader(self.path)
        _expect(self.path, _first_line(self.path), first)
        with suppress(CutError):
            deque(reader.matches(), maxlen=0)
        self.matches = reader.numbers
        """Numbers of the matches in the file."""
        self._prompts = set(reader.prompts)
        self._digest = reader.blocks.digest
        self._file = self.path.open("r+b")
        self._file.truncate(reader.blocks.offset)
        self._file.seek(reader.blocks.offset)

    def write(self, record: MatchRecord) -> None:
        """Append a match.

        Raises
        ------
        RecordError
            If the file already contains a match with this number.
        """
        if record.match in self.matches:
            raise RecordError(f"{self.path} already contains match {record.match}; write each match once")
        lines = b"".join(encode_match(record, self._prompts))
        self._digest.update(lines)
        checksum = checksum_key(self._digest.hexdigest())
        self._digest.update(checksum)
        with naming(self.path):
            self._file.write(lines + checksum)
            self._file.flush()
        self.matches.add(record.match)

    def close(self) -> None:
        """Close the file."""
        with naming(self.path):
            self._file.close()

    def __enter__(self) -> "TrajectoryWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _expect(path: Path, held: bytes, wanted: bytes) -> None:
    """Raise `RecordError` with the first difference of two headers, if there is one."""
    for difference in differences(json.loads(held), json.loads(wanted)):
        raise RecordError(
            f"{path} is the record of another run ({difference}); choose another file, or remove this one"
        )


class TrajectoryIndex:
    """Random access to the matches of a file; opening it checks the checksums and parses no match.

    Raises
    ------
    RecordError
        If the header is not valid or a checksum does not match.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        check_sealed(self.path)
        self.cut: CutError | None = None
        """Says where the incomplete last match is, which is left out; None if there is none."""
        self.blocks: list[tuple[int, int, int]] = []
        """For each match its begin and end in bytes, and the number of its first line."""
        self._prompts = _Prompts(self.path)
        self.header = self._scan()

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, place: int) -> MatchRecord:
        """The match at a position in the file, counted from 0."""
        begin, end, line = self.blocks[place]
        with self.path.open("rb") as file:
            file.seek(begin)
            block = file.read(end - begin).splitlines(keepends=True)
        return parse_match(self.path, line, block, self._prompts, len(self.header.agents))

    def _scan(self) -> Header:
        blocks = _Blocks(self.path)
        try:
            for block in blocks:
                offset = blocks.offset
                for number, line in enumerate(block, blocks.line):
                    if is_prompt_line(line):
                        self._prompts.where[prompt_key(line)] = (offset, number)
                    offset += len(line)
                self.blocks.append((blocks.offset, offset, blocks.line))
        except CutError as cut:
            self.cut = cut
        return blocks.header


class _Prompts(Prompts):
    """Texts of prompts, read from the file on access."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.where: dict[str, tuple[int, int]] = {}
        """Offset in bytes and number of the line of each prompt, by its hash."""

    def __missing__(self, key: str) -> str:
        offset, number = self.where[key]
        with self.path.open("rb") as file:
            file.seek(offset)
            return parse_prompt(self.path, number, file.readline()).text


def find_trajectories(path: str | Path) -> list[Path]:
    """The file itself, or all trajectory files in a folder and its subfolders, sorted.

    Raises
    ------
    RecordError
        If a folder contains no trajectory file.
    InputError
        If a file is there twice, or `check_recorded` finds a fault.
    """
    place = Path(path)
    check_recorded(place)
    found = sorted(place.rglob(f"*{SUFFIX}")) if place.is_dir() else [place]
    check_different_files(found)
    if not found:
        raise RecordError(f"{place} contains no file named *{SUFFIX}; give a run folder or such a file")
    return found


def check_recorded(path: str | Path) -> None:
    """Check that the run folders at, in or around a place have all files that are sealed, and no other trajectories.

    Raises
    ------
    SealError
        If a file is missing, or a trajectory is not of the run; what an unfinished run is writing passes.
    """
    check_listed(Path(path), SUFFIX)
