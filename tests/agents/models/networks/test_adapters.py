"""Adapters made elsewhere: what their configuration and weights exclude is refused, and what peft allows is used."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

from dilemmas.agents.models.backend import ModelError, Request  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402

ASKED = [Request("Which do you choose, C or D?", labels=("C", "D"))]
Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Makes an adapter with random weights, or as peft initialises it."""

    def made(trained: bool = True, **settings: Any) -> Path:
        model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
        config = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"} | settings
        with torch.random.fork_rng():
            torch.manual_seed(1)
            adapted = peft.get_peft_model(model, peft.LoraConfig(**config))
            for name, weight in adapted.named_parameters():
                if trained and "lora_" in name:
                    weight.data += 0.2 * torch.randn(weight.shape)
        folder: Path = tmp_path_factory.mktemp("adapters") / "made"
        adapted.save_pretrained(folder)
        return folder

    return made


def refused(spec: str) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(spec).loaded()
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lora_alpha": 0}, "lora_alpha 0 in"),
        ({"lora_alpha": -5}, "needs a number above 0"),
        ({"lora_alpha": "8"}, "lora_alpha '8' in"),
        ({"lora_alpha": True}, "lora_alpha True in"),
        ({"alpha_pattern": {"q_proj": 0}}, "alpha_pattern of q_proj 0 in"),
        ({"alpha_pattern": [1]}, r"alpha_pattern \[1\] in .* needs a mapping"),
        ({"task_type": "SEQ_CLS"}, "task_type 'SEQ_CLS'"),
        ({"use_dora": True}, "does not fit"),
        ({"modules_to_save": ["lm_head"]}, "does not fit"),
    ],
)
def test_a_configuration_that_does_not_go_with_the_weights(
    tiny_model: Path, adapter: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    folder = Path(shutil.copytree(adapter, tmp_path / "changed"))
    settings = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(settings | change))
    with pytest.raises(ModelError, match=message):
        open_model(f"{tiny_model}+{folder}").loaded()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_rslora": True},
        {"use_dora": True},
        {"alpha_pattern": {"q_proj": 99}, "rank_pattern": {"v_proj": 2}},
        {"task_type": None},
        {"init_lora_weights": "orthogonal"},
        {"lora_alpha": 0.5},
    ],
)
def test_what_peft_allows_answers_as_by_peft(tiny_model: Path, build: Build, settings: dict[str, Any]) -> None:
    folder = build(**settings)
    shown, plain = (open_model(spec).respond(ASKED)[0].logprobs for spec in (f"{tiny_model}+{folder}", str(tiny_model)))
    model = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), folder).merge_and_unload()
    merged = folder.parent / "merged"
    shutil.copytree(tiny_model, merged)
    model.save_pretrained(merged)
    assert shown == pytest.approx(open_model(str(merged)).respond(ASKED)[0].logprobs, abs=1e-4)
    assert shown != pytest.approx(plain, abs=1e-4)


def test_an_adapter_that_changes_nothing(tiny_model: Path, build: Build) -> None:
    assert "it changes nothing. Use the model without it" in refused(f"{tiny_model}+{build(trained=False)}")
    folder = build()
    file = folder / "adapter_model.safetensors"
    weights = {name: weight.clone() for name, weight in load_file(file).items()}  # not the bytes of the file
    for zeroed in ("lora_B", "lora_A"):
        save_file({name: w * 0 if zeroed in name else w for name, w in weights.items()}, file)
        assert "its update is 0 everywhere" in refused(f"{tiny_model}+{folder}")
    first = next(name for name in weights if "lora_B" in name)
    save_file({name: w * 0 if "lora_B" in name and name != first else w for name, w in weights.items()}, file)
    open_model(f"{tiny_model}+{folder}").loaded()
    open_model(f"{tiny_model}+{build(trained=False, modules_to_save=['lm_head'])}").loaded()


@pytest.mark.parametrize("other", [{"hidden_size": 48}, {"intermediate_size": 96}, {"num_hidden_layers": 1}])
def test_a_base_of_another_size(tiny_model: Path, adapter: Path, tmp_path: Path, other: dict[str, int]) -> None:
    config = AutoModelForCausalLM.from_pretrained(tiny_model).config
    assert all(getattr(config, key) != value for key, value in other.items())
    config.update({**other, "layer_types": None})
    shutil.copytree(tiny_model, tmp_path / "base")
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    assert "does not fit" in refused(f"{tmp_path / 'base'}+{adapter}")


def test_a_record_of_another_program_is_not_read_as_one_of_dilemmas(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(adapter, tmp_path / "other"))
    for text in ("[1]", '{"settings": 3}', '{"settings": {"rank": 99}}'):
        (folder / "training.json").write_text(text)
        open_model(f"{tiny_model}+{folder}").loaded()
    (folder / "training.json").write_text('{"settings": {"ra')
    assert "restore it, or tune the adapter again" in refused(f"{tiny_model}+{folder}")
