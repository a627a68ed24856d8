"""Small random networks of many architectures."""

import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

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
    "falcon_h1": {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8},
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
    "jamba": {"attn_layer_offset": 1, "attn_layer_period": 2, "num_experts": 2, "use_mamba_kernels": False},
    "mamba": {"state_size": 8},
    "mamba2": {"num_heads": 8, "state_size": 8, "n_groups": 1, "chunk_size": 8},
    "recurrent_gemma": {"lru_width": 32, "attention_window_size": 24, "block_types": ["recurrent", "attention"]},
    "rwkv": {"attention_hidden_size": 32},
    "xlstm": {"num_heads": 4, "num_blocks": 2, "chunkwise_kernel": "chunkwise--native_autograd"},
}
LINEAR = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
MIXED = {"sliding_window": 24, "layer_types": ["sliding_attention", "full_attention"]}
HYBRID = {"mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 8}
FURTHER: dict[str, dict[str, Any]] = {
    "bamba": HYBRID | {"attn_layer_indices": [1]},
    "codegen": GPT2 | {"rotary_dim": 4, "n_ctx": 256},
    "cohere2": {"sliding_window": 24},
    "exaone4": {"sliding_window": 24},
    "glm4": {},
    "gpt_oss": MIXED | {"num_local_experts": 4},
    "granitemoehybrid": HYBRID | {"layer_types": ["mamba", "attention"], "num_local_experts": 2},
    "lfm2": {"layer_types": ["conv", "full_attention"]},
    "llama4_text": {"attention_chunk_size": 24, "num_local_experts": 2, "intermediate_size_mlp": 32},
    "nemotron": {},
    "olmo3": MIXED,
    "qwen3_5_text": LINEAR,
    "qwen3_moe": EXPERTS,
    "qwen3_next": LINEAR | EXPERTS | {"shared_expert_intermediate_size": 16},
    "zamba2": {"mamba_d_state": 8, "n_mamba_heads": 4, "layers_block_type": ["mamba", "hybrid"]},
}
"""Architectures with which texts in one row are tried too."""


def random_network(kind: str, **settings: Any) -> Any:
    """A random network of an architecture in float32."""
    size = SIZE if kind != "falcon" else {key: SIZE[key] for key in SIZE if key != "head_dim"}  # computed there
    config = AutoConfig.for_model(kind, **size | (CACHED | UNCACHED | FURTHER).get(kind, {}) | settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
        for name, weights in model.named_parameters():
            if weights.ndim > 1 and "norm" not in name:
                weights.data = weights.data + 0.1 * torch.randn(weights.shape)
    return model


def random_model(tiny_model: Path, folder: Path, kind: str, **settings: Any) -> Path:
    """A directory with a random network of an architecture and the tokenizer of the tiny model."""
    shutil.copytree(tiny_model, folder)
    random_network(kind, **settings).save_pretrained(folder)
    return folder
