"""A language model as a player.

There are two ways to decide. *Exact*: the action is drawn from the model's own probabilities of the action
labels, renormalised over the labels; only the action is sampled, and no reply can be unreadable. *Sampled*: the model
writes a reply and the action is read from it; the policy for unreadable replies is a setting, and its use is recorded.

The labels of the actions and the order in which a prompt names them are counterbalanced, unless the model is a
miniature: a decision has one presentation, drawn from its own seed, and a policy is the mean over all of them.

In games whose rounds have several phases, the model is asked once per phase: what to say, what to choose, whom to
punish or reward. If replies are sampled and words are allowed, it writes a message, which is passed on unchanged.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from statistics import fmean
from typing import Any, Literal, get_args

import numpy as np

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, Unreadable, draw
from dilemmas.agents.models.answers import (
    MIN_MASS,
    Distribution,
    ask_labels,
    check_mass,
    exact_distributions,
    read_distribution,
    read_reply,
)
from dilemmas.agents.models.backend import Backend, ModelError, Request, Response
from dilemmas.agents.models.replies import read_amount
from dilemmas.envs.checks import check_number
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import Presentation, Showing, counterbalanced
from dilemmas.envs.prompts.prompts import match_prompt, presentations_now
from dilemmas.envs.prompts.templates import Template, variants
from dilemmas.envs.rules.choices import options_now, words_allowed
from dilemmas.envs.rules.protocol import View

Ask = Literal["exact", "sampled"]


class LanguageModelError(InputError):
    """A language model that cannot play with the given settings; the message names the model and the remedy."""


@dataclass(frozen=True, slots=True)
class LanguageModelAgent:
    """A language model that plays in a social context."""

    backend: Backend
    """The model."""
    context: Context
    """The social context in which the game is described."""
    template: Template
    """The sentences of the prompt."""
    ask: Ask = "exact"
    """``exact``: draw from the probabilities of the labels; ``sampled``: read a reply."""
    motivation: bool = False
    """Whether the prompt also asks for a reason."""
    presentation: Showing = "auto"
    """``counterbalanced``: the labels of the actions and their order are drawn at random for every decision; ``fixed``:
    those of the template; ``auto``: fixed for miniatures only. Where players talk in words, the labels are those of
    the template, because a label in a message must keep its meaning, and only the order is drawn."""
    min_mass: float = MIN_MASS
    """Smallest label mass, in [0, 1], with which exact probabilities are accepted: below it, hardly any reply begins
    with a label, and `ModelError` is raised."""
    temperature: float = 1.0
    """Temperature of sampled replies, 0 or more; exact probabilities are those at 1."""
    max_tokens: int = 64
    """Maximum length of a sampled reply in tokens, at least 1."""
    retries: int = 0
    """Maximum number of further replies after an unreadable one, 0 or more."""
    unreadable: Unreadable = Unreadable.ABORT
    """Policy if all of them are unreadable, or if messages of others make a prompt too long for the model."""
    default_action: int | None = None
    """The action or amount played then, if `unreadable` is ``default``; in phases of talk or sanctions the default is
    to do nothing."""

    def __post_init__(self) -> None:
        lookup("way to ask", self.ask, {way: way for way in get_args(Ask)}, self.name)
        lookup("presentation", self.presentation, {way: way for way in get_args(Showing)}, self.name)
        lookup("policy", self.unreadable, {policy.value: policy for policy in Unreadable}, self.name)
        check_number(f"{self.name}: min_mass", self.min_mass, 0, 1, error=LanguageModelError)
        check_number(f"{self.name}: temperature", self.temperature, 0, error=LanguageModelError)
        check_number(f"{self.name}: max_tokens", self.max_tokens, 1, error=LanguageModelError)
        check_number(f"{self.name}: retries", self.retries, 0, error=LanguageModelError)
        if (self.unreadable == Unreadable.DEFAULT) != (self.default_action is not None):
            raise LanguageModelError(
                f"{self.name}: unreadable = '{self.unreadable}', default_action = {self.default_action};"
                " give a default action if and only if unreadable is 'default'"
            )

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def counterbalanced(self) -> bool:
        """Whether the presentation of the actions is drawn for every decision."""
        return counterbalanced(self.presentation, self.backend.miniature)

    @property
    def traits(self) -> Traits:
        """No requirements: it accepts any number of rounds."""
        return Traits()

    def describe(self) -> PlayerRecord:
        """The fingerprint of the model, the context and the settings, as JSON values."""
        settings = {
            "ask": self.ask,
            "motivation": self.motivation,
            "presentation": "counterbalanced" if self.counterbalanced else "fixed",
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "retries": self.retries,
            "unreadable": str(self.unreadable),
            "default_action": self.default_action,
        }
        model = {"model": self.backend.name, "fingerprint": self.backend.fingerprint}
        framing = {"context": asdict(self.context), "template": _signature(self.template)}
        return PlayerRecord(name=self.name, kind="language_model", parameters=model | framing | settings)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn, in order.

        Raises
        ------
        LanguageModelError
            If an environment gives no view of the game, or the turn cannot be asked about with these settings.
        """
        posed = [one for turn in turns for one in self._pose(turn)]
        return self._exact(posed) if self.ask == "exact" else self._sampled(posed)

    def policy(self, turns: Sequence[Turn]) -> list[Decision]:
        """Like `decide`, but counterbalanced: the probabilities are the mean over all presentations.

        The mean is exactly the probability with which `decide` takes each action. No prompt is recorded then, because
        there are several.
        """
        if self.ask == "sampled" or not (self.counterbalanced or len(variants(self.template)) > 1):
            return self.decide(turns)
        posed = [self._pose(turn, all_ways=True) for turn in turns]
        found = iter(self._weigh([one for ways in posed for one in ways]))
        return [self._averaged(ways[0], [next(found) for _ in ways]) for ways in posed]

    def _averaged(self, first: "_Posed", found: Sequence[Distribution]) -> Decision:
        """One decision from the distributions of all presentations, of which one is given."""
        probabilities = tuple(map(fmean, zip(*(one.probabilities for one in found), strict=True)))
        mass = fmean(one.mass for one in found)
        check_mass(self.name, first.labels, mass, self.min_mass)
        return Decision(
            action=draw(probabilities, first.turn.rng),
            probabilities=probabilities,
            source=Source.WITHIN if any(one.margin for one in found) else Source.EXACT,
            mass=mass,
            margin=max(one.margin for one in found) or None,
            template=_signature(self.template),
        )

    def _pose(self, turn: Turn, all_ways: bool = False) -> list["_Posed"]:
        """The question put to the model: in one presentation of the actions, with one persona, or in all."""
        view = turn.info.get("view")
        if not isinstance(view, View):
            raise LanguageModelError(
                f"model '{self.name}' needs info['view'], which environments of dilemmas have with views=True;"
                f" {turn.agent} has none"
            )
        self._refuse(view)
        ways = list(product(variants(self.template), self._presentations(view)))
        if not all_ways:
            # from a child stream, so that the action is drawn from the same numbers however actions are presented
            ways = [ways[int(turn.rng.spawn(1)[0].integers(len(ways)))]]
        words = self.ask == "sampled"
        count = options_now(view)
        return [
            _Posed(
                turn,
                view,
                match_prompt(template, view, self.context, shown, motivation=self.motivation, words=words),
                shown.labels[:count],
            )
            for template, shown in ways
        ]

    def _presentations(self, view: View) -> list[Presentation]:
        """The presentations of which one is drawn for a decision."""
        first, *others = presentations_now(self.template, view)
        talk = None if view.rules is None else view.rules.talk
        labels = first.labels if talk is not None and talk.words else None
        return [first, *(way for way in others if labels in (None, way.labels))] if self.counterbalanced else [first]

    def _refuse(self, view: View) -> None:
        """Raise `LanguageModelError` for what cannot be asked with the settings of this agent."""
        if self.ask == "exact" and not options_now(view):
            raise LanguageModelError(
                f"model '{self.name}': amounts have no exact probabilities; set ask = 'sampled', or use contribution"
                " levels"
            )

    def _weigh(self, posed: Sequence["_Posed"]) -> list[Distribution]:
        questions = [(one.prompt, one.labels) for one in posed]
        return exact_distributions(self.backend, questions, self.template.reply_begins)

    def _exact(self, posed: Sequence["_Posed"]) -> list[Decision]:
        questions = [(one.prompt, one.labels) for one in posed]
        responses = ask_labels(self.backend, questions, self.template.reply_begins)
        return [self._drawn(one, response) for one, response in zip(posed, responses, strict=True)]

    def _drawn(self, one: "_Posed", response: Response) -> Decision:
        if response.failed:
            return self._lost(one, response.failed)
        if response.refused:
            return self._settle(self._not_asked(one, response.refused), one)
        distribution = read_distribution(response)
        check_mass(self.name, one.labels, distribution.mass, self.min_mass)
        return Decision(
            action=draw(distribution.probabilities, one.turn.rng),
            probabilities=distribution.probabilities,
            source=Source.WITHIN if distribution.margin else Source.EXACT,
            mass=distribution.mass,
            margin=distribution.margin or None,
            prompt=one.prompt,
            labels=one.labels,
            template=_signature(self.template),
        )

    def _not_asked(self, one: "_Posed", why: str) -> Decision:
        """The decision in place of a question that the model refused; no reply was sampled.

        The policy for unreadable replies applies where others sent messages, which may have any length. Elsewhere the
        rules and settings make the prompt what it is, for every match: `ModelError`.
        """
        if not _has_words(one.view):
            raise ModelError(why)
        return self._undecided(one)

    def _lost(self, one: "_Posed", fault: str) -> Decision:
        """The decision in place of one that was not made, because a server did not answer; it ends the match."""
        return replace(self._undecided(one), error=f"agent {self.name} failed: {fault}")

    def _undecided(self, one: "_Posed") -> Decision:
        """A question without an answer."""
        return Decision(
            action=None,
            source=Source.EXACT if self.ask == "exact" else Source.SAMPLED,
            prompt=one.prompt,
            labels=one.labels or None,
            template=_signature(self.template),
            attempts=0,
        )

    def _sampled(self, posed: Sequence["_Posed"]) -> list[Decision]:
        decisions: dict[int, Decision] = {}
        waiting = list(range(len(posed)))
        for attempt in range(1, self.retries + 2):
            requests = [self._request(posed[i]) for i in waiting]
            for i, response in zip(waiting, self.backend.respond(requests), strict=True):
                decisions[i] = self._read(posed[i], response, attempt)
            waiting = [i for i in waiting if decisions[i].action is None and decisions[i].attempts]
            if not waiting:
                break
        return [
            self._settle(found, one) if (found := decisions[i]).action is None and not found.error else found
            for i, one in enumerate(posed)
        ]

    def _request(self, one: "_Posed") -> Request:
        seed = tuple(int(word) for word in one.turn.rng.integers(2**32, size=4))
        prefill = self.template.reply_begins if one.labels else ""
        return Request(one.prompt, (), self.max_tokens, self.temperature, seed, prefill)

    def _read(self, one: "_Posed", response: Response, attempt: int) -> Decision:
        if response.failed:
            return self._lost(one, response.failed)
        if response.refused:
            return self._not_asked(one, response.refused)
        text = response.text
        decision = Decision(
            action=None,
            source=Source.SAMPLED,
            prompt=one.prompt,
            template=_signature(self.template),
            reply=text,
            attempts=attempt,
        )
        if words_allowed(one.view):
            return replace(decision, action=text)
        if not one.labels:
            return replace(decision, action=_as_array(read_amount(text, one.most)))
        reply = read_reply(text, one.labels)
        motivation = reply.motivation if self.motivation else None
        return replace(decision, action=reply.action, labels=one.labels, motivation=motivation)

    def _settle(self, decision: Decision, one: "_Posed") -> Decision:
        """Apply the policy for unreadable replies."""
        action: Any = self.default_action
        if self.unreadable == Unreadable.UNIFORM:
            count = len(one.labels)
            action = draw([1 / count] * count, one.turn.rng) if count else one.turn.rng.random() * one.most
        elif one.view.phase != "act" and action is not None:
            action = 0
        if not one.labels:
            action = _as_array(action)
        return replace(decision, action=action, unreadable=self.unreadable)


@dataclass(frozen=True, slots=True)
class _Posed:
    """A turn as a prompt."""

    turn: Turn
    view: View
    prompt: str
    labels: tuple[str, ...]
    """Labels of the player's options, by index; empty if it names an amount."""

    @property
    def most(self) -> float:
        """The largest amount that the player may name, in points."""
        return self.view.game.endowments[self.view.player]


def _has_words(view: View) -> bool:
    """Whether players have sent messages in words in the current round."""
    return any(isinstance(signal, str) for joint in view.said for signal in joint)


def _as_array(amount: float | None) -> Any:
    """An amount as environments expect it, shape (1,); None is unchanged."""
    return None if amount is None else np.array([amount], dtype=np.float32)


def _signature(template: Template) -> str:
    return f"{template.name}@{template.digest}"
