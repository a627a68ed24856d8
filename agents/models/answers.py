"""Answers of a language model to prompts outside of matches: exact probabilities of labels, and sampled replies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dilemmas.agents.models.backend import Backend, ModelError, Request, Response
from dilemmas.agents.models.replies import read_action, read_motivation


@dataclass(frozen=True, slots=True)
class Distribution:
    """The model's own probabilities of the labels in a prompt."""

    probabilities: tuple[float, ...]
    """Probability of each label, given that the reply starts with one of them."""
    mass: float
    """Probability that the reply starts with one of the labels, from 0 to 1. If it is small, most replies are
    something else."""
    whole_mass: float | None = None
    """Probability that it starts with one of them as a whole word, so "C." but not "Certainly"; from 0 to 1, at most
    `mass`. None if it is not known."""


MIN_MASS = 0.01
"""Label mass below which probabilities of labels are refused by default: hardly any reply begins with a label."""

Question = tuple[str, tuple[str, ...]]
"""A prompt and its labels."""


def exact_distributions(backend: Backend, prompts: Sequence[Question], prefill: str = "") -> list[Distribution]:
    """The model's own probabilities of labels, without sampling error.

    Parameters
    ----------
    backend
        The model.
    prompts
        Pairs of a prompt and its labels; equal pairs are computed once.
    prefill
        Beginning of the reply, which the labels continue.

    Returns
    -------
    list
        One distribution per pair, in order.

    Raises
    ------
    ModelError
        If the model refuses a prompt, or a log-probability is not finite because the model overflows.
    """
    return [read_distribution(response) for response in ask_labels(backend, prompts, prefill)]


def ask_labels(backend: Backend, prompts: Sequence[Question], prefill: str = "") -> list[Response]:
    """The response to each pair of a prompt and its labels, in order; equal pairs are asked once.

    `prefill` is the beginning of the reply, which the labels continue.
    """
    asked = list(dict.fromkeys(prompts))
    responses = backend.respond([Request(prompt, labels, prefill=prefill) for prompt, labels in asked])
    found = dict(zip(asked, responses, strict=True))
    return [found[key] for key in prompts]


def read_distribution(response: Response) -> Distribution:
    """The probabilities of the labels in a response; the errors are those of `exact_distributions`."""
    _check_answered(response)
    highest = max(response.logprobs)
    if not math.isfinite(highest):
        raise ModelError(f"log-probabilities {response.logprobs}: the model overflows; use another dtype")
    weights = [math.exp(value - highest) for value in response.logprobs]
    total = math.fsum(weights)
    shares = tuple(weight / total for weight in weights)
    return Distribution(shares, _mass(response.logprobs), _mass(response.whole) if response.whole else None)


def _mass(logprobs: Sequence[float]) -> float:
    """Sum of the probabilities of disjoint events, which rounding may put above 1."""
    return min(1.0, math.fsum(map(math.exp, logprobs)))


def check_mass(name: str, labels: Sequence[str], mass: float, least: float) -> None:
    """`ModelError` if too small a share of a model's replies begins with one of the labels.

    Parameters
    ----------
    name
        Name of the model.
    labels
        The labels.
    mass
        Probability that a reply begins with one of them, in [0, 1].
    least
        Smallest mass that is accepted, in [0, 1].
    """
    if mass < least:
        raise ModelError(
            f"model '{name}': only a share of {mass:.2g} of its replies begins with one of the labels"
            f" {', '.join(labels)}, so their probabilities say nothing about what it would write; use a template that"
            " states the format of the answer, or accept it with --min-mass (min_mass in a recipe and in Python)"
        )


def _check_answered(response: Response) -> None:
    if response.refused:
        raise ModelError(response.refused)


@dataclass(frozen=True, slots=True)
class Reply:
    """A sampled reply and the action read from it."""

    text: str
    action: int | None
    """Index of the label; None if the reply does not clearly choose one."""
    motivation: str
    """The text of the reply besides the label; empty if the reply is unreadable."""


def read_reply(text: str, labels: Sequence[str]) -> Reply:
    """Read the action and the motivation from a reply."""
    action = read_action(text, labels)
    return Reply(text, action, "" if action is None else read_motivation(text, labels[action]))


def sample_replies(
    backend: Backend,
    asked: Sequence[tuple[str, Sequence[str], tuple[int, ...]]],
    max_tokens: int = 64,
    temperature: float = 1.0,
    prefill: str = "",
) -> list[Reply]:
    """Sample one reply to each prompt, all in one batch.

    Parameters
    ----------
    backend
        The model.
    asked
        Prompt, labels and seed; a reply depends on these alone.
    max_tokens
        Maximum length of a reply in tokens.
    temperature
        Temperature of sampling, 0 or more.
    prefill
        Beginning of the replies; the texts are what follows.

    Raises
    ------
    ModelError
        If the model refuses a prompt.
    """
    responses = backend.respond(
        [Request(prompt, (), max_tokens, temperature, seed, prefill) for prompt, _, seed in asked]
    )
    for response in responses:
        _check_answered(response)
    return [read_reply(response.text, labels) for response, (_, labels, _) in zip(responses, asked, strict=True)]
