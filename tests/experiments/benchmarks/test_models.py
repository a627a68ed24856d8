"""Benchmarks of language models and training: contenders do the stated work; operations are counted right."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from dilemmas.experiments.benchmarks import models, training  # noqa: E402

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 4096,
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models.SHAPES, "small", SMALL)


def test_operations_of_a_question() -> None:
    """As PyTorch counts them, who counts both halves of the causal attention."""
    model, length = models.random_model("small", "cpu", "float32"), 40
    model.set_attn_implementation("eager")  # the fused attention is not counted on CPUs
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(input_ids=torch.zeros((1, length), dtype=torch.int64), logits_to_keep=1)
    half = 4 * 3 * 32 * length * length / 2
    norms = 2 * 7 * 32 * length  # weights of the norms multiply elements, not matrices
    assert models.scoring_operations(model, length) - norms == pytest.approx(counter.get_total_flops() - half, rel=1e-3)


def test_operations_of_an_observation() -> None:
    """A plain row of one observation, as PyTorch counts them: at least the frozen weights' 4 N T and the adapter's."""
    given = training.training_work("small", "cpu", "float32")
    ids = torch.zeros((1, training.PROMPT + training.COMPLETION), dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        given.adapted(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    assert 0.1 < given.operations / counter.get_total_flops() < 1  # three quarters of the prompt are shared


def test_the_contenders_answer_and_learn() -> None:
    asked = models.scoring_work(models.random_backend("small", "cpu", "float32", batch_tokens=500), questions=5)
    assert [contender.prepare()() >= len(asked.asked) >= 5 for contender in models.scoring_contenders(asked)[:2]] == [
        True,
        True,
    ]
    lesson = training.training_work("small", "cpu", "float32")
    assert [contender.prepare()() for contender in training.training_contenders(lesson)[:2]] == [16, 16]
