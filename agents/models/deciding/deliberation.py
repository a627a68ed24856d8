"""Ways to decide in which a model writes something before: what it writes, and the probabilities that follow.

- ``reason``: it writes a reasoning, within a number of tokens. Then the beginning of the answer is written for it, and
  the labels are scored: the probability of the answer given the reasoning. Several reasonings give a mixture.
- ``predict``: the labels of the other player's actions are scored after the beginning of a prediction, and the own ones
  after every prediction. The probability of an action is the mean over the predictions, each with its probability; the
  label mass is the probability that the model writes both labels itself: that of the prediction times that after it.
- ``mixed``: it states the probability of every action in a reply, which is read.

Where a model does not score what follows a begun reply, it writes reasoning or prediction and answer in one reply,
which is read; the probability of an action is then the share of the replies with it.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import numpy as np

from dilemmas.agents.agent import Deliberation, Source, draw
from dilemmas.agents.models.answers import Distribution, Reply, UnansweredError, read_distribution
from dilemmas.agents.models.backend import Backend, ModelError, Request, Response
from dilemmas.agents.models.deciding.scored import ANSWER_TOKENS, warn_if_sampled, why_sampled
from dilemmas.agents.models.reading.probabilities import read_probabilities
from dilemmas.agents.models.replies import read_action
from dilemmas.envs.prompts.templates import Template


@dataclass(frozen=True, slots=True)
class DecisionQuestion:
    """A question that a model thinks about before it decides."""

    prompt: str
    labels: tuple[str, ...]
    """Labels of the own actions, by index."""
    partner: tuple[str, ...] = ()
    """Labels of what is predicted, such as the other player's actions, by index; needed for predictions."""
    seed: tuple[int, ...] = (0,)
    """Seed of all that is written."""
    prediction: str = ""
    """A prediction as a sentence with ``{label}``; by default that of the template between two players."""


@dataclass(frozen=True, slots=True)
class Considered:
    """What a model wrote about a question, and its probabilities."""

    source: Source
    """Where the probabilities come from."""
    deliberations: tuple[Deliberation, ...] = ()
    """What it wrote, with what follows from each."""
    probabilities: tuple[float, ...] | None = None
    """Probability of every action, by index; None if nothing was readable, or there is no answer."""
    mass: float = 0.0
    """Mean label mass, in [0, 1], times that of the prediction if there is one; or the share of readable texts where
    texts are read."""
    prediction: tuple[float, ...] | None = None
    """Probability of everything that may be predicted, by index, such as the other player's actions; None without."""
    margin: float = 0.0
    """How far the probabilities may be from the model's own; 0 if they are exact."""
    refused: str = ""
    """Why the model could not be asked; empty if it was."""
    failed: str = ""
    """The fault because of which there is no answer; empty if there is one."""


def consider(
    backend: Backend,
    template: Template,
    asked: Sequence[DecisionQuestion],
    temperature: float = 1.0,
    samples: int | None = None,
    scored: bool = True,
) -> list[Considered]:
    """Let a model decide in the way of a template.

    Parameters
    ----------
    backend
        The model.
    template
        Source of the prompts; its way is ``reason``, ``predict`` or ``mixed``.
    asked
        The questions.
    temperature
        Temperature of what is written, 0 or more.
    samples
        Number of texts per question, at least 1; None for that of the template.
    scored
        Whether the answer is scored if the model can do so; if not, whole replies are written and read.

    Returns
    -------
    One element per question, in order.

    Raises
    ------
    ModelError
        If the model cannot be used.
    """
    way, samples = template.decision.way, samples or template.decision.samples
    scored = scored and not warn_if_sampled(backend, template)
    if scored and way == "predict":
        return _predict(backend, template, asked)
    if scored and way == "reason":
        return _reason(backend, template, asked, temperature, samples)
    texts = _write(backend, template, asked, temperature, samples, scored=False)
    return [_read(template, one, found) for one, found in zip(asked, texts, strict=True)]


def consider_again(
    backend: Backend,
    template: Template,
    asked: Sequence[DecisionQuestion],
    temperature: float = 1.0,
    samples: int | None = None,
    tries: int = 1,
) -> list[Considered]:
    """As `consider`, where a question is asked again if nothing that the model wrote about it is readable.

    Parameters are those of `consider`, and `tries`: number of attempts, at least 1. The mass is that of the last
    attempt divided by their number.

    Raises
    ------
    ModelError
        If a question is not answered.
    """
    found: dict[int, Considered] = {}
    waiting = list(range(len(asked)))
    for attempt in range(tries):
        again = [replace(asked[place], seed=(*asked[place].seed, attempt)) for place in waiting]
        results = consider(backend, template, again, temperature, samples) if again else []
        for place, one in zip(waiting, map(answered_only, results), strict=True):
            found[place] = replace(one, mass=one.mass / (attempt + 1))
        waiting = [place for place in waiting if found[place].probabilities is None]
    return [found[place] for place in range(len(asked))]


def deliberate_replies(
    backend: Backend, template: Template, asked: Sequence[DecisionQuestion], temperature: float = 1.0
) -> list[Reply]:
    """One reply to each question, as the model writes it: with what comes before the answer, which is its motivation.

    Where answers are scored, the label is drawn from its probability, in the words of the template.

    Raises
    ------
    UnansweredError
        If the model refuses a prompt, or a server does not answer; it has the replies before.
    """
    scored, replies = not why_sampled(backend, template), list[Reply]()
    for one, found in zip(asked, consider(backend, template, asked, temperature, 1, scored), strict=True):
        if found.refused or found.failed:
            raise UnansweredError(found.refused or found.failed, replies)
        replies.append(_reply(template, one, found))
    return replies


def _reply(template: Template, one: DecisionQuestion, found: Considered) -> Reply:
    rng = np.random.default_rng(one.seed)
    scored = found.source not in (Source.SAMPLED, Source.STATED)
    thought = found.deliberations[draw(found.prediction, rng) if scored and found.prediction else 0]
    if thought.probabilities is None:
        return Reply(thought.text, None, "", thought.thoughts or "")
    action = draw(thought.probabilities, rng)
    answer = template.answer.reply.format(label=one.labels[action], unit=template.unit)
    before = f"{thought.text} " if found.prediction else f"{thought.text}\n\n"
    return Reply(before + answer if scored else thought.text, action, thought.text, thought.thoughts or "")


def answered_only(found: Considered) -> Considered:
    """What was found, unless there is no answer: `ModelError`."""
    if found.refused or found.failed:
        raise ModelError(found.refused or found.failed)
    return found


def standard_errors(found: Sequence[Deliberation]) -> tuple[float, ...] | None:
    """Standard error of the mean probability of every action, by index; None with fewer than two texts."""
    given = _given(found)
    if len(given) < 2:
        return None
    return tuple(stdev(values) / math.sqrt(len(given)) for values in zip(*given, strict=True))


def _given(found: Iterable[Deliberation]) -> list[tuple[float, ...]]:
    return [one.probabilities for one in found if one.probabilities is not None]


def first_request(
    template: Template, one: DecisionQuestion, scored: bool, temperature: float = 1.0, number: int = 0
) -> Request:
    """What a model is asked first in the way of a template; parameters as of `consider`, `number`: of the text."""
    way, system = template.decision.way, template.system
    if scored and way == "predict":
        return Request(one.prompt, one.partner, prefill=prediction_begins(template, one), system=system)
    thinks = scored and way == "reason"
    room = template.decision.tokens + (0 if thinks or way == "mixed" else ANSWER_TOKENS)
    return Request(one.prompt, (), room, temperature, (*one.seed, number), thinks=thinks, system=system)


def _write(
    backend: Backend,
    template: Template,
    asked: Sequence[DecisionQuestion],
    temperature: float,
    samples: int,
    scored: bool,
) -> list[list[Response]]:
    """The texts that a model writes about every question, `samples` each."""
    requests = [first_request(template, one, scored, temperature, n) for one in asked for n in range(samples)]
    responses = iter(backend.respond(requests))
    return [[next(responses) for _ in range(samples)] for _ in asked]


def _fault(source: Source, responses: Iterable[Response]) -> Considered | None:
    """What is recorded if one of the responses is no answer."""
    bad = next((one for one in responses if not one.answered), None)
    return None if bad is None else Considered(source, refused=bad.refused, failed=bad.failed)


def _reason(
    backend: Backend, template: Template, asked: Sequence[DecisionQuestion], temperature: float, samples: int
) -> list[Considered]:
    written = _write(backend, template, asked, temperature, samples, scored=True)
    lost = [_fault(Source.REASONED, texts) for texts in written]
    requests = [
        Request(one.prompt, one.labels, prefill=template.answer_begins, thought=text.text, system=template.system)
        for one, texts, bad in zip(asked, written, lost, strict=True)
        if bad is None
        for text in texts
    ]
    responses = iter(backend.respond(requests))
    found = []
    for texts, bad in zip(written, lost, strict=True):
        answers = [] if bad else [next(responses) for _ in texts]
        bad = bad or _fault(Source.REASONED, answers)
        weights = [1 / samples] * samples
        found.append(bad or _mixture(Source.REASONED, [text.text for text in texts], answers, weights))
    return found


def _predict(backend: Backend, template: Template, asked: Sequence[DecisionQuestion]) -> list[Considered]:
    predicted = backend.respond([first_request(template, one, scored=True) for one in asked])
    texts = [predictions(template, one) for one in asked]
    requests = [
        Request(one.prompt, one.labels, prefill=f"{text} {template.answer_begins}", system=template.system)
        for one, some in zip(asked, texts, strict=True)
        for text in some
    ]
    responses = iter(backend.respond(requests))
    found = []
    for some, first in zip(texts, predicted, strict=True):
        answers = [next(responses) for _ in some]
        bad = _fault(Source.EXACT, [first, *answers])
        found.append(bad or _mixture(Source.EXACT, some, answers, (), read_distribution(first)))
    return found


def _mixture(
    source: Source,
    texts: Sequence[str],
    answers: Sequence[Response],
    weights: Sequence[float],
    predicted: Distribution | None = None,
) -> Considered:
    """The mean of the probabilities after every text, weighted by a prediction if there is one."""
    given = [read_distribution(answer) for answer in answers]
    weights = predicted.probabilities if predicted else weights
    margin = max(one.margin for one in given) + (predicted.margin if predicted else 0.0)
    return Considered(
        Source.WITHIN if margin and source is Source.EXACT else source,
        tuple(Deliberation(text, one.probabilities) for text, one in zip(texts, given, strict=True)),
        _weighted(weights, [one.probabilities for one in given]),
        math.fsum(weight * one.mass for weight, one in zip(weights, given, strict=True))
        * (predicted.mass if predicted else 1.0),
        predicted.probabilities if predicted else None,
        min(1.0, margin),
    )


def _weighted(weights: Sequence[float], given: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(math.fsum(w * p for w, p in zip(weights, column, strict=True)) for column in zip(*given, strict=True))


def _read(template: Template, one: DecisionQuestion, texts: Sequence[Response]) -> Considered:
    """The probabilities that replies state, or the share of the replies with each action."""
    way = template.decision.way
    source = Source.STATED if way == "mixed" else Source.SAMPLED
    bad = _fault(source, texts)
    if bad:
        return bad
    found, predicted = [], []
    for response in texts:
        text, prediction = response.text, None
        if way == "predict":
            prediction, text = _split_prediction(template, one, text)
        if prediction is not None:
            predicted.append(_certainly(prediction, len(one.partner)))
        shares = read_probabilities(text, one.labels) if way == "mixed" else _choice(text, one.labels)
        given = None if way == "predict" and prediction is None else shares
        found.append(Deliberation(response.text, given, response.thoughts or None))
    readable = _given(found)
    return Considered(
        source,
        tuple(found),
        mean_of_rows(readable),
        len(readable) / len(found),
        mean_of_rows(predicted),
    )


def mean_of_rows(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...] | None:
    """The mean of each column of rows of equal length; None without rows."""
    return tuple(map(fmean, zip(*rows, strict=True))) if rows else None


def _choice(text: str, labels: Sequence[str]) -> tuple[float, ...] | None:
    action = read_action(text, labels)
    return None if action is None else _certainly(action, len(labels))


def _certainly(action: int, count: int) -> tuple[float, ...]:
    return tuple(float(index == action) for index in range(count))


def _sentence(template: Template, one: DecisionQuestion) -> str:
    return one.prediction or template.decision.prediction.format(label="{label}", unit=template.unit)


def predictions(template: Template, one: DecisionQuestion) -> list[str]:
    """The predictions of a question as sentences, by index."""
    return [_sentence(template, one).replace("{label}", label) for label in one.partner]


def prediction_begins(template: Template, one: DecisionQuestion) -> str:
    """The beginning of the prediction, which the labels of what is predicted continue."""
    return _sentence(template, one).partition("{label}")[0].rstrip()


def _split_prediction(template: Template, one: DecisionQuestion, text: str) -> tuple[int | None, str]:
    """The value that a reply predicts in the words of the template, by index, and the text after it; None without."""
    begun = r"\s+".join(map(re.escape, prediction_begins(template, one).split()))
    named = "|".join(sorted(map(re.escape, one.partner), key=len, reverse=True))
    found = re.search(rf"{begun}\W*({named})(?!\w|[.,]\d)", text)
    return (one.partner.index(found[1]), text[found.end() :]) if found else (None, text)
