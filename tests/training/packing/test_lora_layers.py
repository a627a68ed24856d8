"""The update that is computed in place is that of peft: the same outputs, the same gradients."""

import pytest

torch = pytest.importorskip("torch")

from peft import LoraConfig, get_peft_model  # noqa: E402
from peft.tuners.lora.layer import Linear  # noqa: E402
from random_networks import random_network  # noqa: E402

from dilemmas.training.packing.lora_layers import compute_in_place  # noqa: E402

IDS = torch.randint(5, 400, (2, 12), generator=torch.Generator().manual_seed(0))


def adapted(kind: str, **settings):
    """The network with an adapter that changes it."""
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=10, target_modules="all-linear", init_lora_weights=False, **settings)
    return get_peft_model(random_network(kind), config)


def results(model):
    """Logits and the gradient of the adapter."""
    logits = model(input_ids=IDS).logits
    logits.log_softmax(-1)[..., 7].sum().backward()
    found = torch.cat([weights.grad.flatten() for weights in model.parameters() if weights.requires_grad])
    model.zero_grad()
    return logits.detach(), found


@pytest.mark.parametrize("kind", ["llama", "gpt_neox", "qwen2"])
@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}], ids=["lora", "rslora"])
def test_outputs_and_gradients_are_those_of_peft(kind: str, settings: dict[str, bool]) -> None:
    model = adapted(kind, **settings)
    logits, gradient = results(model)
    layers = [layer for layer in model.modules() if isinstance(layer, Linear)]
    before = [layer.forward for layer in layers]
    compute_in_place(model)
    assert layers
    assert all(layer.forward != one for layer, one in zip(layers, before, strict=True))
    found = results(model)
    torch.testing.assert_close(found[0], logits, atol=1e-5, rtol=1e-5)
    assert float((found[1] - gradient).norm() / gradient.norm()) < 1e-5
    with model.disable_adapter():
        plain = model(input_ids=IDS).logits
    torch.testing.assert_close(plain, model.unload()(input_ids=IDS).logits)


@pytest.mark.parametrize("settings", [{"use_dora": True}, {"lora_dropout": 0.5}], ids=["dora", "dropout"])
def test_other_variants_and_dropout_are_left_to_peft(settings: dict[str, object]) -> None:
    model = adapted("llama", **settings)
    before = [layer.forward for layer in model.modules()]
    compute_in_place(model)
    assert [layer.forward for layer in model.modules()] == before
