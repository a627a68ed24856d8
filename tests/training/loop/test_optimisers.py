"""Muon changes a matrix by as much in every direction, and by as much in all as Adam does."""

import pytest

torch = pytest.importorskip("torch")

from dilemmas.envs.errors import InputError  # noqa: E402
from dilemmas.training.loop.optimisers import optimiser_of  # noqa: E402
from dilemmas.training.lora import LoraSettings, Optimiser  # noqa: E402


def first_step(optimiser: Optimiser) -> torch.Tensor:
    """Change of a matrix whose gradient is almost in one direction, at a rate of .01."""
    draw = torch.Generator().manual_seed(0)
    matrix = torch.nn.Parameter(torch.zeros(64, 8))
    long, short = (torch.randn(64, 1, generator=draw) @ torch.randn(1, 8, generator=draw) for _ in range(2))
    matrix.grad = long + 0.01 * torch.randn(64, 8, generator=draw) + 0.01 * short
    optimiser_of([matrix], LoraSettings(optimiser=optimiser, rate=0.01)).step()
    return matrix.detach()


def test_all_directions_are_changed_alike() -> None:
    muon, adam = (torch.linalg.svdvals(first_step(name)) for name in ("muon", "adamw"))
    assert float(muon[-1] / muon[0]) > 0.5
    assert float(adam[-1] / adam[0]) < 0.1


def test_a_step_is_as_long_as_those_of_adam_usually_are() -> None:
    """Liu et al. 2025 (arXiv 2502.16982): the root mean square of Adam's updates is .2 to .4 times the rate."""
    assert 0.001 < float(first_step("muon").square().mean().sqrt()) < 0.004


def test_vectors_are_refused() -> None:
    with pytest.raises(InputError, match="'muon': changes matrices only, and variant = 'dora' has vectors too"):
        LoraSettings(optimiser="muon", variant="dora")
