"""Several processes that train one student together: each reads a part of every step, and their gradients are summed.

They are started by `torchrun --nproc-per-node N -m dilemmas distill ...`, or `accelerate launch`. The first of them
alone collects data, asks teachers, holds locks and writes; the others wait for what it finds.
"""

import atexit
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import distributed

from dilemmas.envs.locks import locked_folder

Value = TypeVar("Value")

LONGEST_WAIT = timedelta(days=30)
"""For the first process, whose teacher may be slow; a process that fails ends the others by the launcher."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes that train, as one of them sees them."""

    rank: int = 0
    """Number of this process, from 0."""
    count: int = 1
    """Number of processes."""

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def locked(self, folder: Path) -> AbstractContextManager[None]:
        """Context manager: the first process holds the lock of a folder."""
        return locked_folder(folder) if self.first else nullcontext()

    def shared(self, make: Callable[[], Value]) -> Value:
        """What the first process makes, in all processes; the others make nothing, and wait."""
        if self.count == 1:
            return make()
        found: list[Any] = [make() if self.first else None]
        distributed.broadcast_object_list(found, src=0)
        value: Value = found[0]
        return value

    def part_of(self, items: Sequence[Value]) -> Sequence[Value]:
        """The items of this process; none if there are fewer than processes."""
        return items[len(items) * self.rank // self.count : len(items) * (self.rank + 1) // self.count]

    def total(self, value: float) -> float:
        """The sum of a number over all processes, the same in all of them."""
        if self.count == 1:
            return value
        summed = torch.tensor(value, dtype=torch.float64)
        distributed.all_reduce(summed)
        return summed.item()

    def add_gradients(self, weights: Sequence[torch.nn.Parameter]) -> None:
        """Replace the gradient of each weight by its sum over all processes."""
        if self.count == 1:
            return
        for weight in weights:  # a process may have read nothing
            weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        summed = torch.cat([gradient.flatten() for gradient in gradients]).cpu()
        distributed.all_reduce(summed)
        for gradient, found in zip(gradients, summed.split([one.numel() for one in gradients]), strict=True):
            gradient.copy_(found.view_as(gradient))

    def device(self, asked: str) -> str:
        """The device of this process, where the device that was asked for is ``auto``: each takes another GPU."""
        gpus = torch.cuda.device_count()
        if self.count == 1 or asked != "auto" or not gpus:
            return asked
        return f"cuda:{int(os.environ.get('LOCAL_RANK', self.rank)) % gpus}"


ALONE = Processes()
"""One process."""


@cache
def launched() -> Processes:
    """The processes that a launcher of torch started; one, if none did."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    distributed.init_process_group("gloo", timeout=LONGEST_WAIT)
    atexit.register(distributed.destroy_process_group)
    return Processes(distributed.get_rank(), distributed.get_world_size())
