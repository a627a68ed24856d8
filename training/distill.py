"""Distillation: LoRA on the teacher's answers and motivations, loss on the completion only, stop token included.

One flat loop in plain torch: on small models it is faster than a trainer class, rows share their prompt, and a
stopped run goes on bit for bit. Settings: `dilemmas.training.lora`.
"""

import json
import math
import os
import shutil
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
from dilemmas.training.batches import Row, collate, completion, loss
from dilemmas.training.examples import Example, ExampleError
from dilemmas.training.lora import LoraSettings


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands after a step."""

    step: int
    steps: int
    loss: float
    """Mean negative log-likelihood per token of this step's completions, in nats."""


def schedule(step: int, steps: int, warmup: float) -> float:
    """Factor on the learning rate: linear warm-up, then cosine to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def encode(tokenizer: Any, examples: Sequence[Example]) -> list[Row]:
    """A row for every prompt, in order of the first example, with all its completions."""
    by_prompt: dict[str, list[str]] = {}
    for example in examples:
        by_prompt.setdefault(example.prompt, []).append(example.completion)
    rows = []
    for prompt, completions in by_prompt.items():
        stop = stop_token(tokenizer, prompt)
        known = {text: completion([*encode_reply(tokenizer, prompt, text), stop]) for text in set(completions)}
        rows.append(Row(encode_prompt(tokenizer, prompt), [known[text] for text in completions]))
    return rows


def pack(rows: Sequence[Row], size: int, rng: np.random.Generator) -> list[Row]:
    """One epoch in random order: the completions of each row, at most `size` to a row."""
    packed = []
    for row in rows:
        order = [row.branches[i] for i in rng.permutation(len(row.branches))]
        packed += [Row(row.prefix, order[start : start + size]) for start in range(0, len(order), size)]
    return [packed[i] for i in rng.permutation(len(packed))]


def adapt(model: Any, settings: LoraSettings, seed: int) -> PeftModel:
    """The model with a fresh adapter on all linear layers; the adapter's weights depend on the seed alone."""
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
            parameter.data = parameter.data.float()  # the adapter in float32 whatever the base is in
    return adapted


def distil(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    settings: LoraSettings,
    out: Path,
    seed: int,
    save_every: int = 100,
    hub_id: str | None = None,
) -> Iterator[Progress]:
    """Tune `model` on `examples` and leave a peft adapter directory in `out`; yields after every step.

    The adapter names the directory `model` was loaded from as its base, or `hub_id` (``id@revision``) if given.

    A run that was stopped goes on from its last checkpoint (every `save_every` steps) when called again with the same
    arguments, and ends with the same weights. A finished adapter is left as it is. `ExampleError` where there are none.
    """
    if (out / "adapter_model.safetensors").is_file():
        return
    if not examples:
        raise ExampleError("no example to learn from: not one of the teacher's answers could be read")
    adapted = adapt(model, settings, seed)
    adapted.train()
    device = next(adapted.parameters()).device
    parameters = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=settings.rate, weight_decay=0.0)
    per_step = max(1, settings.batch // settings.pack)
    rows = _epochs(encode(tokenizer, examples), settings, seed)
    batches = [rows[i : i + per_step] for i in range(0, len(rows), per_step)]
    checkpoint = out / "checkpoint"
    losses = _restore(checkpoint, adapted, optimiser)
    for step in range(len(losses), len(batches)):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * schedule(step, len(batches), settings.warmup)
        with torch.random.fork_rng(), _repeatable(device):
            torch.manual_seed(seed * 1_000_003 + step)  # dropout: the same after a stop
            value = loss(adapted, collate(batches[step]).to(device))
            value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings.clip)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(value.item())
        if (step + 1) % save_every == 0:
            _save(checkpoint, adapted, optimiser, losses)
        yield Progress(step + 1, len(batches), losses[-1])
    _finish(out, adapted, settings, losses, len(examples), hub_id)


@contextmanager
def _repeatable(device: torch.device) -> Iterator[None]:
    """On a CPU with several threads, gradients are summed in the same order every time."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(before or device.type == "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _epochs(rows: Sequence[Row], settings: LoraSettings, seed: int) -> list[Row]:
    epochs = range(settings.epochs)
    return [row for epoch in epochs for row in pack(rows, settings.pack, np.random.default_rng([seed, epoch]))]


def _save(folder: Path, adapted: PeftModel, optimiser: torch.optim.Optimizer, losses: Sequence[float]) -> None:
    """Write a checkpoint whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {"adapter": get_peft_model_state_dict(adapted), "optimiser": optimiser.state_dict(), "losses": list(losses)}
    torch.save(state, folder / "state.partial")
    os.replace(folder / "state.partial", folder / "state.pt")


def _restore(folder: Path, adapted: PeftModel, optimiser: torch.optim.Optimizer) -> list[float]:
    """The losses so far, after loading the last checkpoint; none if there is no checkpoint."""
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
    hub_id: str | None,
) -> None:
    """Write the adapter directory, its weights last: where they are, it is complete."""
    staging = out / "staging"
    adapted.save_pretrained(str(staging), safe_serialization=True)
    config = json.loads((staging / "adapter_config.json").read_text(encoding="utf-8"))
    if hub_id:  # set only here: peft would ask the hub about it
        base, _, revision = hub_id.partition("@")
        config |= {"base_model_name_or_path": base, "revision": revision or None}
        (staging / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    base = config["base_model_name_or_path"] or "the student"
    card = model_card(base, settings, losses, examples)
    if (Path(base) / "pretraining.json").is_file():
        card += "\nThe model under it is a miniature: it says nothing about large language models.\n"
    (staging / "README.md").write_text(card, encoding="utf-8")
    record = {"settings": asdict(settings), "examples": examples, "losses": list(losses)}
    (staging / "training.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    for file in sorted(staging.iterdir(), key=lambda path: path.suffix == ".safetensors"):
        os.replace(file, out / file.name)
    shutil.rmtree(staging)
    shutil.rmtree(out / "checkpoint", ignore_errors=True)


def model_card(base: str, settings: LoraSettings, losses: Sequence[float], examples: int) -> str:
    """README.md of an adapter directory."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in asdict(settings).items())
    return f"""---
base_model: {base}
library_name: peft
tags: [lora, dilemmas, social-dilemma]
---
# An dilemmas

LoRA adapter that plays social dilemmas as a larger model of the same family does. It was tuned with dilemmas on
{examples} answers and motivations of that teacher; the loss went from {losses[0]:.3f} to {losses[-1]:.3f} nats per
token.

```python
from peft import AutoPeftModelForCausalLM
model = AutoPeftModelForCausalLM.from_pretrained("this directory")
```

| setting | value |
| --- | --- |
{rows}

It copies how one model answers hypothetical games in text. It is no model of people.
"""
