"""A tuned student is the same to every program: PEFT, players, transformers and its server, and llama.cpp.

Log-probabilities of llama.cpp are those of its own arithmetic, which rounds activations; see the bound of each test.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from peft import PeftModel
from plain_pass import PlainModel

from dilemmas.agents.models.answers import read_distribution, read_reply
from dilemmas.agents.models.backend import Request
from dilemmas.agents.models.open_model import open_model
from dilemmas.agents.models.servers.server import ServerBackend
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.training.adapters import BaseModel, adapt, adapter_weights, write_adapter
from dilemmas.training.artefacts.merging import merge_adapter
from dilemmas.training.demonstrations import Demonstration
from dilemmas.training.distill import distil
from dilemmas.training.lora import LoraSettings

LABELS = ("C", "D")
PROMPTS = [
    scenario_prompt(load_template("study"), DEFAULTS[game], context(name))
    for game, name in (("prisoners_dilemma", "friends"), ("harmony", "business"))
]
ASKED = [Request(prompt, LABELS) for prompt in PROMPTS]
SHOWN = [
    Demonstration(prompt, labels=LABELS, probabilities=(share, 1 - share))
    for prompt, share in zip(PROMPTS, (0.3, 0.02), strict=True)
]
SETTINGS = LoraSettings(method="soft", rank=8, alpha=16, layers=4, rate=3e-3, batch=2, steps=8)


class Student(NamedTuple):
    base: Path
    """GGUF file of the base model."""
    spec: str
    """The base with the adapter."""
    merged: Path
    """The folder with both, and a GGUF file in float32."""


@pytest.fixture(scope="module")
def student(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Student:
    """SmolLM2, tuned for a few steps."""
    folder, model = tmp_path_factory.mktemp("smollm2"), open_model(str(smollm2), dtype="float32")
    named = BaseModel(str(smollm2), model.fingerprint, on_hub=False)
    list(distil(*model.weights(), SHOWN, SETTINGS, folder / "adapter", seed=1, base=named))
    spec = f"gguf:{smollm2}+{folder / 'adapter'}"
    merge_adapter(spec, folder / "merged", gguf=True)
    return Student(smollm2, spec, folder / "merged")


def shares(spec: str) -> list[float]:
    """P(C) by our own player."""
    return [read_distribution(one).probabilities[0] for one in open_model(spec, dtype="float32").respond(ASKED)]


def plain_shares(model: PlainModel) -> list[float]:
    """P(C) by forward passes over single questions."""
    found = [[model.probability(prompt, label) for label in LABELS] for prompt in PROMPTS]
    return [c / (c + d) for c, d in found]


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(p - q) for p, q in zip(one, other, strict=True))


def test_peft_and_players_and_merged_files_agree(student: Student) -> None:
    player = shares(student.spec)
    assert apart(player, shares(f"gguf:{student.base}")) > 0.05
    plain = PlainModel(student.base)
    plain.network = PeftModel.from_pretrained(plain.network, student.spec.partition("+")[2]).eval()
    assert plain_shares(plain) == pytest.approx(player, abs=1e-5)
    assert shares(str(student.merged)) == pytest.approx(player, abs=1e-5)
    assert shares(str(student.merged / "gguf" / "model.gguf")) == pytest.approx(player, abs=1e-5)


def test_llama_cpp_reads_the_gguf_file(student: Student) -> None:
    """Measured with SmolLM2 in float32: .0003 apart at most, where the base is .11 away."""
    pytest.importorskip("aiohttp")
    from real_servers import llama_server

    with llama_server(model=student.merged / "gguf" / "model.gguf") as root:
        served = ServerBackend(f"openai:model@{root}/v1")
        found = [read_distribution(one).probabilities[0] for one in served.respond(ASKED)]

    assert apart(found, shares(student.spec)) <= 0.01


def test_answers_of_transformers_serve_are_as_frequent_as_probable(student: Student) -> None:
    """It gives no log-probabilities: P(C) is at least .3 away from the base's, and frequencies have an error of .07."""
    for package in ("aiohttp", "fastapi", "uvicorn", "openai"):
        pytest.importorskip(package)
    from real_servers import transformers_server

    exact, base = shares(student.spec), shares(f"gguf:{student.base}")
    far = max(range(len(PROMPTS)), key=lambda place: abs(exact[place] - base[place]))
    asked = [Request(PROMPTS[far], max_tokens=3, seed=(number,)) for number in range(50)]
    with transformers_server(student.merged) as root:
        replies = ServerBackend(f"openai:{student.merged}@{root}/v1").respond(asked)
    actions = [read_reply(one.text, LABELS).action for one in replies]
    readable = [action for action in actions if action is not None]
    assert len(readable) > 40
    assert abs(exact[far] - base[far]) > 0.3
    assert readable.count(0) / len(readable) == pytest.approx(exact[far], abs=0.2)


def test_gemma_is_the_same_to_llama_cpp(gemma: Path, tmp_path: Path) -> None:
    """With an adapter of random weights, after one short text: .0006 apart, where the base is .026 away."""
    from real_servers import llama_server
    from test_llama_server import post

    model, text = open_model(str(gemma), dtype="float32"), "Two friends play a game. Do you choose C or D?\nAnswer:"
    network, tokenizer = model.weights()
    adapted, tokens = adapt(network, SETTINGS, seed=1), tokenizer(text).input_ids
    for weights in adapter_weights(adapted):
        torch.nn.init.normal_(weights, std=0.02, generator=torch.Generator().manual_seed(weights.numel()))
    named = BaseModel(str(gemma), model.fingerprint, on_hub=False)
    write_adapter(tmp_path / "adapter", adapted.eval(), SETTINGS, [1.0], [], 0, named)
    with torch.inference_mode():
        wanted = adapted(torch.tensor([tokens])).logits[0, -1].softmax(-1)
        with adapted.disable_adapter():
            base = adapted(torch.tensor([tokens])).logits[0, -1].softmax(-1)
    merge_adapter(f"gguf:{gemma}+{tmp_path / 'adapter'}", tmp_path / "merged", gguf=True)
    with llama_server(model=tmp_path / "merged" / "gguf" / "model.gguf") as root:
        assert post(f"{root}/tokenize", {"content": text, "add_special": True})["tokens"] == tokens
        asked = {"prompt": tokens, "n_predict": 1, "n_probs": 50, "grammar": "root ::= [ a-zA-Z]"}
        (listed,) = post(f"{root}/completion", asked)["completion_probabilities"]
    found = {one["id"]: math.exp(one["logprob"]) for one in listed["top_logprobs"]}
    assert max(abs(share - float(wanted[token])) for token, share in found.items()) < 0.002
    assert max(abs(share - float(base[token])) for token, share in found.items()) > 0.01
