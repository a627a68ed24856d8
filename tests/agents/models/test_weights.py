"""Models that share the weights of their base."""

import gc
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.backend import ModelError, Request, Response  # noqa: E402
from dilemmas.agents.models.open_model import check_trainable, open_model  # noqa: E402

KINDS: dict[str, dict[str, Any]] = {
    "all": {"r": 4, "target_modules": "all-linear"},
    "few": {"r": 2, "target_modules": ["q_proj", "v_proj"], "layers_to_transform": [1]},
    "stable": {"r": 8, "lora_alpha": 16, "use_rslora": True, "target_modules": ["o_proj", "up_proj"]},
    "weighted": {"r": 2, "use_dora": True, "target_modules": ["k_proj", "down_proj"]},
    "head": {"r": 4, "target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
    "bias": {"r": 4, "target_modules": "all-linear", "bias": "lora_only"},
    "singular": {"r": 4, "target_modules": ["q_proj", "up_proj"], "init_lora_weights": "pissa"},
}
SHARED = ("all", "few", "stable", "weighted", "head")
"""The kinds that leave the base as it is."""
ASKED = [Request("Which do you choose, C or D?", labels=("C", "D")), Request("And now?", max_tokens=8, seed=(3,))]


@pytest.fixture(scope="module")
def biased(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with biases."""
    folder = tmp_path_factory.mktemp("bases") / "biased"
    shutil.copytree(tiny_model, folder)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = AutoModelForCausalLM.from_pretrained(tiny_model).config
        config.attention_bias = True
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def adapters(biased: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Directories of random adapters of all kinds."""
    folder = tmp_path_factory.mktemp("adapters")
    with torch.random.fork_rng():
        for seed, (name, settings) in enumerate(KINDS.items()):
            torch.manual_seed(seed)
            base = AutoModelForCausalLM.from_pretrained(biased)
            adapted = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", **settings))
            for weights in adapted.parameters():
                if weights.requires_grad:
                    weights.data += 0.1 * torch.randn(weights.shape)
            adapted.save_pretrained(folder / name)
    return {name: folder / name for name in KINDS}


def alone(base: Path, adapter: Path | None) -> tuple[float, ...]:
    """The log-probabilities of the first question by peft and transformers alone."""
    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModelForCausalLM.from_pretrained(base)
    if adapter is not None:
        model = peft.PeftModel.from_pretrained(model, adapter)
    messages = [{"role": "user", "content": ASKED[0].prompt}]
    start = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    labels = [tokenizer(f" {label}", add_special_tokens=False)["input_ids"] for label in ASKED[0].labels]
    assert [len(label) for label in labels] == [1, 1]
    with torch.no_grad():
        scores = model.eval()(torch.tensor([start])).logits[0, -1].double().log_softmax(-1)
    return tuple(float(scores[label[0]]) for label in labels)


def test_models_over_one_base_answer_as_if_alone_in_any_order(biased: Path, adapters: dict[str, Path]) -> None:
    specs = {"": str(biased)} | {name: f"{biased}+{folder}" for name, folder in adapters.items()}
    expected = {name: alone(biased, adapters.get(name)) for name in specs}
    assert len({round(values[0], 2) for values in expected.values()}) == len(specs)
    first: dict[str, list[Response]] = {}
    for name, spec in specs.items():  # each in a memory of its own
        first[name] = open_model(spec).respond(ASKED)
        assert first[name][0].logprobs == pytest.approx(expected[name], abs=1e-5)
        gc.collect()
    chance = random.Random(0)
    for _ in range(2):
        models = {name: open_model(specs[name]) for name in chance.sample(list(specs), len(specs))}
        for name in chance.choices(list(specs), k=30):
            assert models[name].respond(ASKED) == first[name]
        shared = models[""].loaded().model
        assert {name for name in KINDS if models[name].loaded().model is shared} == set(SHARED)


def test_the_weights_of_a_base_are_in_memory_once(biased: Path, adapters: dict[str, Path]) -> None:
    models = [open_model(str(biased)), *(open_model(f"{biased}+{adapters[name]}") for name in SHARED)]
    storages = {one.untyped_storage().data_ptr() for m in models for one in m.loaded().model.parameters()}
    network = models[0].loaded().model
    assert len(storages) == len({one.untyped_storage().data_ptr() for one in network.parameters()})


def test_an_adapter_that_does_not_fit_spoils_no_answers_silently(
    biased: Path, adapters: dict[str, Path], tmp_path: Path
) -> None:
    base, spoilt = open_model(str(biased)), Path(shutil.copytree(adapters["all"], tmp_path / "spoilt"))
    expected = base.respond(ASKED)
    settings = json.loads((spoilt / "adapter_config.json").read_text())
    (spoilt / "adapter_config.json").write_text(json.dumps(settings | {"r": 8}))
    with pytest.raises(ModelError, match="does not fit"):
        open_model(f"{biased}+{spoilt}").loaded()
    with pytest.raises(ModelError, match="which does not fit, was put over it; open it again"):
        base.respond(ASKED)
    assert open_model(str(biased)).respond(ASKED) == expected
    base.unload()
    assert base.respond(ASKED) == expected


def test_no_adapter_is_trained_over_another(biased: Path, adapters: dict[str, Path]) -> None:
    check_trainable(str(biased))
    for spec in (f"{biased}+{adapters['all']}", str(adapters["all"])):
        with pytest.raises(ModelError, match="has an adapter, over which no other can be trained"):
            check_trainable(spec)
        with pytest.raises(ModelError, match="has an adapter, over which no other can be trained"):
            open_model(spec).weights()
