"""Finding and checking the files of a model. Needs transformers for a hub id or a GGUF file only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import file_digest, sha256
from importlib.resources import files
from importlib.util import find_spec
from os.path import expanduser  # leaves ~nobody as it is, where pathlib has an error of its own
from pathlib import Path
from typing import Any

from dilemmas.agents.agent import PERSON
from dilemmas.agents.models.backend import ModelError
from dilemmas.agents.models.hub import from_hub
from dilemmas.agents.models.networks.adapters import (
    ADAPTER_CONFIG,
    ADAPTER_RECORD,
    ADAPTER_WEIGHTS,
    add_file,
    check_adapter,
    tell_other_base,
)
from dilemmas.agents.models.networks.architectures import check_architecture, gguf_config, gguf_size
from dilemmas.agents.models.networks.moved_paths import found_from
from dilemmas.envs.data_files import JSON_SIZE, parse_json, read_bytes
from dilemmas.envs.names import lookup

BUILT_IN = {"miniature-teacher": "teacher", "miniature-student": "student"}
"""Names of the built-in models, and their folders in agents/models/miniatures."""

GGUF = ".gguf"
"""How the name of a GGUF file ends."""

KINDS = {"miniature:": "miniature-", "hf:": "", "gguf:": ""}
"""Prefixes by which a specification may say what kind of model it names, and what they stand for."""

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
"""The files of a model that are hashed for its fingerprint and downloaded from the hub; no pickles, no code."""

ADAPTER = "adapter"
"""Name of the directory of the adapter in a run folder."""

TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The checked files of a model on this machine."""

    name: str
    """Name in tables and records: a hub id, a built-in name or the name of the directory or file; ``base+adapter``."""
    folder: Path
    """Directory of the base model."""
    adapter: Path | None
    """Directory of the LoRA adapter, if any."""
    fingerprint: str
    """Commit of a hub model, or the first 16 hex digits of the SHA-256 of its files; ``base+adapter``."""
    gguf: str | None = None
    """Name of the GGUF file in `folder`, if the base model is one."""

    @property
    def size(self) -> int:
        """Size of the base model's weights in bytes: of the files, or in float32 if they are quantised in a GGUF."""
        if self.gguf:
            return gguf_size(self.folder / self.gguf)
        return sum(path.stat().st_size for path in self.folder.glob("*.safetensors"))

    @property
    def miniature(self) -> bool:
        """Whether the base model was made by ``dilemmas miniatures build``."""
        return self.gguf is None and made_here(self.folder)


def find_model(model: str, adapter: str | None = None, *, ask_hub: bool = True) -> ModelFiles:
    """Find and check a model.

    Parameters
    ----------
    model
        A built-in name, a directory (of a model or of an adapter), a GGUF file, or a hub id, also ``id@revision``.
    adapter
        Directory or hub id of a LoRA adapter.
    ask_hub
        Whether `model` and `adapter` are fetched from the hub if they are not on this machine. The base model that an
        adapter names is never fetched.

    Raises
    ------
    ModelError
        If there is no such model or it cannot be used; the message has one line.
    NotCachedError
        If it is not on this machine and the hub is not asked.
    UnknownNameError
        If the name is similar to that of a built-in model.
    """
    if model == PERSON:
        raise ModelError(
            f"'{PERSON}' is a person, no model; people play in `dilemmas tournament run --agents {PERSON},...`"
        )
    model = full_name(model)
    folder = locate(model, ask_hub)
    if not (folder / ADAPTER_CONFIG).is_file():
        found = _in_gguf(model, folder) if folder.suffix == GGUF else _in_folder(model, folder)
        return found if adapter is None else _on_top(found, adapter, locate(adapter, ask_hub))
    if adapter is not None:
        raise ModelError(f"model '{model}' is an adapter itself; give its base model and one adapter")
    return _on_top(_base_of(model, folder), model, folder)


def _in_folder(model: str, folder: Path) -> ModelFiles:
    check_model(model, folder)
    return ModelFiles(_short(model), folder, None, model_fingerprint(folder))


def _in_gguf(model: str, file: Path) -> ModelFiles:
    check_architecture(model, gguf_config(model, file))
    with file.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()[:16]
    return ModelFiles(file.name, file.parent, None, digest, file.name)


def locate(model: str, ask_hub: bool = True) -> Path:
    """The directory of a model or an adapter, or a GGUF file.

    A hub id is looked up in the cache and then, with `ask_hub`, on the hub.

    Raises
    ------
    ModelError
        If there is no such model or adapter; `NotCachedError` if the hub, which is not asked, may have it.
    UnknownNameError
        If the name is similar to that of a built-in model.
    """
    if model in BUILT_IN:
        built_in = Path(str(files("dilemmas.agents.models"))) / "miniatures" / BUILT_IN[model]
        if not built_in.is_dir():
            raise ModelError(
                f"model '{model}' is not part of this installation ({built_in} does not exist);"
                " build it with `dilemmas miniatures build --out DIR` and give its directory"
            )
        return built_in
    folder = Path(expanduser(model))
    if model and (folder.is_dir() or (folder.is_file() and folder.suffix == GGUF)):
        return folder
    if folder.suffix == GGUF:
        raise ModelError(f"model '{model}': no such file")
    if folder.name == ADAPTER and folder.parent.is_dir():
        raise ModelError(
            f"model or adapter '{model}': {folder.parent} has no adapter; if the command that tunes one was stopped,"
            " repeat it"
        )
    if model.startswith("mini") and "/" not in model:
        lookup("built-in model", model, BUILT_IN)
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?(@[\w./-]+)?", model):
        raise ModelError(
            f"model or adapter '{model}': no such directory; give a directory, a GGUF file, a hub id or"
            f" {' or '.join(BUILT_IN)}"
        )
    return from_hub(model, [*MODEL_FILES, ADAPTER_WEIGHTS, ADAPTER_CONFIG, ADAPTER_RECORD], ask_hub)


def split_spec(spec: str) -> tuple[str, str | None]:
    """``MODEL+ADAPTER`` as model and adapter; a plus sign in the name of an existing directory or file is part of the
    name, and the kind of the model (`KINDS`) is not."""
    spec = full_name(spec)
    if Path(expanduser(spec)).exists():
        return spec, None
    ways = [(spec[:place], spec[place + 1 :]) for place, letter in enumerate(spec) if letter == "+"]
    known = [way for way in ways if way[0] in BUILT_IN or Path(expanduser(way[0])).exists()]
    model, adapter = next(iter([*known, *ways]), (spec, ""))
    return model, adapter or None


def full_name(spec: str) -> str:
    """A specification without its kind: ``miniature:teacher`` is ``miniature-teacher``, ``gguf:FILE`` is ``FILE``."""
    kind = next((kind for kind in KINDS if spec.startswith(kind)), "")
    return KINDS.get(kind, "") + spec.removeprefix(kind)


def is_hub_id(model: str) -> bool:
    """Whether a model is specified by a hub id, not by a built-in name, a directory or a file."""
    model = full_name(model)
    return model not in BUILT_IN and not Path(expanduser(model)).exists()


def portable_name(model: str) -> str:
    """How a model is named so that it is found from everywhere: a built-in name, a hub id, or the whole path."""
    model = full_name(model)
    return model if model in BUILT_IN or is_hub_id(model) else str(Path(expanduser(model)).resolve())


def check_model(model: str, folder: Path) -> None:
    """Check that a directory contains a model in safetensors with a tokenizer, which needs no code of its own.

    Raises
    ------
    ModelError
        If it does not; the message names what is missing.
    """
    config = _read_json(model, folder / "config.json")
    if "auto_map" in config:
        _refuse_code(model, str(config.get("model_type")))
    check_architecture(model, config)
    if (folder / "tokenizer_config.json").is_file():
        _refuse_tokenizer_code(model, _read_json(model, folder / "tokenizer_config.json"))
    if not list(folder.glob("model*.safetensors")):
        pickled = sorted(file.name for suffix in ("bin", "pt", "pth") for file in folder.glob(f"*.{suffix}"))
        if pickled:
            raise ModelError(
                f"model '{model}' has its weights in {pickled[0]} only: pickles can run code and are not read;"
                " if you trust it, convert it with save_pretrained, which writes safetensors"
            )
        raise ModelError(f"model '{model}': {folder} contains no model.safetensors; save it with save_pretrained")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise ModelError(
            f"model '{model}': {folder} contains no tokenizer ({', '.join(TOKENIZERS)});"
            " save it there with tokenizer.save_pretrained"
        )


def check_installed() -> None:
    """`ModelError` if a package is missing that language models need."""
    for package in ("peft", "torch", "transformers"):
        if find_spec(package) is None:  # they are imported later: that takes seconds
            raise ModelError(f'language models need {package}: pip install "dilemmas[llm]"')


def _refuse_code(model: str, kind: str) -> None:
    check_installed()
    from transformers import CONFIG_MAPPING

    if kind not in CONFIG_MAPPING:
        raise ModelError(
            f"model '{model}' of type '{kind}' needs code from its own repository (auto_map in config.json), which is"
            " never run; use a model of a type that transformers provides"
        )


def _refuse_tokenizer_code(model: str, config: Mapping[str, Any]) -> None:
    if "auto_map" not in config:
        return
    check_installed()
    import transformers

    kind = str(config.get("tokenizer_class"))
    if not hasattr(transformers, kind):
        raise ModelError(
            f"model '{model}' has a tokenizer '{kind}' that needs code from its own repository (auto_map in"
            " tokenizer_config.json), which is never run; use a model with a tokenizer that transformers provides"
        )


def is_miniature(model: str) -> bool:
    """Whether a model, with or without an adapter, was made by ``dilemmas miniatures build``."""
    base, _ = split_spec(model)
    return base in BUILT_IN or made_here(Path(expanduser(base)))


def made_here(folder: Path) -> bool:
    """Whether the model in a folder was made by ``dilemmas miniatures build``."""
    return (folder / "pretraining.json").is_file()


def model_fingerprint(folder: Path) -> str:
    """Commit hash of a snapshot in the hub's cache; else 16 hex digits of the SHA-256 of file names and contents."""
    if folder.parent.name == "snapshots" and re.fullmatch("[0-9a-f]{40}", folder.name):
        return folder.name
    digest = sha256()
    for file in sorted({file for pattern in MODEL_FILES for file in folder.glob(pattern) if file.is_file()}):
        add_file(digest, file)
    return digest.hexdigest()[:16]


def _base_of(adapter: str, folder: Path) -> ModelFiles:
    config = _read_json(adapter, folder / ADAPTER_CONFIG)
    base, revision = config.get("base_model_name_or_path"), config.get("revision")
    if not isinstance(base, str) or not base:
        raise ModelError(
            f"adapter '{adapter}' has no base_model_name_or_path in {ADAPTER_CONFIG};"
            f" give its base as the model and '{adapter}' as the adapter"
        )
    base = found_from(base, folder)
    try:
        return find_model(f"{base}@{revision}" if revision and is_hub_id(base) else base, ask_hub=False)
    except ModelError as error:
        raise ModelError(
            f"adapter '{adapter}': its base model cannot be used ({error});"
            f" give its base as the model and '{adapter}' as the adapter"
        ) from None


def _on_top(base: ModelFiles, adapter: str, folder: Path) -> ModelFiles:
    if base.adapter is not None:
        raise ModelError(
            f"adapter '{adapter}' cannot be applied to '{base.name}', an adapter itself; give the base model"
        )
    fingerprint = check_adapter(adapter, folder, _read_json(adapter, folder / ADAPTER_CONFIG))
    tell_other_base(adapter, folder, base.fingerprint)
    mark = f"{base.fingerprint}+{fingerprint}"
    return replace(base, name=f"{base.name}+{_short(adapter)}", adapter=folder, fingerprint=mark)


def _read_json(model: str, file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ModelError(f"model '{model}': {file.parent} contains no {file.name}; {_way_to(file)}")
    return parse_json(read_bytes(file, JSON_SIZE, ModelError), dict[str, Any], f"model '{model}': {file}", ModelError)


def _way_to(file: Path) -> str:
    """What to do where a directory lacks the configuration of a model or an adapter."""
    inside = file.parent / ADAPTER
    if (inside / ADAPTER_CONFIG).is_file():
        return f"give the adapter inside it, {inside}"
    if (file.parent / "checkpoint").is_dir():
        return "its training is not finished: repeat the command that began it"
    return "save it there with save_pretrained"


def _short(model: str) -> str:
    """The last part of the path of a directory; anything else unchanged."""
    folder = Path(expanduser(model))
    return folder.resolve().name if folder.is_dir() else model
