"""Sampled text in which every request has its own random numbers.

A reply is drawn token by token by inversion of the cumulative distribution, with random numbers that depend on the seed
of the request alone, so it is independent of the batch (up to rounding of the model's logits, 1e-7 in float32).
Requests whose texts are equal so far share one row of the model: 300 replies to one prompt cost as many rows as there
are different texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dilemmas.agents.models.networks.architectures import ABLE, Abilities
from dilemmas.agents.models.networks.texts import Prefixes, Tokens, continue_prefixes, read_prompts

IntArray = NDArray[np.int64]
CACHE = 2 << 30
"""Bytes of keys and values that the texts of a frontier may take: only their last token is read, so that they may be
more than are read at once."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One reply to sample."""

    prompt: int
    """Index of its prompt."""
    max_tokens: int
    """Maximum number of tokens to draw, at least 1."""
    temperature: float
    """At least 0; 0 takes the most probable token."""
    seed: tuple[int, ...]
    """Seed of its random numbers."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """Unfinished replies of equal length: N different texts, and R requests, each of which has one of these texts."""

    prompt: IntArray
    """Index of the prompt of each text, shape (N,)."""
    tokens: IntArray
    """Tokens written so far, shape (N, T)."""
    text: IntArray
    """Index of the text of each request, shape (R,)."""
    request: IntArray
    """Index of each request, shape (R,)."""

    def halves(self) -> list["Frontier"]:
        """The frontier as two, each with half of the texts."""
        cut = len(self.prompt) // 2
        first = self.text < cut
        return [
            Frontier(self.prompt[cut:], self.tokens[cut:], self.text[~first] - cut, self.request[~first]),
            Frontier(self.prompt[:cut], self.tokens[:cut], self.text[first], self.request[first]),
        ]

    def grow(self, drawn: IntArray, alive: NDArray[np.bool_]) -> tuple[IntArray, "Frontier"]:
        """Append one token to the text of each unfinished request.

        Parameters
        ----------
        drawn
            The token of each request, shape (R,).
        alive
            Whether the request continues, shape (R,).

        Returns
        -------
        tuple
            The index of the text that each new text continues, and the frontier of the new texts.
        """
        pairs = np.stack([self.text[alive], drawn[alive]], axis=1)
        grown, text = np.unique(pairs, axis=0, return_inverse=True)
        parents = grown[:, 0]
        tokens = np.concatenate([self.tokens[parents], grown[:, 1:]], axis=1)
        return parents, Frontier(self.prompt[parents], tokens, text.reshape(-1), self.request[alive])


def sample_tokens(
    model: Any,
    prompts: Sequence[Tokens],
    draws: Sequence[Draw],
    stops: frozenset[int],
    batch_tokens: int,
    can: Abilities = ABLE,
) -> list[tuple[list[int], bool]]:
    """Sample one reply per element of `draws`.

    Parameters
    ----------
    model
        A causal language model of transformers.
    prompts
        Tokens of each prompt.
    draws, stops
        The replies to sample, at least one; and tokens that end them.
    batch_tokens
        Maximum number of tokens that the model processes at once. A frontier of more, with keys and values of more than
        `CACHE`, is halved; so is one for which the memory is too small.
    can
        What the model can do.

    Returns
    -------
    list
        For each reply its tokens without the stop token, and whether it ended with one.
    """
    limits = np.array([draw.max_tokens for draw in draws])
    temperatures = np.array([draw.temperature for draw in draws], dtype=np.float64)
    uniforms = _uniforms(draws)  # (R, T)
    written = np.full(uniforms.shape, -1)  # (R, T); -1 after the end
    waiting = [_start(prompts, draws)]
    while waiting:
        front = waiting.pop()
        if _too_large(front, prompts, batch_tokens):
            waiting += front.halves()
            continue
        try:
            logprobs, prefixes = _open(model, prompts, front, can)
            room = max(batch_tokens, CACHE // (prefixes.bytes_per_token or CACHE))
            while True:
                step = front.tokens.shape[1]
                drawn = _draw(logprobs, front.text, uniforms[front.request, step], temperatures[front.request])
                written[front.request, step] = drawn
                alive = (step + 1 < limits[front.request]) & ~np.isin(drawn, list(stops))
                if not alive.any():
                    break
                parents, front = front.grow(drawn, alive)
                if _too_large(front, prompts, room):
                    waiting.append(front)
                    break
                logprobs, prefixes = _advance(model, prefixes, parents, front)
        except torch.OutOfMemoryError:
            if len(front.prompt) == 1:
                raise
            waiting += front.halves()
    return [_cut(row, stops) for row in written.tolist()]


def _uniforms(draws: Sequence[Draw]) -> NDArray[np.float64]:
    """The random numbers of each reply, one per token; shape (R, T)."""
    uniforms = np.ones((len(draws), max(draw.max_tokens for draw in draws)))
    for row, draw in enumerate(draws):
        uniforms[row, : draw.max_tokens] = np.random.default_rng(draw.seed).random(draw.max_tokens)
    return uniforms


def _advance(model: Any, prefixes: Prefixes, parents: IntArray, front: Frontier) -> tuple[torch.Tensor, Prefixes]:
    """Process the last token of each text, which continues a text of `prefixes`. Log-probabilities: shape (N, V)."""
    scores, prefixes = continue_prefixes(model, prefixes, parents.tolist(), front.tokens[:, -1:].tolist(), last=True)
    return scores[:, -1], prefixes


def _start(prompts: Sequence[Tokens], draws: Sequence[Draw]) -> Frontier:
    """The frontier before the first token; texts in order of prompt length."""
    order = np.argsort([len(prompt) for prompt in prompts], kind="stable")
    place = np.empty(len(prompts), dtype=np.int64)
    place[order] = np.arange(len(prompts))
    text = place[[draw.prompt for draw in draws]]
    return Frontier(order, np.zeros((len(prompts), 0), dtype=np.int64), text, np.arange(len(draws)))


def _too_large(front: Frontier, prompts: Sequence[Tokens], batch_tokens: int) -> bool:
    longest = max(len(prompts[i]) for i in set(front.prompt.tolist()))
    rows, written = front.tokens.shape
    return bool(rows > 1 and rows * (longest + written + 1) > batch_tokens)


def _open(model: Any, prompts: Sequence[Tokens], front: Frontier, can: Abilities) -> tuple[torch.Tensor, Prefixes]:
    """Process each prompt once, then the tokens written so far. Log-probabilities have shape (N, V)."""
    if not front.tokens.shape[1]:
        return read_prompts(model, [prompts[i] for i in front.prompt], can)
    distinct, rows = np.unique(front.prompt, return_inverse=True)
    _, prefixes = read_prompts(model, [prompts[i] for i in distinct], can)
    scores, prefixes = continue_prefixes(model, prefixes, rows.tolist(), front.tokens.tolist(), last=True)
    return scores[:, -1], prefixes


def _draw(
    logprobs: torch.Tensor, text: IntArray, uniforms: NDArray[np.float64], temperatures: NDArray[np.float64]
) -> IntArray:
    """One token per request, shape (R,), from log-probabilities (N, V) and the text of each request, shape (R,)."""
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
    """The first token at which row `text` of the cumulative distributions `reached` (N, V) exceeds `uniforms` (R,)."""
    count = np.bincount(text, minlength=len(reached))
    order = np.argsort(text, kind="stable")
    place = np.empty_like(text)
    place[order] = (
        np.arange(len(text)) - (count.cumsum() - count)[text[order]]
    )  # position among the requests of its text
    table = np.zeros((len(reached), count.max()))
    table[text, place] = uniforms
    wanted = torch.as_tensor(table, device=reached.device) * reached[:, -1:]  # the last value is 1 up to rounding
    found = torch.searchsorted(reached, wanted, right=True).clamp(max=reached.shape[1] - 1)
    return np.asarray(found.cpu().numpy()[text, place])


def _cut(tokens: list[int], stops: frozenset[int]) -> tuple[list[int], bool]:
    kept = [token for token in tokens if token >= 0]
    return (kept[:-1], True) if kept[-1] in stops else (kept, False)
