"""The record of a run as a file: written match by match, read back and checked, or opened at any match.

    with TrajectoryWriter("run.trajectory.jsonl", header) as writer:
        held = len(writer.matches)
        for record in run_matches(make_env, agents, 100 - held, seed, first_match=held):
            writer.write(record)

Matches are appended whole; after a crash, the same lines cut what is not whole and go on from there. The
format is described in `dilemmas.agents.matches.trajectory_format`.
"""

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
    line_object,
    parse_header,
    parse_match,
    split_checksum,
)
from dilemmas.envs.data_files import differences

__all__ = [
    "SUFFIX",
    "CutError",
    "Header",
    "TrajectoryIndex",
    "TrajectoryWriter",
    "read_trajectory",
]

SUFFIX = ".trajectory.jsonl"
"""What the names of such files end with."""


class CutError(RecordError):
    """A record whose last match is not whole: the run was killed, or still goes on."""


def read_trajectory(path: str | Path) -> tuple[Header, Iterator[MatchRecord]]:
    """The header, and the matches one by one as they are read and checked.

    `RecordError` says which line is wrong and how: at once about the header, later about the matches. Where
    the last match is not whole, the whole ones come first and a `CutError` after them.
    """
    ledger = _Ledger(Path(path))
    return ledger.header, ledger.matches()


def _header(path: Path) -> tuple[bytes, Header]:
    """The first line and what it says."""
    first = _first_line(path)
    if not first.endswith(b"\n") and BEGINNING.startswith(first[: len(BEGINNING)]):
        raise CutError(
            f"{path}: the file ends within its first line; the command that wrote it goes on when it is repeated"
        )
    return first, parse_header(path, first)


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.readline()
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}") from None


class _Ledger:
    """A file read from its beginning, and what has to be known to write on where the reading has got to."""

    def __init__(self, path: Path) -> None:
        first, self.header = _header(path)
        self.path = path
        self.numbers: set[int] = set()
        """Numbers of the matches read."""
        self.prompts: Prompts = {}
        """Prompts of the matches read."""
        self.offset = len(first)
        """Bytes read; the header and whole matches."""
        self.digest = sha256(first)
        """Of these bytes."""
        self._line = 2

    def matches(self) -> Iterator[MatchRecord]:
        """The matches that have not been read yet."""
        block: list[bytes] = []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            for line in file:
                block.append(line)
                if is_end_line(line):
                    yield self._match(block)
                    block = []
        if block:
            raise CutError(
                f"{self.path}, line {self._line + len(block) - 1}: the file ends within the match that begins"
                f" on line {self._line}; the command that wrote it goes on from there when it is repeated"
            )

    def _match(self, block: list[bytes]) -> MatchRecord:
        last = self._line + len(block) - 1
        before, sealed = split_checksum(block[-1])
        self.digest.update(b"".join([*block[:-1], before]))
        if sealed != checksum_key(self.digest.hexdigest()):
            first = self._line if self.numbers else 1
            raise RecordError(
                f"{self.path}, lines {first} to {last}: the checksum on line {last} does not fit, so they are"
                " not as they were written; take the file from a copy, or play the matches again"
            )
        record = parse_match(self.path, self._line, block, self.prompts)
        self.digest.update(sealed)
        self.offset += sum(map(len, block))
        self._line = last + 1
        self.numbers.add(record.match)
        return record


class TrajectoryWriter:
    """Appends matches to a file, each whole and flushed at once.

    A file that is there already is gone on with: `matches` says which ones it holds, and a match that is not
    whole is cut. `RecordError` where it is damaged or the record of another run; it is then left as it is.
    """

    def __init__(self, path: str | Path, header: Header) -> None:
        self.path = Path(path)
        first = encode_header(header)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        held = _first_line(self.path)
        if held != first and first.startswith(held):  # new, or killed while writing it
            self.path.write_bytes(first)
        ledger = _Ledger(self.path)
        _expect(self.path, _first_line(self.path), first)
        with suppress(CutError):
            deque(ledger.matches(), maxlen=0)
        self.matches = ledger.numbers
        """Numbers of the matches that the file holds."""
        self._prompts = set(ledger.prompts)
        self._digest = ledger.digest
        self._file = self.path.open("r+b")
        self._file.truncate(ledger.offset)
        self._file.seek(ledger.offset)

    def write(self, record: MatchRecord) -> None:
        """Append a match; `RecordError` where the file holds its number already."""
        if record.match in self.matches:
            raise RecordError(f"{self.path} holds match {record.match} already")
        lines = b"".join(encode_match(record, self._prompts))
        self._digest.update(lines)
        sealed = checksum_key(self._digest.hexdigest())
        self._digest.update(sealed)
        self._file.write(lines + sealed)
        self._file.flush()
        self.matches.add(record.match)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "TrajectoryWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _expect(path: Path, held: bytes, wanted: bytes) -> None:
    """`RecordError` with the first difference of two headers, if there is one."""
    for told in differences(line_object(path, 1, held), line_object(path, 1, wanted)):
        raise RecordError(f"{path} is the record of another run ({told}); choose another file, or remove this one")


class TrajectoryIndex:
    """A file opened at any match at once, however big it is: scanned for the ends of matches only.

    Checksums are not looked at, and a last match that is not whole is left out.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        _, self.header = _header(self.path)
        self.blocks: list[tuple[int, int, int]] = []
        """Of every match: where it begins and ends, in bytes, and the number of its first line."""
        self._prompts = _Prompts(self.path)
        self._scan()

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, place: int) -> MatchRecord:
        """The match at a place of the file, counted from 0."""
        begin, end, line = self.blocks[place]
        with self.path.open("rb") as file:
            file.seek(begin)
            block = file.read(end - begin).splitlines(keepends=True)
        return parse_match(self.path, line, block, self._prompts)

    def _scan(self) -> None:
        with self.path.open("rb") as file:
            begin = offset = len(file.readline())
            first = 2
            for number, line in enumerate(file, 2):
                if line.startswith(b'{"prompt":"'):
                    self._prompts.where[line[11:27].decode()] = (offset, number)
                offset += len(line)
                if is_end_line(line):
                    self.blocks.append((begin, offset, first))
                    begin, first = offset, number + 1


class _Prompts(Prompts):
    """Texts of prompts, read from the file when they are asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.where: dict[str, tuple[int, int]] = {}
        """Offset in bytes and number of a prompt's line, by its hash."""

    def __missing__(self, key: str) -> str:
        offset, number = self.where[key]
        with self.path.open("rb") as file:
            file.seek(offset)
            text: str = line_object(self.path, number, file.readline())["text"]
        return text


def find_trajectories(path: str | Path) -> list[Path]:
    """The file itself, or all trajectories in a run folder and the folders in it; `RecordError` for none."""
    place = Path(path)
    found = sorted(place.rglob(f"*{SUFFIX}")) if place.is_dir() else [place]
    if not found:
        raise RecordError(f"{place} holds no file named *{SUFFIX}; give a run folder or such a file")
    return found
