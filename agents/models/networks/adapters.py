"""The files of a LoRA adapter in the format of peft, and whether they are as they were written.

An adapter that was tuned by dilemmas has a record beside it, with its settings, its base and its fingerprint. Adapters
made elsewhere, and those whose record has no fingerprint yet, are checked as far as their files say.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Any

from dilemmas.agents.models.backend import ModelError
from dilemmas.envs.data_files import read_json

ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_RECORD = "training.json"
"""The record of an adapter that was tuned by dilemmas."""
FINGERPRINT = "fingerprint"
"""Key of the record."""
PLAIN: Mapping[str, Any] = {
    "alpha_pattern": {},
    "rank_pattern": {},
    "bias": "none",
    "modules_to_save": None,
    "layer_replication": None,
}
"""What the configuration of an adapter that was tuned by dilemmas says besides its settings, where it says it."""


class OtherBaseWarning(UserWarning):
    """An adapter is used over a model other than the one over which it was tuned."""


def add_file(digest: Any, file: Path) -> None:
    """Update a hash object with the name, size and contents of a file."""
    digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)


def adapter_fingerprint(folder: Path) -> str:
    """16 hex digits of the SHA-256 of an adapter's weights and settings, without the path of its base and the order of
    sets."""
    digest = sha256()
    add_file(digest, folder / ADAPTER_WEIGHTS)
    config = read_json(folder / ADAPTER_CONFIG, dict[str, Any], ModelError)
    config.pop("base_model_name_or_path", None)
    config = {key: sorted(value, key=repr) if isinstance(value, list) else value for key, value in config.items()}
    digest.update(json.dumps(config, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def check_adapter(adapter: str, folder: Path, config: Mapping[str, Any]) -> str:
    """Check the files of an adapter; returns its fingerprint.

    Parameters
    ----------
    adapter
        What messages call it.
    folder
        Its directory.
    config
        Its configuration.

    Raises
    ------
    ModelError
        If it is no LoRA adapter of a causal language model, has a scale that is not above 0, or is not as dilemmas
        wrote it.
    """
    _check_kind(adapter, config)
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise ModelError(
            f"adapter '{adapter}': {folder} contains no {ADAPTER_WEIGHTS};"
            " save it with save_pretrained, which writes safetensors (pickled weights are not read)"
        )
    found, record = adapter_fingerprint(folder), adapter_record(folder)
    if record is None:
        return found
    changed = _changed_settings(config, record)
    if not changed and record.get(FINGERPRINT, found) != found:
        changed = [f"{ADAPTER_CONFIG} or {ADAPTER_WEIGHTS} has another checksum"]
    if changed:
        raise ModelError(
            f"adapter '{adapter}' is not as it was tuned, by {ADAPTER_RECORD}: {'; '.join(changed)};"
            " restore its files, or tune it again"
        )
    return found


def _check_kind(adapter: str, config: Mapping[str, Any]) -> None:
    if (kind := config.get("peft_type")) != "LORA":
        raise ModelError(f"adapter '{adapter}' is of type {kind!r} in {ADAPTER_CONFIG}; needs a LoRA adapter, 'LORA'")
    if (task := config.get("task_type")) not in (None, "CAUSAL_LM"):
        raise ModelError(
            f"adapter '{adapter}' has task_type {task!r} in {ADAPTER_CONFIG}; needs an adapter of a causal language"
            " model, 'CAUSAL_LM'"
        )
    pattern = config.get("alpha_pattern") or {}
    if not isinstance(pattern, dict):
        raise ModelError(f"adapter '{adapter}' has alpha_pattern {pattern!r} in {ADAPTER_CONFIG}; needs a mapping")
    scales = {"lora_alpha": config.get("lora_alpha", 1)} | {f"alpha_pattern of {key}": a for key, a in pattern.items()}
    for name, alpha in scales.items():
        if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < inf:
            raise ModelError(
                f"adapter '{adapter}' has {name} {alpha!r} in {ADAPTER_CONFIG}, by which its update is multiplied;"
                " needs a number above 0"
            )


def adapter_record(folder: Path) -> dict[str, Any] | None:
    """The record of an adapter; None if it was not tuned by dilemmas. `ModelError` if it is damaged."""
    path = folder / ADAPTER_RECORD
    if not path.is_file():
        return None
    record: Any = read_json(path, object, ModelError, "restore it, or tune the adapter again")
    settings = record.get("settings") if isinstance(record, dict) else None
    return record if isinstance(settings, dict) and {"rank", "alpha", "dropout"} <= settings.keys() else None


def _changed_settings(config: Mapping[str, Any], record: Mapping[str, Any]) -> Sequence[str]:
    """The settings in which the configuration differs from the record."""
    settings = record["settings"]
    tuned = {"r": settings["rank"], "lora_alpha": settings["alpha"], "lora_dropout": settings["dropout"], **PLAIN}
    variant = settings.get("variant", "lora")
    tuned |= {"task_type": "CAUSAL_LM", "use_rslora": variant == "rslora", "use_dora": variant == "dora"}
    base = record.get("base")
    if isinstance(base, dict):
        name, revision = config.get("base_model_name_or_path"), config.get("revision")
        config = {**config, "base_model_name_or_path": f"{name}@{revision}" if revision else name}
        tuned["base_model_name_or_path"] = base.get("name")
    return [
        f"{key} is {config[key]!r}, not {value!r}"
        for key, value in tuned.items()
        if key in config and config[key] != value
    ]


def tell_other_base(adapter: str, folder: Path, fingerprint: str) -> None:
    """Warn of a base model other than the one over which an adapter was tuned by dilemmas.

    `fingerprint` is that of the base. The same weights in another format have another one, and the names of models in
    results tell the base that was used, so that it is no error.
    """
    base = (adapter_record(folder) or {}).get("base")
    if isinstance(base, dict) and base.get("fingerprint") != fingerprint:
        warnings.warn(
            f"adapter '{adapter}' was tuned over {base.get('name')} with fingerprint {base.get('fingerprint')}, and is"
            f" used over a model with fingerprint {fingerprint}; unless their weights are the same, it is not the"
            " student that was tuned",
            OtherBaseWarning,
            stacklevel=2,
        )
