"""A person as a player: asked at the terminal in the words in which a language model is asked.

play = [Person(context("friends"), load_template("study")), strategy("tit_for_tat")]
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from dilemmas.agents.agent import PERSON, Decision, PlayerRecord, Traits, Turn, View
from dilemmas.agents.models.backend import FakeBackend, Request, Response, before_prompt
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.visible_text import visible
from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.templates import Template

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""In place of what is no text."""
TRIES = 1_000_000
"""Number of further replies after an unreadable one that a record allows; a person is asked until one is readable."""


class PersonError(InputError):
    """What a person cannot be asked for."""


def show_text(text: str) -> None:
    """Print a text on stderr; no character of it acts on the terminal."""
    print(visible(text), file=sys.stderr, flush=True)


def read_line() -> str:
    """A line of stdin, edited as in a shell; the end of stdin, as by Ctrl-D, is an interrupt as by Ctrl-C."""
    with suppress(ImportError):  # not on Windows
        import readline  # noqa: F401  (gives `input` the keys for editing)
    try:
        line = input()
    except EOFError:
        show_text("The input has ended.")
        raise KeyboardInterrupt from None
    except UnicodeDecodeError:
        return UNKNOWN
    return line.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True, slots=True)
class Person:
    """A person who reads the prompts of a language model and writes the replies, one line each."""

    context: Context
    """The social context in which the game is described."""
    template: Template
    """The sentences of the prompt. Labels and their order are those of the template, so that they keep their meaning
    from round to round."""
    name: str = PERSON
    """Of the person, told at every question."""
    show: Callable[[str], None] = field(default=show_text, repr=False)
    """Shows a text to the person."""
    read: Callable[[], str] = field(default=read_line, repr=False)
    """Returns the line that the person writes."""

    def __post_init__(self) -> None:
        if self.template.decision.way not in ("answer", "motivate"):
            raise PersonError(
                f"template '{self.template.name}' asks for more than an answer before a decision, which a person is not"
                " asked; use another template"
            )

    @property
    def traits(self) -> Traits:
        """No requirements: a person may play any number of rounds."""
        return Traits()

    def describe(self) -> PlayerRecord:
        """The context and the template, as for a language model."""
        return replace(self._model.describe(), kind=PERSON)

    def check(self, views: Iterable[View]) -> None:
        """As `LanguageModelAgent.check`: whether the person can be asked what to do in these views."""
        self._model.check(views)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn, in order; the person is asked again until the reply can be read."""
        return [self._decide(turn) for turn in turns]

    def policy(self, turns: Sequence[Turn]) -> list[Decision]:
        """`PersonError`: nobody knows the probabilities of a person."""
        raise PersonError(f"'{self.name}' is a person, who has no known probabilities; let them play matches")

    @property
    def _model(self) -> LanguageModelAgent:
        backend = FakeBackend(
            self._answer, self.name, self.name, PERSON, scores=False, continues=False, system_turn=False
        )
        return LanguageModelAgent(backend, self.context, self.template, "sampled", "fixed", retries=TRIES)

    def _decide(self, turn: Turn) -> Decision:
        once, view = replace(self._model, retries=0), turn.info.get("view")
        if isinstance(view, View):
            begins = "A new match. " if view.round == 0 else ""
            self.show(f"\n{begins}{self.name} as {turn.agent}, round {view.round + 1}")
        (decision,), attempts = once.decide([turn]), 1
        while decision.action is None and not decision.error:
            self.show("This cannot be read as a decision; please write it in other words.")
            (decision,), attempts = once.decide([turn]), attempts + 1
        return replace(decision, attempts=attempts)

    def _answer(self, request: Request) -> Response:
        self.show(before_prompt(request.system, request.prompt))
        return Response(text=self.read().strip())
