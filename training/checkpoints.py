"""The folder of a training: checkpoints that outlive a kill or damage, and a model that is complete or absent."""

import io
import os
import re
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from dilemmas.envs.data_files import replacing, to_disk
from dilemmas.envs.errors import InputError, naming
from dilemmas.envs.seals import DAMAGED

KEPT = 2
"""Number of checkpoints that are kept: the last one, and the one before in case the last is damaged."""


class TrainingError(InputError):
    """Training that cannot go on."""


class Checkpoints:
    """The checkpoints of one training in a folder, ``STEP.CHECKSUM.pt``."""

    def __init__(self, folder: Path, *training: object) -> None:
        """`training`: all that the training depends on; the checksums tell it from others."""
        self.folder = folder
        self._training = sha256()
        for part in training:
            self._training.update(repr(part).encode())

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Write the state after a number of steps; it has reached the disk when the call returns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()  # torch itself does not say why it could not write a file
        torch.save(dict(state), stream)
        data = stream.getvalue()
        with replacing(self.folder / f"{step:07d}.{self._checksum(data)}.pt") as partial:
            partial.write_bytes(data)
        for path in self._newest_first()[KEPT:]:
            path.unlink()

    def load(self) -> dict[str, Any] | None:
        """The newest state that is whole, None without one; another file is put aside, with a warning."""
        for path in self._newest_first():
            data = path.read_bytes()
            if path.suffixes[-2:-1] == [f".{self._checksum(data)}"]:
                state: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True)
                return state
            os.replace(path, path.with_name(path.name + DAMAGED))
            warnings.warn(
                f"{path} is damaged, or of another training, and was put aside; training goes on from the one before",
                stacklevel=2,
            )
        return None

    def _checksum(self, data: bytes) -> str:
        digest = self._training.copy()
        digest.update(data)
        return digest.hexdigest()[:16]

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("*.pt"), reverse=True)

    def stopped(self, step: int, steps: int) -> TrainingError:
        """The error for a step whose loss or weights are not finite numbers."""
        last = self._newest_first()
        kept = f"the last good checkpoint is {last[0]}" if last else "there is no good checkpoint"
        return TrainingError(
            f"step {step} of {steps}: the loss or the weights are no finite numbers, so training was stopped; {kept};"
            " train with a lower learning rate in another folder"
        )


def all_finite(tensors: Iterable[torch.Tensor]) -> bool:
    """Whether no tensor has NaN or infinity."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)


@contextmanager
def naming_folder(folder: Path) -> Iterator[None]:
    """Context manager: an `OSError` of writing names the folder, also where a library reports it in its own way."""
    try:
        with naming(folder):
            yield
    except Exception as error:  # libraries in Rust have errors of their own, for example for a full disk
        code = re.search(r"os error (\d+)", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(folder)) from error


@contextmanager
def published(out: Path, last: str) -> Iterator[Path]:
    """Context manager: yields a folder, whose files move to `out` when the block ends without an error.

    Each has reached the disk before. The file `last` moves last, and so marks the model as complete.
    """
    staging = out / "staging"
    staging.mkdir(parents=True, exist_ok=True)
    with naming_folder(staging):
        yield staging
    for file in sorted(staging.iterdir(), key=lambda path: path.name == last):
        to_disk(file)
        os.replace(file, out / file.name)


def tidied(out: Path) -> None:
    """Delete what is needed only until the model is complete."""
    for name in ("staging", "checkpoint"):
        shutil.rmtree(out / name, ignore_errors=True)
