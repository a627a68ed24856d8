"""A model is found with its fingerprint, and files that cannot be used are refused in one line."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from safetensors.torch import load_file, save_file  # noqa: E402

from dilemmas.agents.models.open_model import open_model  # noqa: E402
from dilemmas.envs.errors import InputError  # noqa: E402


def tensors(file: Path) -> dict[str, Any]:
    """The tensors of a safetensors file, copied into memory."""
    return {name: tensor.clone() for name, tensor in load_file(file).items()}


def test_the_fingerprint_is_that_of_the_weights(tiny_model, copy, adapter, backend) -> None:
    assert open_model(str(copy)).fingerprint == backend.fingerprint
    tuned = open_model(f"{copy}+{adapter}").fingerprint
    assert tuned.startswith(f"{backend.fingerprint}+")
    settings = json.loads((adapter / "adapter_config.json").read_text())
    again = Path(shutil.copytree(adapter, copy.parent / "again"))
    settings |= {"target_modules": settings["target_modules"][::-1], "base_model_name_or_path": "elsewhere"}
    (again / "adapter_config.json").write_text(json.dumps(settings))
    assert open_model(f"{copy}+{again}").fingerprint == tuned
    (again / "adapter_config.json").write_text(json.dumps(settings | {"lora_alpha": 99}))
    assert open_model(f"{copy}+{again}").fingerprint != tuned
    weights = tensors(copy / "model.safetensors")
    weights["model.norm.weight"][0] += 1
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert open_model(str(copy)).fingerprint != backend.fingerprint


def test_a_hub_model_comes_from_the_cache_with_its_commit(tiny_model, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    commit = "0123456789abcdef" * 2 + "01234567"
    shutil.copytree(tiny_model, tmp_path / "models--org--tiny" / "snapshots" / commit)
    for branch in ("main", "v2"):
        ref = tmp_path / "models--org--tiny" / "refs" / branch
        ref.parent.mkdir(exist_ok=True)
        ref.write_text(commit)
    for model in ("org/tiny", "org/tiny@v2", f"org/tiny@{commit}"):
        found = open_model(model)
        assert (found.name, found.fingerprint) == (model, commit)


def refused(*arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        open_model(*arguments, **options).loaded()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_model_that_is_not_there_is_refused(tiny_model, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert f"'{tmp_path}/nowhere': no such directory" in refused(f"{tmp_path}/nowhere")
    assert "did you mean 'miniature-teacher'?" in refused("miniature-teachr")
    message = refused("org/model@main")
    assert "'org/model@main'" in message
    assert "HF_HUB_OFFLINE is set" in message
    assert "directory" in message
    assert "did you mean 'float32'?" in refused(str(tiny_model), dtype="float23")
    assert "'gpu'" in refused(str(tiny_model), device="gpu")


def test_a_directory_without_a_complete_model_is_refused(copy, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no config.json" in refused(str(tmp_path / "empty"))
    tokenizer = (copy / "tokenizer.json").rename(tmp_path / "tokenizer.json")
    assert "no tokenizer" in refused(str(copy))
    tokenizer.rename(copy / "tokenizer.json")
    weights = tensors(copy / "model.safetensors")
    (copy / "model.safetensors").write_bytes(b"not weights")
    assert "cannot be loaded" in refused(str(copy))
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert "lack 1 tensors (model.layers.1.mlp.up_proj.weight" in refused(str(copy))
    weights["model.layers.1.mlp.up_proj.weight"] = torch.zeros(64, 31)
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert "lack 1 tensors (model.layers.1.mlp.up_proj.weight" in refused(str(copy))
    weights["model.layers.1.mlp.up_proj.weight"] = torch.zeros(64, 32)
    weights["spare"] = torch.zeros(2)
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert "1 tensors of the weights (spare, ...) have no place" in refused(str(copy))
    del weights["spare"]
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    shape = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(shape | {"num_hidden_layers": 1}))
    assert "of the weights (model.layers.1" in refused(str(copy))
    (copy / "model.safetensors").unlink()
    assert "no model.safetensors" in refused(str(copy))
    (copy / "config.json").write_text("{")
    assert "config.json: not JSON" in refused(str(copy))


def test_a_chat_template_that_cannot_be_used_is_refused(copy) -> None:
    for template, complaint in (("{{ oops", "TemplateSyntaxError"), ("{{ raise_exception('no users') }}", "no users")):
        (copy / "chat_template.jinja").write_text(template)
        assert complaint in refused(str(copy))


def test_transformers_and_peft_print_nothing(copy, adapter, caplog, recwarn) -> None:
    """Peft causes a FutureWarning for every adapter."""
    logger = logging.getLogger("transformers")
    logger.addHandler(caplog.handler)
    open_model(f"{copy}+{adapter}").loaded()
    logger.removeHandler(caplog.handler)
    assert [*caplog.messages, *(str(warning.message) for warning in recwarn)] == []


def test_code_and_pickles_are_never_run(copy) -> None:
    config = json.loads((copy / "config.json").read_text())
    evil = config | {"model_type": "evil", "auto_map": {"AutoModelForCausalLM": "evil.Model"}}
    (copy / "evil.py").write_text("raise SystemExit('code of the model was run')")
    (copy / "config.json").write_text(json.dumps(evil))
    assert "'evil' needs code from its own repository" in refused(str(copy))
    (copy / "config.json").write_text(json.dumps(config))
    words = json.loads((copy / "tokenizer_config.json").read_text())
    own = words | {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}}
    (copy / "tokenizer_config.json").write_text(json.dumps(own))
    assert "tokenizer 'Evil' that needs code" in refused(str(copy))
    (copy / "tokenizer_config.json").write_text(json.dumps(words))
    torch.save(tensors(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    assert "pytorch_model.bin only" in refused(str(copy))


def test_an_adapter_that_cannot_be_used_is_refused(tiny_model, adapter, tmp_path) -> None:
    assert "no adapter_config.json" in refused(f"{tiny_model}+{tiny_model}")
    assert "is an adapter itself" in refused(f"{adapter}+{adapter}")
    broken = Path(shutil.copytree(adapter, tmp_path / "broken"))
    settings = json.loads((adapter / "adapter_config.json").read_text())
    (broken / "adapter_config.json").write_text(json.dumps(settings | {"base_model_name_or_path": "./gone"}))
    assert "'./gone': no such directory" in refused(str(broken))
    (broken / "adapter_config.json").write_text(json.dumps(settings | {"base_model_name_or_path": None}))
    assert "has no base_model_name_or_path" in refused(str(broken))
    (broken / "adapter_config.json").write_text(json.dumps(settings | {"r": 8}))
    assert "does not fit" in refused(f"{tiny_model}+{broken}")
    (broken / "adapter_config.json").write_text(json.dumps(settings | {"target_modules": ["q_proj"]}))
    assert "they would be ignored. Use a complete adapter" in refused(f"{tiny_model}+{broken}")
    (broken / "adapter_config.json").write_text(json.dumps(settings | {"peft_type": "PREFIX_TUNING"}))
    assert "needs a LoRA adapter" in refused(f"{tiny_model}+{broken}")
    (broken / "adapter_config.json").write_text(json.dumps(settings))
    spare = tensors(broken / "adapter_model.safetensors") | {"spare": torch.zeros(2)}
    save_file(spare, broken / "adapter_model.safetensors")
    assert "1 tensors of its weights (spare, ...)" in refused(f"{tiny_model}+{broken}")
    spare.pop("spare")
    save_file(spare, broken / "adapter_model.safetensors")
    weights = tensors(broken / "adapter_model.safetensors")
    weights.pop(next(iter(weights)))
    save_file(weights, broken / "adapter_model.safetensors")
    assert "does not fit" in refused(f"{tiny_model}+{broken}")
    (broken / "adapter_model.safetensors").rename(broken / "adapter_model.bin")
    assert "no adapter_model.safetensors" in refused(f"{tiny_model}+{broken}")
