"""An adapter is merged into the weights over which it was tuned, wherever they are, and into no others."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gguf")

from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from dilemmas.agents.models.model_files import find_model  # noqa: E402
from dilemmas.training.adapters import base_of  # noqa: E402
from dilemmas.training.artefacts.base_weights import OtherBaseError, weights_digest  # noqa: E402
from dilemmas.training.artefacts.gguf_files import write_gguf  # noqa: E402
from dilemmas.training.artefacts.merging import merge_adapter  # noqa: E402
from dilemmas.training.demonstrations import from_example  # noqa: E402
from dilemmas.training.distill import distil  # noqa: E402
from dilemmas.training.examples import Example  # noqa: E402
from dilemmas.training.lora import LoraSettings  # noqa: E402

SHOWN = [from_example(Example("harmony/friends", "You choose C or D?", "C", 0, "So."))]
SETTINGS = LoraSettings(rank=2, alpha=4, rate=1e-2, batch=1, pack=1, epochs=2)


@pytest.fixture(scope="module")
def tuned(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("adapter")
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    base = base_of(str(tiny_model), find_model(str(tiny_model)).fingerprint, model)
    for _ in distil(model, AutoTokenizer.from_pretrained(tiny_model), SHOWN, SETTINGS, out, seed=3, base=base):
        pass
    return out


@pytest.fixture
def other(tiny_model: Path, tmp_path: Path) -> Path:
    """The model with other weights of the same size."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    weights = load_file(folder / "model.safetensors")
    save_file({name: one * 1.01 for name, one in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    return folder


def test_an_adapter_over_other_weights_is_refused(tiny_model: Path, tuned: Path, other: Path, tmp_path: Path) -> None:
    fingerprints = [find_model(str(model)).fingerprint for model in (tiny_model, other)]
    with pytest.raises(OtherBaseError) as refused:
        merge_adapter(f"{other}+{tuned}", tmp_path / "out")
    assert all(one in str(refused.value) for one in (*fingerprints, tiny_model.name, "other is another model"))
    assert "give the model over which it was tuned, as MODEL+ADAPTER" in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_the_same_weights_in_other_files_are_merged_without_a_warning(
    tiny_model: Path, tuned: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(tiny_model, tmp_path / "moved"))
    (moved / "generation_config.json").write_text('{"temperature": 0.5}')
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    found = find_model(str(tiny_model))
    write_gguf(tmp_path / "model.gguf", model, AutoTokenizer.from_pretrained(tiny_model), "float32", found)
    wanted = merged(f"{tiny_model}+{tuned}", tmp_path / "plain")
    for name, base in (("of a copy", str(moved)), ("of a GGUF file", f"gguf:{tmp_path / 'model.gguf'}")):
        assert find_model(base.removeprefix("gguf:")).fingerprint != found.fingerprint
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            weights = merged(f"{base}+{tuned}", tmp_path / name)
        assert all(torch.equal(weights[key], one) for key, one in wanted.items())


def merged(spec: str, out: Path) -> dict[str, Any]:
    merge_adapter(spec, out)
    return load_file(out / "model.safetensors")


def test_without_a_record_of_the_weights_the_files_must_be_the_same(
    tiny_model: Path, tuned: Path, tmp_path: Path
) -> None:
    adapter, moved = (Path(shutil.copytree(one, tmp_path / one.name)) for one in (tuned, tiny_model))
    record = json.loads((adapter / "training.json").read_text())
    del record["base"]["weights"]
    (adapter / "training.json").write_text(json.dumps(record))
    merge_adapter(f"{tiny_model}+{adapter}", tmp_path / "merged")
    (moved / "generation_config.json").write_text('{"temperature": 0.5}')
    with pytest.raises(OtherBaseError, match="it is not recorded whether the weights are the same"):
        merge_adapter(f"{moved}+{adapter}", tmp_path / "out")


def test_the_digest_is_of_values_not_of_their_format(tiny_model: Path, other: Path) -> None:
    rounded = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.bfloat16)
    assert weights_digest(rounded) == weights_digest(rounded.float())
    both = {weights_digest(AutoModelForCausalLM.from_pretrained(one)) for one in (tiny_model, other)}
    assert len(both) == 2
    rounded.lm_head.weight = torch.nn.Parameter(torch.zeros(3, dtype=torch.uint8), requires_grad=False)
    assert weights_digest(rounded) == ""
