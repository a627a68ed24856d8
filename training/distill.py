"""Distillation: LoRA fine-tuning on demonstrations of the teacher.

A plain torch loop is faster on small models than a trainer class, reads what texts share once, and resumes an
interrupted run bit-identically. Methods: `dilemmas.training.losses`; settings: `dilemmas.training.lora`.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from peft import set_peft_model_state_dict

from dilemmas.agents.models.open_model import LazyModel
from dilemmas.training.adapters import (
    BaseModel,
    adapt,
    adapter_is_whole,
    adapter_state,
    adapter_weights,
    untuned_layers,
    write_adapter,
)
from dilemmas.training.checkpoints import Checkpoints, TrainingError, all_finite, tidied
from dilemmas.training.demonstrations import Demonstration, Speller
from dilemmas.training.examples import ExampleError
from dilemmas.training.loop.course import TrainingCourse
from dilemmas.training.loop.held_out import held_out_divergence, held_out_questions, hold_out
from dilemmas.training.loop.optimisers import optimiser_of
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
    """State of training after a step, or before the first."""

    step: int
    """Completed steps."""
    steps: int
    """All steps."""
    loss: float
    """Mean of -log P over what was to be predicted in this step, by weight, in nats; NaN before the first."""
    held_out: float | None = None
    """Divergence from the teacher on held-out situations, in nats, when it was last measured; None without any."""
    read: float = 1.0
    """Share of the texts that the layers which are not tuned have read; below 1 before the first step only."""

    @property
    def total(self) -> int | None:
        """All steps; None while it is not known how many were taken before."""
        return self.steps if self.read == 1 else None

    @property
    def note(self) -> str:
        """The loss, and the divergence, in words."""
        if math.isnan(self.loss):
            return f"lower layers {self.read:.0%}" if self.read < 1 else ""
        measured = "" if self.held_out is None else f", held-out divergence {self.held_out:.3f}"
        return f"loss {self.loss:.3f}{measured}"


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
    taught: Mapping[str, Any] | None = None,
) -> Iterator[TrainingProgress]:
    """Fine-tune a model by LoRA and write a PEFT adapter directory.

    With `settings.patience`, training ends where the divergence on held-out situations no longer falls, and the adapter
    is that at its lowest.

    An interrupted run is resumed from its last checkpoint when called again with the same arguments, and ends with the
    same weights; with others it begins again. A finished adapter is not changed.

    Parameters
    ----------
    model, tokenizer
        The student.
    shown
        Teaching data, at least one demonstration.
    settings, out, seed
        Method, size and training of the adapter, its directory, and the seed of initial weights, order and dropout.
    save_every
        Steps between checkpoints, which are also written where more than `OFTEN` seconds have passed.
    base
        What the adapter names as its base; by default the directory of `model`.
    teacher
        The model whose distributions are taught, with method ``tokens``; it reads all replies once, and is unloaded.
    taught
        Who taught it and on what, as texts and numbers, for the record of the adapter and its card.

    Yields
    ------
    TrainingProgress
        While the layers that are not tuned read all texts; before the first step; and after every step.

    Raises
    ------
    ExampleError
        Without demonstrations; if presentations are to be compared and no situation comes in several of them; if there
        are not enough situations to hold some out.
    TrainingError
        With method ``tokens``, as `ask_token_teacher`. If the loss or the weights become NaN or infinite; no adapter is
        written, and the last good checkpoint is kept.
    InUseError
        If another process, which was not started together with this one, is training in the directory.
    """
    processes = launched()
    with processes.locked(out):
        if not processes.shared(lambda: adapter_is_whole(out)):
            yield from _train(model, tokenizer, shown, settings, out, seed, save_every, base, teacher, taught)
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
    told: Mapping[str, Any] | None,
) -> Iterator[TrainingProgress]:
    """`distil` in a directory without a finished adapter."""
    if not shown:
        raise ExampleError("no examples: no answer of the teacher is readable")
    work = _Training(model, tokenizer, shown, settings, out, seed, base, told)
    for read in work.prepare(teacher):
        yield TrainingProgress(len(work.course.losses), len(work.steps), math.nan, work.course.last, read)
    saved = time.monotonic()
    while (step := len(work.course.losses)) < len(work.steps) and not work.course.ended(settings.patience):
        work.take(step)
        if (step + 1) % save_every == 0 or step + 1 == len(work.steps) or time.monotonic() - saved > OFTEN:
            work.save()
            saved = time.monotonic()
        yield TrainingProgress(step + 1, len(work.steps), work.course.losses[-1], work.course.last)
    work.finish()


class _Training:
    """A training that goes on from its last checkpoint, in one of its processes."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        shown: Sequence[Demonstration],
        settings: LoraSettings,
        out: Path,
        seed: int,
        base: BaseModel | None,
        told: Mapping[str, Any] | None,
    ) -> None:
        self._settings, self._out, self._seed, self._base, self._told = settings, out, seed, base, told
        self._processes, self._speller = launched(), Speller(tokenizer)
        self._taught, held = hold_out(shown, settings.held_out, seed)
        if settings.consistency:
            check_presentations(self._taught)
        self._held = held_out_questions(self._speller, held)
        self._lessons = [lessons_of(self._speller, one, settings) for one in self._taught]
        self._adapted = adapt(model, settings, seed)
        self._adapted.train()
        if settings.checkpointing:
            _compute_again(self._adapted)
        self._optimiser = optimiser_of(adapter_weights(self._adapted), settings)
        together = settings.consistency or settings.method == "soft"  # replies of one question share more of the prompt
        situations = [one.situation if together else "" for one in self._taught]
        self.steps = steps_of(self._lessons, situations, settings, seed)
        self._checkpoints = Checkpoints(out / "checkpoint", settings, seed, base, *shown)
        self.course = TrainingCourse()

    def prepare(self, teacher: LazyModel | None) -> Iterator[float]:
        """Read what is read once, and go on from the last checkpoint; yields the share that has been read."""
        settings, tuned = self._settings, self._adapted
        read = [*chain.from_iterable(self._lessons), *chain.from_iterable(one.answers for one in self._held)]
        network = yield from prepare_network(tuned, read, untuned_layers(tuned, settings), settings.tokens)
        judge = _token_teacher(teacher, self._speller, self._taught, settings)
        self._objective = Objective(network, settings.consistency, judge)
        if (state := self._processes.shared(self._checkpoints.load)) is None:
            self._measure()
        else:
            self.course = TrainingCourse.restored(state)
            set_peft_model_state_dict(tuned, state["adapter"])
            self._optimiser.load_state_dict(state["optimiser"])
        yield 1.0

    def take(self, step: int) -> None:
        """Take a step, and measure where this is due; `TrainingError` if the loss is not finite."""
        settings, count = self._settings, len(self.steps)
        for group in self._optimiser.param_groups:
            group["lr"] = settings.rate * schedule(step, count, settings.warmup)
        seed = self._seed * 1_000_003 + step
        value = train_step(self._objective, self._optimiser, self.steps[step], settings, seed, self._processes)
        if not math.isfinite(value):
            if self._all_finite():
                self.save()  # as it was before this step
            raise self._checkpoints.stopped(step + 1, count)
        self.course.losses.append(value)
        if (step + 1) % settings.measure_every == 0 or step + 1 == count:
            self._measure()

    def _measure(self) -> None:
        """Measure the divergence on what is held out, if there is anything."""
        if self._held:
            network, tokens = self._objective.network, self._settings.tokens
            found = held_out_divergence(network, self._held, tokens, self._processes)
            self.course.measure(found, adapter_state(self._adapted) if self._settings.patience else None)

    def save(self) -> None:
        """Write a checkpoint; `TrainingError` if the weights are not finite."""
        if not self._processes.first:
            return
        if not self._all_finite():
            raise self._checkpoints.stopped(len(self.course.losses), len(self.steps))
        state = {"adapter": adapter_state(self._adapted), "optimiser": self._optimiser.state_dict()}
        self._checkpoints.save(len(self.course.losses), state | self.course.state())

    def _all_finite(self) -> bool:
        return all_finite(adapter_weights(self._adapted))

    def finish(self) -> None:
        """Write the adapter: the best one by what is held out, if training may end early, or else the last."""
        if self.course.best is not None:
            set_peft_model_state_dict(self._adapted, self.course.best)
        if self._processes.first:
            found, base, told = self.course, self._base, self._told
            write_adapter(
                self._out, self._adapted, self._settings, found.losses, found.held_out, len(self._taught), base, told
            )


def _compute_again(model: Any) -> None:
    """Let a model compute activations again in the backward pass; transformers 5.23 has another name for it."""
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


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
    Loss before the step, in the unit of `LOSS_UNITS`. NaN if it or a gradient is not finite: no weight is then changed.
    """
    model = objective.network.model
    weights = adapter_weights(model)
    total = total_weight(lesson for lessons in step for lesson in lessons)
    value = 0.0
    with torch.random.fork_rng(), _repeatable(model.device):
        torch.manual_seed(seed + (processes.rank << 48))
        bundles = processes.part_of(bundles_of(step))
        for rows in objective.parts(bundles, settings.tokens) if bundles else ():
            with objective.loss(rows) as loss:
                (loss / total).backward()
            value += float(loss.item() / total)
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
    """Deterministic algorithms on a CPU: gradients are summed in the same order with several threads.

    New memory is not filled first, as torch does for programs that read what they have not written.
    """
    filling: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), filling.fill_uninitialized_memory
    torch.use_deterministic_algorithms(before[0] or device.type == "cpu")
    filling.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        filling.fill_uninitialized_memory = before[1]
