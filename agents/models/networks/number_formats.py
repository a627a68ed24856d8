"""The number formats in which the weights of a model are held in memory."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dilemmas.agents.models.backend import ModelError

if TYPE_CHECKING:
    import torch

PLAIN_FORMATS = ("float32", "bfloat16", "float16")
QUANTISED: Mapping[str, Mapping[str, Any]] = {
    "int8": {"load_in_8bit": True},
    "nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
}
"""Settings of bitsandbytes by format: 8 bits (Dettmers et al. 2022), 4 bits (Dettmers et al. 2023, "QLoRA")."""
NUMBER_FORMATS = ("auto", *PLAIN_FORMATS, *QUANTISED)


def usual_format(place: str) -> str:
    """The format for ``auto``: float32 on the CPU, where bfloat16 is slow, and bfloat16 on a GPU."""
    return "float32" if place == "cpu" else "bfloat16"


def loading_settings(name: str, place: str) -> dict[str, Any]:
    """Arguments of `from_pretrained` of transformers for a format other than ``auto``.

    Quantised weights are computed with in the usual format of the device.

    Raises
    ------
    ModelError
        If the format needs bitsandbytes and it is not installed.
    """
    if name not in QUANTISED:
        return {"dtype": torch_type(name)}
    if find_spec("bitsandbytes") is None:
        raise ModelError(f"number format '{name}' needs bitsandbytes: pip install bitsandbytes")
    from transformers import BitsAndBytesConfig

    computed = torch_type(usual_format(place))
    settings = BitsAndBytesConfig(**QUANTISED[name], bnb_4bit_compute_dtype=computed)
    return {"dtype": computed, "quantization_config": settings}


def torch_type(name: str) -> "torch.dtype":
    """The data type of torch for a plain format."""
    import torch

    found: torch.dtype = getattr(torch, name)
    return found


def is_quantised(model: Any) -> bool:
    """Whether the weights of a model of transformers are quantised in memory."""
    return bool(getattr(model, "is_quantized", False))
