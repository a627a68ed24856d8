"""A merged model answers as its base with the adapter does, to players, to plain transformers and in a GGUF file."""

import json
import math
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
gguf = pytest.importorskip("gguf")

from peft import LoraConfig, PeftModel, get_peft_model  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM  # noqa: E402

from dilemmas.agents.models.backend import ModelError, Request  # noqa: E402
from dilemmas.agents.models.open_model import open_model  # noqa: E402
from dilemmas.training.artefacts import merging  # noqa: E402
from dilemmas.training.artefacts.gguf_files import GGUFError  # noqa: E402
from dilemmas.training.artefacts.merging import MergeError, merge_adapter  # noqa: E402

PROMPT = "Which do you choose, C or D? Say why."
LABELS = ("C", "D", "the same")
KINDS: dict[str, dict[str, Any]] = {
    "lora": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "trained head": {"modules_to_save": ["lm_head"]},
    "trained embeddings": {"modules_to_save": ["embed_tokens"]},
    "lora of the head": {"target_modules": ["q_proj", "lm_head"]},
    "lora of the embeddings": {"target_modules": ["q_proj", "embed_tokens"]},
    "biases": {"bias": "lora_only"},
    "scales by layer": {"alpha_pattern": {"q_proj": 3}, "rank_pattern": {"v_proj": 2}},
}


def variant(tiny_model: Path, out: Path, **settings: Any) -> Path:
    """The tiny model with other settings and random weights of its own."""
    shutil.copytree(tiny_model, out)
    config = LlamaConfig.from_pretrained(tiny_model)
    for key, value in settings.items():
        setattr(config, key, value)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        LlamaForCausalLM(config).save_pretrained(out)
    return out


def make_adapter(base: Path, out: Path, **settings: Any) -> Path:
    """An adapter over a model, whose weights are random and far from zero."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    chosen = {"r": 4, "target_modules": ["q_proj", "v_proj", "down_proj"], "task_type": "CAUSAL_LM"} | settings
    with torch.random.fork_rng():
        torch.manual_seed(1)
        adapted = get_peft_model(model, LoraConfig(**chosen))
        for weights in adapted.parameters():
            if weights.requires_grad:
                weights.data += 0.1 * torch.randn_like(weights)
    adapted.save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def adapted(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapter(tiny_model, tmp_path_factory.mktemp("adapters") / "plain")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def asked(spec: str) -> list[float]:
    """Probabilities of the labels, as players read them."""
    (response,) = open_model(spec, device="cpu", dtype="float32").respond([Request(PROMPT, LABELS)])
    return [math.exp(value) for value in response.logprobs]


def plainly(model: Any, tokenizer: Any) -> list[float]:
    """The same, computed without the package: a forward pass over the question and each label."""
    messages = [{"role": "user", "content": PROMPT}]
    before = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    found = []
    for label in LABELS:
        start = tokenizer(before, add_special_tokens=False).input_ids
        whole = tokenizer(f"{before} {label}", add_special_tokens=False).input_ids
        with torch.inference_mode():
            scores = model(torch.tensor([whole])).logits[0].double().log_softmax(-1)
        found.append(math.exp(sum(scores[place - 1, whole[place]] for place in range(len(start), len(whole)))))
    return found


@pytest.mark.parametrize("tied", [False, True], ids=["two embeddings", "tied embeddings"])
@pytest.mark.parametrize("kind", KINDS)
def test_player_peft_and_merged_model_give_the_same_probabilities(
    kind: str, tied: bool, tiny_model: Path, tmp_path: Path
) -> None:
    base = variant(tiny_model, tmp_path / "base", tie_word_embeddings=tied)
    adapter = make_adapter(base, tmp_path / "adapter", **KINDS[kind])
    player = asked(f"{base}+{adapter}")
    assert player != pytest.approx(asked(str(base)), rel=1e-2)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
    assert plainly(model.eval(), tokenizer) == pytest.approx(player, abs=1e-5)
    merge_adapter(f"{base}+{adapter}", tmp_path / "merged")
    assert asked(str(tmp_path / "merged")) == pytest.approx(player, abs=1e-5)
    alone = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    assert plainly(alone, AutoTokenizer.from_pretrained(tmp_path / "merged")) == pytest.approx(player, abs=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tie_word_embeddings": True},
        {
            "rope_parameters": {
                "rope_type": "llama3",
                "rope_theta": 10_000.0,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64,
            }
        },
    ],
    ids=["plain", "tied", "scaled frequencies"],
)
@pytest.mark.parametrize("kind", ["lora", "lora of the head"])
def test_a_gguf_file_has_the_same_weights_and_tokens(
    kind: str, settings: dict[str, Any], tiny_model: Path, tmp_path: Path
) -> None:
    base = variant(tiny_model, tmp_path / "base", **settings)
    adapter = make_adapter(base, tmp_path / "adapter", **KINDS[kind])
    merge_adapter(f"{base}+{adapter}", tmp_path / "merged", gguf=True)
    wanted = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").state_dict()
    model, tokenizer = open_model(str(tmp_path / "merged" / "gguf" / "model.gguf")).weights()
    found = model.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())
    assert tokenizer(PROMPT).input_ids == AutoTokenizer.from_pretrained(base)(PROMPT).input_ids
    if "rope_parameters" in settings:
        tensors = {one.name: one.data for one in gguf.GGUFReader(tmp_path / "merged" / "gguf" / "model.gguf").tensors}
        plain, scaled = (LlamaForCausalLM.from_pretrained(one).model.rotary_emb for one in (tiny_model, base))
        assert tensors["rope_freqs.weight"] == pytest.approx((plain.inv_freq / scaled.inv_freq).numpy(), rel=1e-5)
    else:
        spec = str(tmp_path / "merged" / "gguf" / "model.gguf")
        assert asked(spec) == pytest.approx(asked(f"{base}+{adapter}"), abs=1e-5)


def test_a_base_in_a_gguf_file_passes_on_its_metadata(adapted: Path, tiny_model: Path, tmp_path: Path) -> None:
    plain = make_adapter(tiny_model, tmp_path / "zero")
    merge_adapter(f"{tiny_model}+{plain}", tmp_path / "first", gguf=True)
    base = tmp_path / "first" / "gguf" / "model.gguf"
    merge_adapter(f"gguf:{base}+{adapted}", tmp_path / "merged", gguf=True)
    first, second = (gguf.GGUFReader(file) for file in (base, tmp_path / "merged" / "gguf" / "model.gguf"))
    kept = [{key: field.contents() for key, field in one.fields.items()} for one in (first, second)]
    assert kept[0] == kept[1]
    player = asked(f"gguf:{base}+{adapted}")
    assert asked(str(tmp_path / "merged")) == pytest.approx(player, abs=1e-5)
    assert asked(str(tmp_path / "merged" / "gguf" / "model.gguf")) == pytest.approx(player, abs=1e-5)
    assert "quantization_config" not in json.loads((tmp_path / "merged" / "config.json").read_text())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_smaller_weights_are_those_of_float32_rounded_once(
    dtype: str, adapted: Path, tiny_model: Path, tmp_path: Path
) -> None:
    for name in ("float32", dtype):
        merge_adapter(f"{tiny_model}+{adapted}", tmp_path / name, dtype=name, gguf=True)
    exact, rounded = (load_file(tmp_path / name / "model.safetensors") for name in ("float32", dtype))
    assert all(torch.equal(rounded[name], tensor.to(getattr(torch, dtype))) for name, tensor in exact.items())
    in_file, _ = open_model(str(tmp_path / dtype / "gguf" / "model.gguf")).weights()
    for name, tensor in in_file.state_dict().items():
        assert torch.equal(tensor, rounded[name].float() if tensor.dim() > 1 else exact[name])


def test_equal_merges_have_equal_files_and_are_made_once(adapted: Path, tiny_model: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "deeper" / "other"]
    for folder in folders:
        assert merge_adapter(f"{tiny_model}+{adapted}", folder, gguf=True)[1]
    one, other = ({path.relative_to(folder): path.read_bytes() for path in files_in(folder)} for folder in folders)
    assert one == other
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deeper", "one"]
    before = {path: path.stat().st_mtime_ns for path in files_in(folders[0])}
    assert not merge_adapter(f"{tiny_model}+{adapted}", folders[0], gguf=True)[1]
    assert {path: path.stat().st_mtime_ns for path in files_in(folders[0])} == before


def test_a_folder_with_anything_else_is_left_as_it_is(adapted: Path, tiny_model: Path, tmp_path: Path) -> None:
    spec, out = f"{tiny_model}+{adapted}", tmp_path / "out"
    out.mkdir()
    merge_adapter(spec, out)
    with pytest.raises(MergeError, match=r"holds another merged model \(dtype: 'float32' recorded, 'float16' now\)"):
        merge_adapter(spec, out, dtype="float16")
    (out / "README.md").write_text("mine")
    assert not merge_adapter(spec, out)[1]
    (out / "config.json").write_text("{}")
    with pytest.raises(MergeError, match=r"config.json is not as it was written; delete the folder"):
        merge_adapter(spec, out)
    for name, content in (("merged.json", "{"), ("merged.json", '{"format": "other"}')):
        (out / name).write_text(content)
        with pytest.raises(MergeError, match=r"merged.json|another merged model"):
            merge_adapter(spec, out)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(MergeError, match=r"not empty and holds no merged model \(no merged.json\); choose another"):
        merge_adapter(spec, tmp_path / "mine")
    with pytest.raises(MergeError, match="holds no merged model"):
        merge_adapter(spec, tmp_path / "mine" / "notes.txt")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_without_room_nothing_is_left(
    adapted: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(merging.shutil, "disk_usage", lambda path: usage(10**6, 10**6, 1000))
    with pytest.raises(MergeError, match=r"needs 0\.\d*[1-9] GB, and 1e-06 GB are free; make room"):
        merge_adapter(f"{tiny_model}+{adapted}", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_names_the_folder_and_leaves_nothing(
    adapted: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise RuntimeError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(LlamaForCausalLM, "save_pretrained", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        merge_adapter(f"{tiny_model}+{adapted}", tmp_path / "out")
    assert str(tmp_path / "out") in str(caught.value.filename)
    assert list(tmp_path.iterdir()) == []


def test_specifications_that_cannot_be_merged(adapted: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(MergeError, match="has no adapter, so there is nothing to merge"):
        merge_adapter(str(tiny_model), out)
    with pytest.raises(ModelError, match="behind a server"):
        merge_adapter("openai:m@http://127.0.0.1:1/v1", out)
    wide = variant(tiny_model, tmp_path / "wide", hidden_size=48, head_dim=12)
    with pytest.raises(ModelError, match="does not fit model"):
        merge_adapter(f"{wide}+{adapted}", out)
    lost = Path(shutil.copytree(adapted, tmp_path / "lost"))
    config = json.loads((lost / "adapter_config.json").read_text())
    (lost / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": str(tmp_path / "gone")}))
    with pytest.raises(ModelError, match="its base model cannot be used"):
        merge_adapter(str(lost), out)
    assert not out.exists()


def test_the_folder_of_a_distillation_is_its_adapter(adapted: Path, tiny_model: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(adapted, run / "adapter")
    merge_adapter(str(run), tmp_path / "one")  # the base is the one that the adapter names
    merge_adapter(f"hf:{tiny_model}+{run}", tmp_path / "other")
    assert asked(str(tmp_path / "one")) == asked(str(tmp_path / "other"))


def test_what_llama_cpp_would_read_otherwise_is_refused(adapted: Path, tiny_model: Path, tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    out = tmp_path / "out"
    other = Path(shutil.copytree(tiny_model, tmp_path / "gpt2"))
    GPT2LMHeadModel(GPT2Config(vocab_size=400, n_embd=32, n_layer=1, n_head=2)).save_pretrained(other)
    adapter = make_adapter(other, tmp_path / "adapter", target_modules=["c_attn"])
    with pytest.raises(GGUFError, match=r"of type 'gpt2'; GGUF files are written of bases in a folder of type llama;"):
        merge_adapter(f"{other}+{adapter}", out, gguf=True)
    for key, value in (("attention_bias", True), ("hidden_act", "gelu")):
        base = variant(tiny_model, tmp_path / key, **{key: value})
        with pytest.raises(GGUFError, match=f"{key} {value!r} in config.json is not known here"):
            merge_adapter(f"{base}+{adapted}", out, gguf=True)
    base = Path(shutil.copytree(tiny_model, tmp_path / "words"))
    table = json.loads((base / "tokenizer.json").read_text())
    (base / "tokenizer.json").write_text(json.dumps(table | {"pre_tokenizer": {"type": "Whitespace"}}))
    with pytest.raises(GGUFError, match="this tokenizer is not known here"):
        merge_adapter(f"{base}+{adapted}", out, gguf=True)
    assert not out.exists()
