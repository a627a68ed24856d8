"""Settings of distillation. The study does not publish its settings; the defaults are those usual in the field.

All linear layers, rank 16, alpha 2r, no dropout, ten times the learning rate of full fine-tuning, cosine schedule with
warm-up, gradient norm clipped at 1: Hu et al. 2021 (arXiv 2106.09685); Schulman et al. 2025, "LoRA without regret".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from dilemmas.envs.checks import check_numbers
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import lookup

Method = Literal["hard", "soft", "motivated", "tokens"]
Divergence = Literal["forward", "reverse", "jensen_shannon"]
Variant = Literal["lora", "rslora", "dora"]
Optimiser = Literal["adamw", "muon"]

LOSS_UNITS: Mapping[str, str] = {
    "hard": "nats per token",
    "soft": "nats per token",
    "motivated": "nats per unit of weight",
    "tokens": "nats per token",
}
"""Unit of the loss of a step by method: a sum over predicted tokens, divided by the sum of their weights. A token of a
label weighs the probability of the label; a motivation weighs `LoraSettings.motivation` in all; others weigh 1."""
MOST_DEMONSTRATIONS = 10**8
"""Most demonstrations of all steps together, which are put in order before the first step: 1 GB."""


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Method, size and training of the adapter."""

    method: Method = "hard"
    """``hard``: learn to write what the teacher wrote; ``soft``: its exact probabilities of the actions; ``motivated``:
    these, and the reasons that it gave; ``tokens``: its probabilities of every token of what it wrote."""
    motivation: float = 1.0
    """Weight of a reason against that of an answer, 0 or more (``motivated``); 0: ``hard`` leaves reasons out."""
    divergence: Divergence = "forward"
    """How the student's distribution of a token is compared with the teacher's; ``tokens`` only."""
    beta: float = 0.5
    """Weight of the teacher in the mixture with which both are compared, .01 to .99; ``jensen_shannon`` only."""
    top: int = 0
    """Number of most probable tokens that are told apart, the others count as one; 0: all, which is exact; ``tokens``
    only."""
    consistency: float = 0.0
    """Weight of the disagreement between the presentations of a situation, 0 or more; those of one situation then come
    in the same step."""
    rank: int = 16
    """Rank of the update, from 1 to 10,000."""
    alpha: int = 32
    """Scale of the update; the update is multiplied by alpha / rank."""
    variant: Variant = "lora"
    """``lora``; ``rslora``: multiplied by alpha / sqrt(rank) instead (Kalajdzievski 2023); ``dora``: direction and
    length of the weights are changed apart (Liu et al. 2024)."""
    targets: tuple[str, ...] = ()
    """Last names of the linear layers that are tuned, such as ``q_proj`` and ``v_proj``; () for all."""
    layers: int = 0
    """Number of layers, counted from the top, that are tuned; 0 for all. Those below are run once for all lessons."""
    dropout: float = 0.0
    """Dropout of the input of the adapter, in [0, 1)."""
    optimiser: Optimiser = "adamw"
    """``adamw``, without weight decay (Loshchilov & Hutter 2019); ``muon``: all directions in which a matrix is changed
    get steps of one length (Jordan et al. 2024), of the root mean square of Adam's (Liu et al. 2025); not for ``dora``,
    which has vectors too."""
    rate: float = 2e-4
    """Peak learning rate; about ten times that of full fine-tuning."""
    batch: int = 16
    """Demonstrations per optimiser step."""
    pack: int = 8
    """Most demonstrations of one question, or of questions that begin alike, that come one after the other; affects the
    speed and the batches."""
    tokens: int = 8192
    """Most tokens that are read at a time, padding included; a step with more is taken in parts, whose gradients add
    up."""
    epochs: int = 3
    """Passes over the data, at most 10,000."""
    checkpointing: bool = False
    """Whether activations are computed again in the backward pass: less memory, about a third more time."""
    steps: int = 0
    """Number of optimiser steps, with as many passes as they take; 0: as many as `epochs` take."""
    held_out: float = 0.0
    """Share of situations that are not taught, up to .9; the divergence from the teacher's actions is measured there
    while training."""
    measure_every: int = 20
    """Steps from one such measurement to the next; the first is before training."""
    patience: int = 0
    """Number of measurements in a row without improvement after which training ends, with the adapter at the lowest
    divergence; 0: it goes on to the end, and the last adapter is kept."""
    warmup: float = 0.05
    """Share of the steps over which the learning rate increases."""
    clip: float = 1.0
    """Largest gradient norm."""

    def __post_init__(self) -> None:
        lookup("method", self.method, {method: method for method in get_args(Method)}, "[lora]")
        lookup("divergence", self.divergence, {name: name for name in get_args(Divergence)}, "[lora]")
        lookup("variant", self.variant, {name: name for name in get_args(Variant)}, "[lora]")
        lookup("optimiser", self.optimiser, {name: name for name in get_args(Optimiser)}, "[lora]")
        if self.optimiser == "muon" and self.variant == "dora":
            raise InputError("[lora] optimiser = 'muon': changes matrices only, and variant = 'dora' has vectors too")
        check_numbers(self, "beta", 0.01, 0.99)
        check_numbers(self, "motivation consistency", 0)
        check_numbers(self, "rank epochs", 1, 10_000)
        check_numbers(self, "alpha batch pack tokens measure_every", 1)
        if max(self.steps, 1) * self.batch > MOST_DEMONSTRATIONS:
            raise InputError(
                f"[lora] steps = {self.steps}, batch = {self.batch}: at most {MOST_DEMONSTRATIONS:,} demonstrations"
                " in all steps together"
            )
        check_numbers(self, "layers steps top patience", 0)
        check_numbers(self, "dropout warmup", 0, 1)
        check_numbers(self, "held_out", 0, 0.9)
        if self.patience and not self.held_out:
            raise InputError("[lora] patience: needs held_out above 0, the share of situations to measure on")
        check_numbers(self, "rate clip", 0)
