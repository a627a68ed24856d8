"""Sampled text in which every request has its own random numbers.

A reply is drawn token by token by the inverse of the cumulative distribution, from numbers that depend on the request's
seed alone, so it does not change with the batch (up to rounding of the model's logits, 1e-7 in float32). Requests whose
texts agree so far share one row of the model: 300 replies to one prompt cost as much as there are different ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dilemmas.agents.models.scoring import Prefixes, Tokens, go_on, read

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draw:
    """One reply to sample."""

    prompt: int
    """Index of its prompt."""
    max_tokens: int
    """Most tokens to draw, at least 1."""
    temperature: float
    """0 takes the most probable token."""
    seed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Front:
    """Where replies stand that are equally long: N different texts, and R requests, each at one of them."""

    prompt: IntArray
    """Index of the prompt of each text, shape (N,)."""
    tokens: IntArray
    """What was written so far, shape (N, T)."""
    text: IntArray
    """Index of the text that each request has reached, shape (R,)."""
    request: IntArray
    """Index of each request, shape (R,)."""

    def halves(self) -> list["Front"]:
        """The same in two parts."""
        cut = len(self.prompt) // 2
        first = self.text < cut
        return [
            Front(self.prompt[cut:], self.tokens[cut:], self.text[~first] - cut, self.request[~first]),
            Front(self.prompt[:cut], self.tokens[:cut], self.text[first], self.request[first]),
        ]

    def grow(self, drawn: IntArray, alive: NDArray[np.bool_]) -> tuple[IntArray, "Front"]:
        """The text that each new text continues, and the front after the tokens `drawn` (R,) where `alive` (R,)."""
        pairs = np.stack([self.text[alive], drawn[alive]], axis=1)
        grown, text = np.unique(pairs, axis=0, return_inverse=True)
        parents = grown[:, 0]
        tokens = np.concatenate([self.tokens[parents], grown[:, 1:]], axis=1)
        return parents, Front(self.prompt[parents], tokens, text.reshape(-1), self.request[alive])


def sample_tokens(
    model: Any, prompts: Sequence[Tokens], draws: Sequence[Draw], stops: frozenset[int], batch_tokens: int
) -> list[tuple[list[int], bool]]:
    """Tokens of every reply without the stop token, and whether it stopped by itself.

    `stops`: tokens that end a reply. `batch_tokens`: most tokens that the model holds at once; a larger front is
    halved.
    """
    limits = np.array([draw.max_tokens for draw in draws])
    temperatures = np.array([draw.temperature for draw in draws], dtype=np.float64)
    uniforms = np.ones((len(draws), limits.max()))  # (R, T)
    for row, draw in enumerate(draws):
        uniforms[row, : draw.max_tokens] = np.random.default_rng(draw.seed).random(draw.max_tokens)
    written = np.full(uniforms.shape, -1)  # (R, T); -1 after the end
    waiting = [_start(prompts, draws)]
    while waiting:
        front = waiting.pop()
        if _too_large(front, prompts, batch_tokens):
            waiting += front.halves()
            continue
        logprobs, prefixes = _open(model, prompts, front)
        while True:
            step = front.tokens.shape[1]
            drawn = _draw(logprobs, front.text, uniforms[front.request, step], temperatures[front.request])
            written[front.request, step] = drawn
            alive = (step + 1 < limits[front.request]) & ~np.isin(drawn, list(stops))
            if not alive.any():
                break
            parents, front = front.grow(drawn, alive)
            if _too_large(front, prompts, batch_tokens):
                waiting.append(front)
                break
            scores, prefixes = go_on(model, prefixes, parents.tolist(), front.tokens[:, -1:].tolist(), last=True)
            logprobs = scores[:, -1]
    return [_cut(row, stops) for row in written.tolist()]


def _start(prompts: Sequence[Tokens], draws: Sequence[Draw]) -> Front:
    """Nothing written yet; prompts of similar length side by side."""
    order = np.argsort([len(prompt) for prompt in prompts], kind="stable")
    place = np.empty(len(prompts), dtype=np.int64)
    place[order] = np.arange(len(prompts))
    text = place[[draw.prompt for draw in draws]]
    return Front(order, np.zeros((len(prompts), 0), dtype=np.int64), text, np.arange(len(draws)))


def _too_large(front: Front, prompts: Sequence[Tokens], batch_tokens: int) -> bool:
    longest = max(len(prompts[i]) for i in set(front.prompt.tolist()))
    rows, written = front.tokens.shape
    return bool(rows > 1 and rows * (longest + written + 1) > batch_tokens)


def _open(model: Any, prompts: Sequence[Tokens], front: Front) -> tuple[torch.Tensor, Prefixes]:
    """Read every prompt of the front once, then what was written. Log-probabilities (N, V)."""
    if not front.tokens.shape[1]:
        return read(model, [prompts[i] for i in front.prompt], keep=True)
    distinct, rows = np.unique(front.prompt, return_inverse=True)
    _, prefixes = read(model, [prompts[i] for i in distinct], keep=True)
    scores, prefixes = go_on(model, prefixes, rows.tolist(), front.tokens.tolist(), last=True)
    return scores[:, -1], prefixes


def _draw(
    logprobs: torch.Tensor, text: IntArray, uniforms: NDArray[np.float64], temperatures: NDArray[np.float64]
) -> IntArray:
    """One token for every request, shape (R,). `logprobs`: of the texts, (N, V); `text`: the text of each request."""
    drawn = np.empty(len(text), dtype=np.int64)
    for temperature in np.unique(temperatures):
        mine = np.flatnonzero(temperatures == temperature)
        if temperature == 0:
            drawn[mine] = logprobs.argmax(-1).cpu().numpy()[text[mine]]
        else:
            reached = (logprobs / temperature).softmax(-1).cumsum(-1)  # (N, V)
            drawn[mine] = _invert(reached, text[mine], uniforms[mine])
    return drawn


def _invert(reached: torch.Tensor, text: IntArray, uniforms: NDArray[np.float64]) -> IntArray:
    """First token at which row `text` of the cumulative distributions `reached` (N, V) exceeds `uniforms` (R,)."""
    count = np.bincount(text, minlength=len(reached))
    order = np.argsort(text, kind="stable")
    place = np.empty_like(text)
    place[order] = np.arange(len(text)) - (count.cumsum() - count)[text[order]]  # among the requests of its text
    table = np.zeros((len(reached), count.max()))
    table[text, place] = uniforms
    wanted = torch.as_tensor(table, device=reached.device) * reached[:, -1:]  # the sum is 1 but for rounding
    found = torch.searchsorted(reached, wanted, right=True).clamp(max=reached.shape[1] - 1)
    return np.asarray(found.cpu().numpy()[text, place])


def _cut(tokens: list[int], stops: frozenset[int]) -> tuple[list[int], bool]:
    kept = [token for token in tokens if token >= 0]
    return (kept[:-1], True) if kept[-1] in stops else (kept, False)
