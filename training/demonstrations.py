"""Demonstrations: questions as the student will be asked, with what the teacher does there."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.training.examples import Example
from dilemmas.training.packing.lessons import Tokens


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One question with what the teacher does there."""

    prompt: str
    """The question, as the student will be asked."""
    labels: tuple[str, ...]
    """Labels of the actions that are taught."""
    probabilities: tuple[float, ...]
    """Probability of each of these actions, in [0, 1]; they sum to 1."""
    reply: str = ""
    """What the teacher wrote, the label of its action first; empty if it wrote nothing."""
    prefill: str = ""
    """Beginning of the replies, with which the student will be asked too."""
    system: str = ""
    """Text of the system turn, with which the student will be asked too."""


def from_example(example: Example, prefill: str = "", system: str = "") -> Demonstration:
    """An answer of the teacher as a demonstration."""
    return Demonstration(example.prompt, (example.label,), (1.0,), example.completion, prefill, system)


class Speller:
    """Demonstrations as tokens of one model."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer`: one of transformers; `ModelError` if it cannot be used."""
        chat = ChatEncoder(tokenizer)
        self.stop: Tokens = () if chat.stop is None else (chat.stop,)
        """The token that ends a reply, if there is one."""
        self._asked = cache(lambda *words: tuple(chat.prompt(words[0], words[1], system=words[2])))
        self._said = cache(lambda *words: tuple(chat.reply(words[0], words[3], words[1], system=words[2])))

    def asked(self, shown: Demonstration) -> Tokens:
        """The question, up to where the student goes on."""
        return self._asked(shown.prompt, shown.prefill, shown.system)

    def said(self, shown: Demonstration, text: str) -> Tokens:
        """A reply to the question, without the token that ends it."""
        return self._said(shown.prompt, shown.prefill, shown.system, text)
