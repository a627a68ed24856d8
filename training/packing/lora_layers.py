"""The update of LoRA without intermediate results: y = W x + b + s B A x, added into y, as are the gradients into x's.

peft computes B A x, multiplies it by s and adds it, each into new memory of the size of y, and as much going back. A
layer with dropout, another variant of LoRA or weights of another data type is left as peft has it.
"""

from collections.abc import Callable
from typing import Any

import torch
from peft.tuners.lora.layer import Linear


class _Updated(torch.autograd.Function):
    """y of a linear layer with frozen weights W, b and the update s B A."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None, a: torch.Tensor, up: torch.Tensor, s: float
    ) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])  # (N, in)
        inner = flat @ a.T  # (N, r)
        y = torch.nn.functional.linear(flat, w, b).addmm_(inner, up.T, alpha=s)  # (N, out)
        ctx.save_for_backward(flat, inner, w, a, up)
        ctx.scale = s
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, inner, w, a, up = ctx.saved_tensors
        shape = grads[0].shape[:-1]
        dy = grads[0].reshape(-1, grads[0].shape[-1])  # (N, out)
        d_inner = (dy @ up).mul_(ctx.scale)  # (N, r)
        dx = (dy @ w).addmm_(d_inner, a).view(*shape, -1) if ctx.needs_input_grad[0] else None
        return dx, None, None, d_inner.T @ flat, (dy.T @ inner).mul_(ctx.scale), None


def compute_in_place(adapted: Any) -> None:
    """Let the layers of a model with one adapter of peft compute the update in place where they can."""
    for layer in adapted.modules():
        if isinstance(layer, Linear) and _is_plain(layer):
            layer.forward = _forward(layer, layer.forward)  # type: ignore[method-assign]


def _is_plain(layer: Linear) -> bool:
    base = layer.get_base_layer()
    (name,) = layer.active_adapters
    return (
        type(base) is torch.nn.Linear
        and base.weight.dtype == layer.lora_A[name].weight.dtype
        and name not in layer.lora_variant
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and layer.lora_B[name].bias is None
    )


def _forward(layer: Linear, plain: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    (name,) = layer.active_adapters
    base, a, b, scale = layer.get_base_layer(), layer.lora_A[name], layer.lora_B[name], layer.scaling[name]

    def forward(x: torch.Tensor, *args: Any, **named: Any) -> torch.Tensor:
        if layer.disable_adapters or layer.merged:
            return plain(x, *args, **named)
        found: torch.Tensor = _Updated.apply(x, base.weight, base.bias, a.weight, b.weight, scale)  # type: ignore[no-untyped-call]
        return found

    return forward
