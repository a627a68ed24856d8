"""Probabilities of small random networks of many architectures equal those of a plain forward pass, in any batch."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.backend import Request  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402

SIZE = {
    "vocab_size": 400,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}
CACHED: dict[str, dict[str, Any]] = {
    "bloom": {"n_layer": 2, "n_head": 4},
    "cohere": {},
    "falcon": {"num_kv_heads": 2, "new_decoder_architecture": True},
    "gemma": {},
    "gemma2": {"sliding_window": 24, "final_logit_softcapping": 5.0, "query_pre_attn_scalar": 8},
    "gemma3_text": {"sliding_window": 24, "layer_types": ["sliding_attention", "full_attention"]},
    "gpt2": GPT2,
    "gpt_neo": {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]], "window_size": 24},
    "gpt_neox": {},
    "gptj": GPT2 | {"rotary_dim": 4},
    "granite": {"logits_scaling": 2.0},
    "llama": {},
    "mistral": {"sliding_window": 24},
    "mixtral": {"num_local_experts": 4},
    "mpt": {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 256, "expansion_ratio": 2},
    "olmo2": {},
    "opt": {"ffn_dim": 64, "word_embed_proj_dim": 16},
    "phi": {},
    "phi3": {},
    "qwen2": {},
    "qwen3": {},
    "smollm3": {},
    "stablelm": {},
    "starcoder2": {},
}
UNCACHED: dict[str, dict[str, Any]] = {
    "falcon_h1": {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8},
    "jamba": {"attn_layer_offset": 1, "attn_layer_period": 2, "num_experts": 2, "use_mamba_kernels": False},
    "mamba": {"state_size": 8},
    "mamba2": {"num_heads": 8, "state_size": 8, "n_groups": 1, "chunk_size": 8},
    "recurrent_gemma": {"lru_width": 32, "attention_window_size": 24, "block_types": ["recurrent", "attention"]},
    "rwkv": {"attention_hidden_size": 32},
    "xlstm": {"num_heads": 4, "num_blocks": 2, "chunkwise_kernel": "chunkwise--native_autograd"},
}
LONG = "You are in a chat with a good friend. You both choose C or D at the same time. "
PROMPTS = (LONG + "Which do you choose?", "Which?", LONG + "Say why. Which is it, C or D?", "You choose C or D?")
LABELS = (("C", "D"), ("the same", "a good friend", "C"), ("z", "zzz"))


def random_model(tiny_model: Path, folder: Path, kind: str, settings: dict[str, Any], chat: bool) -> Path:
    """A directory with a random network of an architecture and the tokenizer of the tiny model."""
    shutil.copytree(tiny_model, folder)
    config = AutoConfig.for_model(kind, **SIZE | settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        for name, weights in model.named_parameters():
            if weights.ndim > 1 and "norm" not in name:
                weights.data = weights.data + 0.1 * torch.randn(weights.shape)
    model.save_pretrained(folder)
    if not chat:
        (folder / "chat_template.jinja").unlink()
    return folder


def plain_values(folder: Path, chat: bool, prompt: str, label: str) -> float:
    """Log-probability that the reply starts with a label: one text, one forward pass."""
    tokenizer, model = PLAIN[folder]
    head = f"<s><user>{prompt}<assistant>" if chat else f"<s>{prompt}\nAnswer:"
    start, whole = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (head, f"{head} {label}"))
    assert whole[: len(start)] == start
    with torch.no_grad():
        scores = model(torch.tensor([whole]), use_cache=False).logits[0].double().log_softmax(-1)
    return sum(float(scores[i - 1, whole[i]]) for i in range(len(start), len(whole)))


PLAIN: dict[Path, tuple[Any, Any]] = {}


@pytest.mark.parametrize("chat", [True, False], ids=["chat", "plain"])
@pytest.mark.parametrize("kind", [*CACHED, *UNCACHED])
def test_probabilities_equal_a_plain_forward_pass(kind: str, chat: bool, tiny_model: Path, tmp_path: Path) -> None:
    folder = random_model(tiny_model, tmp_path / kind, kind, (CACHED | UNCACHED)[kind], chat)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    PLAIN[folder] = AutoTokenizer.from_pretrained(folder), model
    backend = open_model(str(folder)).loaded()
    requests = [Request(prompt, labels) for prompt in PROMPTS for labels in LABELS[:2]]
    expected = [[plain_values(folder, chat, one.prompt, label) for label in one.labels] for one in requests]
    assert max(map(max, expected)) - min(map(min, expected)) > 0.1
    for batch_tokens in (1, 100, 400, 16_384):
        found = replace(backend, batch_tokens=batch_tokens).respond(requests)
        assert [list(one.logprobs) for one in found] == [pytest.approx(values, abs=1e-5) for values in expected]
    assert backend.can.cached == (kind in CACHED)
