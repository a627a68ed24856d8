"""Number formats in which a model is held in memory."""

import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from dilemmas.agents.models.backend import ModelError, Request  # noqa: E402
from dilemmas.agents.models.networks import number_formats  # noqa: E402
from dilemmas.agents.models.networks.number_formats import QUANTISED, loading_settings, usual_format  # noqa: E402
from dilemmas.agents.models.open_model import open_local, open_model  # noqa: E402
from dilemmas.envs.names import UnknownNameError  # noqa: E402
from dilemmas.training.demonstrations import Demonstration  # noqa: E402
from dilemmas.training.distill import distil  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402

ASKED = [Request("Which do you choose, C or D?", labels=("C", "D"))]


def test_auto_is_the_format_that_is_fast_on_the_device() -> None:
    assert (usual_format("cpu"), usual_format("cuda:1"), usual_format("auto")) == ("float32", "bfloat16", "bfloat16")


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown dtype 'int4'; did you mean 'int8'"):
        open_model("miniature-student", dtype="int4")


@pytest.mark.parametrize("name", QUANTISED)
def test_quantised_formats_say_what_they_need(name: str, monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    monkeypatch.setattr(number_formats, "find_spec", lambda package: None)
    with pytest.raises(ModelError, match=f"'{name}' needs bitsandbytes: pip install bitsandbytes"):
        open_model(str(tiny_model), device="cpu", dtype=name).respond(ASKED)


@pytest.fixture(scope="module")
def wider(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose width is a multiple of the 64 weights that bitsandbytes quantises together."""
    from transformers import AutoConfig, AutoTokenizer, LlamaForCausalLM

    config = AutoConfig.from_pretrained(tiny_model, hidden_size=64, intermediate_size=128)
    config.head_dim = 16
    folder = tmp_path_factory.mktemp("models") / "wider"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", QUANTISED)
def test_a_quantised_model_is_near_the_plain_one_and_is_tuned(name: str, wider: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    plain, quantised = (open_local(str(wider), device="cpu", dtype=one) for one in ("float32", name))
    (exact,), (near,) = plain.respond(ASKED), quantised.respond(ASKED)
    assert 0 < max(abs(math.exp(a) - math.exp(b)) for a, b in zip(exact.logprobs, near.logprobs, strict=True)) < 0.2
    assert quantised.fingerprint == f"{plain.fingerprint}/{name}"
    assert quantised.engine == f"transformers, {name}"
    shown = [Demonstration(ASKED[0].prompt, ("C", "D"), (0.9, 0.1))]
    settings = LoraSettings(method="soft", rank=4, rate=1e-2, steps=30)
    list(distil(*quantised.weights(), shown, settings, tmp_path, seed=0))
    (tuned,) = open_model(f"{wider}+{tmp_path}", device="cpu", dtype=name).respond(ASKED)
    assert math.exp(tuned.logprobs[0]) == pytest.approx(0.9, abs=0.09)


@pytest.mark.parametrize("computed", ["float32", "bfloat16"])
def test_plain_formats_are_loaded_as_they_are_called(computed: str) -> None:
    assert loading_settings(computed, "cpu") == {"dtype": getattr(torch, computed)}
