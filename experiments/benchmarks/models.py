"""Contenders of `dilemmas bench models`: exact answers of a language model, and their floor.

The questions are those of the study: every scenario in every presentation. The bare model reads as many tokens in rows
of equal length, without tokenizer, template or padding: the least that exact answers cost. The matrix product does as
many floating-point operations in the best case, so that the rate relative to it is the share of the machine's peak.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dilemmas.agents.models.backend import Request
from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.agents.models.local import LocalBackend
from dilemmas.agents.models.model_files import check_installed
from dilemmas.agents.models.networks.number_formats import torch_type
from dilemmas.agents.models.open_model import open_local
from dilemmas.agents.models.weights import device_map, number_format
from dilemmas.envs.prompts.prompts import presentations, scenario_prompt
from dilemmas.experiments.benchmarks.race import Bar, Contender, Play
from dilemmas.experiments.study.recipe_files import load_recipe

EXACT, BARE, PRODUCT = "exact answers", "bare model", "matrix product"

BARS = (Bar(EXACT, 1 / 1.5, BARE), Bar(EXACT, 0.27, PRODUCT))
"""At most 1.5 times the time of the bare model; the share of the peak that SGLang publishes for scoring."""

SHAPES: dict[str, dict[str, Any]] = {
    "135m": {
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "vocab_size": 49152,
    },
    "7b": {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32768,
    },
}
"""Sizes of the Llama architecture: SmolLM2-135M and Mistral-7B."""


@dataclass(frozen=True, slots=True)
class Work:
    """A model and its questions."""

    backend: LocalBackend
    asked: Sequence[Request]
    """The questions, with different prompts."""

    @property
    def tokens(self) -> int:
        """Tokens of all prompts."""
        return sum(len(self.backend.chat.prompt(one.prompt)) for one in self.asked)

    @property
    def operations(self) -> float:
        """Floating-point operations of one question; see `scoring_operations`."""
        return scoring_operations(self.backend.model, self.tokens / len(self.asked))


def scoring_operations(model: Any, length: float) -> float:
    """Floating-point operations that one prompt needs, (2 N + 4 L d S) T + 2 V d.

    N is the number of weights without embedding and head, L the number of layers, d the width, S the mean number of
    tokens to which a token attends, T the number of tokens and V the size of the vocabulary.
    """
    config = model.config
    attention = 4 * config.num_hidden_layers * config.hidden_size * length / 2
    return float((2 * body_size(model) + attention) * length + 2 * config.vocab_size * config.hidden_size)


def body_size(model: Any) -> int:
    """Number of weights of a model without embedding and head."""
    outer = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    return sum(weights.numel() for weights in model.parameters() if id(weights) not in outer)


def random_model(shape: str, device: str, dtype: str) -> Any:
    """A Llama of a size in `SHAPES` with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch_type(number_format(dtype, device)))
    try:
        with torch.device(device_map(device)), torch.random.fork_rng():
            torch.manual_seed(0)
            return LlamaForCausalLM(LlamaConfig(**SHAPES[shape])).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(before)


def random_backend(shape: str, device: str, dtype: str, batch_tokens: int) -> LocalBackend:
    """A model with random weights of a size in `SHAPES`, with the miniatures' tokenizer."""
    check_installed()
    _, tokenizer = open_local("miniature-student", device="cpu").weights()
    return LocalBackend(shape, shape, random_model(shape, device, dtype), ChatEncoder(tokenizer), batch_tokens)


def scoring_work(backend: LocalBackend, questions: int) -> Work:
    """Some questions of the study for a model."""
    recipe = load_recipe("study")
    template = recipe.prompting.template
    asked = {
        scenario_prompt(template, one.game, one.context, shown=shown): shown.labels
        for group in recipe.sets().values()
        for one in group
        for shown in presentations(template, one.game)
    }
    return Work(
        backend, [Request(prompt, labels) for prompt, labels in asked.items()][:: max(1, len(asked) // questions)]
    )


def scoring_contenders(given: Work) -> tuple[Contender, ...]:
    """The contenders that answer the questions of `given`; rates are in questions."""
    return (
        Contender(EXACT, "questions", lambda: exact(given)),
        Contender(BARE, "questions", lambda: bare(given)),
        Contender(PRODUCT, "questions", lambda: matrix_product(given.backend.model, given.operations)),
    )


def exact(given: Work) -> Play:
    """Answer all questions per call, from the prompts to the probabilities."""

    def play() -> int:
        return len(given.backend.respond(given.asked))

    return play


def bare(given: Work) -> Play:
    """Process as many tokens per call as the questions have, in rows of equal length."""
    import torch

    model, count = given.backend.model, len(given.asked)
    length = round(given.tokens / count)
    ids = torch.randint(0, 512, (count, length), device=model.device)  # (Q, T)
    rows = max(1, given.backend.batch_tokens // length)

    def play() -> int:
        with torch.inference_mode():
            for part in ids.split(rows):
                model(input_ids=part, use_cache=False, logits_to_keep=1).logits.sum().item()
        return count

    return play


def matrix_product(model: Any, operations: float) -> Play:
    """Multiply large matrices on the device and in the type of a model, counted in units of so many operations."""
    import torch

    size, calls = (8192, 10) if model.device.type == "cuda" else (1024, 1)
    a, b = torch.randn((2, size, size), device=model.device, dtype=model.dtype)

    def play() -> float:
        for _ in range(calls):
            c = a @ b
        c[0, 0].item()
        return calls * 2 * size**3 / operations

    return play
