"""A real model asked without any of the package: one forward pass over a question and a label at a time."""

import math
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


class PlainModel:
    """A GGUF file, dequantised by transformers, in float32."""

    def __init__(self, path: Path) -> None:
        place = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
        self.network = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(**place)

    def probability(self, prompt: str, label: str) -> float:
        """Probability that the reply starts with a label of one token or several: no padding, cache or batch."""
        if self.tokenizer.chat_template:
            messages = [{"role": "user", "content": prompt}]
            text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            before, after = self.tokenizer(text, add_special_tokens=False).input_ids, label
        else:
            before, after = self.tokenizer(f"{prompt}\nAnswer:").input_ids, f" {label}"
        more = self.tokenizer(after, add_special_tokens=False).input_ids
        with torch.inference_mode():
            scores = self.network(torch.tensor([[*before, *more]])).logits[0].double().log_softmax(-1)
        return math.exp(sum(scores[len(before) - 1 + place, token] for place, token in enumerate(more)))
