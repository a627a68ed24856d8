"""What kind of model files hold, read from their configuration before any weight is, and what a model can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import Any

from dilemmas.agents.models.backend import ModelError

MAGIC = b"GGUF"
"""The first bytes of a GGUF file."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a network can do exactly, as found by `dilemmas.agents.models.networks.trial`."""

    cached: bool = True
    """Whether it continues texts from its cache, also among texts of other lengths."""
    gaps: bool = True
    """Whether there may be padding between the tokens of a text."""
    branches: bool = True
    """Whether several continuations of a text can be read in one row, each after the text alone."""


ABLE = Abilities()
"""What most networks can do."""


def check_architecture(model: str, config: Mapping[str, Any]) -> None:
    """Check that a model continues a text, as its `config` in the format of transformers says.

    Raises
    ------
    ModelError
        If it is an encoder-decoder, which answers a text with another one, or a masked language model, which reads a
        text in both directions.
    """
    if config.get("is_encoder_decoder"):
        raise ModelError(
            f"model '{model}' of type '{config.get('model_type')}' is an encoder-decoder; needs a causal language"
            " model, which continues the text of the prompt"
        )
    masked = [name for name in config.get("architectures") or () if name.endswith("ForMaskedLM")]
    if masked and not config.get("is_decoder"):
        raise ModelError(
            f"model '{model}' is a masked language model ({masked[0]}), which reads what follows a token too; needs a"
            " causal language model, which continues the text of the prompt"
        )


def gguf_config(model: str, file: Path) -> dict[str, Any]:
    """The configuration of the model in a GGUF file, in the format of transformers.

    Raises
    ------
    ModelError
        If the file is damaged, or transformers cannot read its architecture.
    """
    with file.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise ModelError(f"model '{model}' is not a GGUF file: it does not begin with GGUF")
    if find_spec("gguf") is None:
        raise ModelError('GGUF files need gguf: pip install "dilemmas[gguf]"')
    try:
        return _read_config(file, file.stat().st_mtime_ns)
    except Exception as error:  # transformers and gguf raise many types for files of every kind
        why = shorten(f"{type(error).__name__}: {error}", 300, placeholder=" ...")
        raise ModelError(f"model '{model}' cannot be read by transformers ({why}); use another model file") from error


@cache
def _read_config(file: Path, changed: int) -> dict[str, Any]:
    """`changed`: time of the last change, so that a changed file is read again; reading takes seconds."""
    from transformers import AutoConfig

    config: dict[str, Any] = AutoConfig.from_pretrained(file.parent, gguf_file=file.name).to_dict()
    return config


def gguf_size(file: Path) -> int:
    """Size in float32 of the weights in a GGUF file, in bytes."""
    return _read_size(file, file.stat().st_mtime_ns)


@cache
def _read_size(file: Path, changed: int) -> int:
    """As of `_read_config`."""
    from gguf import GGUFReader

    return 4 * sum(int(tensor.n_elements) for tensor in GGUFReader(file).tensors)
