"""A model with its adapter merged into its weights: a folder that needs no PEFT, also as a GGUF file.

The update is added in float32, whatever the data type of the result, so that only one rounding is left. Weights of
which the base has one copy for two purposes (input and output embeddings) are kept apart where the adapter changes one
of them only. The merged model is then asked what the base with the adapter was asked, and refused if it answers
otherwise. So is an adapter over other weights than those over which it was tuned: what was measured is not of them.
"""

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from os.path import expanduser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilemmas.agents.models.backend import ModelError
from dilemmas.agents.models.model_files import (
    ModelFiles,
    check_installed,
    find_model,
    portable_name,
    split_spec,
)
from dilemmas.agents.models.networks.adapters import ADAPTER_CONFIG, OtherBaseWarning, adapter_record, add_file
from dilemmas.agents.models.networks.moved_paths import told_from
from dilemmas.agents.models.networks.number_formats import PLAIN_FORMATS
from dilemmas.agents.models.open_model import check_local
from dilemmas.agents.models.weights import apply_adapter, error_line, load_base, quiet_peft, quiet_transformers
from dilemmas.envs.data_files import PARTIAL, differences, json_text, read_json, to_disk
from dilemmas.envs.errors import InputError
from dilemmas.envs.locks import locked_file
from dilemmas.envs.names import lookup
from dilemmas.training.artefacts.base_weights import check_base
from dilemmas.training.artefacts.cards import CARD, merged_card
from dilemmas.training.artefacts.gguf_files import GGUF_FILE, check_writable, write_gguf
from dilemmas.training.checkpoints import naming_folder

if TYPE_CHECKING:
    import torch

MERGED = "merged.json"
"""Name of the file that says what was merged."""
FORMAT, VERSION = "dilemmas-merged-model", 1
MOST_APART = 1e-4
"""Largest difference of a probability that adding the update in float32 may cause."""
ASKED = "Which do you choose, C or D? 1 2 3 The other player chose C in the last round."
"""What the merged model is asked."""
GENERATION = "generation_config.json"
MINIATURE = "pretraining.json"
"""File that tells a built-in miniature, whose adapters make miniatures too."""


class MergeError(InputError):
    """A model that cannot be merged, or a folder that cannot take it."""


@dataclass(frozen=True, slots=True)
class MergedModel:
    """What was merged, as in `MERGED`."""

    model: str
    """Name of the model with its adapter, ``base+adapter``."""
    fingerprint: str
    """Fingerprint of their files, ``base+adapter``."""
    dtype: str
    """Data type of the weights."""
    gguf: bool
    """Whether there is a GGUF file too."""


def merge_adapter(
    spec: str, out: Path, dtype: str = "float32", gguf: bool = False, alignment: str = ""
) -> tuple[MergedModel, bool]:
    """Write a folder with an adapter merged into its base model, which appears complete or not at all.

    Parameters
    ----------
    spec
        ``MODEL+ADAPTER`` or the directory of an adapter that names its base, as for
        `dilemmas.agents.models.open_model.open_local`; see `adapter_spec`.
    out
        The folder: new or empty, or one that holds the same model already.
    dtype
        Data type of the weights: float32, bfloat16 or float16.
    gguf
        Whether a GGUF file in the same data type is written too.
    alignment
        Section on alignment of the model card, in Markdown.

    Returns
    -------
    What was merged, and whether it was written now; False if it was there.

    Raises
    ------
    ModelError
        If the model cannot be used.
    OtherBaseError
        If the adapter was tuned over other weights.
    MergeError
        If there is no adapter, the merged model is not the same, the folder holds something else, or there is too
        little space.
    GGUFError
        If no GGUF file can be written of such a model.
    """
    dtype = lookup("dtype", dtype, {name: name for name in PLAIN_FORMATS})
    check_local(spec)
    check_installed()
    spec, out = adapter_spec(spec), Path(os.path.realpath(out))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OtherBaseWarning)  # `check_base` refuses it, or knows better
        found = find_model(*split_spec(spec))
    if found.adapter is None:
        raise MergeError(f"'{spec}' has no adapter, so there is nothing to merge; give MODEL+ADAPTER")
    if gguf:
        check_writable(found)
    merged = MergedModel(found.name, found.fingerprint, dtype, gguf)
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked_file(out):
        if _is_there(out, merged):
            return merged, False
        with _published_folder(out) as staging:
            _fill(staging, found, merged)
            _describe(staging, _base_name(spec, found, out), found, merged, alignment)
    return merged, True


@contextmanager
def _published_folder(out: Path) -> Iterator[Path]:
    """Context manager: yields a new folder that becomes `out`, which is empty or absent, if the block ends without an
    error."""
    staging = out.with_name(out.name + PARTIAL)
    shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
    try:
        with naming_folder(staging):
            staging.mkdir()
            yield staging
        with suppress(FileNotFoundError):
            out.rmdir()  # it is empty
        os.replace(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def adapter_spec(spec: str) -> str:
    """A specification in which the folder of a study or of a distillation stands for the adapter in it."""
    return "+".join(_adapter_in(part) for part in split_spec(spec) if part is not None)


def _adapter_in(part: str) -> str:
    folder = Path(expanduser(part))
    inside = folder / "adapter"
    return str(inside) if (inside / ADAPTER_CONFIG).is_file() and not (folder / ADAPTER_CONFIG).is_file() else part


def _base_name(spec: str, found: ModelFiles, out: Path) -> str:
    """Name of the base model: a hub id, a built-in name, or its path from the merged model."""
    model, adapter = split_spec(spec)
    if adapter is None:
        assert found.adapter is not None
        model = str(read_json(found.adapter / ADAPTER_CONFIG, dict[str, Any], ModelError)["base_model_name_or_path"])
    if not model.startswith(".") and portable_name(model) == model and not Path(model).is_absolute():
        return model.partition("@")[0]
    return told_from(found.folder / (found.gguf or ""), out)


def _is_there(out: Path, merged: MergedModel) -> bool:
    """Whether a folder holds the merged model; `MergeError` if it holds anything else."""
    if not out.exists():
        return False
    if not (out / MERGED).is_file():
        if out.is_dir() and not any(out.iterdir()):
            return False
        raise MergeError(f"{out} is not empty and holds no merged model (no {MERGED}); choose another --out")
    remedy = "delete the folder, or choose another --out"
    kept = read_json(out / MERGED, dict[str, Any], MergeError, remedy)
    asked = {"format": FORMAT, "version": VERSION, **asdict(merged)}
    if found := list(differences({key: kept.get(key) for key in asked}, asked)):
        raise MergeError(f"{out} holds another merged model ({found[0]}); {remedy}")
    files = kept.get("files")
    for name, checksum in files.items() if isinstance(files, dict) else ():
        if not (out / name).is_file() or _checksum(out / name) != checksum:
            raise MergeError(f"{out / name} is not as it was written; {remedy}")
    return True


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _checksum(file: Path) -> str:
    digest = sha256()
    add_file(digest, file)
    return digest.hexdigest()


def _fill(folder: Path, found: ModelFiles, merged: MergedModel) -> None:
    """Write the merged model."""
    import torch
    from transformers import GenerationConfig

    model, tokenizer = load_base(found, "cpu", "float32")
    check_base(found, model)
    model = merge_weights(model, tokenizer, found)
    precision: torch.dtype = getattr(torch, merged.dtype)
    size = sum(weights.numel() for weights in model.parameters()) * precision.itemsize
    _check_space(folder, size * (2 if merged.gguf else 1))
    if merged.gguf:
        (folder / GGUF_FILE).parent.mkdir()
        write_gguf(folder / GGUF_FILE, model, tokenizer, merged.dtype, found)
    generation = found.folder / GENERATION
    kept = not found.gguf and generation.is_file()
    if kept:
        model.generation_config = GenerationConfig()  # transformers refuses to write some that it reads
    with quiet_transformers():
        model.to(precision).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    if kept:
        shutil.copyfile(generation, folder / GENERATION)
    if found.miniature:
        shutil.copyfile(found.folder / MINIATURE, folder / MINIATURE)


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise MergeError(
            f"{folder.parent}: the merged model needs {size / 1e9:,.3g} GB, and {free / 1e9:,.3g} GB are free; make"
            " room, or choose another --out or a smaller --dtype"
        )


def _describe(folder: Path, base: str, found: ModelFiles, merged: MergedModel, alignment: str) -> None:
    """Write the card, and what was merged with the checksum of every file but the card; all reach the disk."""
    assert found.adapter is not None
    files = {file.relative_to(folder).as_posix(): _checksum(file) for file in sorted(_files(folder))}
    text = merged_card(base, adapter_record(found.adapter), asdict(merged), alignment)
    (folder / CARD).write_text(text, encoding="utf-8")
    record = {"format": FORMAT, "version": VERSION, **asdict(merged), "files": files}
    (folder / MERGED).write_text(json_text(record, indent=1) + "\n", encoding="utf-8")
    for file in _files(folder):
        to_disk(file)


def merge_weights(model: Any, tokenizer: Any, found: ModelFiles) -> Any:
    """The base model, which is changed, with the update of an adapter in its weights.

    Parameters
    ----------
    model, tokenizer
        Those of the base, in float32, as `dilemmas.agents.models.weights.load_base` returns them.
    found
        The files of the adapter.

    Raises
    ------
    ModelError
        If the adapter does not fit the model.
    MergeError
        If it cannot be merged, or the model does not answer as before.
    """
    import torch

    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    tied = head is not None and head.weight is embedding.weight
    adapted = apply_adapter(model, found, "merged").eval()
    before = _predicted(adapted, tokenizer)
    if tied:  # an update of one of them is none of the other
        head.weight = torch.nn.Parameter(head.weight.detach().clone(), requires_grad=False)
    try:
        with quiet_peft():
            warnings.filterwarnings("ignore", "Input and output embeddings are no longer tied")  # see `_tie_again`
            whole = adapted.merge_and_unload(safe_merge=True)
    except Exception as error:  # peft raises several types, for layers that it cannot merge and for NaN
        raise MergeError(f"adapter {found.adapter} cannot be merged: {error_line(error)}") from error
    if tied:
        _tie_again(whole)
    apart = float((_predicted(whole, tokenizer) - before).abs().max())
    if not apart <= MOST_APART:
        raise MergeError(
            f"adapter {found.adapter} cannot be merged: probabilities of the merged model differ by up to {apart:.2g};"
            " use it beside its base, as MODEL+ADAPTER"
        )
    return whole


def _tie_again(model: Any) -> None:
    """Let input and output embeddings be one tensor again if they are equal, and otherwise two in the files too."""
    import torch

    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    equal = torch.equal(head.weight, embedding.weight)
    if equal:
        head.weight = embedding.weight
    else:
        model.all_tied_weights_keys = {}
    for config in (model.config, model.config.get_text_config()):
        config.tie_word_embeddings = equal


def _predicted(model: Any, tokenizer: Any) -> "torch.Tensor":
    """Probabilities of the next token after each token of a text, shape (tokens, vocabulary)."""
    import torch

    tokens = torch.tensor([tokenizer(ASKED, add_special_tokens=False).input_ids])
    with torch.no_grad():
        probabilities: torch.Tensor = model(tokens, use_cache=False).logits[0].double().softmax(-1)
    return probabilities
