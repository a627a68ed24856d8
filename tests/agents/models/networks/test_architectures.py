"""Probabilities of small random networks of many architectures equal those of a plain forward pass, in any batch."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from random_networks import CACHED, SIZE, UNCACHED, random_model, random_network  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.backend import ModelError, Request  # noqa: E402
from dilemmas.agents.models.networks.trial import find_abilities  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402

LONG = "You are in a chat with a good friend. You both choose C or D at the same time. "
PROMPTS = (LONG + "Which do you choose?", "Which?", LONG + "Say why. Which is it, C or D?", "You choose C or D?")
LABELS = (("C", "D"), ("the same", "a good friend", "C"))


FAST = ("bloom", "gemma3_text", "gpt2", "llama", "mamba", "mpt", "opt", "recurrent_gemma")
"""The architectures that every run of the tests tries: the kinds of positions, windows, heads and caches."""
KINDS = [pytest.param(kind, marks=[] if kind in FAST else pytest.mark.slow) for kind in (*CACHED, *UNCACHED)]


class Plain:
    """The reference: one text, one forward pass."""

    def __init__(self, folder: Path, head: str, dtype: Any = torch.float32) -> None:
        self.tokenizer, self.head = AutoTokenizer.from_pretrained(folder), head
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()

    def after(self, tokens: list[int]) -> Any:
        """Log-probabilities after each token of a text."""
        with torch.no_grad():
            return self.model(torch.tensor([tokens]), use_cache=False).logits[0].double().log_softmax(-1)

    def logprob(self, prompt: str, label: str) -> float:
        start, whole = (self.tokenizer(f"{self.head.format(prompt)}{text}")["input_ids"] for text in ("", f" {label}"))
        assert whole[: len(start)] == start
        scores = self.after(whole)
        return sum(float(scores[i - 1, whole[i]]) for i in range(len(start), len(whole)))


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_equal_a_plain_forward_pass(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    folder = random_model(tiny_model, tmp_path / kind, kind)
    for head in ("<s><user>{}<assistant>", "<s>{}\nAnswer:"):
        plain, backend = Plain(folder, head), open_model(str(folder)).loaded()
        requests = [Request(prompt, labels) for prompt in PROMPTS for labels in LABELS]
        expected = [[plain.logprob(one.prompt, label) for label in one.labels] for one in requests]
        assert max(map(max, expected)) - min(map(min, expected)) > 0.1
        for batch_tokens in (1, 100, 400, 16_384):
            found = replace(backend, batch_tokens=batch_tokens).respond(requests)
            assert [list(one.logprobs) for one in found] == [pytest.approx(values, abs=1e-5) for values in expected]
        assert backend.can.cached == (kind in CACHED)
        (folder / "chat_template.jinja").unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "mamba"])
def test_sampled_texts_are_those_of_a_plain_forward_pass(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    folder = random_model(tiny_model, tmp_path / kind, kind)
    plain, backend = Plain(folder, "<s><user>{}<assistant>"), open_model(str(folder)).loaded()
    for prompt, response in zip(PROMPTS, backend.respond([Request(p, (), 9, 0.0) for p in PROMPTS]), strict=True):
        tokens = plain.tokenizer(plain.head.format(prompt))["input_ids"]
        start = len(tokens)
        for _ in range(9):
            tokens.append(int(plain.after(tokens)[-1].argmax()))
        ends = [place for place in range(start, len(tokens)) if tokens[place] == 2]
        assert (
            response.text
            == plain.tokenizer.decode(tokens[start : min(ends, default=None)], skip_special_tokens=True).strip()
        )


@pytest.mark.parametrize("tied", [True, False])
def test_the_head_of_a_bfloat16_model_is_computed_in_float32(tied: bool, tiny_model: Path, tmp_path: Path) -> None:
    folder = random_model(tiny_model, tmp_path / "model", "llama", tie_word_embeddings=tied)
    backend = open_model(str(folder), dtype="bfloat16").loaded()
    body = Plain(folder, "<s><user>{}<assistant>", torch.bfloat16).model
    head = body.get_output_embeddings().weight.detach().float()
    ids = torch.tensor([backend.chat.prompt(PROMPTS[0])])
    with torch.inference_mode():
        hidden = body.model(ids).last_hidden_state.float()
        logits = backend.model(ids).logits
    assert logits.dtype == torch.float32
    assert torch.allclose(logits, hidden @ head.T, atol=1e-5)
    assert backend.model.get_input_embeddings().weight.dtype == torch.bfloat16
    assert backend.fingerprint == open_model(str(folder)).fingerprint + "/bfloat16"
    requests = [Request(prompt, ("C", "D")) for prompt in PROMPTS]
    together = backend.respond(requests)
    for request, response in zip(requests, together, strict=True):
        (alone,) = backend.respond([request])
        shares = [[math.exp(value) for value in one.logprobs] for one in (alone, response)]
        assert shares[0] == pytest.approx(shares[1], abs=1e-3)


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_an_encoder_decoder_is_refused_before_it_is_loaded(kind: str, copy: Path) -> None:
    AutoConfig.for_model(kind).save_pretrained(copy)
    with pytest.raises(ModelError, match=f"of type '{kind}' is an encoder-decoder; needs a causal"):
        open_model(str(copy))


@pytest.mark.parametrize("scale", [1e-3, 0.02, 0.3, 2.0])
@pytest.mark.parametrize("kind", ["bert", "roberta", "electra"])
def test_a_masked_language_model_is_refused_before_it_is_loaded(kind: str, scale: float, copy: Path) -> None:
    config = AutoConfig.for_model(kind, **SIZE | {"initializer_range": scale})
    AutoModelForMaskedLM.from_config(config).save_pretrained(copy)
    with pytest.raises(ModelError, match=r"is a masked language model \(\w+ForMaskedLM\), which reads what follows"):
        open_model(str(copy))


def scaled(kind: str, scale: float, **settings: Any) -> Any:
    """A random network with weights nearer to 0, or further from it."""
    network = random_network(kind, **settings)
    for weights in network.parameters():
        if weights.ndim > 1:
            weights.data *= scale
    return network


@pytest.mark.parametrize("scale", [0.03, 0.2, 1, 5])
@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_a_network_that_reads_what_follows_is_refused_whatever_its_weights(kind: str, scale: float) -> None:
    with pytest.raises(ModelError, match="'it' reads what follows a token too"):
        find_abilities("it", scaled(kind, scale, is_decoder=False))
    assert find_abilities("it", scaled(kind, scale, is_decoder=True))


@pytest.mark.parametrize("scale", [0.03, 0.2, 1, 5])
@pytest.mark.parametrize("kind", ["gpt2", "llama", "mixtral", "mamba"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_causal_network_is_accepted_whatever_its_weights(kind: str, scale: float, dtype: Any) -> None:
    assert find_abilities("it", scaled(kind, scale).to(dtype))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_network_that_computes_nan_is_refused_with_the_cause(value: float, copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    next(iter(weights.values()))[:] = value
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"computes NaN instead of probabilities: its files are damaged, or .*float32"):
        open_model(str(copy)).loaded()
