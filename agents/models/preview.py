"""What a language model would see: a prompt in its chat template, the tokens of the labels, their probabilities."""

from dataclasses import dataclass

from dilemmas.agents.models.answers import exact_distributions
from dilemmas.agents.models.open_model import LazyModel


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt as a language model on this machine sees it."""

    rendered: str
    """The prompt in the chat template of the model, up to where the model continues."""
    tokens: int
    """Number of tokens of that text."""
    label_tokens: tuple[tuple[str, ...], ...]
    """Tokens with which the model would write each label, at least one each."""
    probabilities: tuple[float, ...]
    """Probability of each label, given that the reply starts with one of them."""
    mass: float
    """Probability, in [0, 1], that the reply starts with one of the labels."""


def preview(model: LazyModel, prompt: str, labels: tuple[str, ...], begun: str = "", system: str = "") -> Preview:
    """How a model sees a prompt.

    Parameters
    ----------
    model
        The model.
    prompt
        The prompt.
    labels
        The labels in it; none for a question about an amount.
    begun
        Beginning of the reply, written for the model.
    system
        Text of the system turn.

    Raises
    ------
    ModelError
        If the model refuses the prompt or the labels.
    """
    chat = model.loaded().chat
    tokenizer = chat.tokenizer
    ids = chat.prompt(prompt, begun, system=system)
    replies = [chat.reply(prompt, label, begun, system=system) for label in labels]
    written = tuple(tuple(tokenizer.convert_ids_to_tokens(reply)) for reply in replies)
    found = exact_distributions(model, [(prompt, labels)], begun, system)[0] if labels else None
    return Preview(
        tokenizer.decode(ids), len(ids), written, found.probabilities if found else (), found.mass if found else 0.0
    )
