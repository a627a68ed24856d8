"""Shared-prefix packing changes the cost, not the mathematics."""

import pytest

torch = pytest.importorskip("torch")

from transformers import AutoModelForCausalLM  # noqa: E402

from dilemmas.training.batches import Branch, PackedRow, Target, collate, completion, loss, term_logprobs  # noqa: E402

PREFIX = [1, 40, 41, 42, 43, 44]
BRANCHES = [[50, 51, 2], [60, 61, 62, 63, 2], [70, 2]]


@pytest.fixture
def model(tiny_model):
    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)


def plain_logprobs(model, tokens):
    """Log-probabilities of every token after the prefix, read in one unpacked row without a mask."""
    ids = torch.tensor([tokens])
    scores = model(input_ids=ids).logits[0].log_softmax(-1)
    return scores[torch.arange(len(PREFIX) - 1, len(tokens) - 1), ids[0, len(PREFIX) :]]


def test_packed_completions_have_the_probabilities_of_separate_rows(model) -> None:
    packed = term_logprobs(model, collate([PackedRow(PREFIX, [completion(tokens) for tokens in BRANCHES])]))
    alone = torch.cat([plain_logprobs(model, PREFIX + tokens) for tokens in BRANCHES])
    torch.testing.assert_close(packed, alone, atol=1e-5, rtol=0)


def test_packed_gradients_are_those_of_separate_rows(model) -> None:
    loss(model, collate([PackedRow(PREFIX, [completion(tokens) for tokens in BRANCHES])])).backward()
    packed = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    loss(model, collate([PackedRow(PREFIX, [completion(tokens)]) for tokens in BRANCHES])).backward()
    for together, parameter in zip(packed, model.parameters(), strict=True):
        torch.testing.assert_close(together, parameter.grad, atol=1e-5, rtol=1e-3)


def test_padding_and_neighbours_in_the_batch_change_nothing(model) -> None:
    short, long = (
        PackedRow(PREFIX[:3], [completion([50, 2])]),
        PackedRow(PREFIX, [completion(tokens) for tokens in BRANCHES]),
    )
    alone = term_logprobs(model, collate([short]))
    torch.testing.assert_close(term_logprobs(model, collate([long, short]))[-2:], alone, atol=1e-5, rtol=0)


def test_a_soft_label_is_the_cross_entropy_with_its_distribution(model) -> None:
    """-0.3 log p(50) - 0.7 log p(60), whichever of the two stands in the text."""
    soft = PackedRow(PREFIX, [Branch([50], [Target(0, 50, 0.3), Target(0, 60, 0.7)])])
    scores = model(input_ids=torch.tensor([PREFIX])).logits[0, -1].log_softmax(-1)
    torch.testing.assert_close(loss(model, collate([soft])), -0.3 * scores[50] - 0.7 * scores[60])


def test_the_question_before_an_answer_is_not_learned(model) -> None:
    branch = completion([50, 51, 52, 2], start=2)
    assert [target.token for target in branch.targets] == [52, 2]
    terms = term_logprobs(model, collate([PackedRow(PREFIX, [branch])]))
    torch.testing.assert_close(terms, plain_logprobs(model, [*PREFIX, 50, 51, 52, 2])[2:], atol=1e-5, rtol=0)
