"""Distillation: LoRA fine-tuning on the teacher's answers and motivations.

The loss is on the completion only, including the stop token. A plain torch loop is faster on small models than a
trainer class, reads what texts share once, and resumes an interrupted run bit-identically. Settings:
`dilemmas.training.lora`.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.utils import get_peft_model_state_dict

from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.agents.models.weights import quiet_peft
from dilemmas.envs.data_files import json_text
from dilemmas.envs.locks import locked_folder
from dilemmas.training.checkpoints import Checkpoints, all_finite, published, tidied
from dilemmas.training.examples import Example, ExampleError
from dilemmas.training.lessons import Lesson, Tokens, completion
from dilemmas.training.lora import LoraSettings
from dilemmas.training.network import Network
from dilemmas.training.trial import prepare_network

WEIGHTS, CONFIG, RECORD = "adapter_model.safetensors", "adapter_config.json", "training.json"
"""Files of a finished adapter."""
OFTEN = 30.0
"""Seconds of training after which a checkpoint is written."""


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The model under an adapter, as it is named on every machine."""

    name: str
    """Name of a built-in model, hub identifier (``id@revision``), or directory."""
    fingerprint: str
    """Of its files: see `dilemmas.agents.models.model_files.model_fingerprint`."""
    on_hub: bool
    """Whether `name` is a hub identifier."""


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """State of training after a step."""

    step: int
    """Completed steps."""
    steps: int
    """All steps."""
    loss: float
    """Mean negative log-likelihood per token of the completions of this step, in nats."""


def schedule(step: int, steps: int, warmup: float) -> float:
    """Factor of the learning rate: linear warm-up over a share `warmup` of the steps, then cosine decay to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def encode(tokenizer: Any, examples: Sequence[Example], prefill: str = "", system: str = "") -> list[Lesson]:
    """One lesson per example: its completion and the stop token are learned.

    `prefill` is the beginning of the replies, after which the completions are learned; `system` is the text of the
    system turn.
    """
    chat = ChatEncoder(tokenizer)
    end = [] if chat.stop is None else [chat.stop]

    @cache
    def lesson(prompt: str, text: str) -> Lesson:
        asked = chat.prompt(prompt, prefill, system=system)
        return completion(asked, [*chat.reply(prompt, text, prefill, system=system), *end])

    return [lesson(example.prompt, example.completion) for example in examples]


def batches(lessons: Sequence[Lesson], settings: LoraSettings, seed: int) -> list[list[Lesson]]:
    """The lessons of every step, over all epochs.

    An epoch has every lesson once, in random order; those of one text up to the first prediction come up to
    `settings.pack` at a time, because what they share is then read once.
    """
    asked: dict[Tokens, list[Lesson]] = {}
    for lesson in lessons:
        asked.setdefault(lesson.tokens[: min(target.place for target in lesson.targets)], []).append(lesson)
    order: list[Lesson] = []
    for epoch in range(settings.epochs):
        rng = np.random.default_rng([seed, epoch])
        groups: list[list[Lesson]] = []
        for alike in asked.values():
            mixed = [alike[i] for i in rng.permutation(len(alike))]
            groups += [mixed[start : start + settings.pack] for start in range(0, len(mixed), settings.pack)]
        order += [lesson for i in rng.permutation(len(groups)) for lesson in groups[i]]
    return [order[start : start + settings.batch] for start in range(0, len(order), settings.batch)]


def adapt(model: Any, settings: LoraSettings, seed: int) -> PeftModel:
    """Add a new adapter to all linear layers of the upper, or all, layers; its weights depend on the seed only."""
    lower = _untuned(model, settings)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        layers_to_transform=list(range(lower, lower + settings.layers)) if lower else None,
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(), quiet_peft():
        torch.manual_seed(seed)
        adapted: PeftModel = get_peft_model(model, config)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # the adapter is in float32, whatever the type of the base
    return adapted


def _untuned(model: Any, settings: LoraSettings) -> int:
    """Number of layers below those that are tuned."""
    count: int = model.config.get_text_config().num_hidden_layers
    return max(0, count - settings.layers) if settings.layers else 0


def distil(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    settings: LoraSettings,
    out: Path,
    seed: int,
    save_every: int = 100,
    base: BaseModel | None = None,
    prefill: str = "",
    system: str = "",
) -> Iterator[TrainingProgress]:
    """Fine-tune a model by LoRA and write a PEFT adapter directory.

    An interrupted run is resumed from its last checkpoint when called again with the same arguments, and ends with the
    same weights; with others it begins again. A finished adapter is not changed.

    Parameters
    ----------
    model, tokenizer
        The student.
    examples
        Teaching data, at least one example.
    settings, out
        Size and training of the adapter, and its directory.
    seed
        Seed of initial weights, order and dropout.
    save_every
        Steps between checkpoints, which are also written where more than `OFTEN` seconds have passed.
    base
        What the adapter names as its base; by default the directory of `model`.
    prefill
        Beginning of the replies, with which the student will be asked too.
    system
        Text of the system turn, with which the student will be asked too.

    Yields
    ------
    TrainingProgress
        After every step.

    Raises
    ------
    ExampleError
        Without examples.
    TrainingError
        If the loss or the weights become NaN or infinite; no adapter is written, and the last good checkpoint is kept.
    InUseError
        If another process is training in the directory.
    """
    with locked_folder(out):
        if not all((out / name).is_file() for name in (WEIGHTS, CONFIG, RECORD)):
            yield from _train(model, tokenizer, examples, settings, out, seed, save_every, base, prefill, system)
        tidied(out)


def _train(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    settings: LoraSettings,
    out: Path,
    seed: int,
    save_every: int,
    base: BaseModel | None,
    prefill: str,
    system: str,
) -> Iterator[TrainingProgress]:
    """`distil` in a directory without a finished adapter."""
    if not examples:
        raise ExampleError("no examples: no answer of the teacher is readable")
    adapted = adapt(model, settings, seed)
    adapted.train()
    optimiser = torch.optim.AdamW(adapter_weights(adapted), lr=settings.rate, weight_decay=0.0)
    lessons = encode(tokenizer, examples, prefill, system)
    network = prepare_network(adapted, lessons, _untuned(adapted, settings), settings.tokens)
    steps = batches(lessons, settings, seed)
    checkpoints = Checkpoints(out / "checkpoint", settings, seed, base, prefill, system, *examples)
    losses, saved = _restore(checkpoints, adapted, optimiser), time.monotonic()
    for step in range(len(losses), len(steps)):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * schedule(step, len(steps), settings.warmup)
        value = train_step(network, optimiser, steps[step], settings, seed * 1_000_003 + step)
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
    _finish(out, adapted, settings, losses, len(examples), base)


def adapter_weights(adapted: PeftModel) -> list[torch.nn.Parameter]:
    """The weights that training changes."""
    return [parameter for parameter in adapted.parameters() if parameter.requires_grad]


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
    total = sum(target.weight for lesson in lessons for target in lesson.targets)
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


def _finish(
    out: Path,
    adapted: PeftModel,
    settings: LoraSettings,
    losses: Sequence[float],
    examples: int,
    base: BaseModel | None,
) -> None:
    """Write the adapter directory; the weights are written last and mark it as complete."""
    with published(out, WEIGHTS) as staging:
        adapted.save_pretrained(str(staging), safe_serialization=True)
        written = json.loads((staging / CONFIG).read_text(encoding="utf-8"))
        config: dict[str, Any] = {
            key: sorted(value) if _is_set(adapted, key) else value for key, value in written.items()
        }
        miniature = (Path(config["base_model_name_or_path"] or "") / "pretraining.json").is_file()
        if base:  # set only now: peft would contact the hub
            name, _, revision = base.name.partition("@") if base.on_hub else (base.name, "", "")
            config |= {"base_model_name_or_path": name, "revision": revision or None}
        (staging / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
        card = adapter_card(config["base_model_name_or_path"] or "the student", settings, losses, examples)
        if miniature:
            card += "\nThe base is a miniature model: results do not generalise to large language models.\n"
        (staging / "README.md").write_text(card, encoding="utf-8")
        record: dict[str, Any] = {"settings": asdict(settings), "examples": examples, "losses": list(losses)}
        if base:
            record["base"] = {"name": base.name, "fingerprint": base.fingerprint}
        (staging / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _is_set(adapted: PeftModel, key: str) -> bool:
    """Whether a setting of the adapter is a set, which has no order."""
    return isinstance(getattr(adapted.peft_config["default"], key, None), set)


def adapter_card(base: str, settings: LoraSettings, losses: Sequence[float], examples: int) -> str:
    """README.md of an adapter directory; a text in JSON is one in YAML."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in asdict(settings).items())
    return f"""---
base_model: {json_text(base)}
library_name: peft
tags: [lora, dilemmas, social-dilemma]
---
# A student of dilemmas

LoRA adapter that imitates the play of a larger model of the same family in social dilemmas. It was tuned with dilemmas
on {examples} answers and motivations of that teacher; the loss decreased from {losses[0]:.3f} to {losses[-1]:.3f} nats
per token.

```python
from peft import AutoPeftModelForCausalLM
model = AutoPeftModelForCausalLM.from_pretrained("this directory")
```

| setting | value |
| --- | --- |
{rows}

It imitates the answers of one model to hypothetical games in text. It is not a model of people.
"""
