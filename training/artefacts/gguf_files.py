"""GGUF files of merged models, for llama.cpp: float32, float16 or bfloat16.

The file is written for architectures whose tensors and settings are known here and were compared with llama.cpp:
Llama, and Gemma 3 where the base is a GGUF file. Any other one is refused. A base that is a GGUF file passes on its
metadata, the tokenizer among them; for a base in a folder, they are made from its configuration and tokenizer.json.

How llama.cpp's own converter maps tensors, by its source: queries and keys of Llama have the two halves of each head
interleaved, because llama.cpp rotates neighbours; norms of Gemma 3 have 1 added; tensors of one dimension are float32.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.agents.models.model_files import ModelFiles
from dilemmas.agents.models.networks.architectures import gguf_config
from dilemmas.envs.data_files import read_json
from dilemmas.envs.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GGUF_FILE = "gguf/model.gguf"
"""The file in the folder of a merged model; beside tokenizer.json, transformers would read its tokenizer wrongly."""
ARCHITECTURES: Mapping[str, str] = {"llama": "llama", "gemma3_text": "gemma3"}
"""Types of models in transformers, and what GGUF files call them."""
FROM_FOLDERS = ("llama",)
"""Those whose metadata are made here, where the base is no GGUF file."""
FILE_TYPES = {"float32": ("ALL_F32", "F32"), "float16": ("MOSTLY_F16", "F16"), "bfloat16": ("MOSTLY_BF16", "BF16")}
"""Type of the file and of its matrices."""
OWN = ("GGUF.", "split.", "quantize.", "general.architecture", "general.file_type", "general.quantization_version")
"""Beginnings of the keys of a base file that say how its own weights are stored."""
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How tokenizers of Llama 3 split texts."""
SPLITS: Mapping[str, list[dict[str, Any]]] = {
    "gpt-2": [{"type": "ByteLevel", "use_regex": True}],
    "smollm": [{"type": "Digits", "individual_digits": True}, {"type": "ByteLevel", "use_regex": True}],
    "llama-bpe": [
        {"type": "Split", "pattern": {"Regex": LLAMA_3}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "use_regex": False},
    ],
}
"""What GGUF files call the ways in which a tokenizer splits texts before it merges bytes, and the steps of each."""
WHOLE_PIECES = ("llama-bpe",)
"""Those with which llama.cpp takes a piece of the vocabulary without merging it, as `ignore_merges` says."""
ROPE = "rope_freqs.weight"
"""Tensor by which the frequencies of rotary embeddings are divided."""


class GGUFError(InputError):
    """A model of which no GGUF file can be written."""


def check_writable(found: ModelFiles) -> None:
    """`GGUFError` if no GGUF file is written of such models, as far as their configuration tells."""
    if found.gguf:
        config = gguf_config(found.name, found.folder / found.gguf)
    else:
        config = read_json(found.folder / "config.json", dict[str, Any])
    known = tuple(ARCHITECTURES) if found.gguf else FROM_FOLDERS
    if (kind := config.get("model_type")) not in known:
        base = "a GGUF file" if found.gguf else "a folder"
        raise GGUFError(
            f"--gguf: model '{found.name}' is of type '{kind}'; GGUF files are written of bases in {base} of type"
            f" {' and '.join(known)}; merge it without --gguf and convert it with llama.cpp's convert_hf_to_gguf.py"
        )


def write_gguf(file: Path, model: Any, tokenizer: Any, dtype: str, found: ModelFiles) -> None:
    """Write a model as a GGUF file.

    Parameters
    ----------
    file
        The file.
    model, tokenizer
        Those of transformers; the model in float32.
    dtype
        Data type of the matrices: float32, float16 or bfloat16.
    found
        The files of the base model.

    Raises
    ------
    GGUFError
        If a setting, a tensor or the tokenizer of the model is not known here.
    """
    import numpy as np
    from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, LlamaFileType
    from gguf.quants import quantize

    base = GGUFReader(found.folder / found.gguf) if found.gguf else None
    kind, stored = FILE_TYPES[dtype]
    writer = GGUFWriter(file, ARCHITECTURES[model.config.model_type])
    if base:
        _copy_metadata(writer, base)
    else:
        _write_settings(writer, model.config)
        _write_tokenizer(writer, tokenizer, model.config)
    writer.add_file_type(LlamaFileType[kind])
    tensors = dict(_tensors(model, base))
    types = {name: GGMLQuantizationType[stored if tensor.ndim > 1 else "F32"] for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        size = 2 if types[name].name in ("F16", "BF16") else 4
        writer.add_tensor_info(name, tensor.shape, np.dtype(np.float32), tensor.size * size, types[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, tensor in tensors.items():
        written = quantize(np.ascontiguousarray(_reordered(name, tensor, model.config)), types[name])
        if written.dtype == np.float16 and not np.isfinite(written).all():
            raise GGUFError(f"--gguf: {name} has weights beyond the range of float16; use --dtype float32 or bfloat16")
        writer.write_tensor_data(written)
    writer.close()


def _tensors(model: Any, base: Any) -> Iterator[tuple[str, "NDArray[np.float32]"]]:
    """The tensors by their names in GGUF files; `GGUFError` for one that has none."""
    from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, get_tensor_name_map

    called = ARCHITECTURES[model.config.model_type]
    architecture = next(one for one in MODEL_ARCH if MODEL_ARCH_NAMES[one] == called)
    names, written = get_tensor_name_map(architecture, model.config.num_hidden_layers), set()
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    for name, tensor in model.state_dict().items():
        if tied and name == "lm_head.weight":  # llama.cpp takes the embeddings where there is no output tensor
            continue
        found = names.get_name(name, try_suffixes=(".weight",)) if name.endswith(".weight") else None
        if found is None:
            raise GGUFError(f"--gguf: tensor '{name}' has no name in GGUF files of type '{called}'; merge without it")
        written.add(found)
        yield found, tensor.numpy()
    factors = _rope_factors(model) if base is None else None
    if factors is not None:
        yield ROPE, factors
    for tensor in base.tensors if base else ():
        if tensor.name == ROPE:
            yield ROPE, tensor.data
        elif tensor.name not in written:
            raise GGUFError(f"--gguf: tensor '{tensor.name}' of the base file is not known here; merge without it")


def _reordered(name: str, tensor: "NDArray[np.float32]", config: Any) -> "NDArray[np.float32]":
    """A tensor as GGUF files have it; see the beginning of this file."""
    if config.model_type == "gemma3_text":
        return tensor + 1 if name.endswith("norm.weight") else tensor
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    part = name.split(".")[-2]
    if part not in heads:
        return tensor
    return tensor.reshape(heads[part], 2, -1, tensor.shape[1]).swapaxes(1, 2).reshape(tensor.shape)


def _rope_factors(model: Any) -> "NDArray[np.float32] | None":
    """What divides the frequencies of rotary embeddings, shape (half a head,); None if nothing does."""
    import torch

    rotary = model.model.rotary_emb
    size = 2 * len(rotary.inv_freq)
    powers = torch.arange(0, size, 2, dtype=torch.float32) / size
    factors = 1 / (model.config.rope_parameters["rope_theta"] ** powers * rotary.inv_freq.float())
    if torch.allclose(factors, torch.ones(1)):
        return None
    found: NDArray[np.float32] = factors.numpy()
    return found


def _copy_metadata(writer: Any, base: Any) -> None:
    for key, field in base.fields.items():
        if not key.startswith(OWN):
            writer.add_key_value(key, field.contents(), field.types[0], field.types[-1] if field.types[1:] else None)


def _write_settings(writer: Any, config: Any) -> None:
    """The settings of a Llama; `GGUFError` for one that llama.cpp would not follow."""
    rope = config.rope_parameters
    refused = {
        "hidden_act": config.hidden_act != "silu",
        "attention_bias": config.attention_bias,
        "mlp_bias": config.mlp_bias,
        "rope_type": rope.get("rope_type", "default") not in ("default", "llama3"),
    }
    for name in (name for name, bad in refused.items() if bad):
        value = rope[name] if name in rope else getattr(config, name)
        raise GGUFError(f"--gguf: {name} {value!r} in config.json is not known here; merge without --gguf")
    writer.add_name("merged model")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)


def _write_tokenizer(writer: Any, tokenizer: Any, config: Any) -> None:
    """The tokenizer, if it merges bytes and splits texts in a way that llama.cpp knows; `GGUFError` otherwise."""
    from gguf import TokenType

    table = json.loads(tokenizer.backend_tokenizer.to_str())
    split = next((name for name, steps in SPLITS.items() if steps == _steps(table)), None)
    bpe = table["model"]["type"] == "BPE" and not table["normalizer"] and not table["model"].get("byte_fallback")
    if split is None or not bpe or table["model"].get("ignore_merges", False) != (split in WHOLE_PIECES):
        raise GGUFError(
            "--gguf: this tokenizer is not known here; merge without --gguf and convert the folder with llama.cpp's"
            " convert_hf_to_gguf.py, or start from a base that is a GGUF file"
        )
    pieces = {number: piece for piece, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    kinds = [
        TokenType.UNUSED if number not in pieces
        else TokenType.NORMAL if number not in added
        else TokenType.CONTROL if added[number].special
        else TokenType.USER_DEFINED
        for number in range(config.vocab_size)
    ]  # fmt: skip
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list([pieces.get(number, f"[PAD{number}]") for number in range(config.vocab_size)])
    writer.add_token_types(kinds)
    merges = table["model"]["merges"]
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in merges])
    begins = tokenizer("a").input_ids[0] == tokenizer.bos_token_id
    writer.add_add_bos_token(begins)
    numbers = {
        "bos": tokenizer.bos_token_id,
        "eos": tokenizer.eos_token_id,
        "eot": ChatEncoder(tokenizer).stop,
        "unk": tokenizer.unk_token_id,
        "pad": tokenizer.pad_token_id,
    }
    for name, number in numbers.items():
        if number is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.get_chat_template())


def _steps(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps in which a tokenizer splits texts, without what does not change tokens."""
    split = table["pre_tokenizer"] or {}
    steps = split.get("pretokenizers", [split])
    return [
        {
            key: value
            for key, value in one.items()
            if key != "trim_offsets" and (key, value) != ("add_prefix_space", False)
        }
        for one in steps
    ]
