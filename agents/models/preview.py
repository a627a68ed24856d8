"""What a language model would see: a prompt as its chat template or its server gets it, and what it makes of it."""

import warnings
from dataclasses import dataclass

from dilemmas.agents.models.answers import read_distribution
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
    engine: str = ""
    """What computes the probabilities, with the number format if it is known."""


def preview(model: LazyModel | ServerBackend, asked: Request) -> Preview:
    """How a model sees what it is asked.

    Parameters
    ----------
    model
        The model.
    asked
        The prompt, with the labels whose probabilities are asked for; without labels, nothing is computed or sampled.

    Raises
    ------
    ModelError
        If the model refuses the prompt, with the room that its reply needs, or the labels; where a server cannot tell
        the probabilities, a warning says why.
    """
    model.check_requests([asked])
    return _served(model, asked) if isinstance(model, ServerBackend) else _local(model, asked)


def _local(model: LazyModel, asked: Request) -> Preview:
    loaded = model.loaded()
    tokenizer, tokens = loaded.chat.tokenizer, loaded.prompt_tokens(asked)
    replies = loaded.candidates(asked, tokens).replies if asked.labels else ()
    written = tuple(tuple(tokenizer.convert_ids_to_tokens(reply)) for reply in replies)
    rendered = tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
    return Preview(rendered, (), len(tokens), written, *_probabilities(model, asked), model.engine)


def _served(model: ServerBackend, asked: Request) -> Preview:
    question = model.question(asked)
    messages = tuple(SentMessage(one["role"], one["content"]) for one in question.get("messages", ()))
    tokens = model.count_tokens(asked)
    try:
        found = _probabilities(model, asked)
    except ModelError as error:
        warnings.warn(str(error), stacklevel=3)
        found = (), 0.0, 0.0
    return Preview(question.get("prompt", ""), messages, tokens, (), *found, model.engine)


def _probabilities(model: LazyModel | ServerBackend, asked: Request) -> tuple[tuple[float, ...], float, float]:
    """Probability of each label, mass and margin."""
    if not asked.labels:
        return (), 0.0, 0.0
    found = read_distribution(model.respond([asked])[0])
    return found.probabilities, found.mass, found.margin
