"""Texts that are packed into one row teach what they teach alone, in every architecture, or are not packed."""

import pytest

torch = pytest.importorskip("torch")

from loss_of_rows import loss_of  # noqa: E402
from random_networks import CACHED, FURTHER, UNCACHED, random_network  # noqa: E402
from transformers.models.auto.configuration_auto import CONFIG_MAPPING  # noqa: E402

from dilemmas.training.checkpoints import TrainingError  # noqa: E402
from dilemmas.training.packing.batches import Packing  # noqa: E402
from dilemmas.training.packing.lessons import completion  # noqa: E402
from dilemmas.training.packing.network import Network  # noqa: E402
from dilemmas.training.packing.trial import find_packing, prepare_network, prepared  # noqa: E402

PROMPT = [1, *torch.randint(5, 400, (60,), generator=torch.Generator().manual_seed(0)).tolist()]
"""Longer than the windows of the networks."""
LESSONS = [
    completion(PROMPT, [7, 8, 9]),
    completion(PROMPT, [7, 8, 11, 12, 2]),
    completion(PROMPT, [7, 8, 9]),
    completion(PROMPT[:40], [13, 14, 2]),
]
SEPARATE = {"bloom", "mpt", "gpt_neo", "llama4_text", "falcon_h1"} | UNCACHED.keys()
SEPARATE |= {"bamba", "granitemoehybrid", "lfm2", "qwen3_5_text", "qwen3_next", "zamba2"}
"""Biases by index, local attention by index, chunks, state spaces, linear attention, convolutions."""
FAST = ("gemma3_text", "llama", "mamba", "mistral", "mpt", "qwen3_next")
KINDS = [
    pytest.param(kind, marks=[] if kind in FAST else pytest.mark.slow)
    for kind in sorted({*CACHED, *UNCACHED, *FURTHER})
]


def gradient(model):
    found = torch.cat([weights.grad.flatten() for weights in model.parameters() if weights.grad is not None])
    model.zero_grad()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_separate_texts(kind: str) -> None:
    if kind not in CONFIG_MAPPING:
        pytest.skip("this version of transformers lacks it")
    model = random_network(kind)
    network = Network(model, find_packing(model, LESSONS))
    assert (network.packing is None) == (kind in SEPARATE)
    loss_of(network, network.arranged(LESSONS, 10_000)).backward()
    found = gradient(model)
    for lesson in LESSONS:
        scores = model(input_ids=torch.tensor([lesson.tokens]), use_cache=False).logits[0].log_softmax(-1)
        (-sum(scores[target.place - 1, target.token] for target in lesson.targets)).backward()
    expected = gradient(model)
    assert float((found - expected).norm() / expected.norm()) < 1e-4


def test_windows_matter_to_texts_that_are_longer_only() -> None:
    model = random_network("mistral")
    assert find_packing(model, LESSONS) == Packing({"all": 24}, blocks=True)
    assert find_packing(model, [completion(PROMPT[:5], [7, 8])]) is not None


def test_a_network_that_cannot_be_batched_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The output depends on the other rows of the batch."""
    model = random_network("llama")
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda **given: _mixed(forward(**given)))
    with pytest.raises(TrainingError, match="type 'llama' cannot be trained: texts in a batch do not have"):
        find_packing(model, LESSONS)


def test_weights_that_are_no_numbers_are_said_to_be_damaged() -> None:
    model = random_network("llama")
    torch.nn.init.constant_(model.model.norm.weight, float("nan"))
    with pytest.raises(TrainingError, match="computes NaN instead of probabilities: its files are damaged"):
        find_packing(model, LESSONS)


def _mixed(out):
    out.logits = out.logits + out.logits.mean((0, 1))
    return out


@pytest.mark.parametrize("kind", ["gemma2", "gpt2", "llama", "mamba", "mpt", "mistral"])
def test_a_trunk_that_is_run_once_changes_no_gradient(kind: str) -> None:
    model = random_network(kind)
    network = prepared(prepare_network(model, LESSONS, 1, tokens=10_000))
    assert network.trunk is not None
    for weights in model.parameters():
        weights.requires_grad_(False)
    tuned = [weights.requires_grad_(True) for weights in network.trunk.layers[1].parameters()]
    rows = network.arranged(LESSONS[:3], 10_000)
    loss_of(network, rows).backward()
    found = gradient(model)
    loss_of(Network(model, network.packing), rows).backward()
    expected = gradient(model)
    assert len(tuned) > 3
    assert float((found - expected).norm() / expected.norm()) < 1e-5
