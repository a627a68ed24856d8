"""A GGUF file is a model like any other: opened, asked, tuned, and refused in one line if it cannot be used."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")

from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.backend import ModelError, Request  # noqa: E402
from dilemmas.agents.models.model_files import find_model, is_hub_id, portable_name, split_spec  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402
from dilemmas.training.adapters import BaseModel, adapt  # noqa: E402
from dilemmas.training.demonstrations import from_example  # noqa: E402
from dilemmas.training.distill import distil  # noqa: E402
from dilemmas.training.examples import Example  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402

ASKED = [Request("You choose C or D?", ("C", "the same")), Request("Which?", ("C", "D"))]
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
"""The parts of a layer of Llama in transformers and in GGUF."""


def in_file(name: str, tensor: np.ndarray, heads: dict[str, int]) -> tuple[str, np.ndarray]:
    """A tensor of transformers as GGUF files of Llama have it: the rows of queries and keys are in another order."""
    outer = {"model.embed_tokens.weight": "token_embd", "model.norm.weight": "output_norm", "lm_head.weight": "output"}
    if name in outer:
        return f"{outer[name]}.weight", tensor
    _, _, layer, *parts, _ = name.split(".")
    part = NAMES[".".join(parts)]
    if part in heads:
        tensor = tensor.reshape(heads[part], 2, -1, tensor.shape[1]).swapaxes(1, 2).reshape(tensor.shape)
    return f"blk.{layer}.{part}.weight", np.ascontiguousarray(tensor)


def write_gguf(model: Path, file: Path, architecture: str = "llama") -> Path:
    """A Llama directory of transformers as a GGUF file in float32."""
    loaded: Any = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    tokenizer, config = AutoTokenizer.from_pretrained(model), loaded.config
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    table = json.loads(tokenizer.backend_tokenizer.to_str())
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(pieces)
    writer.add_token_types([3 if number < 5 else 1 for number in range(len(pieces))])
    writer.add_token_merges([" ".join(pair) for pair in table["model"]["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for name, tensor in loaded.state_dict().items():
        writer.add_tensor(*in_file(name, tensor.numpy(), heads))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.fixture(scope="module")
def file(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a GGUF file."""
    return write_gguf(tiny_model, tmp_path_factory.mktemp("files") / "tiny+1.gguf")


def test_a_gguf_file_answers_as_the_directory_it_was_made_of(file, backend, capfd) -> None:
    model = open_model(f"gguf:{file}")
    for response, expected in zip(model.respond(ASKED), backend.respond(ASKED), strict=True):
        assert response.logprobs == pytest.approx(expected.logprobs, abs=1e-5)
    assert (model.name, model.miniature) == ("tiny+1.gguf", False)
    assert model.size == 4 * sum(weights.numel() for weights in model.loaded().model.parameters())
    assert capfd.readouterr() == ("", "")
    changed = file.with_name("changed.gguf")
    changed.write_bytes(file.read_bytes()[:-1] + b"\1")
    assert open_model(str(changed)).fingerprint != model.fingerprint == open_model(str(file)).fingerprint


def test_a_gguf_file_beside_another_tokenizer_keeps_its_own(file, tiny_model, tmp_path) -> None:
    """Also beside that of another model: transformers alone would read it without its chat template."""
    for name in ("same", "other"):
        folder = Path(shutil.copytree(tiny_model, tmp_path / name))
        shutil.copyfile(file, folder / "tiny.gguf")
        if name == "other":
            (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
        assert open_model(str(folder / "tiny.gguf")).respond(ASKED) == open_model(str(file)).respond(ASKED)


def test_an_adapter_is_trained_on_a_gguf_file_and_finds_it_again(file, adapter, tmp_path) -> None:
    base = open_model(str(file))
    named = BaseModel(portable_name(str(file)), base.fingerprint, is_hub_id(str(file)))
    shown = [from_example(Example("pd/friends", "You choose C or D?", "D", 1, ""))] * 8
    settings = LoraSettings(rate=1e-2, epochs=10)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        list(distil(*base.weights(), shown, settings, tmp_path / "tuned", seed=1, base=named))
    assert [str(one.message) for one in said if "config file" in str(one.message)] == []
    (before,), (after,) = base.respond(ASKED[:1]), open_model(str(tmp_path / "tuned")).respond(ASKED[:1])
    assert abs(before.logprobs[0] - after.logprobs[0]) > 0.1
    assert open_model(f"{file}+{tmp_path / 'tuned'}").respond(ASKED[:1]) == [after]
    assert split_spec(f"gguf:{file}+{adapter}") == (str(file), str(adapter))


def test_a_model_of_a_gguf_file_can_be_saved_with_and_without_an_adapter(file, tmp_path, backend) -> None:
    model, tokenizer = open_model(str(file)).weights()
    model.save_pretrained(tmp_path / "plain")
    tokenizer.save_pretrained(tmp_path / "plain")
    (again,), (expected,) = open_model(str(tmp_path / "plain")).respond(ASKED[:1]), backend.respond(ASKED[:1])
    assert again.logprobs == pytest.approx(expected.logprobs, abs=1e-5)
    adapt(model, LoraSettings(), seed=0).merge_and_unload().save_pretrained(tmp_path / "merged")
    assert "quantization_config" not in json.loads((tmp_path / "merged" / "config.json").read_text())


def test_a_gguf_file_that_cannot_be_used_is_refused_in_one_line(tiny_model, file, tmp_path) -> None:
    (tmp_path / "text.gguf").write_text("no model")
    (tmp_path / "cut.gguf").write_bytes(file.read_bytes()[:100])
    write_gguf(tiny_model, tmp_path / "new.gguf", "unheard")
    for name, complaint in (
        ("text", "does not begin with GGUF"),
        ("cut", "cannot be read by transformers"),
        ("new", "architecture unheard is not supported"),
        ("none", "no such file"),
    ):
        with pytest.raises(ModelError, match=complaint) as caught:
            find_model(str(tmp_path / f"{name}.gguf"))
        assert "\n" not in str(caught.value)
