"""Seals: how long each finished part of a run folder is, and its checksum, so that a cut or changed file is found.

``seals.jsonl`` in the run folder has a line for each part that was finished: the file, its complete lines and its bytes
up to there, and the SHA-256 of these bytes. A file that grows has several; each is written after the bytes that it is
about have reached the disk. Every line ends with a checksum of it and of all before, so that none can be deleted
unnoticed. Every reader of a sealed file calls `check_sealed`, and every command that reads a run
folder `check_listed`; a run that is resumed calls `check_described` and `Seals.mend`, and does again what is missing.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from dilemmas.envs.data_files import append_text, complete_lines, json_text, parse_json, replacing, to_disk, write_text
from dilemmas.envs.errors import InputError
from dilemmas.envs.validation import Count

SEALS = "seals.jsonl"
RESULTS = "results.json"
"""Name of the file of a run folder with the results, which is written last."""
PROVENANCE = "provenance.json"
"""Name of the file of a run folder with the versions of packages, which is written first."""
_SAID = ("settings", "recipe", "distil", "experiment", "models", "server", "provenance")
DESCRIPTIONS = tuple(f"{name}.json" for name in _SAID)
"""Names of the files of a run folder that say what is played, by whom, and with which versions. They may be replaced
when a run is resumed, with settings that change no result; see `Seals.write`."""
DAMAGED = ".damaged"
"""Suffix of the name under which a damaged file is put aside."""
BLOCK = 1 << 20
"""Bytes that are read at once."""


class SealError(InputError):
    """A file that is not as it was when it was finished; the message names it and the way out."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a file contained when a part of it was finished."""

    file: str
    """Path relative to the run folder, with slashes."""
    lines: Count
    """Number of complete lines."""
    bytes: Count
    """Size of the part, from the beginning of the file."""
    sha256: str
    """Checksum of the part."""
    finished: bool
    """Whether the file ends there."""
    chain: str = field(default="", compare=False)
    """First 16 hexadecimal digits of the SHA-256 of the chain of the line before and this line without its own."""


class _Reading:
    """The beginning of a file: how many lines and bytes were read, and their checksum."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = self.bytes = 0
        self.digest = sha256()

    def go_on(self, to: int) -> str:
        """Read up to `to` bytes; returns the checksum."""
        with self.path.open("rb") as file:
            file.seek(self.bytes)
            while block := file.read(max(0, min(BLOCK, to - self.bytes))):
                self.digest.update(block)
                self.bytes += len(block)
                self.lines += block.count(b"\n")
        return self.digest.hexdigest()


class Seals:
    """The seals of a run folder, for the process that holds its lock."""

    def __init__(self, folder: Path) -> None:
        """Read the seals of a folder; `SealError` if they are damaged."""
        self.folder = folder
        self._path = folder / SEALS
        self._found = _by_file(_parsed(self._path))
        self._readings: dict[str, _Reading] = {}

    def add(self, *paths: Path, finished: bool = True) -> None:
        """Seal what files of the folder contain now; `finished`: whether they will not grow any more."""
        self._append([self._seal(path, finished) for path in paths])

    def write(self, path: Path, text: str) -> None:
        """Write one of the `DESCRIPTIONS`, and seal it.

        The new seal of a file that is replaced is written before the file: a process that is killed at any moment
        leaves a file that fits one of its seals, or has none.
        """
        data = text.encode()
        seal = Seal(self._name(path), data.count(b"\n"), len(data), sha256(data).hexdigest(), finished=True)
        if seal.file in self._found:
            self._append([seal])
            write_text(path, text)
        else:
            write_text(path, text)
            self._append([seal])

    def _append(self, seals: Iterable[Seal]) -> None:
        new = [seal for seal in seals if self._found.get(seal.file, [])[-1:] != [seal]]
        if new:
            append_text(self._path, "".join(map(_line, _chained(new, self._last_chain()))))
        for seal in new:
            self._found.setdefault(seal.file, []).append(seal)

    def _last_chain(self) -> str:
        """The checksum at the end of the file of seals; empty without a line."""
        if not self._path.is_file():
            return ""
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - BLOCK // 256))  # longer than a line
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
        return parse_json(last, Seal, str(self._path), SealError).chain if last else ""

    def _seal(self, path: Path, finished: bool) -> Seal:
        name = self._name(path)
        reading = self._readings.pop(name, None) or _Reading(path)
        to_disk(path)
        digest = reading.go_on(path.stat().st_size)
        if not finished:
            self._readings[name] = reading
        return Seal(name, reading.lines, reading.bytes, digest, finished)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def fits(self, path: Path) -> bool:
        """Whether a file was finished, and is as it was then."""
        sealed = self._found.get(self._name(path), [])
        return bool(sealed) and sealed[-1].finished and _fits(path, sealed)

    def misfits(self) -> list[Path]:
        """The sealed files that are not as they were when they were sealed, or are absent."""
        files = {self.folder / name: sealed for name, sealed in self._found.items()}
        return [path for path, sealed in files.items() if not _fits(path, sealed)]

    def mend(self) -> list[str]:
        """Put every misfit aside and keep of it what was sealed before the damage; returns a line for each."""
        told = [self._mend(path) for path in self.misfits()]
        if told:
            seals = _chained((seal for sealed in self._found.values() for seal in sealed), "")
            write_text(self._path, "".join(map(_line, seals)))
        return told

    def _mend(self, path: Path) -> str:
        sealed = self._found.pop(self._name(path))
        if not path.is_file():
            return f"{path} is missing and is made again"
        kept = [seal for seal in _fitting(path, sealed) if not seal.finished]
        aside = path.with_name(path.name + DAMAGED)
        os.replace(path, aside)
        if kept:
            self._found[self._name(path)] = kept
            with replacing(path) as partial, aside.open("rb") as file:
                partial.write_bytes(file.read(kept[-1].bytes))
        lines = f"{kept[-1].lines if kept else 0:,} of {sealed[-1].lines:,} lines are kept"
        return f"{path} was damaged: {lines}, the rest is done again; the damaged file is {aside.name}"


def check_sealed(path: Path) -> None:
    """Check that a file of a run folder is as it was when its last part was finished, and the `DESCRIPTIONS` too.

    A file that is in no run folder passes, and one of which nothing was finished.

    Raises
    ------
    SealError
        If the file was cut, changed or deleted since, or its run is finished and the results have no seal.
    """
    place = path.resolve()
    for folder in list(place.parents)[:2]:
        found = _sealed_in(folder)
        if RESULTS not in found and (folder / RESULTS).is_file() and (folder / PROVENANCE).is_file():
            raise SealError(
                f"{folder / SEALS} has no seal of {RESULTS}, so whether {path} is whole cannot be known; restore it"
                f" from a copy, or repeat the command that wrote {folder.name}"
            )
        if (folder / SEALS).is_file():
            check_described(folder)
            sealed = found.get(place.relative_to(folder).as_posix(), [])
            if sealed and not _fits(place, sealed):
                raise SealError(_message(path, folder, sealed[-1]))
            return


def check_described(folder: Path) -> None:
    """Check that the `DESCRIPTIONS` of a run folder are as they were written; `SealError` if one is not."""
    found = _sealed_in(folder)
    for name in DESCRIPTIONS:
        path, sealed = folder / name, found.get(name, [])
        if sealed and not _fits(path, sealed):
            what = "has been changed" if path.is_file() else "is missing"
            raise SealError(
                f"{path} {what} since it was written, so it does not say what was played here; undo the change,"
                " restore the file from a copy, or start another run"
            )


def check_listed(place: Path, suffix: str) -> None:
    """Check the list of files of the run folders that are at, in or around a place.

    Parameters
    ----------
    place
        File or folder; files elsewhere are not looked for.
    suffix
        End of the names of files of which a finished run has sealed every one.

    Raises
    ------
    SealError
        If a sealed file is missing, a finished run has a file of this kind that is not sealed, or an unfinished one has
        such a file with the content of a sealed one.
    """
    place = place.resolve()
    if not place.is_dir():
        around = _run_folder(place)
        if around is not None and place.is_file() and place.name.endswith(suffix):
            _check_known(around, [place])
        return
    around = place if (place / SEALS).is_file() else _run_folder(place)
    inside = {seals.parent for seals in place.rglob(SEALS)} - {place}
    for folder in ([around] if around else []) + sorted(inside):
        files = [*folder.glob(f"*{suffix}"), *folder.glob(f"*/*{suffix}")]
        of_run = [path for path in sorted(files) if path.is_relative_to(place) and _run_folder(path) == folder]
        _check_known(folder, of_run)
        sealed = {name: folder / name for name in _sealed_in(folder)}
        missing = [name for name, path in sealed.items() if path.is_relative_to(place) and not path.is_file()]
        if missing:
            more = f" and {len(missing) - 1:,} more files" if len(missing) > 1 else ""
            raise SealError(
                f"{folder} lacks {missing[0]}{more}, which the run had finished; restore {'them' if more else 'it'}"
                f" from a copy, or repeat the command that wrote {folder.name}, which does again what is missing"
            )


def _run_folder(path: Path) -> Path | None:
    """The nearest run folder that a file or folder may be part of."""
    return next((folder for folder in list(path.parents)[:2] if (folder / SEALS).is_file()), None)


def _check_known(folder: Path, files: Sequence[Path]) -> None:
    """`SealError` if one of the files, which were listed before, is not of the run."""
    found = _sealed_in(folder)
    sealed = {(seals[-1].bytes, seals[-1].sha256): name for name, seals in found.items()}
    sizes = {size for size, _ in sealed}
    for path in files:
        if path.relative_to(folder).as_posix() in found:
            continue
        if RESULTS in found:
            raise SealError(f"{path} is not a file of the run, as {folder / SEALS} does not have it; move it elsewhere")
        size = path.stat().st_size
        if size in sizes and (copied := sealed.get((size, _Reading(path).go_on(size)))):
            raise SealError(f"{path} is a copy of {copied}; move it elsewhere")


def _fits(path: Path, sealed: Sequence[Seal]) -> bool:
    """Whether a file fits the last of its seals; or any, if it is one of the `DESCRIPTIONS`."""
    valid = sealed if sealed[-1].file in DESCRIPTIONS else sealed[-1:]
    return path.is_file() and bool(_fitting(path, valid))


def _fitting(path: Path, sealed: Sequence[Seal]) -> list[Seal]:
    """Those seals of a file that it fits."""
    reading, size = _Reading(path), path.stat().st_size
    fitting = []
    for seal in sealed:
        digest = reading.go_on(seal.bytes)
        same = (reading.bytes, digest) == (seal.bytes, seal.sha256)
        if same and (size == seal.bytes or not seal.finished):
            fitting.append(seal)
    return fitting


def _message(path: Path, folder: Path, seal: Seal) -> str:
    size = path.stat().st_size if path.is_file() else 0
    what = "has been changed" if size == seal.bytes else f"has {size:,} bytes"
    return (
        f"{path} {what} since it was finished with {seal.lines:,} lines, {seal.bytes:,} bytes; restore it from a copy,"
        f" or repeat the command that wrote {folder.name}, which does again what is missing"
    )


def _sealed_in(folder: Path) -> Mapping[str, list[Seal]]:
    """The seals of a folder by the file that they are about; empty without any."""
    path = folder / SEALS
    return _cached(path, path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else {}


@lru_cache(maxsize=4)
def _cached(path: Path, *_: int) -> Mapping[str, list[Seal]]:
    return _by_file(_parsed(path))


def _by_file(seals: Iterable[Seal]) -> dict[str, list[Seal]]:
    """The seals by the file that they are about, in the order of writing."""
    found: dict[str, list[Seal]] = {}
    for seal in seals:
        found.setdefault(seal.file, []).append(seal)
    return found


def _line(seal: Seal) -> str:
    return json_text(asdict(seal)) + "\n"


def _chained(seals: Iterable[Seal], before: str) -> list[Seal]:
    """The seals with the checksums that they have after a line whose checksum is `before`; empty for the first."""
    chained = []
    for seal in seals:
        before = _checksum(before + _line(replace(seal, chain="")))
        chained.append(replace(seal, chain=before))
    return chained


def _parsed(path: Path) -> list[Seal]:
    """The seals in a file, none without it; `SealError` where a line was changed, deleted or added."""
    remedy, found = "restore the file from a copy, or delete it", list[Seal]()
    for number, line in complete_lines(path) if path.is_file() else ():
        place = f"{path}, line {number}"
        seal = parse_json(line, Seal, place, SealError, remedy)
        if seal.chain != _chained([seal], found[-1].chain if found else "")[0].chain:
            raise SealError(f"{place}: this line or one before it was changed, deleted or added; {remedy}")
        found.append(seal)
    return found


def checked_line(values: Mapping[str, Any]) -> str:
    """A line of JSON Lines that ends with a checksum of its own, under the key ``sha256``; without the newline."""
    text = json_text(values, separators=(",", ":"), allow_nan=False)
    return f'{text[:-1]},"sha256":"{_checksum(text)}"}}'


def has_checksum(line: str) -> bool:
    """Whether a line ends with its checksum."""
    body, _, end = line.rstrip("\n").rpartition(',"sha256":')
    return end == f'"{_checksum(body + "}")}"}}'


def _checksum(text: str) -> str:
    """First 16 hexadecimal digits of the SHA-256 of a line without its checksum."""
    return sha256(text.encode()).hexdigest()[:16]
