"""Reading what texts share once changes the cost, not the mathematics."""

import pytest

torch = pytest.importorskip("torch")

from loss_of_rows import loss_of  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

from dilemmas.training.packing.batches import ALIKE  # noqa: E402
from dilemmas.training.packing.lessons import Lesson, Target, completion, plant  # noqa: E402
from dilemmas.training.packing.network import Network  # noqa: E402

PREFIX = [1, 40, 41, 42, 43, 44]
COMPLETIONS = [[50, 51, 2], [60, 61, 62, 63, 2], [70, 2]]
LESSONS = [completion(PREFIX, tokens) for tokens in COMPLETIONS]


@pytest.fixture
def network(tiny_model):
    return Network(AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32), ALIKE)


def alone(network, lesson):
    """Log-probabilities of the targets of a lesson, read in one unpacked row without a mask."""
    scores = network.model(input_ids=torch.tensor([lesson.tokens])).logits[0].log_softmax(-1)
    return torch.stack([scores[target.place - 1, target.token] for target in lesson.targets])


def gradients(network, value):
    network.model.zero_grad()
    value.backward()
    return torch.cat([weights.grad.flatten() for weights in network.model.parameters()])


def test_packed_completions_have_the_probabilities_of_separate_rows(network) -> None:
    expected = torch.cat([alone(network, lesson) for lesson in LESSONS])
    torch.testing.assert_close(network.logprobs([plant(LESSONS)]), expected, atol=1e-5, rtol=0)
    unpacked = Network(network.model, None).logprobs([plant([lesson]) for lesson in LESSONS])
    torch.testing.assert_close(unpacked, expected, atol=1e-5, rtol=0)


def test_packed_gradients_are_those_of_separate_rows(network) -> None:
    found = gradients(network, loss_of(network, [plant(LESSONS)]))
    expected = gradients(network, -torch.cat([alone(network, lesson) for lesson in LESSONS]).sum())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_parts_of_a_batch_add_up(network) -> None:
    lessons = [*LESSONS, *(completion([1, 30 + i, 31, 32], [50, 2]) for i in range(5))]
    whole = gradients(network, loss_of(network, [plant([lesson]) for lesson in lessons]))
    for tokens in (1, 16, 1000):
        parts = list(network.parts(lessons, tokens))
        assert sum(len(row.lessons) for rows in parts for row in rows) == len(lessons)
        together = gradients(network, sum(loss_of(network, rows) for rows in parts))
        torch.testing.assert_close(together, whole, atol=1e-5, rtol=1e-4)
    assert len(parts) == 1


def test_padding_and_neighbours_in_the_batch_change_nothing(network) -> None:
    short = completion(PREFIX[:3], [50, 2])
    found = network.logprobs([plant(LESSONS), plant([short])])[-2:]
    torch.testing.assert_close(found, alone(network, short), atol=1e-5, rtol=0)


def test_a_soft_label_is_the_cross_entropy_with_its_distribution(network) -> None:
    """-0.3 log p(50) - 0.7 log p(60)."""
    soft = Lesson(tuple(PREFIX), (Target(len(PREFIX), 50, 0.3), Target(len(PREFIX), 60, 0.7)))
    scores = network.model(input_ids=torch.tensor([PREFIX])).logits[0, -1].log_softmax(-1)
    torch.testing.assert_close(loss_of(network, [plant([soft])]), -0.3 * scores[50] - 0.7 * scores[60])
