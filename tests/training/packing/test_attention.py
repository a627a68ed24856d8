"""Attention block by block is attention: no token that another attends to is left out, and gradients are the same."""

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from loss_of_rows import loss_of  # noqa: E402
from random_networks import random_network  # noqa: E402
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS  # noqa: E402

from dilemmas.training.packing.attention import find_blocks, in_blocks  # noqa: E402
from dilemmas.training.packing.batches import collate  # noqa: E402
from dilemmas.training.packing.lessons import build_tree, completion  # noqa: E402
from dilemmas.training.packing.network import Network  # noqa: E402
from dilemmas.training.packing.trial import find_packing  # noqa: E402

WORDS = torch.randint(5, 400, (8, 60), generator=torch.Generator().manual_seed(1)).tolist()
LESSONS = [completion([1, *WORDS[0], *branch], [7, 2]) for branch in WORDS[1:]]
"""Branches that are longer than a block, behind a beginning that they share."""
TEXTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=90).map(tuple), min_size=1, max_size=8)


@given(TEXTS)
def test_a_block_reads_all_that_its_tokens_attend_to(texts: list[tuple[int, ...]]) -> None:
    tree = build_tree(sorted(texts))
    blocks = find_blocks(torch.tensor(tree.ends))
    assert sum(blocks.sizes) == len(tree.tokens)
    places = iter(range(len(tree.tokens)))
    for size, keys in zip(blocks.sizes, blocks.keys, strict=True):
        block = [next(places) for _ in range(size)]
        assert set(keys.tolist()) == {j for i in block for j in range(i + 1) if i < tree.ends[j]}


@pytest.mark.parametrize("kind", ["gemma2", "gemma3_text", "gpt2", "llama", "mistral", "qwen2"])
def test_gradients_are_those_of_separate_texts(kind: str) -> None:
    model = random_network(kind)
    network = Network(model, find_packing(model, LESSONS))
    assert network.packing is not None
    loss_of(network, network.arranged(LESSONS, 10_000)).backward()
    found = torch.cat([weights.grad.flatten() for weights in model.parameters() if weights.grad is not None])
    model.zero_grad()
    loss_of(Network(model, None), Network(model, None).arranged(LESSONS, 10_000)).backward()
    expected = torch.cat([weights.grad.flatten() for weights in model.parameters() if weights.grad is not None])
    assert float((found - expected).norm() / expected.norm()) < 1e-4


def test_branches_are_not_compared_with_each_other() -> None:
    """Seven branches of 60 tokens behind 60: less than .4 of the products of the whole row, and the function of
    transformers is back afterwards."""
    network = random_network("llama")
    whole = ALL_ATTENTION_FUNCTIONS["sdpa"]
    ends = collate(Network(network, find_packing(network, LESSONS)).arranged(LESSONS, 10_000)).ends
    assert find_blocks(ends[0]).products < 0.4 * ends.shape[1] ** 2
    with in_blocks(network, ends):
        assert ALL_ATTENTION_FUNCTIONS["sdpa"] is not whole
    assert ALL_ATTENTION_FUNCTIONS["sdpa"] is whole
