"""The optimiser of an adapter."""

from collections.abc import Iterable

import torch

from dilemmas.training.lora import LoraSettings


def optimiser_of(weights: Iterable[torch.nn.Parameter], settings: LoraSettings) -> torch.optim.Optimizer:
    """A new optimiser of the weights of an adapter, as `LoraSettings.optimiser` says, at the peak rate."""
    if settings.optimiser == "muon":
        return torch.optim.Muon(weights, lr=settings.rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    return torch.optim.AdamW(weights, lr=settings.rate, weight_decay=0.0)
