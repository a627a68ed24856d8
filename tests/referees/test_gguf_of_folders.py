"""What llama.cpp reads in a GGUF file that was made of a folder: the same tokens, and the same probabilities."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from real_servers import llama_server
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

sys.path.append(str(Path(__file__).parents[1] / "training" / "artefacts"))

from test_llama_server import post
from test_merging import make_adapter

from dilemmas.training.artefacts.gguf_files import SPLITS
from dilemmas.training.artefacts.merging import merge_adapter

TEXTS = (
    "Which do you choose, C or D? If you choose C and they choose D, you get 10 and they get 1000.",
    "I'VE told you, I've won 12345 points!  \n\n  Ça va, 你好, наука 🚀 don't -- (really) 3.14\t\tend   ",
    "Cooperate Cooperate\r\nDefect1 2 33 4444",
)
SCALED = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
CHAT = "{% for message in messages %}<user>{{ message['content'] }}{% endfor %}<assistant>"


def make_model(split: str, folder: Path) -> Path:
    """A random Llama whose tokenizer splits texts in one of the known ways."""
    bpe = Tokenizer(models.BPE(ignore_merges=split == "llama-bpe"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<user>", "<assistant>"]
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(TEXTS, trainer)
    table = json.loads(bpe.to_str())
    steps: list[dict[str, Any]] = [dict(one) for one in SPLITS[split]]
    for one in steps:
        one |= {"add_prefix_space": False, "trim_offsets": True} if one["type"] == "ByteLevel" else {}
    table["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(table)),
        **{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "chat_template": CHAT},
    )
    config = LlamaConfig(
        vocab_size=len(tokenizer) + 3,  # rows without a piece, as real models have
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.2,
        **({"rope_parameters": SCALED} if split == "llama-bpe" else {}),
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(params=SPLITS)
def merged(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder that a student was merged into."""
    base = make_model(request.param, tmp_path / "base")
    adapter = make_adapter(base, tmp_path / "adapter")
    merge_adapter(f"{base}+{adapter}", tmp_path / "merged", gguf=True)
    return tmp_path / "merged"


def test_llama_cpp_reads_the_same_tokens_and_probabilities(merged: Path) -> None:
    """Probabilities of the next token after each text: .0002 apart in three models, by its cache in float16."""
    tokenizer, network = AutoTokenizer.from_pretrained(merged), AutoModelForCausalLM.from_pretrained(merged)
    unscaled = AutoModelForCausalLM.from_pretrained(merged, rope_parameters=SCALED | {"rope_type": "default"})
    with llama_server(model=merged / "gguf" / "model.gguf") as root:
        for text in TEXTS:
            found = post(f"{root}/tokenize", {"content": text, "add_special": False, "parse_special": False})
            tokens = tokenizer(text, add_special_tokens=False).input_ids
            assert found["tokens"] == tokens
            asked = {"prompt": tokens * 3, "n_predict": 1, "n_probs": network.config.vocab_size}
            answer = post(f"{root}/completion", asked | {"grammar": "root ::= [a-z]"})  # else it may be half a letter
            (listed,) = answer["completion_probabilities"]
            ours = torch.zeros(network.config.vocab_size)
            for one in listed["top_logprobs"]:
                ours[one["id"]] = math.exp(one["logprob"])
            wanted, others = (next_token(model, tokens * 3) for model in (network, unscaled))
            torch.testing.assert_close(ours, wanted, atol=5e-4, rtol=0)
            if network.config.rope_parameters["rope_type"] == "llama3":
                assert float((ours - others).abs().max()) > 0.005


def next_token(model: Any, tokens: list[int]) -> torch.Tensor:
    """Probabilities of the next token, shape (vocabulary,)."""
    with torch.inference_mode():
        probabilities: torch.Tensor = model(torch.tensor([tokens])).logits[0, -1].softmax(-1)
    return probabilities
