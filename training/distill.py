"""Distillation: LoRA fine-tuning on the teacher's answers and motivations.

The loss is on the completion only, including the stop token. A plain torch loop is faster on small models than a
trainer class, shares prompts between completions, and resumes an interrupted run bit-identically. Settings:
`dilemmas.training.lora`.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.utils import get_peft_model_state_dict

from dilemmas.agents.models.chat import encode_prompt, encode_reply, stop_token
from dilemmas.agents.models.local import quiet_peft
from dilemmas.training.batches import PackedRow, collate, completion, loss
from dilemmas.training.examples import Example, ExampleError
from dilemmas.training.lora import LoraSettings

KEPT = 30.0
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


def encode(tokenizer: Any, examples: Sequence[Example]) -> list[PackedRow]:
    """One row per prompt with all its completions, in the order of the first examples."""
    by_prompt: dict[str, list[str]] = {}
    for example in examples:
        by_prompt.setdefault(example.prompt, []).append(example.completion)
    rows = []
    for prompt, completions in by_prompt.items():
        stop = stop_token(tokenizer, prompt)
        known = {text: completion([*encode_reply(tokenizer, prompt, text), stop]) for text in set(completions)}
        rows.append(PackedRow(encode_prompt(tokenizer, prompt), [known[text] for text in completions]))
    return rows


def pack(rows: Sequence[PackedRow], size: int, rng: np.random.Generator) -> list[PackedRow]:
    """One epoch in random order, with at most `size` completions per row."""
    packed = []
    for row in rows:
        order = [row.branches[i] for i in rng.permutation(len(row.branches))]
        packed += [PackedRow(row.prefix, order[start : start + size]) for start in range(0, len(order), size)]
    return [packed[i] for i in rng.permutation(len(packed))]


def adapt(model: Any, settings: LoraSettings, seed: int) -> PeftModel:
    """Add a new adapter to all linear layers; its weights depend on the seed only."""
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(), quiet_peft():
        torch.manual_seed(seed)
        adapted: PeftModel = get_peft_model(model, config)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # the adapter is in float32, whatever the type of the base
    return adapted


def distil(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    settings: LoraSettings,
    out: Path,
    seed: int,
    save_every: int = 100,
    base: BaseModel | None = None,
) -> Iterator[TrainingProgress]:
    """Fine-tune a model by LoRA and write a PEFT adapter directory.

    An interrupted run is resumed from its last checkpoint when called again with the same arguments, and ends with the
    same weights. A finished adapter is not changed.

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
        Steps between checkpoints, which are also written where more than `KEPT` seconds have passed.
    base
        What the adapter names as its base; by default the directory of `model`.

    Yields
    ------
    TrainingProgress
        After every step.

    Raises
    ------
    ExampleError
        Without examples.
    """
    if (out / "adapter_model.safetensors").is_file():
        return
    if not examples:
        raise ExampleError("no examples: no answer of the teacher is readable")
    adapted = adapt(model, settings, seed)
    adapted.train()
    optimiser = torch.optim.AdamW(_trained(adapted), lr=settings.rate, weight_decay=0.0)
    batches = _batches(encode(tokenizer, examples), settings, seed)
    checkpoint = out / "checkpoint"
    losses, saved = _restore(checkpoint, adapted, optimiser), time.monotonic()
    for step in range(len(losses), len(batches)):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * schedule(step, len(batches), settings.warmup)
        losses.append(_optimise(adapted, optimiser, batches[step], settings.clip, seed * 1_000_003 + step))
        if (step + 1) % save_every == 0 or time.monotonic() - saved > KEPT:
            _save(checkpoint, adapted, optimiser, losses)
            saved = time.monotonic()
        yield TrainingProgress(step + 1, len(batches), losses[-1])
    _finish(out, adapted, settings, losses, len(examples), base)


def _trained(adapted: PeftModel) -> list[torch.nn.Parameter]:
    return [parameter for parameter in adapted.parameters() if parameter.requires_grad]


def _optimise(
    adapted: PeftModel, optimiser: torch.optim.Optimizer, rows: Sequence[PackedRow], clip: float, seed: int
) -> float:
    """One optimiser step; returns the loss. The seed of dropout makes a resumed run bit-identical."""
    device = next(adapted.parameters()).device
    with torch.random.fork_rng(), _repeatable(device):
        torch.manual_seed(seed)
        value = loss(adapted, collate(rows).to(device))
        value.backward()
    torch.nn.utils.clip_grad_norm_(_trained(adapted), clip)
    optimiser.step()
    optimiser.zero_grad()
    return float(value.item())


@contextmanager
def _repeatable(device: torch.device) -> Iterator[None]:
    """Deterministic algorithms on a CPU: gradients are summed in the same order with several threads."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(before or device.type == "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _batches(rows: Sequence[PackedRow], settings: LoraSettings, seed: int) -> list[list[PackedRow]]:
    """The rows of every step, over all epochs."""
    epochs = range(settings.epochs)
    packed = [row for epoch in epochs for row in pack(rows, settings.pack, np.random.default_rng([seed, epoch]))]
    per_step = max(1, settings.batch // settings.pack)
    return [packed[i : i + per_step] for i in range(0, len(packed), per_step)]


def _save(folder: Path, adapted: PeftModel, optimiser: torch.optim.Optimizer, losses: Sequence[float]) -> None:
    """Write a checkpoint atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {"adapter": get_peft_model_state_dict(adapted), "optimiser": optimiser.state_dict(), "losses": list(losses)}
    torch.save(state, folder / "state.partial")
    os.replace(folder / "state.partial", folder / "state.pt")


def _restore(folder: Path, adapted: PeftModel, optimiser: torch.optim.Optimizer) -> list[float]:
    """Load the last checkpoint, if there is one; returns the losses so far."""
    if not (folder / "state.pt").is_file():
        return []
    state = torch.load(folder / "state.pt", weights_only=True)
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
    staging = out / "staging"
    adapted.save_pretrained(str(staging), safe_serialization=True)
    config = json.loads((staging / "adapter_config.json").read_text(encoding="utf-8"))
    miniature = (Path(config["base_model_name_or_path"] or "") / "pretraining.json").is_file()
    if base:  # set only now: peft would contact the hub
        name, _, revision = base.name.partition("@") if base.on_hub else (base.name, "", "")
        config |= {"base_model_name_or_path": name, "revision": revision or None}
        (staging / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    card = adapter_card(config["base_model_name_or_path"] or "the student", settings, losses, examples)
    if miniature:
        card += "\nThe base is a miniature model: results do not generalise to large language models.\n"
    (staging / "README.md").write_text(card, encoding="utf-8")
    record: dict[str, Any] = {"settings": asdict(settings), "examples": examples, "losses": list(losses)}
    if base:
        record["base"] = {"name": base.name, "fingerprint": base.fingerprint}
    (staging / "training.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    for file in sorted(staging.iterdir(), key=lambda path: path.suffix == ".safetensors"):
        os.replace(file, out / file.name)
    shutil.rmtree(staging)
    shutil.rmtree(out / "checkpoint", ignore_errors=True)


def adapter_card(base: str, settings: LoraSettings, losses: Sequence[float], examples: int) -> str:
    """README.md of an adapter directory."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in asdict(settings).items())
    return f"""---
base_model: {base}
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
