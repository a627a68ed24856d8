"""LoRA adapters: added to a model, and written as an adapter directory of peft."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from transformers.pytorch_utils import Conv1D

from dilemmas.agents.models.model_files import is_hub_id, portable_name
from dilemmas.agents.models.networks.adapters import (
    ADAPTER_CONFIG,
    ADAPTER_RECORD,
    ADAPTER_WEIGHTS,
    FINGERPRINT,
    adapter_fingerprint,
    adapter_record,
)
from dilemmas.agents.models.networks.moved_paths import told_from
from dilemmas.agents.models.weights import quiet_peft
from dilemmas.training.artefacts.base_weights import weights_digest
from dilemmas.training.artefacts.cards import CARD, adapter_card
from dilemmas.training.checkpoints import TrainingError, published
from dilemmas.training.lora import LoraSettings
from dilemmas.training.packing.lora_layers import compute_in_place

ADAPTER_FILES = (ADAPTER_WEIGHTS, ADAPTER_CONFIG, ADAPTER_RECORD)
"""The files of a finished adapter."""
LAYER = re.compile(r"\.(\d+)\.")
"""Number of the layer in the name of a module."""


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The model under an adapter, as it is named on every machine."""

    name: str
    """Name of a built-in model, hub identifier (``id@revision``), or the path of a directory or a GGUF file."""
    fingerprint: str
    """Of its files: see `dilemmas.agents.models.model_files.model_fingerprint`."""
    on_hub: bool
    """Whether `name` is a hub identifier."""
    weights: str = ""
    """Of its weights: see `dilemmas.training.artefacts.base_weights.weights_digest`; empty if unknown."""


def base_of(spec: str, fingerprint: str, model: Any) -> BaseModel:
    """The base of a student that is to be tuned: its specification, the fingerprint of its files, and its weights."""
    return BaseModel(portable_name(spec), fingerprint, is_hub_id(spec), weights_digest(model))


def adapt(model: Any, settings: LoraSettings, seed: int) -> PeftModel:
    """Add a new adapter to linear layers of the upper, or all, layers; its weights depend on the seed only.

    `TrainingError` if the model has fewer layers than are to be tuned, or no linear layers of the names that are.
    """
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        use_rslora=settings.variant == "rslora",
        use_dora=settings.variant == "dora",
        target_modules=tuned_modules(model, settings),
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(), quiet_peft():
        torch.manual_seed(seed)
        adapted: PeftModel = get_peft_model(model, config)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # the adapter is in float32, whatever the type of the base
    compute_in_place(adapted)
    return adapted


def untuned_layers(model: Any, settings: LoraSettings) -> int:
    """Number of layers below those that are tuned; `TrainingError` if the model has fewer than are to be tuned."""
    count: int = model.config.get_text_config().num_hidden_layers
    if settings.layers > count:
        raise TrainingError(f"[lora] layers = {settings.layers}: the model has {count} layers; give at most {count}")
    return count - settings.layers if settings.layers else 0


def tuned_modules(model: Any, settings: LoraSettings) -> str | list[str]:
    """Names of the linear modules that are tuned, in full where layers or names are chosen.

    `TrainingError` if the model has fewer layers than are to be tuned, or no linear layers of the names that are. No
    weight is read: see `dilemmas.agents.models.open_model.LazyModel.network`.
    """
    lower = untuned_layers(model, settings)
    if not lower and not settings.targets:
        return "all-linear"
    linear = [name for name, module in model.named_modules() if isinstance(module, (torch.nn.Linear, Conv1D))]
    inside = [name for name in linear if (layer := LAYER.search(name)) and int(layer[1]) >= lower]
    known = sorted({_last(name) for name in inside})
    if unknown := [name for name in settings.targets if name not in known]:
        raise TrainingError(
            f"[lora] targets: the model has no {', '.join(unknown)} among its linear layers {', '.join(known)}"
        )
    return [name for name in inside if not settings.targets or _last(name) in settings.targets]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def adapter_weights(adapted: PeftModel) -> list[torch.nn.Parameter]:
    """The weights that training changes."""
    return [parameter for parameter in adapted.parameters() if parameter.requires_grad]


def adapter_state(adapted: PeftModel) -> dict[str, torch.Tensor]:
    """The weights of the adapter by name. Embeddings are never tuned: peft is not to look for their first size where
    the base model came from, which warns of a GGUF file."""
    state: dict[str, torch.Tensor] = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    return state


def write_adapter(
    out: Path,
    adapted: PeftModel,
    settings: LoraSettings,
    losses: Sequence[float],
    held_out: Sequence[tuple[int, float]],
    examples: int,
    base: BaseModel | None,
    taught: Mapping[str, Any] | None = None,
) -> None:
    """Write the adapter directory; the weights are written last and mark it as complete: see `adapter_is_whole`.

    A base in a directory or a file is named by its path from the adapter (`told_from`).

    `held_out`: completed steps, and the divergence on held-out situations after them, in nats; may be empty. `taught`:
    who taught it and on what, for the record and the card.
    """
    with published(out, ADAPTER_WEIGHTS) as staging:
        adapted.save_pretrained(str(staging), safe_serialization=True, save_embedding_layers=False)
        written = json.loads((staging / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        config: dict[str, Any] = {
            key: sorted(value) if _is_set(adapted, key) else value for key, value in written.items()
        }
        miniature = (Path(config["base_model_name_or_path"] or "") / "pretraining.json").is_file()
        if base:  # set only now: peft would contact the hub
            name, _, revision = base.name.partition("@") if base.on_hub else (base.name, "", "")
            name = told_from(name, out) if Path(name).is_absolute() else name
            config |= {"base_model_name_or_path": name, "revision": revision or None}
        (staging / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
        record: dict[str, Any] = {"settings": asdict(settings), "examples": examples, "losses": list(losses)}
        if held_out:
            record["held_out"] = [list(measured) for measured in held_out]
        if base:
            record["base"] = {"name": base.name if base.on_hub else name, "fingerprint": base.fingerprint}
            record["base"] |= {"weights": base.weights} if base.weights else {}
        record |= {"miniature": miniature, "taught": dict(taught or {})}
        (staging / CARD).write_text(adapter_card(config["base_model_name_or_path"] or "", record), encoding="utf-8")
        record[FINGERPRINT] = adapter_fingerprint(staging)
        (staging / ADAPTER_RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def adapter_is_whole(out: Path) -> bool:
    """Whether a directory has an adapter that was finished, and is as it was then."""
    if not all((out / name).is_file() for name in ADAPTER_FILES):
        return False
    found = adapter_fingerprint(out)
    return bool((adapter_record(out) or {}).get(FINGERPRINT, found) == found)


def _is_set(adapted: PeftModel, key: str) -> bool:
    """Whether a setting of the adapter is a set, which has no order."""
    return isinstance(getattr(adapted.peft_config["default"], key, None), set)
