"""Where a model's files are and whether they can be used. Needs neither torch nor, without a hub id, transformers."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from dilemmas.agents.models.backend import ModelError
from dilemmas.envs.names import lookup

BUILT_IN = {"miniature-teacher": "teacher", "miniature-student": "student"}
"""Name of a built-in model -> its folder in agents/miniatures."""

MODEL_FILES = (
    "model*.safetensors",
    "model.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
    "vocab*",
    "merges.txt",
)
"""What makes a model what it is: these files are hashed, and these are fetched from the hub. No pickles, no code."""

TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on this machine, checked."""

    name: str
    """What tables and records call it: a hub id, a built-in name or the name of its directory; ``base+adapter``."""
    folder: Path
    """Directory of the base model."""
    adapter: Path | None
    """Directory of the LoRA adapter on top of it, if any."""
    fingerprint: str
    """Commit of a hub model, or the first 16 hex digits of the SHA-256 of its files; ``base+adapter``."""


def find_model(model: str, adapter: str | None = None) -> ModelFiles:
    """Find and check a model: a built-in name, a directory (also an adapter's own), or a hub id, also ``id@revision``.

    Raises ModelError in one line where there is none or it cannot be used, `UnknownNameError` with the nearest name
    where a built-in one was meant.
    """
    folder = locate(model)
    if not (folder / ADAPTER_CONFIG).is_file():
        check_model(model, folder)
        found = ModelFiles(_short(model), folder, None, model_fingerprint(folder))
        return found if adapter is None else _on_top(found, adapter, locate(adapter))
    if adapter is not None:
        raise ModelError(f"model '{model}' is an adapter itself; give the model under it, and one adapter")
    return _on_top(_base_of(model, folder), model, folder)


def locate(model: str) -> Path:
    """The directory of a model or an adapter. A hub id is looked up in the cache and then, if allowed, on the hub."""
    if model in BUILT_IN:
        built_in = Path(str(files("dilemmas.agents.models"))) / "miniatures" / BUILT_IN[model]
        if not built_in.is_dir():
            raise ModelError(
                f"model '{model}' is not in this installation ({built_in});"
                " make it with `dilemmas miniatures build --out DIR` and give its directory"
            )
        return built_in
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if model.startswith("mini") and "/" not in model:
        lookup("built-in model", model, BUILT_IN)
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?(@[\w./-]+)?", model):
        raise ModelError(f"model '{model}': no such directory; give a directory, a hub id or {' or '.join(BUILT_IN)}")
    return _from_hub(model)


def is_hub_id(model: str) -> bool:
    """Whether a model is named by its hub id, not by a built-in name or a directory."""
    return model not in BUILT_IN and not Path(model).expanduser().is_dir()


def _from_hub(model: str) -> Path:
    from huggingface_hub import constants, snapshot_download

    name, _, revision = model.partition("@")
    patterns = [*MODEL_FILES, ADAPTER_WEIGHTS, ADAPTER_CONFIG]
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=patterns))
    except Exception as error:  # the hub's errors have no common base but this one
        why = f"{type(error).__name__}: {_first_line(error)}"
        if constants.HF_HUB_OFFLINE:
            why = "HF_HUB_OFFLINE is set and the cache has no such model"
        raise ModelError(
            f"model '{model}': no such directory here, and none from the hub ({why});"
            " give the directory of a downloaded model, or set HF_HUB_OFFLINE=0 with a network"
        ) from None


def check_model(model: str, folder: Path) -> None:
    """ModelError unless the directory holds a model in safetensors that needs no code of its own, with a tokenizer."""
    config = _read_json(model, folder / "config.json")
    if "auto_map" in config:
        _refuse_code(model, str(config.get("model_type")))
    if (folder / "tokenizer_config.json").is_file():
        _refuse_tokenizer_code(model, _read_json(model, folder / "tokenizer_config.json"))
    if not list(folder.glob("model*.safetensors")):
        pickled = sorted(file.name for suffix in ("bin", "pt", "pth") for file in folder.glob(f"*.{suffix}"))
        if pickled:
            raise ModelError(
                f"model '{model}' has its weights in {pickled[0]} only: a pickle can run code, so it is not read;"
                " save it with save_pretrained, which writes safetensors, where you trust it"
            )
        raise ModelError(f"model '{model}': {folder} holds no model.safetensors; save it with save_pretrained")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise ModelError(
            f"model '{model}': {folder} holds no tokenizer ({', '.join(TOKENIZERS)});"
            " save it there with tokenizer.save_pretrained"
        )


def _refuse_code(model: str, kind: str) -> None:
    from transformers import CONFIG_MAPPING

    if kind not in CONFIG_MAPPING:
        raise ModelError(
            f"model '{model}' of type '{kind}' needs code from its own repository (auto_map in config.json), which is"
            " never run; give a model whose type transformers knows"
        )


def _refuse_tokenizer_code(model: str, config: Mapping[str, Any]) -> None:
    import transformers

    kind = str(config.get("tokenizer_class"))
    if "auto_map" in config and not hasattr(transformers, kind):
        raise ModelError(
            f"model '{model}' has a tokenizer '{kind}' that needs code from its own repository (auto_map in"
            " tokenizer_config.json), which is never run; give a model whose tokenizer transformers knows"
        )


def is_miniature(model: str) -> bool:
    """Whether a model is one that ``dilemmas miniatures build`` has made, built-in or in a directory."""
    return not is_hub_id(model) and (locate(model) / "pretraining.json").is_file()


def model_fingerprint(folder: Path) -> str:
    """Commit hash of a snapshot in the hub's cache, else the start of a SHA-256 over names and content of the files."""
    if folder.parent.name == "snapshots" and re.fullmatch("[0-9a-f]{40}", folder.name):
        return folder.name
    digest = sha256()
    for file in sorted({file for pattern in MODEL_FILES for file in folder.glob(pattern) if file.is_file()}):
        _add(digest, file)
    return digest.hexdigest()[:16]


def adapter_fingerprint(folder: Path) -> str:
    """Start of a SHA-256 over an adapter's weights and settings, but for the path of its base and the order of sets."""
    digest = sha256()
    _add(digest, folder / ADAPTER_WEIGHTS)
    config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    config.pop("base_model_name_or_path", None)
    config = {key: sorted(value, key=repr) if isinstance(value, list) else value for key, value in config.items()}
    digest.update(json.dumps(config, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def _add(digest: Any, file: Path) -> None:
    digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)


def _base_of(adapter: str, folder: Path) -> ModelFiles:
    base = _read_json(adapter, folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not base:
        raise ModelError(
            f"adapter '{adapter}' names no base_model_name_or_path in {ADAPTER_CONFIG};"
            f" give its base as the model and '{adapter}' as the adapter"
        )
    try:
        return find_model(base)
    except ModelError as error:
        raise ModelError(
            f"adapter '{adapter}': the base that it names cannot be used ({error});"
            f" give its base as the model and '{adapter}' as the adapter"
        ) from None


def _on_top(base: ModelFiles, adapter: str, folder: Path) -> ModelFiles:
    if base.adapter is not None:
        raise ModelError(f"adapter '{adapter}' lies on the adapter '{base.name}'; only one can be applied")
    _read_json(adapter, folder / ADAPTER_CONFIG)
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise ModelError(
            f"adapter '{adapter}': {folder} holds no {ADAPTER_WEIGHTS};"
            " save it with save_pretrained, which writes safetensors (pickled weights are not read)"
        )
    mark = f"{base.fingerprint}+{adapter_fingerprint(folder)}"
    return ModelFiles(f"{base.name}+{_short(adapter)}", base.folder, folder, mark)


def _read_json(model: str, file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ModelError(f"model '{model}': {file.parent} holds no {file.name}; save it there with save_pretrained")
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"model '{model}': {file} is not JSON ({error})") from None
    if not isinstance(table, dict):
        raise ModelError(f"model '{model}': {file} is not a JSON object")
    return table


def _short(model: str) -> str:
    """A directory by its last name, anything else as it is."""
    folder = Path(model).expanduser()
    return folder.resolve().name if folder.is_dir() else model


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")
