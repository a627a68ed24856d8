"""An adapter that was tuned here is used as it was tuned, or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from peft import AutoPeftModelForCausalLM, PeftModel  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.backend import ModelError  # noqa: E402
from dilemmas.agents.models.model_files import find_model  # noqa: E402
from dilemmas.agents.models.networks.adapters import adapter_fingerprint  # noqa: E402
from dilemmas.agents.models.networks.moved_paths import told_from  # noqa: E402
from dilemmas.training.adapters import BaseModel, adapter_is_whole  # noqa: E402
from dilemmas.training.demonstrations import from_example  # noqa: E402
from dilemmas.training.distill import distil  # noqa: E402
from dilemmas.training.examples import Example  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402

SHOWN = [from_example(Example("harmony/friends", "You choose C or D?", "C", 0, "So."))]
SETTINGS = LoraSettings(rank=2, alpha=4, rate=1e-2, batch=1, pack=1, epochs=2)


def tune(tiny_model: Path, out: Path) -> None:
    base = BaseModel(str(tiny_model), find_model(str(tiny_model)).fingerprint, on_hub=False)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    for _ in distil(model, AutoTokenizer.from_pretrained(tiny_model), SHOWN, SETTINGS, out, seed=3, base=base):
        pass


@pytest.fixture(scope="module")
def tuned(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("adapter")
    tune(tiny_model, out)
    return out


@pytest.fixture
def changed(tuned: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(tuned, tmp_path / "changed"))


def edit(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({k: v for k, v in (json.loads(file.read_text()) | values).items() if v != "absent"}))


CHANGES: list[dict[str, Any]] = [
    {"lora_alpha": 8},
    {"r": 4},
    {"use_rslora": True},
    {"use_dora": True},
    {"alpha_pattern": {"q_proj": 99}},
    {"rank_pattern": {"q_proj": 1}},
    {"bias": "all"},
    {"base_model_name_or_path": "gpt2"},
    {"revision": "main"},
    {"modules_to_save": ["lm_head"]},
]


@pytest.mark.parametrize("old", [False, True], ids=["with fingerprint", "without fingerprint"])
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_setting_that_was_changed_is_named(
    tiny_model: Path, changed: Path, change: dict[str, Any], old: bool
) -> None:
    if old:
        edit(changed / "training.json", fingerprint="absent")
    find_model(str(tiny_model), str(changed))
    edit(changed / "adapter_config.json", **change)
    key = "base_model_name_or_path" if "revision" in change else next(iter(change))
    with pytest.raises(
        ModelError, match=rf"not as it was tuned, by training.json: {key} is .*, not .*; restore its files"
    ):
        find_model(str(tiny_model), str(changed))


def test_weights_and_other_settings_that_were_changed(tiny_model: Path, changed: Path) -> None:
    edit(changed / "adapter_config.json", init_lora_weights="gaussian")
    with pytest.raises(ModelError, match=r"adapter_model.safetensors has another checksum"):
        find_model(str(tiny_model), str(changed))
    edit(changed / "adapter_config.json", init_lora_weights=True)
    find_model(str(tiny_model), str(changed))
    weights = load_file(changed / "adapter_model.safetensors")
    save_file({name: weight * 1.01 for name, weight in weights.items()}, changed / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"adapter_model.safetensors has another checksum"):
        find_model(str(tiny_model), str(changed))


def test_a_base_in_a_folder_is_found_from_the_adapter_wherever_both_are(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    base, adapter = Path(shutil.copytree(tiny_model, before / "base")), before / "runs" / "adapter"
    tune(base, adapter)
    for file in ("adapter_config.json", "training.json", "README.md"):
        assert str(tmp_path) not in (adapter / file).read_text()
    found = find_model(str(adapter))
    assert found.folder == base.resolve()
    before.rename(after)
    moved = find_model(str(after / "runs" / "adapter"))
    assert (moved.folder, moved.fingerprint) == ((after / "base").resolve(), found.fingerprint)
    monkeypatch.chdir(after / "runs" / "adapter")
    assert find_model(".").folder == moved.folder
    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(after / "base"), after / "runs" / "adapter")
    AutoPeftModelForCausalLM.from_pretrained(".")  # peft reads the path from the working directory


@pytest.mark.parametrize(
    ("path", "told"),
    [("models/base", "../../models/base"), ("runs/x/base.gguf", "./base.gguf"), ("/opt/base", "/opt/base")],
)
def test_a_path_is_told_from_a_folder_that_has_more_than_the_root_in_common(
    path: str, told: str, tmp_path: Path
) -> None:
    assert told_from(tmp_path / path, tmp_path / "runs" / "x") == told


def test_another_base_is_told(tiny_model: Path, tuned: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    weights = load_file(other / "model.safetensors")
    save_file({name: weight * 1.01 for name, weight in weights.items()}, other / "model.safetensors", {"format": "pt"})
    with pytest.warns(UserWarning, match="was tuned over .* not the student that was tuned"):
        find_model(str(other), str(tuned))


def test_the_fingerprint_is_that_of_the_finished_files(tuned: Path) -> None:
    assert json.loads((tuned / "training.json").read_text())["fingerprint"] == adapter_fingerprint(tuned)


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "adapter_config.json", "training.json"])
def test_a_stop_between_two_files_leaves_no_adapter_that_counts_as_whole(
    tiny_model: Path, changed: Path, file: str
) -> None:
    """Files move one after the other: each may be missing, or, over another adapter, be of that one."""
    assert adapter_is_whole(changed)
    shutil.rmtree(changed)
    tune(tiny_model, changed)
    whole = {one.name: one.read_bytes() for one in changed.iterdir()}
    (changed / file).unlink()
    assert not adapter_is_whole(changed)
    tune(tiny_model, changed)
    assert {one.name: one.read_bytes() for one in changed.iterdir()} == whole
    if file != "training.json":
        data = whole[file]
        (changed / file).write_bytes(data.replace(b'"r": 2', b'"r": 3') if file.endswith("json") else data + b"\0")
        assert not adapter_is_whole(changed)
