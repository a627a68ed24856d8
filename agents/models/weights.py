"""The weights of language models in memory.

The weights of a base model are in memory once, however many adapters are used over it. Adapters are not merged into
them: each is a set of layers beside the layers of the base, of which one is switched on while a model is asked. The
probabilities of a model do not depend on which others share its weights.
"""

import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from dilemmas.agents.models.backend import ModelError
from dilemmas.agents.models.chat import conversation
from dilemmas.agents.models.model_files import ModelFiles
from dilemmas.agents.models.networks.adapters import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from dilemmas.agents.models.networks.number_formats import NUMBER_FORMATS, QUANTISED, loading_settings, usual_format
from dilemmas.envs.data_files import read_json
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import UnknownNameError, lookup

if TYPE_CHECKING:
    pass

PLAIN_STARTS = (None, True, False, "gaussian")
"""The initial weights of adapters that leave the weights of the base as they are."""


class SharedWeights:
    """A base model in memory with the adapters that were loaded over it."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """`model`, `tokenizer`: those of transformers."""
        self.model = model
        self.tokenizer = tokenizer
        self._adapted: Any = None  # the model of peft, once there is an adapter
        self._on: str | None = ""
        self._spoilt = ""

    def add(self, found: ModelFiles) -> str:
        """Load an adapter, unless it is loaded already; returns its name.

        Raises
        ------
        ModelError
            If the adapter does not fit the model.
        """
        name = found.fingerprint.partition("+")[2]
        if self._adapted is None or name not in self._adapted.peft_config:
            self._on, self._spoilt = None, f"adapter {found.adapter}, which does not fit, was put over it"
            self._adapted = apply_adapter(self._adapted or self.model, found, name)
            self._spoilt = ""
            self.model.eval().requires_grad_(False)
        return name

    def switch(self, adapter: str) -> None:
        """Switch on one adapter by name, and the others off; an empty name switches all off.

        Raises
        ------
        ModelError
            If an adapter that does not fit has changed the model.
        """
        if self._spoilt:
            raise ModelError(f"the model in memory cannot be used: {self._spoilt}; open it again")
        if self._adapted is None or adapter == self._on:
            return
        if adapter:
            self._adapted.base_model.enable_adapter_layers()
            self._adapted.set_adapter(adapter)
            self.model.requires_grad_(False)
        else:
            self._adapted.base_model.disable_adapter_layers()
        self._on = adapter


_IN_MEMORY: WeakValueDictionary[tuple[object, ...], SharedWeights] = WeakValueDictionary()


def share_weights(found: ModelFiles, place: str, precision: str) -> tuple[SharedWeights, str]:
    """The base model in memory, loaded if no other model has loaded it, and the name of the adapter or an empty one.

    Parameters and errors are those of `load_base`, and those of `SharedWeights.add`. Weights are freed when nobody
    holds them any more.
    """
    from dilemmas.agents.models.networks.trial import float32_head

    alone = found.adapter if found.adapter is not None and _changes_base(found) else None
    key = (found.folder, found.gguf, found.fingerprint.partition("+")[0], place, precision, alone)
    shared = _IN_MEMORY.get(key)
    if shared is None:
        shared = SharedWeights(*load_base(found, place, precision))
        float32_head(shared.model)
        _IN_MEMORY[key] = shared
    try:
        return shared, "" if found.adapter is None else shared.add(found)
    except ModelError:
        del _IN_MEMORY[key]  # it is changed
        raise


def _changes_base(found: ModelFiles) -> bool:
    """Whether an adapter changes weights or layers of the base itself, so that no other model can use them."""
    assert found.adapter is not None
    config = read_json(found.adapter / ADAPTER_CONFIG, dict[str, Any], ModelError)
    own = config.get("bias", "none") != "none" or config.get("init_lora_weights") not in PLAIN_STARTS
    return own or bool(config.get("layer_replication") or config.get("target_parameters"))


def load_base(found: ModelFiles, place: str, precision: str) -> tuple[Any, Any]:
    """Load a model, without its adapter, and the tokenizer.

    Parameters
    ----------
    found
        The files of the model.
    place
        Device map of transformers, as returned by `device_map`.
    precision
        Number format of the weights in memory, of `NUMBER_FORMATS` without ``auto``.

    Raises
    ------
    ModelError
        If a file cannot be read, or the files do not fit together; if weights are to be quantised and bitsandbytes is
        not installed, or they are quantised already.
    """
    from transformers import AutoModelForCausalLM

    if found.gguf and precision in QUANTISED:
        raise ModelError(f"model '{found.name}': the weights of a GGUF file are quantised; '{precision}' needs others")
    chosen = loading_settings(precision, place)
    tokenizer = load_tokenizer(found)
    try:
        with quiet_transformers():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                found.folder,
                gguf_file=found.gguf,
                **chosen,
                device_map=place,
                local_files_only=True,
                trust_remote_code=False,  # by default, transformers would ask the user
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # reported, and refused below
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises many types, from KeyError to SafetensorError
        raise _not_loaded(found, error) from error
    model, report = loaded
    if lacking := sorted({*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])}):
        raise ModelError(
            f"model '{found.name}' in {found.folder}: the weights lack {len(lacking)} tensors ({lacking[0]}, ...) or"
            " have other shapes than config.json states; these tensors would be random. Use a complete model"
        )
    if spare := sorted(report["unexpected_keys"]):
        raise ModelError(
            f"model '{found.name}' in {found.folder}: {len(spare)} tensors of the weights ({spare[0]}, ...) have no"
            " place in the model that config.json states; they would be ignored. Use the config.json of these weights"
        )
    if found.gguf and hasattr(model, "hf_quantizer"):  # dequantised, so it is changed and saved like any other model
        model.hf_quantizer.remove_quantization_config(model)  # older transformers leave none
    return model.eval().requires_grad_(False), tokenizer


def network_without_weights(found: ModelFiles) -> Any:
    """The network that the files of a model describe, without its weights: its modules and their names.

    `ModelError` if the files describe none.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        with quiet_transformers(), torch.device("meta"):
            config = AutoConfig.from_pretrained(
                found.folder, gguf_file=found.gguf, local_files_only=True, trust_remote_code=False
            )
            return AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except Exception as error:
        raise _not_loaded(found, error) from error


def load_tokenizer(found: ModelFiles) -> Any:
    """The tokenizer of a model; `ModelError` if it, or its chat template, cannot be used."""
    from transformers import AutoTokenizer

    try:
        with quiet_transformers(), _place_of_tokenizer(found) as folder:
            tokenizer = AutoTokenizer.from_pretrained(
                folder, gguf_file=found.gguf, local_files_only=True, trust_remote_code=False
            )
            conversation(tokenizer)  # fails here if the chat template cannot be used
    except Exception as error:
        raise _not_loaded(found, error) from error
    return tokenizer


def _not_loaded(found: ModelFiles, error: Exception) -> ModelError:
    place = "" if str(found.folder) == found.name else f" in {found.folder}"
    return ModelError(f"model '{found.name}'{place} cannot be loaded: {error_line(error)}")


@contextmanager
def _place_of_tokenizer(found: ModelFiles) -> Iterator[Path]:
    """Context manager: yields the folder from which a tokenizer is read.

    Beside the tokenizer of another format, transformers would read that of a GGUF file without its chat template.
    """
    if not found.gguf or not any(found.folder.glob("tokenizer*")):
        yield found.folder
        return
    with TemporaryDirectory() as alone:
        try:
            Path(alone, found.gguf).symlink_to((found.folder / found.gguf).resolve())
        except OSError:  # Windows allows it to some users only
            shutil.copyfile(found.folder / found.gguf, Path(alone, found.gguf))
        yield Path(alone)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Suppress progress bars and reports: dilemmas has its own, and reports errors in one line."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        with redirect_stderr(StringIO()):  # the progress of GGUF files has no other switch
            yield
    finally:
        logging.set_verbosity(before)


def apply_adapter(model: Any, found: ModelFiles, name: str) -> Any:
    """The model of peft with one more adapter.

    Parameters
    ----------
    model
        A model of peft, or one of transformers, which is changed.
    found
        The files of the adapter.
    name
        Name of the adapter within the model.

    Raises
    ------
    ModelError
        If the adapter does not fit the model.
    """
    from peft import PeftModel

    assert found.adapter is not None
    try:
        with quiet_peft():
            warnings.filterwarnings("error", message="Found missing adapter keys")
            if isinstance(model, PeftModel):
                model.load_adapter(str(found.adapter), name, local_files_only=True)
            else:
                model = PeftModel.from_pretrained(model, str(found.adapter), name, local_files_only=True)
            wrong = _misfit(model, found.adapter / ADAPTER_WEIGHTS, name)
    except Exception as error:  # peft passes on any error of torch
        sizes = "its layers have other sizes than those of the model over which it was tuned"
        why = sizes if "size mismatch" in str(error) else error_line(error)
        raise ModelError(f"adapter {found.adapter} does not fit model '{found.name}': {why}") from error
    if wrong:
        raise ModelError(f"adapter {found.adapter} does not fit model '{found.name}': {wrong}")
    return model


def _misfit(adapted: Any, weights: Path, name: str) -> str:
    """What is wrong with the weights of an adapter that peft has loaded; empty if nothing is."""
    from peft.utils import get_peft_model_state_dict
    from safetensors import safe_open

    own = get_peft_model_state_dict(adapted, adapter_name=name, save_embedding_layers=False)
    with safe_open(weights, "pt") as file:
        given = set(file.keys())
    if spare := sorted(given - {*own, *adapted.state_dict()}):
        return (
            f"{len(spare)} tensors of its weights ({spare[0]}, ...) have no place by {ADAPTER_CONFIG}; they would be"
            " ignored. Use a complete adapter"
        )
    if lacking := sorted(own.keys() - given):
        return (
            f"its weights lack {len(lacking)} tensors ({lacking[0]}, ...) of {ADAPTER_CONFIG}. Use a complete adapter"
        )
    return "" if _changes(own) else "its update is 0 everywhere, so that it changes nothing. Use the model without it"


def _changes(tensors: Mapping[str, Any]) -> bool:
    """Whether an adapter changes its base: a product of its factors A and B is not 0, or it has other tensors."""
    factors = [name for name in tensors if "lora_A" in name or "lora_embedding_A" in name]
    pairs = [(name, name.replace("lora_A", "lora_B").replace("embedding_A", "embedding_B")) for name in factors]
    return len(tensors) > 2 * len(pairs) or any(tensors[a].any() and tensors[b].any() for a, b in pairs)


@contextmanager
def quiet_peft() -> Iterator[None]:
    """Suppress a warning that peft 0.21 causes by reading a property that transformers 5.23 deprecates."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield


def device_map(device: str) -> str:
    """The device map of transformers for a device name, as in `dilemmas.agents.models.open_model.open_model`.

    Raises
    ------
    UnknownNameError
        If there is no such device on this machine.
    """
    import torch

    count = torch.cuda.device_count()
    if device == "auto":
        return "auto" if count > 1 else "cuda" if count else "cpu"
    known = ["cpu", *(["cuda"] if count else []), *(f"cuda:{i}" for i in range(count))]
    if device not in known:
        raise UnknownNameError(f"unknown device '{device}'; this machine has {', '.join(known)}")
    return device


def number_format(dtype: str, device: str) -> str:
    """The number format for a name and a device; ``auto`` is float32 on the CPU and bfloat16 on a GPU.

    Raises
    ------
    UnknownNameError
        If there is no such format, or no such device.
    """
    name = lookup("dtype", dtype, {name: name for name in NUMBER_FORMATS})
    return usual_format(device_map(device)) if name == "auto" else name


def error_line(error: Exception) -> str:
    """What an error says, with its type if it is of another package, in one line."""
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    return kind + shorten(str(error), 300, placeholder=" ...")
