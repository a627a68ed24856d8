"""The interface to language models; everything above it is tested with `FakeBackend`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Protocol

from dilemmas.envs.errors import InputError

ScoreKey = tuple[str, tuple[str, ...], str, str, str]
"""A prompt, the labels, the beginning of the reply, the thoughts before it, and the text of the system turn."""


class ModelError(InputError):
    """A model that cannot be used; the message names the model, the reason and the remedy."""


def nested_labels(labels: Sequence[Sequence[Any]]) -> tuple[int, int] | None:
    """Indices of a label, as text or tokens, and of one that begins with it; None if no label begins another."""
    pairs = permutations(range(len(labels)), 2)
    return next((pair for pair in pairs if labels[pair[1]][: len(labels[pair[0]])] == labels[pair[0]]), None)


def before_prompt(system: str, prompt: str) -> str:
    """A prompt with the text of the system turn before it, for models whose chat template has no system turn."""
    return f"{system}\n{prompt}" if system else prompt


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt for a model."""

    prompt: str
    """The user's message; the backend applies the model's chat template, if there is one."""
    labels: tuple[str, ...] = ()
    """Answers whose exact log-probabilities are requested; may be empty."""
    max_tokens: int = 0
    """Maximum length of the text to sample, in tokens; 0 to sample none."""
    temperature: float = 1.0
    """Temperature of the sampled text, 0 or more; 0 takes the most probable token."""
    seed: tuple[int, ...] = (0,)
    """Seed of the sampled text: the same request with the same seed gives the same text in any batch."""
    prefill: str = ""
    """Beginning of the reply, which the model continues: labels and sampled text are what follows. A space separates
    them, unless it ends with one, or with an opening bracket or quotation mark."""

    thought: str = ""
    """What the model has thought before the reply: it is written where its chat template has thoughts, or else at the
    beginning of the reply."""
    thinks: bool = False
    """Whether the text to sample is a thought. A model whose chat template has a place for thoughts writes it there, up
    to their end; others write a reply."""
    system: str = ""
    """Text of the system turn; a model whose chat template has none reads it before the prompt."""

    @property
    def key(self) -> ScoreKey:
        """What the probabilities of the labels depend on."""
        return self.prompt, self.labels, self.prefill, self.thought, self.system

    @property
    def begun(self) -> str:
        """The beginning of the reply where thoughts have no place of their own."""
        return f"{self.thought}\n\n{self.prefill}" if self.thought else self.prefill


@dataclass(frozen=True, slots=True)
class Response:
    """What a model returned for one request."""

    logprobs: tuple[float, ...] = ()
    """Log-probability, in nats, that the reply starts with each label, in the order of the request. Where one label is
    the beginning of another ("1" and "10"), as `whole` on this machine; behind a server, that of a text which does not
    go on to the longer label."""
    text: str = ""
    """The sampled reply, without the stop token and surrounding whitespace."""
    stopped: bool = True
    """Whether the reply ended with a stop token rather than at `max_tokens`."""
    refused: str = ""
    """Why the model could not be asked, such as a prompt that is too long for it; empty if it was asked."""
    whole: tuple[float, ...] = ()
    """Log-probability, in nats, that the reply starts with each label and that the word ends there: a stop token, a
    space or a mark follows, not a letter or digit. Empty if it is not known."""
    failed: str = ""
    """The fault because of which there is no answer, such as a server that was not reached; empty if there is one."""
    margin: float = 0.0
    """How far the probability of a label, given that the reply starts with one of them, may be from the model's own; 0
    if it is exact. Servers list the most probable tokens only, and some answer otherwise when they are asked again."""

    thoughts: str = ""
    """What the model thought before the reply, if it was told: no part of `text`."""

    @property
    def answered(self) -> bool:
        """Whether the model answered."""
        return not (self.refused or self.failed)


class Backend(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """Name of the model in tables and records."""
        ...

    @property
    def fingerprint(self) -> str:
        """Identifies the weights: hub id with revision, or the SHA-256 of the files."""
        ...

    @property
    def engine(self) -> str:
        """What computes the probabilities, which each engine rounds in its own way, with the data type if known."""
        ...

    @property
    def size(self) -> int:
        """Size of the weights in bytes; 0 if they are not on this machine."""
        ...

    @property
    def portion(self) -> int:
        """Number of questions that it is asked at a time where answers are kept, so that their last digits do not
        depend on how long they took; 0 for as many as it answers in seconds."""
        ...

    @property
    def miniature(self) -> bool:
        """Whether it is a built-in miniature, which knows only the template's own presentation of a game."""
        ...

    @property
    def scores(self) -> bool:
        """Whether it gives the probabilities of labels."""
        ...

    @property
    def continues(self) -> bool:
        """Whether it gives the probabilities of labels after a begun reply."""
        ...

    @property
    def system_turn(self) -> bool:
        """Whether its chat template has a system turn; without one, the text is put before the prompt."""
        ...

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        """One response per request, in order."""
        ...

    def check_requests(self, requests: Sequence[Request]) -> None:
        """`ModelError` for a request that the model cannot answer, as far as is known without an answer: the prompt is
        too long for it, or labels cannot be told apart."""
        ...

    def unload(self) -> None:
        """Free the memory of the weights; they are loaded again at the next request."""
        ...


@dataclass(frozen=True, slots=True)
class FakeBackend:
    """A model whose responses are computed by a function, for tests and examples."""

    answer: Callable[[Request], Response]
    name: str = "fake"
    fingerprint: str = "fake"
    engine: str = "fake"
    size: int = 0
    portion: int = 0
    miniature: bool = False
    scores: bool = True
    continues: bool = True
    system_turn: bool = True

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        return [self.answer(request) for request in requests]

    def check_requests(self, requests: Sequence[Request]) -> None:
        """Does nothing."""

    def unload(self) -> None:
        """Does nothing."""
