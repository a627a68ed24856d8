"""What a language model would see: a prompt as its chat template or its server gets it, and what it makes of it."""

import warnings
from dataclasses import dataclass

from dilemmas.agents.models.answers import exact_distributions
from dilemmas.agents.models.backend import ModelError, Request
from dilemmas.agents.models.open_model import LazyModel
from dilemmas.agents.models.servers.server import ServerBackend


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message of those that are sent to a server."""

    role: str
    """``system``, ``user``, or ``assistant`` for the beginning of the reply."""
    content: str
    """Its text, in which control tokens are broken."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt as a language model sees it."""

    rendered: str = ""
    """The prompt up to where the model continues, in its chat template or as plain text; empty for a server with a chat
    endpoint, whose template is not known here."""
    messages: tuple[SentMessage, ...] = ()
    """What is sent to a server with a chat endpoint."""
    tokens: int = 0
    """Number of tokens of all that; 0 if a server does not report it."""
    label_tokens: tuple[tuple[str, ...], ...] = ()
    """Tokens with which the model would write each label, at least one each; empty for a server."""
    probabilities: tuple[float, ...] = ()
    """Probability of each label, given that the reply starts with one of them; empty if they are not known."""
    mass: float = 0.0
    """Probability, in [0, 1], that the reply starts with one of the labels."""
    margin: float = 0.0
    """How far the probabilities may be from the model's own; 0 if they are exact."""


def preview(
    model: LazyModel | ServerBackend, prompt: str, labels: tuple[str, ...], begun: str = "", system: str = ""
) -> Preview:
    """How a model sees a prompt.

    Parameters
    ----------
    model
        The model.
    prompt
        The prompt.
    labels
        The labels in it whose probabilities are asked for; none for a question about an amount.
    begun
        Beginning of the reply, written for the model.
    system
        Text of the system turn.

    Raises
    ------
    ModelError
        If the model refuses the prompt or the labels; where a server cannot tell the probabilities, a warning says why.
    """
    asked = Request(prompt, labels, prefill=begun, system=system)
    model.check_requests([asked])
    return _served(model, asked) if isinstance(model, ServerBackend) else _local(model, asked)


def _local(model: LazyModel, asked: Request) -> Preview:
    chat = model.loaded().chat
    tokenizer, begun = chat.tokenizer, asked.prefill
    ids = chat.prompt(asked.prompt, begun, system=asked.system)
    replies = [chat.reply(asked.prompt, label, begun, system=asked.system) for label in asked.labels]
    written = tuple(tuple(tokenizer.convert_ids_to_tokens(reply)) for reply in replies)
    return Preview(tokenizer.decode(ids), (), len(ids), written, *_probabilities(model, asked))


def _served(model: ServerBackend, asked: Request) -> Preview:
    question = model.question(asked)
    messages = tuple(SentMessage(one["role"], one["content"]) for one in question.get("messages", ()))
    tokens = model.count_tokens(asked)
    try:
        found = _probabilities(model, asked)
    except ModelError as error:
        warnings.warn(str(error), stacklevel=3)
        found = (), 0.0, 0.0
    return Preview(question.get("prompt", ""), messages, tokens, (), *found)


def _probabilities(model: LazyModel | ServerBackend, asked: Request) -> tuple[tuple[float, ...], float, float]:
    """Probability of each label, mass and margin."""
    if not asked.labels:
        return (), 0.0, 0.0
    (found,) = exact_distributions(model, [(asked.prompt, asked.labels)], asked.prefill, asked.system)
    return found.probabilities, found.mass, found.margin
