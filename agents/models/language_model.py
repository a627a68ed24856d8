"""A language model as a player, and the questions that an experiment puts to one.

A model is asked in one of two ways. *Exact*: the action is drawn from the model's own probabilities of the action
labels, renormalised over the labels; nothing is sampled but the action, nothing can be unreadable. *Sampled*: the model
writes a reply, the action is read from it, and what happens to an unreadable reply is stated and recorded.

Where a round has several phases, a model is asked in each for what is due: what to say, what to choose, whom to punish
or reward. Asked for a sample where words are allowed, it writes a message, which is passed on as it is.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any, Literal, get_args

import numpy as np

from dilemmas.agents.agent import Decision, Player, Source, Turn, Unreadable, draw
from dilemmas.agents.models.backend import Backend, Request
from dilemmas.agents.models.replies import read_action, read_amount, read_motivation
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.comprehension import EQUAL, questions
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.prompts import describe_scenario, match_prompt, presentations, presentations_now
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.choices import options_now, words_allowed
from dilemmas.envs.rules.protocol import View

Ask = Literal["exact", "sampled"]


class LanguageModelError(InputError):
    """A language model that cannot play as asked; the message names the model and the way out."""


@dataclass(frozen=True, slots=True)
class LanguageModelAgent:
    """A language model that plays in a social context."""

    backend: Backend
    """The model."""
    context: Context
    """The framing in which the game is put to it."""
    template: Template
    """The sentences of the prompt."""
    ask: Ask = "exact"
    """``exact``: draw from the probabilities of the labels; ``sampled``: read a reply."""
    motivation: bool = False
    """Whether the prompt also asks why."""
    shuffle_labels: bool = False
    """Whether every decision draws anew which label an action has and the order in which they are named."""
    temperature: float = 1.0
    """Of sampled replies, 0 or more; exact probabilities are those at 1."""
    max_tokens: int = 64
    """Most tokens of a sampled reply."""
    retries: int = 0
    """How many more replies are sampled where one cannot be read."""
    unreadable: Unreadable = Unreadable.ABORT
    """What happens when none of them can be read."""
    default_action: int | None = None
    """The action played then if `unreadable` is ``default``, or the amount given; where it is time to talk or for
    sanctions, the default is to do nothing."""

    def __post_init__(self) -> None:
        lookup("way to ask", self.ask, {way: way for way in get_args(Ask)}, self.name)
        lookup("policy", self.unreadable, {policy.value: policy for policy in Unreadable}, self.name)
        for field, least in (("temperature", 0), ("max_tokens", 1), ("retries", 0)):
            value = getattr(self, field)
            if not least <= value < math.inf:
                raise LanguageModelError(f"{self.name}: {field} = {value}; needs a number from {least} up")
        if (self.unreadable == Unreadable.DEFAULT) != (self.default_action is not None):
            raise LanguageModelError(
                f"{self.name}: unreadable = '{self.unreadable}', default_action = {self.default_action};"
                " a default action belongs to 'default', and to nothing else"
            )

    @property
    def name(self) -> str:
        return self.backend.name

    def describe(self) -> Player:
        settings = {
            "ask": self.ask,
            "motivation": self.motivation,
            "shuffle_labels": self.shuffle_labels,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "retries": self.retries,
            "unreadable": str(self.unreadable),
            "default_action": self.default_action,
        }
        model = {"model": self.backend.name, "fingerprint": self.backend.fingerprint}
        framing = {"context": asdict(self.context), "template": _signature(self.template)}
        return Player(name=self.name, kind="language_model", parameters=model | framing | settings)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """One decision per turn. LanguageModelError where an environment gives no view of the game."""
        posed = [one for turn in turns for one in self._pose(turn)]
        return self._exact(posed) if self.ask == "exact" else self._sampled(posed)

    def decide_on_average(self, turns: Sequence[Turn]) -> list[Decision]:
        """As `decide`, but where labels are shuffled from the mean over all presentations instead of one drawn.

        The mean is exactly how often `decide` takes each action. No prompt is recorded then, for there are several.
        """
        if not self.shuffle_labels or self.ask == "sampled":
            return self.decide(turns)
        posed = [self._pose(turn, all_ways=True) for turn in turns]
        found = iter(self._weigh([one for ways in posed for one in ways]))
        return [self._averaged(turn, [next(found) for _ in ways]) for turn, ways in zip(turns, posed, strict=True)]

    def _averaged(self, turn: Turn, found: Sequence["Distribution"]) -> Decision:
        """One decision from the distributions under all presentations."""
        probabilities = tuple(map(fmean, zip(*(one.probabilities for one in found), strict=True)))
        return Decision(
            action=draw(probabilities, turn.rng),
            probabilities=probabilities,
            source=Source.EXACT,
            mass=fmean(one.mass for one in found),
            template=_signature(self.template),
        )

    def _pose(self, turn: Turn, all_ways: bool = False) -> list["_Posed"]:
        """The question as it is put to the model: once, or under all presentations of the actions."""
        view = turn.info.get("view")
        if not isinstance(view, View):
            raise LanguageModelError(
                f"model '{self.name}' needs info['view'], which the environments of dilemmas give;"
                f" {turn.agent} got none"
            )
        self._refuse(view)
        ways = presentations_now(self.template, view)
        if not all_ways:
            # a child stream: the turn's own stays what the action is drawn from, with labels shuffled or not
            ways = [ways[int(turn.rng.spawn(1)[0].integers(len(ways))) if self.shuffle_labels else 0]]
        words = self.ask == "sampled"
        count = options_now(view)
        return [
            _Posed(
                turn,
                view,
                match_prompt(self.template, view, self.context, shown, motivation=self.motivation, words=words),
                shown.labels[:count],
            )
            for shown in ways
        ]

    def _refuse(self, view: View) -> None:
        """`LanguageModelError` for what cannot be asked in the way that this agent asks."""
        if self.ask == "exact" and not options_now(view):
            raise LanguageModelError(
                f"model '{self.name}': an amount has no probability of its own; ask = 'sampled', or take levels"
            )
        if self.shuffle_labels and any(isinstance(signal, str) for joint in view.said for signal in joint):
            raise LanguageModelError(
                f"model '{self.name}': shuffle_labels where players talk in words; what was said of a label means"
                " something else at every decision"
            )

    def _weigh(self, posed: Sequence["_Posed"]) -> list["Distribution"]:
        return exact_distributions(self.backend, [(one.prompt, one.labels) for one in posed])

    def _exact(self, posed: Sequence["_Posed"]) -> list[Decision]:
        found = self._weigh(posed)
        template = _signature(self.template)
        return [
            Decision(
                action=draw(distribution.probabilities, one.turn.rng),
                probabilities=distribution.probabilities,
                source=Source.EXACT,
                mass=distribution.mass,
                prompt=one.prompt,
                labels=one.labels,
                template=template,
            )
            for one, distribution in zip(posed, found, strict=True)
        ]

    def _sampled(self, posed: Sequence["_Posed"]) -> list[Decision]:
        decisions: dict[int, Decision] = {}
        waiting = list(range(len(posed)))
        for attempt in range(1, self.retries + 2):
            requests = [self._request(posed[i]) for i in waiting]
            for i, response in zip(waiting, self.backend.respond(requests), strict=True):
                decisions[i] = self._read(posed[i], response.text, attempt)
            waiting = [i for i in waiting if decisions[i].action is None]
            if not waiting:
                break
        for i in waiting:
            decisions[i] = self._settle(decisions[i], posed[i])
        return [decisions[i] for i in range(len(posed))]

    def _request(self, one: "_Posed") -> Request:
        seed = tuple(int(word) for word in one.turn.rng.integers(2**32, size=4))
        return Request(one.prompt, (), self.max_tokens, self.temperature, seed)

    def _read(self, one: "_Posed", text: str, attempt: int) -> Decision:
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
        reply = _reply(text, one.labels)
        motivation = reply.motivation if self.motivation else None
        return replace(decision, action=reply.action, labels=one.labels, motivation=motivation)

    def _settle(self, decision: Decision, one: "_Posed") -> Decision:
        """What is done where no reply could be read."""
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
    """A turn put into words."""

    turn: Turn
    view: View
    prompt: str
    labels: tuple[str, ...]
    """Of what the player may do, by index; none where it names an amount."""

    @property
    def most(self) -> float:
        """The largest amount that the player may name."""
        return self.view.game.endowments[self.view.player]


def _as_array(amount: float | None) -> Any:
    """An amount as environments take it, shape (1,); None stays what it is."""
    return None if amount is None else np.array([amount], dtype=np.float32)


def _signature(template: Template) -> str:
    return f"{template.name}@{template.digest}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a model would answer to a prompt."""

    probabilities: tuple[float, ...]
    """Probability of each label, given that the reply starts with one of them."""
    mass: float
    """Probability that it does, from 0 to 1: where it is small, the model has something else to say."""


def exact_distributions(backend: Backend, prompts: Sequence[tuple[str, tuple[str, ...]]]) -> list[Distribution]:
    """The model's own probabilities of the labels, for (prompt, labels); the same pair is asked once."""
    asked = list(dict.fromkeys(prompts))
    responses = backend.respond([Request(prompt, labels) for prompt, labels in asked])
    found = {key: _distribution(response.logprobs) for key, response in zip(asked, responses, strict=True)}
    return [found[key] for key in prompts]


def _distribution(logprobs: Sequence[float]) -> Distribution:
    highest = max(logprobs)
    if not math.isfinite(highest):
        raise LanguageModelError(f"log-probabilities {tuple(logprobs)}: the model overflows; give another dtype")
    weights = [math.exp(value - highest) for value in logprobs]
    total = math.fsum(weights)
    return Distribution(tuple(weight / total for weight in weights), min(1.0, total * math.exp(highest)))


@dataclass(frozen=True, slots=True)
class Reply:
    """A sampled reply, read."""

    text: str
    action: int | None
    """Index of the label; None where the reply does not plainly choose one."""
    motivation: str
    """What the reply says beside the label; empty where it cannot be read."""


def _reply(text: str, labels: Sequence[str]) -> Reply:
    action = read_action(text, labels)
    return Reply(text, action, "" if action is None else read_motivation(text, labels[action]))


def sample_replies(
    backend: Backend,
    asked: Sequence[tuple[str, Sequence[str], Sequence[int]]],
    n: int,
    max_tokens: int = 64,
    temperature: float = 1.0,
) -> list[list[Reply]]:
    """`n` replies to each (prompt, labels, seed), read, all in one batch; reply i depends on (*seed, i) alone."""
    requests = [Request(prompt, (), max_tokens, temperature, (*seed, i)) for prompt, _, seed in asked for i in range(n)]
    texts = iter(response.text for response in backend.respond(requests))
    return [[_reply(next(texts), labels) for _ in range(n)] for _, labels, _ in asked]


@dataclass(frozen=True, slots=True)
class Score:
    """How well questions of one kind were answered."""

    kind: str
    """What the questions test; see `dilemmas.envs.prompts.comprehension`."""
    asked: int
    right: int
    chance: float
    """How many would be right by blind guessing among the answers that were weighed."""


Case = tuple[StageGame, Context, tuple[Joint, ...]]
"""A game in a context after a history (own action first; () for none)."""


def comprehension(
    backend: Backend, template: Template, cases: Iterable[Case], shuffle_labels: bool = False
) -> list[Score]:
    """Whether a model understands games with two actions: questions of fact, by kind, in order of the first.

    Each case is asked about as the template shows its actions; with `shuffle_labels`, once in every other way as well.
    A question is answered rightly if the right answer is more probable than every other one: the numbers that answer
    some question about the same case, or the labels and "the same". Exact, so there is nothing to be misread.
    """
    ways = None if shuffle_labels else 1
    asked = [
        item
        for game, context, history in cases
        for shown in presentations(template, game)[:ways]
        for item in _facts(template, game, context, history, shown)
    ]
    found = exact_distributions(backend, [(prompt, answers) for _, prompt, answers in asked])
    kinds: Counter[str] = Counter()
    right: Counter[str] = Counter()
    chance: Counter[str] = Counter()
    for (kind, _, answers), distribution in zip(asked, found, strict=True):
        first, *others = distribution.probabilities
        kinds[kind] += 1
        right[kind] += all(first > other for other in others)
        chance.update({kind: 1 / len(answers)})
    return [Score(kind, kinds[kind], right[kind], chance[kind]) for kind in kinds]


def _facts(
    template: Template, game: StageGame, context: Context, history: tuple[Joint, ...], shown: Presentation
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, prompt and possible answers, the right one first."""
    scenario = describe_scenario(template, game, context, history, shown)
    asked = questions(game, shown, history)
    words = {*shown.labels, EQUAL}
    numbers = {question.answer for question in asked} - words
    return [
        (q.kind, f"{scenario}\n{q.text}", (q.answer, *sorted((words if q.answer in words else numbers) - {q.answer})))
        for q in asked
    ]
