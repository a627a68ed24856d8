"""Answers of a language model to prompts outside of matches: exact probabilities of labels, and sampled replies."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    margin: float = 0.0
    """How far the probabilities may be from the model's own; 0 if they are exact."""


MOST_MARGIN = 0.1
"""Largest margin of probabilities that are used."""
MIN_MASS = 0.01
"""Label mass below which probabilities of labels are refused by default: hardly any reply begins with a label."""

Question = tuple[str, tuple[str, ...]]
"""A prompt and its labels."""


def exact_distributions(
    backend: Backend, prompts: Sequence[Question], prefill: str = "", system: str = ""
) -> list[Distribution]:
    """The model's own probabilities of labels, without sampling error.

    Parameters
    ----------
    backend
        The model.
    prompts
        Pairs of a prompt and its labels; equal pairs are computed once.
    prefill
        Beginning of the reply, which the labels continue.
    system
        Text of the system turn.

    Returns
    -------
    list
        One distribution per pair, in order.

    Raises
    ------
    ModelError
        If the model refuses a prompt, a log-probability is not finite because the model overflows, or a server does not
        answer or tells too little about the probabilities.
    """
    return [read_distribution(response) for response in ask_labels(backend, prompts, prefill, system)]


def ask_labels(backend: Backend, prompts: Sequence[Question], prefill: str = "", system: str = "") -> list[Response]:
    """The response to each pair of a prompt and its labels, in order; equal pairs are asked once.

    `prefill` is the beginning of the reply, which the labels continue, and `system` the text of the system turn.
    """
    asked = list(dict.fromkeys(prompts))
    responses = backend.respond([Request(prompt, labels, prefill=prefill, system=system) for prompt, labels in asked])
    found = dict(zip(asked, responses, strict=True))
    return [found[key] for key in prompts]


class UnknownProbabilitiesError(ModelError):
    """Probabilities of labels of which a server tells too little."""

    def __init__(self, cause: str, shares: Sequence[float] = ()) -> None:
        """`shares`: the probabilities of the labels within the margin of the response; empty if nothing is known."""
        super().__init__(cause)
        self.shares = tuple(shares)


def read_distribution(response: Response) -> Distribution:
    """The probabilities of the labels in a response; the errors are those of `exact_distributions`.

    `UnknownProbabilitiesError` if a server tells too little about the probabilities.
    """
    _check_answered(response)
    highest = max(response.logprobs)
    if highest == -math.inf and response.margin:
        raise UnknownProbabilitiesError(
            "the server lists none of the labels, so nothing is known of their probabilities"
        )
    if not math.isfinite(highest):
        raise ModelError(f"log-probabilities {response.logprobs}: the model overflows; use another dtype")
    weights = [math.exp(value - highest) for value in response.logprobs]
    shares = tuple(weight / math.fsum(weights) for weight in weights)
    if response.margin > MOST_MARGIN:
        raise UnknownProbabilitiesError(
            f"probabilities of the labels are only known within {response.margin:.2g}, because the server lists too few"
            f" log-probabilities; at most {MOST_MARGIN} is accepted: use other labels, or let the model play matches"
            " with sampled replies (--server scores=false)",
            shares,
        )
    whole = _mass(response.whole) if response.whole else None
    return Distribution(shares, _mass(response.logprobs), whole, response.margin)


def _mass(logprobs: Sequence[float]) -> float:
    """Sum of the probabilities of disjoint events, which rounding may put above 1."""
    return min(1.0, math.fsum(map(math.exp, logprobs)))


NUMBER = re.compile(r"(?<![\w.])[-\u2212]?\d+(?:[.,]\d+)*(?!\w)")
"""A number in a question."""
NOTHING = "N/A"
"""What stands for a number in a question without content (Zhao et al. 2021)."""


def content_free(prompt: str, labels: Sequence[str]) -> str:
    """A question without its payoffs: every number that is not a label is replaced by ``N/A``."""
    return NUMBER.sub(lambda found: found[0] if found[0] in labels else NOTHING, prompt)


def calibrated(found: Distribution, prior: Distribution) -> Distribution:
    """Probabilities divided by those of the same question without content, and scaled to sum to 1.

    Contextual calibration (Zhao, Wallace, Feng, Klein & Singh 2021, "Calibrate before use", ICML): what a model
    prefers whatever the payoffs are is taken out. Where `prior` is even, nothing changes.
    """
    least = min(prior.probabilities)
    if least <= 0:
        raise ModelError("a label has probability 0 in the question without content; it cannot be calibrated by it")
    weights = [p / q for p, q in zip(found.probabilities, prior.probabilities, strict=True)]
    shares = tuple(weight / math.fsum(weights) for weight in weights)
    return replace(found, probabilities=shares, margin=min(1.0, (found.margin + prior.margin) / least))


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
        share = next(text for digits in range(2, 18) if float(text := f"{mass:.{digits}g}") < least)
        raise ModelError(
            f"model '{name}': a share of {share} of its replies begins with one of the labels {', '.join(labels)}, less"
            f" than the {least:g} that is required; with little of it, the probabilities of labels say nothing about"
            " what a model would write; use a template that states the format of the answer, or accept it with a"
            " smaller --min-mass (min_mass in a recipe and in Python)"
        )


def _check_answered(response: Response) -> None:
    if not response.answered:
        raise ModelError(response.refused or response.failed)


@dataclass(frozen=True, slots=True)
class Reply:
    """A sampled reply and the action read from it."""

    text: str
    action: int | None
    """Index of the label; None if the reply does not clearly choose one."""
    motivation: str
    """The text of the reply besides the label; empty if the reply is unreadable."""
    thoughts: str = ""
    """What the model thought before the reply, if it is known."""


def read_reply(text: str, labels: Sequence[str]) -> Reply:
    """Read the action and the motivation from a reply."""
    action = read_action(text, labels)
    return Reply(text, action, "" if action is None else read_motivation(text, labels[action]))


class UnansweredError(ModelError):
    """Prompts that got no answer, because the model refuses them or a server does not answer."""

    def __init__(self, cause: str, replies: Sequence[Reply]) -> None:
        """`replies`: those to the prompts before the first one without an answer, which need not be asked again."""
        super().__init__(cause)
        self.replies = tuple(replies)


def sample_replies(
    backend: Backend,
    asked: Sequence[tuple[str, Sequence[str], tuple[int, ...]]],
    max_tokens: int = 64,
    temperature: float = 1.0,
    prefill: str = "",
    system: str = "",
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
    system
        Text of the system turn.

    Raises
    ------
    UnansweredError
        If the model refuses a prompt, or a server does not answer; it has the replies before.
    """
    responses = backend.respond(
        [Request(prompt, (), max_tokens, temperature, seed, prefill, system=system) for prompt, _, seed in asked]
    )
    replies: list[Reply] = []
    for response, (_, labels, _) in zip(responses, asked, strict=True):
        if not response.answered:
            raise UnansweredError(response.refused or response.failed, replies)
        replies.append(replace(read_reply(response.text, labels), thoughts=response.thoughts))
    return replies
