"""What a network can do exactly is found by trial, because no setting of an architecture says it."""

from dataclasses import replace
from textwrap import shorten
from typing import Any

import torch

from dilemmas.agents.models.backend import ModelError
from dilemmas.agents.models.networks.architectures import Abilities
from dilemmas.agents.models.networks.number_formats import is_quantised
from dilemmas.agents.models.networks.texts import Tokens, continue_prefixes, read_branches, read_prompts

PLAIN = Abilities(cached=False, gaps=False, branches=False)
TEXTS: tuple[Tokens, ...] = ((5, 9, 7, 11, 6, 8, 10), (7, 6, 9), (9, 5, 8, 6, 7))
"""Any texts of different lengths, whose tokens every vocabulary has."""
OTHER = 8
"""A token that is neither the first of a text nor what follows it."""
ROWS, MORE = (2, 0, 1, 0), ((6, 9), (7, 7), (9, 5), (10, 6))
"""How they are continued: out of order, one of them twice."""
BRANCHES = (((7, 7), (10, 6, 9)), ((9, 5),), ((6,), (6, 9), (5,)))
"""How each of them is continued in branches."""


def float32_head(model: Any) -> None:
    """Let a model compute its logits in float32, whatever the data type of the rest.

    In bfloat16 logits near 16 move in steps of 1/8. A head that shares its weights with the embedding gets its own.
    """
    head = model.get_output_embeddings()
    head = getattr(head, "base_layer", head)  # of an adapter
    if head is not None and head.weight.dtype != torch.float32:
        head.weight = torch.nn.Parameter(head.weight.float(), requires_grad=False)
        if getattr(head, "bias", None) is not None:
            head.bias = torch.nn.Parameter(head.bias.float(), requires_grad=False)
        head.register_forward_pre_hook(lambda _, given: (given[0].float(), *given[1:]))


@torch.inference_mode()
def find_abilities(name: str, model: Any) -> Abilities:
    """What a model can do, by comparison with plain forward passes over a few tokens.

    Raises
    ------
    ModelError
        If the model cannot be computed, or computes NaN, or what follows a token changes what it says after it: it
        does not continue texts.
    """
    near = 0.01 if model.dtype == torch.float32 and not is_quantised(model) else 0.1
    try:
        plain, _ = read_prompts(model, TEXTS, PLAIN)
    except Exception as error:  # every architecture fails in its own way
        why = shorten(f"{type(error).__name__}: {error}", 300, placeholder=" ...")
        raise ModelError(f"model '{name}' cannot be computed on {model.device}: {why}") from error
    if plain.isnan().any():
        raise ModelError(
            f"model '{name}' computes NaN instead of probabilities: its files are damaged, or {model.dtype} is too"
            " small for it; restore the files, or choose another data type"
        )
    if _reads_on(model, near):
        raise ModelError(f"model '{name}' reads what follows a token too; needs a causal language model")
    kinds = (Abilities(branches=False), Abilities(gaps=False, branches=False))
    found = next((can for can in kinds if _agrees(model, can, near)), PLAIN)
    return replace(found, branches=found.cached and _branches_agree(model, near))


def _reads_on(model: Any, near: float) -> bool:
    """Whether another token after a place changes what is said there by more than a share `near` of what another token
    before it does. The share does not depend on how far the weights are from 0; in a causal model, it is rounding."""
    said = [_plain(model, [*text, 5])[-2] for text in TEXTS]
    after = [_plain(model, [*text, OTHER])[-2] for text in TEXTS]
    before = [_plain(model, [OTHER, *text[1:], 5])[-2] for text in TEXTS]
    followed, preceded = (
        max(float((a - b).abs().max()) for a, b in zip(said, others, strict=True)) for others in (after, before)
    )
    return followed > near * preceded


def _plain(model: Any, text: Tokens) -> torch.Tensor:
    """Log-probabilities after each token of one text, shape (T, V)."""
    out = model(input_ids=torch.as_tensor([list(text)], device=model.device), use_cache=False)
    scores: torch.Tensor = out.logits[0].double().log_softmax(-1)
    return scores


def _agrees(model: Any, can: Abilities, near: float) -> bool:
    """Whether continued texts have the probabilities of plain ones."""
    more = [tokens[row % 2 :] for row, tokens in zip(ROWS, MORE, strict=True)] if can.gaps else MORE
    texts = [[*TEXTS[row], *tokens] for row, tokens in zip(ROWS, more, strict=True)]
    try:
        first, prefixes = read_prompts(model, TEXTS, Abilities(gaps=False))
        middle, prefixes = continue_prefixes(model, prefixes, ROWS, more, last=True)
        then, _ = continue_prefixes(model, prefixes, range(len(ROWS)), [(8,)] * len(ROWS), last=True)
    except Exception:  # every architecture fails in its own way
        return False
    pairs = [
        (first, [_plain(model, text)[-1] for text in TEXTS]),
        (middle[:, -1], [_plain(model, text)[-1] for text in texts]),
        (then[:, -1], [_plain(model, [*text, 8])[-1] for text in texts]),
    ]
    return all(_alike(found, torch.stack(wanted), near) for found, wanted in pairs)


def _branches_agree(model: Any, near: float) -> bool:
    """Whether branches have the probabilities of plain texts."""
    try:
        _, prefixes = read_prompts(model, TEXTS, Abilities(gaps=False))
        found = torch.stack([scores[-1] for some in read_branches(model, prefixes, BRANCHES) for scores in some])
    except Exception:  # every architecture fails in its own way
        return False
    texts = [[*text, *more] for text, some in zip(TEXTS, BRANCHES, strict=True) for more in some]
    return _alike(found, read_prompts(model, texts, PLAIN)[0], near)


def _alike(found: torch.Tensor, wanted: torch.Tensor, near: float) -> bool:
    """Whether log-probabilities (N, V) differ by at most a share `near` of what they vary between the N texts."""
    spread = (wanted - wanted.mean(0)).abs().max()
    return bool((found - wanted).abs().max() <= near * spread)
