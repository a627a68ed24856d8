"""A language model as a player.

There are two ways to read an answer. *Exact*: the action is drawn from the model's own probabilities of the action
labels, renormalised over the labels; only the action is sampled, and no reply can be unreadable. *Sampled*: the model
writes a reply and the action is read from it; the policy for unreadable replies is a setting, and its use is recorded.

What the model writes before it answers is a property of the template: a reasoning, a prediction, or a mixed strategy in
words (`dilemmas.agents.models.deciding.deliberation`).

The labels of the actions and the order in which a prompt names them are counterbalanced, unless the model is a
miniature: a decision has one presentation, drawn from its own seed, and a policy is the mean over all of them.

In games whose rounds have several phases, the model is asked once per phase: what to say, what to choose, whom to
punish or reward. If replies are sampled and words are allowed, it writes a message, which is passed on unchanged.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Literal, get_args

import numpy as np

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, Unreadable, draw
from dilemmas.agents.models.answers import (
    MIN_MASS,
    ask_labels,
    check_mass,
    exact_distributions,
    read_distribution,
    read_reply,
)
from dilemmas.agents.models.backend import Backend, ModelError, Request, Response
from dilemmas.agents.models.deciding.deliberation import Considered, DecisionQuestion, consider, consider_again
from dilemmas.agents.models.deciding.policies import mean_policy, without_answer
from dilemmas.agents.models.deciding.questions import (
    PosedTurn,
    amount_as_array,
    describe_template,
    pose_turn,
    template_signature,
)
from dilemmas.agents.models.deciding.scored import room_to_decide, scores_labels, why_sampled
from dilemmas.agents.models.replies import read_amount
from dilemmas.envs.checks import check_number
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import Showing, counterbalanced
from dilemmas.envs.prompts.template_choices import variants
from dilemmas.envs.prompts.templates import Template
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
    """The sentences of the prompt, and the way to decide."""
    ask: Ask = "exact"
    """``exact``: draw from the probabilities of the labels; ``sampled``: read a reply. A model that does not score
    labels, or not after a begun reply where the template has one, is asked for replies."""
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
    def reads(self) -> Ask:
        """How answers are read: as set, or from replies if the way to decide needs scores that a model lacks."""
        return "sampled" if why_sampled(self.backend, self.template) else self.ask

    @property
    def traits(self) -> Traits:
        """No requirements: it accepts any number of rounds."""
        return Traits()

    def describe(self) -> PlayerRecord:
        """The fingerprint of the model, the context and the settings, as JSON values."""
        settings = {
            "ask": self.reads,
            "presentation": "counterbalanced" if self.counterbalanced else "fixed",
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "retries": self.retries,
            "unreadable": str(self.unreadable),
            "default_action": self.default_action,
        }
        model = {"model": self.backend.name, "fingerprint": self.backend.fingerprint}
        framing = {"context": asdict(self.context)} | describe_template(self.template, self.backend)
        return PlayerRecord(name=self.name, kind="language_model", parameters=model | framing | settings)

    def check(self, views: Iterable[View]) -> None:
        """Check that the model can be asked what to do in each of some views; it computes nothing.

        `LanguageModelError` if the longest wording of the question is too long for a model of this machine, or the
        question cannot be asked with these settings.
        """
        words, scored = self.template, self.ask == "exact" and scores_labels(self.backend, self.template)
        for view in views:
            ways = self._pose(Turn("", None, {"view": view}, None, np.random.default_rng(0)), all_ways=True)
            one = max(ways, key=lambda way: len(way.prompt))
            room = 0 if self.reads == "exact" else self.max_tokens
            room, begun = (room_to_decide(self.backend, words), "") if one.deliberate else (room, words.answer_begins)
            labels = one.labels if scored else ()
            try:
                self.backend.check_requests([Request(one.prompt, labels, room, prefill=begun, system=words.system)])
            except ModelError as error:
                raise LanguageModelError(f"model '{self.name}' after {len(view.history):,} rounds: {error}") from None

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn, in order.

        Raises
        ------
        LanguageModelError
            If an environment gives no view of the game, or the turn cannot be asked about with these settings.
        """
        posed = [one for turn in turns for one in self._pose(turn)]
        plain, deliberate = ([one for one in posed if one.deliberate == first] for first in (False, True))
        answer = self._exact if self.reads == "exact" else partial(self._tried, self._sampled)
        found = {
            False: iter(answer(plain) if plain else []),
            True: iter(self._tried(self._deliberated, deliberate) if deliberate else []),
        }
        return [next(found[one.deliberate]) for one in posed]

    def policy(self, turns: Sequence[Turn]) -> list[Decision]:
        """Like `decide`, but counterbalanced: the probabilities are the mean over all presentations.

        The mean is exactly the probability with which `decide` takes each action. No prompt is recorded then, because
        there are several.
        """
        if self.reads == "sampled" or not (self.counterbalanced or len(variants(self.template)) > 1):
            return self.decide(turns)
        posed = [self._pose(turn, all_ways=True) for turn in turns]
        found = iter(self._weigh([one for ways in posed for one in ways]))
        return [
            mean_policy(self.name, self.template, self.min_mass, ways[0], [next(found) for _ in ways]) for ways in posed
        ]

    def _pose(self, turn: Turn, all_ways: bool = False) -> list[PosedTurn]:
        """The question put to the model: in one presentation of the actions, with one persona, or in all."""
        view = turn.info.get("view")
        if not isinstance(view, View):
            raise LanguageModelError(
                f"model '{self.name}' needs info['view'], which environments of dilemmas have with views=True;"
                f" {turn.agent} has none"
            )
        if self.reads == "exact" and not options_now(view):
            raise LanguageModelError(
                f"model '{self.name}': amounts have no exact probabilities; use contribution levels (--set levels=11),"
                " or in Python ask='sampled'"
            )
        words = self.reads == "sampled"
        return pose_turn(turn, view, self.template, self.context, self.counterbalanced, words, all_ways)

    def _weigh(self, posed: Sequence[PosedTurn]) -> list[Considered]:
        """The probabilities in every question; all questions are of one phase."""
        if posed[0].deliberate:
            asked = self._questions(posed, 1)
            return consider_again(self.backend, self.template, asked, self.temperature, tries=self.retries + 1)
        questions = [(one.prompt, one.labels) for one in posed]
        found = exact_distributions(self.backend, questions, self.template.answer_begins, self.template.system)
        return [Considered(Source.EXACT, (), one.probabilities, one.mass, margin=one.margin) for one in found]

    def _consider(self, posed: Sequence[PosedTurn], attempt: int) -> list[Considered]:
        asked, samples = self._questions(posed, attempt), None if self.reads == "exact" else 1
        return consider(self.backend, self.template, asked, self.temperature, samples, self.ask == "exact")

    def _questions(self, posed: Sequence[PosedTurn], attempt: int) -> list[DecisionQuestion]:
        return [
            DecisionQuestion(one.prompt, one.labels, one.partner, one.seed(attempt), one.prediction) for one in posed
        ]

    def _deliberated(self, posed: Sequence[PosedTurn], attempt: int) -> list[Decision]:
        found = self._consider(posed, attempt)
        return [self._concluded(one, thought, attempt) for one, thought in zip(posed, found, strict=True)]

    def _concluded(self, one: PosedTurn, found: Considered, attempt: int) -> Decision:
        """The decision after what the model wrote."""
        if found.failed:
            return self._lost(one, found.failed)
        if found.refused:
            return self._not_asked(one, found.refused)
        scored = found.source not in (Source.SAMPLED, Source.STATED)
        if scored:
            check_mass(self.name, one.labels, found.mass, self.min_mass)
        return Decision(
            action=None if found.probabilities is None else draw(found.probabilities, one.turn.rng),
            probabilities=None if found.source is Source.SAMPLED else found.probabilities,
            source=found.source,
            mass=found.mass if scored else None,
            margin=found.margin or None,
            prompt=one.prompt,
            labels=one.labels,
            template=template_signature(self.template),
            attempts=attempt,
            deliberations=found.deliberations,
            prediction=found.prediction,
        )

    def _exact(self, posed: Sequence[PosedTurn]) -> list[Decision]:
        questions = [(one.prompt, one.labels) for one in posed]
        responses = ask_labels(self.backend, questions, self.template.answer_begins, self.template.system)
        return [self._drawn(one, response) for one, response in zip(posed, responses, strict=True)]

    def _drawn(self, one: PosedTurn, response: Response) -> Decision:
        if response.failed:
            return self._lost(one, response.failed)
        if response.refused:
            return without_answer(self._not_asked(one, response.refused), one, self.unreadable, self.default_action)
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
            template=template_signature(self.template),
        )

    def _not_asked(self, one: PosedTurn, why: str) -> Decision:
        """The decision in place of a question that the model refused; no reply was sampled.

        The policy for unreadable replies applies where others sent messages, which may have any length. Elsewhere the
        rules and settings make the prompt what it is, for every match: `ModelError`.
        """
        if not one.has_words:
            raise ModelError(why)
        return self._undecided(one)

    def _lost(self, one: PosedTurn, fault: str) -> Decision:
        """The decision in place of one that was not made, because a server did not answer; it ends the match."""
        return replace(self._undecided(one), error=f"agent {self.name} failed: {fault}")

    def _undecided(self, one: PosedTurn) -> Decision:
        """A question without an answer."""
        return Decision(
            action=None,
            source=Source.EXACT if self.reads == "exact" else Source.SAMPLED,
            prompt=one.prompt,
            labels=one.labels or None,
            template=template_signature(self.template),
            attempts=0,
        )

    def _tried(
        self, ask: Callable[[Sequence[PosedTurn], int], list[Decision]], posed: Sequence[PosedTurn]
    ) -> list[Decision]:
        """The decisions of a function of the questions and the number of the attempt, which is repeated where nothing
        was readable."""
        decisions: dict[int, Decision] = {}
        waiting = list(range(len(posed)))
        for attempt in range(1, self.retries + 2):
            decisions |= zip(waiting, ask([posed[i] for i in waiting], attempt), strict=True)
            waiting = [i for i in waiting if decisions[i].action is None and decisions[i].attempts]
            if not waiting:
                break
        return [
            without_answer(found, one, self.unreadable, self.default_action)
            if (found := decisions[i]).action is None and not found.error
            else found
            for i, one in enumerate(posed)
        ]

    def _sampled(self, posed: Sequence[PosedTurn], attempt: int) -> list[Decision]:
        responses = self.backend.respond([self._request(one) for one in posed])
        return [self._read(one, response, attempt) for one, response in zip(posed, responses, strict=True)]

    def _request(self, one: PosedTurn) -> Request:
        seed = tuple(int(word) for word in one.turn.rng.integers(2**32, size=4))
        prefill = self.template.answer_begins if one.labels and self.backend.continues else ""
        system = self.template.system
        return Request(one.prompt, (), self.max_tokens, self.temperature, seed, prefill, system=system)

    def _read(self, one: PosedTurn, response: Response, attempt: int) -> Decision:
        if response.failed:
            return self._lost(one, response.failed)
        if response.refused:
            return self._not_asked(one, response.refused)
        text = response.text
        decision = Decision(
            action=None,
            source=Source.SAMPLED,
            prompt=one.prompt,
            template=template_signature(self.template),
            reply=text,
            thoughts=response.thoughts or None,
            attempts=attempt,
        )
        if words_allowed(one.view):
            return replace(decision, action=text)
        if not one.labels:
            return replace(decision, action=amount_as_array(read_amount(text, one.most)))
        reply = read_reply(text, one.labels)
        motivation = reply.motivation if self.template.decision.way == "motivate" else None
        return replace(decision, action=reply.action, labels=one.labels, motivation=motivation)
