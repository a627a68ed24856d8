"""Distillation: LoRA fine-tuning on demonstrations of the teacher.

A plain torch loop is faster on small models than a trainer class, reads what texts share once, and resumes an
interrupted run bit-identically. Methods: `dilemmas.training.losses`; settings: `dilemmas.training.lora`.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel, set_peft_model_state_dict
from peft.utils import get_peft_model_state_dict

from dilemmas.envs.locks import locked_folder
from dilemmas.training.adapters import (
    BaseModel,
    adapt,
    adapter_is_whole,
    adapter_weights,
    untuned_layers,
    write_adapter,
)
from dilemmas.training.checkpoints import Checkpoints, all_finite, tidied
from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.examples import ExampleError
from dilemmas.training.lora import LoraSettings
from dilemmas.training.losses.methods import lessons_of
from dilemmas.training.packing.lessons import Lesson, Tokens, total_weight
from dilemmas.training.packing.network import Network
from dilemmas.training.packing.trial import prepare_network

Taught = Sequence[Lesson]
"""What is learned from one demonstration."""
OFTEN = 30.0
"""Seconds of training after which a checkpoint is written."""


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """State of training after a step."""

    step: int
    """Completed steps."""
    steps: int
    """All steps."""
    loss: float
    """Mean of -log P over what was to be predicted in this step, by weight, in nats."""


def schedule(step: int, steps: int, warmup: float) -> float:
    """Factor of the learning rate: linear warm-up over a share `warmup` of the steps, then cosine decay to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def steps_of(shown: Sequence[Taught], settings: LoraSettings, seed: int) -> list[list[Taught]]:
    """What is taught in every step, over all passes.

    A pass has every demonstration once, in random order; those of one question come up to `settings.pack` at a time,
    because the question is then read once.
    """
    asked: dict[Tokens, list[Taught]] = {}
    for lessons in shown:
        asked.setdefault(lessons[0].tokens[: lessons[0].targets[0].place], []).append(lessons)
    order: list[Taught] = []
    wanted = settings.steps * settings.batch or settings.epochs * len(shown)
    for number in count():
        if len(order) >= wanted:
            break
        rng = np.random.default_rng([seed, number])
        groups: list[list[Taught]] = []
        for alike in asked.values():
            mixed = [alike[i] for i in rng.permutation(len(alike))]
            groups += [mixed[start : start + settings.pack] for start in range(0, len(mixed), settings.pack)]
        order += [lessons for i in rng.permutation(len(groups)) for lessons in groups[i]]
    return [order[start : start + settings.batch] for start in range(0, wanted, settings.batch)]


def distil(
    model: Any,
    tokenizer: Any,
    shown: Sequence[Demonstration],
    settings: LoraSettings,
    out: Path,
    seed: int,
    save_every: int = 100,
    base: BaseModel | None = None,
    taught: Mapping[str, Any] | None = None,
) -> Iterator[TrainingProgress]:
    """Fine-tune a model by LoRA and write a PEFT adapter directory.

    An interrupted run is resumed from its last checkpoint when called again with the same arguments, and ends with the
    same weights; with others it begins again. A finished adapter is not changed.

    Parameters
    ----------
    model, tokenizer
        The student.
    shown
        Teaching data, at least one demonstration.
    settings, out
        Method, size and training of the adapter, and its directory.
    seed
        Seed of initial weights, order and dropout.
    save_every
        Steps between checkpoints, which are also written where more than `OFTEN` seconds have passed.
    base
        What the adapter names as its base; by default the directory of `model`.
    taught
        Who taught it and on what, as texts and numbers, for the record of the adapter and its card.

    Yields
    ------
    TrainingProgress
        After every step.

    Raises
    ------
    ExampleError
        Without demonstrations.
    TrainingError
        If the loss or the weights become NaN or infinite; no adapter is written, and the last good checkpoint is kept.
    InUseError
        If another process is training in the directory.
    """
    with locked_folder(out):
        if not adapter_is_whole(out):
            yield from _train(model, tokenizer, shown, settings, out, seed, save_every, base, taught)
        tidied(out)


def _train(
    model: Any,
    tokenizer: Any,
    shown: Sequence[Demonstration],
    settings: LoraSettings,
    out: Path,
    seed: int,
    save_every: int,
    base: BaseModel | None,
    told: Mapping[str, Any] | None,
) -> Iterator[TrainingProgress]:
    """`distil` in a directory without a finished adapter."""
    if not shown:
        raise ExampleError("no examples: no answer of the teacher is readable")
    adapted = adapt(model, settings, seed)
    adapted.train()
    optimiser = torch.optim.AdamW(adapter_weights(adapted), lr=settings.rate, weight_decay=0.0)
    speller = Speller(tokenizer)
    taught = [lessons_of(speller, one, settings) for one in shown]
    every = [lesson for lessons in taught for lesson in lessons]
    network = prepare_network(adapted, every, untuned_layers(adapted, settings), settings.tokens)
    steps = steps_of(taught, settings, seed)
    checkpoints = Checkpoints(out / "checkpoint", settings, seed, base, *shown)
    losses, saved = _restore(checkpoints, adapted, optimiser), time.monotonic()
    for step in range(len(losses), len(steps)):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * schedule(step, len(steps), settings.warmup)
        lessons = [lesson for lessons in steps[step] for lesson in lessons]
        value = train_step(network, optimiser, lessons, settings, seed * 1_000_003 + step)
        if not math.isfinite(value):
            if all_finite(adapter_weights(adapted)):
                _save(checkpoints, adapted, optimiser, losses)  # as it was before this step
            raise checkpoints.stopped(step + 1, len(steps))
        losses.append(value)
        if (step + 1) % save_every == 0 or step + 1 == len(steps) or time.monotonic() - saved > OFTEN:
            if not all_finite(adapter_weights(adapted)):
                raise checkpoints.stopped(step + 1, len(steps))
            _save(checkpoints, adapted, optimiser, losses)
            saved = time.monotonic()
        yield TrainingProgress(step + 1, len(steps), value)
    write_adapter(out, adapted, settings, losses, len(shown), base, told)


def train_step(
    network: Network, optimiser: torch.optim.Optimizer, lessons: Sequence[Lesson], settings: LoraSettings, seed: int
) -> float:
    """Take one optimiser step.

    Parameters
    ----------
    network, optimiser
        A model with its adapter, and the optimiser of the adapter's weights.
    lessons
        What the batch teaches.
    settings
        Largest norm of the gradient, and most tokens that are read at a time.
    seed
        Seed of dropout, so that a resumed run is bit-identical.

    Returns
    -------
    Loss before the step, in nats per token. NaN if the loss or a gradient is not finite: no weight is then changed.
    """
    weights = adapter_weights(network.model)
    total = total_weight(lessons)
    value = 0.0
    with torch.random.fork_rng(), _repeatable(network.model.device):
        torch.manual_seed(seed)
        for rows in network.parts(lessons, settings.tokens):
            part = network.loss(rows) / total
            part.backward()
            value += float(part.item())
    norm = torch.nn.utils.clip_grad_norm_(weights, settings.clip)
    finite = math.isfinite(value) and all_finite((norm,))
    if finite:
        optimiser.step()
    optimiser.zero_grad()
    return value if finite else math.nan


@contextmanager
def _repeatable(device: torch.device) -> Iterator[None]:
    """Deterministic algorithms on a CPU: gradients are summed in the same order with several threads."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(before or device.type == "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _save(
    checkpoints: Checkpoints, adapted: PeftModel, optimiser: torch.optim.Optimizer, losses: Sequence[float]
) -> None:
    state = {"adapter": get_peft_model_state_dict(adapted), "optimiser": optimiser.state_dict(), "losses": list(losses)}
    checkpoints.save(len(losses), state)


def _restore(checkpoints: Checkpoints, adapted: PeftModel, optimiser: torch.optim.Optimizer) -> list[float]:
    """Load the last whole checkpoint, if there is one; returns the losses so far."""
    state = checkpoints.load()
    if state is None:
        return []
    set_peft_model_state_dict(adapted, state["adapter"])
    optimiser.load_state_dict(state["optimiser"])
    return list(state["losses"])
