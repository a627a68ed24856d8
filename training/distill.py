"""Distillation: LoRA fine-tuning on demonstrations of the teacher.

A plain torch loop is faster on small models than a trainer class, reads what texts share once, and resumes an
interrupted run bit-identically. Methods: `dilemmas.training.losses`; settings: `dilemmas.training.lora`.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, set_peft_model_state_dict
from peft.utils import get_peft_model_state_dict

from dilemmas.agents.models.open_model import LazyModel
from dilemmas.training.adapters import (
    BaseModel,
    adapt,
    adapter_is_whole,
    adapter_weights,
    untuned_layers,
    write_adapter,
)
from dilemmas.training.checkpoints import Checkpoints, TrainingError, all_finite, tidied
from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.examples import ExampleError
from dilemmas.training.loop.processes import ALONE, Processes, launched
from dilemmas.training.loop.steps import Taught, bundles_of, steps_of
from dilemmas.training.lora import LoraSettings
from dilemmas.training.losses.consistency import check_presentations
from dilemmas.training.losses.methods import lessons_of
from dilemmas.training.losses.objective import Objective
from dilemmas.training.losses.token_divergence import TokenTeacher, ask_token_teacher
from dilemmas.training.packing.lessons import total_weight
from dilemmas.training.packing.trial import prepare_network

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


def distil(
    model: Any,
    tokenizer: Any,
    shown: Sequence[Demonstration],
    settings: LoraSettings,
    out: Path,
    seed: int,
    save_every: int = 100,
    base: BaseModel | None = None,
    teacher: LazyModel | None = None,
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
    teacher
        The model whose distributions are taught, with method ``tokens``; it reads all replies once, and is unloaded.
    Yields
    ------
    TrainingProgress
        After every step.

    Raises
    ------
    ExampleError
        Without demonstrations, or if presentations are to be compared and no situation comes in several of them.
    TrainingError
        With method ``tokens``, as `ask_token_teacher`. If the loss or the weights become NaN or infinite; no adapter is
        written, and the last good checkpoint is kept.
    InUseError
        If another process, which was not started together with this one, is training in the directory.
    """
    processes = launched()
    with processes.locked(out):
        if not processes.shared(lambda: adapter_is_whole(out)):
            yield from _train(model, tokenizer, shown, settings, out, seed, save_every, base, teacher)
        if processes.first:
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
    teacher: LazyModel | None,
) -> Iterator[TrainingProgress]:
    """`distil` in a directory without a finished adapter."""
    if not shown:
        raise ExampleError("no examples: no answer of the teacher is readable")
    if settings.consistency:
        check_presentations(shown)
    processes = launched()
    adapted = adapt(model, settings, seed)
    adapted.train()
    optimiser = torch.optim.AdamW(adapter_weights(adapted), lr=settings.rate, weight_decay=0.0)
    speller = Speller(tokenizer)
    taught = [lessons_of(speller, one, settings) for one in shown]
    every = [lesson for lessons in taught for lesson in lessons]
    network = prepare_network(adapted, every, untuned_layers(adapted, settings), settings.tokens)
    objective = Objective(network, settings.consistency, _token_teacher(teacher, speller, shown, settings))
    steps = steps_of(taught, settings, seed)
    checkpoints = Checkpoints(out / "checkpoint", settings, seed, base, *shown)
    losses, saved = _restore(processes.shared(checkpoints.load), adapted, optimiser), time.monotonic()
    for step in range(len(losses), len(steps)):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * schedule(step, len(steps), settings.warmup)
        value = train_step(objective, optimiser, steps[step], settings, seed * 1_000_003 + step, processes)
        if not math.isfinite(value):
            if processes.first and all_finite(adapter_weights(adapted)):
                _save(checkpoints, adapted, optimiser, losses)  # as it was before this step
            raise checkpoints.stopped(step + 1, len(steps))
        losses.append(value)
        due = (step + 1) % save_every == 0 or step + 1 == len(steps) or time.monotonic() - saved > OFTEN
        if processes.first and due:
            if not all_finite(adapter_weights(adapted)):
                raise checkpoints.stopped(step + 1, len(steps))
            _save(checkpoints, adapted, optimiser, losses)
            saved = time.monotonic()
        yield TrainingProgress(step + 1, len(steps), value)
    if processes.first:
        write_adapter(out, adapted, settings, losses, len(shown), base)


def _token_teacher(
    teacher: LazyModel | None, speller: Speller, shown: Sequence[Demonstration], settings: LoraSettings
) -> TokenTeacher | None:
    """What the teacher of tokens predicts, with method ``tokens``."""
    if settings.method != "tokens":
        return None
    if teacher is None:
        raise TrainingError("method 'tokens' needs a teacher that is a language model on this machine")
    loaded = teacher.loaded()
    loaded.switch()
    found = ask_token_teacher(loaded.model, loaded.chat.tokenizer, speller, shown, settings)
    teacher.unload()
    return found


def train_step(
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    step: Sequence[Taught],
    settings: LoraSettings,
    seed: int,
    processes: Processes = ALONE,
) -> float:
    """Take one optimiser step, the same in all processes.

    Parameters
    ----------
    objective, optimiser
        The loss of a model with its adapter, and the optimiser of the adapter's weights.
    step
        What the batch teaches.
    settings
        Largest norm of the gradient, and most tokens that are read at a time.
    seed
        Seed of dropout, so that a resumed run is bit-identical; each process has its own.
    processes
        Those that train; each reads a part of the batch.

    Returns
    -------
    Loss before the step, in nats per token. NaN if the loss or a gradient is not finite: no weight is then changed.
    """
    model = objective.network.model
    weights = adapter_weights(model)
    total = total_weight(lesson for lessons in step for lesson in lessons)
    value = 0.0
    with torch.random.fork_rng(), _repeatable(model.device):
        torch.manual_seed(seed + (processes.rank << 48))
        bundles = processes.part_of(bundles_of(step))
        for rows in objective.parts(bundles, settings.tokens) if bundles else ():
            part = objective.loss(rows) / total
            part.backward()
            value += float(part.item())
    value = processes.total(value)
    processes.add_gradients(weights)
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


def _restore(state: Mapping[str, Any] | None, adapted: PeftModel, optimiser: torch.optim.Optimizer) -> list[float]:
    """Load a checkpoint, if there is one; returns the losses so far."""
    if state is None:
        return []
    set_peft_model_state_dict(adapted, state["adapter"])
    optimiser.load_state_dict(state["optimiser"])
    return list(state["losses"])
