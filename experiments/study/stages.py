"""The stages of the study in which models are asked about scenarios and teaching data are made.

Every stage writes its results into the run folder as it proceeds, and starts where these results end: a stopped run is
resumed by calling it again. Stages yield the name of each item when it is complete; callers show progress.

The teacher is asked for an answer and a motivation, the student for an answer only, as in the study; in matches all
models are asked for an answer only. The teacher's answers to the training scenarios are the teaching data and also its
sampled estimate there.

Counterbalanced, a scenario is asked in all presentations of its actions, and in all wordings that the recipe asks for:
the exact probabilities are the mean over them, and the sampled answers are spread evenly over them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice, repeat
from pathlib import Path
from statistics import fmean
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Deliberation
from dilemmas.agents.models.answers import (
    Reply,
    UnansweredError,
    calibrated,
    check_mass,
    content_free,
    exact_distributions,
    sample_replies,
)
from dilemmas.agents.models.asking.pace import Pace
from dilemmas.agents.models.backend import Backend, ModelError
from dilemmas.agents.models.deciding.deliberation import (
    DecisionQuestion,
    answered_only,
    consider,
    deliberate_replies,
)
from dilemmas.envs.data_files import append_text, complete_lines, drop_incomplete_line, json_text, parse_json
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.phrases import partner_labels
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.protocol import View
from dilemmas.envs.seals import check_sealed
from dilemmas.envs.validation import Count, Share, written
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study.answers import ROLES, Answers
from dilemmas.experiments.study.recipe import TRAINING_SET, Recipe
from dilemmas.experiments.study.run import Run
from dilemmas.training.examples import Example, write_examples

TRIES = 10
"""Attempts until something readable is written about a question."""
TOGETHER = 20
"""Scenarios that a small model is asked in one batch: the most that a stopped run has to ask it again."""


@written(nulls=True)
@dataclass(frozen=True, slots=True)
class Presented:
    """A scenario as a model was asked about it in one presentation, and the model's own probabilities."""

    prompt: str
    """The question."""
    labels: tuple[str, ...]
    """Label of each action."""
    exact: tuple[Share, ...]
    """Probability of every action, by index."""
    mass: Share
    """Probability that a reply starts with one of the labels, in [0, 1]."""
    whole: Share | None
    """Probability that it starts with one of them as a whole word; null if it is not known."""
    margin: Share
    """How far the probabilities may be from the model's own; 0 if they are exact."""
    deliberations: tuple[Deliberation, ...] = ()
    """What the model wrote before; `exact` is the mean over it. Empty if it answers at once."""
    prediction: tuple[Share, ...] | None = None
    """Probability of every action of the other player, by index; None unless it was predicted."""
    prior: tuple[Share, ...] | None = None
    """Probability of every action in the question without content by which `exact` was divided; None without one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model answered to one scenario, as recorded in the run folder."""

    scenario: str
    """``game/context``."""
    presented: tuple[Presented, ...]
    """The wordings (outer loop) and presentations (inner loop), in the order of `Recipe.ways`; at least one."""
    replies: tuple[tuple[str, Count | None, str], ...]
    """Sampled replies: raw text, action (None where it could not be read), motivation. Reply i was given in
    presentation i modulo their number."""

    @property
    def exact(self) -> tuple[float, ...]:
        """Probability of every action, by index: the mean over the wordings and presentations."""
        return tuple(map(fmean, zip(*(one.exact for one in self.presented), strict=True)))

    @property
    def mass(self) -> float:
        """Probability that a reply starts with one of the labels: the mean over the presentations."""
        return fmean(one.mass for one in self.presented)

    @property
    def whole(self) -> float | None:
        """Probability that a reply starts with a label as a whole word: the mean; None if it is not known."""
        known = [one.whole for one in self.presented if one.whole is not None]
        return fmean(known) if len(known) == len(self.presented) else None

    @property
    def margin(self) -> float:
        """How far the probabilities may be from the model's own; 0 if they are exact."""
        return fmean(one.margin for one in self.presented)

    def by_wording(self, wordings: int) -> NDArray[np.float64]:
        """Probability of every action in each wording and presentation, shape (wordings, presentations, actions)."""
        found = np.array([one.exact for one in self.presented])
        return found.reshape(wordings, -1, found.shape[-1])

    def answers(self, scenario: Scenario) -> Answers:
        """The answers as counts by action."""
        actions = [action for _, action, _ in self.replies]
        return Answers(
            exact=self.exact,
            counts=tuple(actions.count(index) for index in range(scenario.game.n_actions)),
            unreadable=actions.count(None),
            cooperation=tuple(scenario.game.cooperation(index) for index in range(scenario.game.n_actions)),
        )


def ask_model(run: Run, role: str, backend: Backend) -> Iterator[int]:
    """Ask one model about every scenario of every set; yields how many more replies are kept, at first those of before.

    The replies to scenarios that are not complete are kept in a file of their own, ``ROLE.begun.jsonl``.
    """
    path, begun_path = (run.path("answers", f"{role}.{kind}jsonl") for kind in ("", "begun."))
    done = {asked.scenario for asked in read_answers(path)}
    begun = _joined(asked for asked in read_parts(begun_path) if asked.scenario not in done)
    yield len(done) * run.recipe.observations + sum(len(asked.replies) for asked in begun.values())
    scenarios, pace = enumerate(scenario for group in run.recipe.sets().values() for scenario in group), Pace(backend)
    while chunk := dict(islice(scenarios, TOGETHER)):
        missing = {number: scenario for number, scenario in chunk.items() if scenario.name not in done}
        for part in _ask_on(run.recipe, role, backend, missing, begun, pace):
            joined = _joined([*(begun[asked.scenario] for asked in part if asked.scenario in begun), *part])
            begun |= joined
            whole = {name: asked for name, asked in joined.items() if len(asked.replies) == run.recipe.observations}
            append_answers(begun_path, [asked for asked in part if asked.scenario not in whole])
            if whole:
                append_answers(path, whole.values())
                run.seals.add(path, finished=False)
            yield sum(len(asked.replies) for asked in part)
    run.seals.add(path)
    begun_path.unlink(missing_ok=True)


def append_answers(path: Path, answers: Collection[Asked]) -> None:
    """Append answers to a file."""
    if answers:
        append_text(path, "".join(json_text(asdict(asked)) + "\n" for asked in answers))


def _joined(parts: Iterable[Asked]) -> dict[str, Asked]:
    """The answers by scenario, the replies of all parts in order."""
    found: dict[str, Asked] = {}
    for part in parts:
        before = found.get(part.scenario)
        found[part.scenario] = replace(before, replies=before.replies + part.replies) if before else part
    return found


def _ask_on(
    recipe: Recipe,
    role: str,
    backend: Backend,
    scenarios: Mapping[int, Scenario],
    begun: Mapping[str, Asked],
    pace: Pace,
) -> Iterator[list[Asked]]:
    """What is missing of a model's answers to some scenarios, given by their number in the study, part by part."""
    known = dict(begun)
    wanted = [
        (number, reply)
        for number, scenario in scenarios.items()
        for reply in range(len(known[scenario.name].replies) if scenario.name in known else 0, recipe.observations)
    ]
    for portion in pace.portions(wanted):
        some = {number: scenarios[number] for number, _ in portion}
        new = {number: scenario for number, scenario in some.items() if scenario.name not in known}
        known |= {asked.scenario: asked for asked in ask_exactly(recipe, role, backend, new.values())}
        asked = {number: known[one.name] for number, one in some.items()}
        yield from _replies(recipe, role, backend, some, asked, portion)


def ask_exactly(recipe: Recipe, role: str, backend: Backend, scenarios: Iterable[Scenario]) -> Iterator[Asked]:
    """The model's probabilities in some scenarios, without replies; all are asked in one batch."""
    questions = [(scenario.name, _questions(recipe, role, scenario)) for scenario in scenarios]
    weigh = _considered if recipe.prompting.template.deliberate else _weighed
    found = iter(weigh(recipe, backend, [question for _, ways in questions for question in ways]))
    for name, ways in questions:
        presented = [one for _, one in zip(ways, found, strict=False)]
        asked = Asked(name, tuple(presented), ())
        check_mass(backend.name, presented[0].labels, asked.mass, recipe.prompting.min_mass)
        yield asked


def _questions(recipe: Recipe, role: str, scenario: Scenario) -> list[DecisionQuestion]:
    """A scenario in all wordings and presentations; only the teacher is asked for a motivation."""
    return [
        _question(
            scenario, *way, role == "teacher", (recipe.seed, ROLES.index(role), crc32(scenario.name.encode()), place)
        )
        for place, way in enumerate(recipe.ways(scenario.game))
    ]


def _question(
    scenario: Scenario, template: Template, shown: Presentation, motivation: bool, seed: tuple[int, ...]
) -> DecisionQuestion:
    words = template.motivated() if motivation else template
    prompt = scenario_prompt(words, scenario.game, scenario.context, shown=shown)
    view = View(scenario.game, 0, 0, ())
    partner = partner_labels(template, view, shown) if template.decision.way == "predict" else ()
    return DecisionQuestion(prompt, shown.labels, tuple(partner), seed)


def _weighed(recipe: Recipe, backend: Backend, asked: Sequence[DecisionQuestion]) -> list[Presented]:
    """Questions that a model answers at once, with the probabilities of the labels."""
    questions = [(one.prompt, one.labels) for one in asked]
    free = [(content_free(*one), one[1]) for one in questions] if recipe.prompting.calibrate else []
    found = exact_distributions(backend, [*questions, *free], recipe.prompting.template.reply_begins)
    priors = found[len(questions) :]
    ways = [calibrated(*both) for both in zip(found, priors, strict=False)] if priors else found
    shares = [prior.probabilities for prior in priors] or repeat(None)
    return [
        Presented(*question, one.probabilities, one.mass, one.whole_mass, one.margin, prior=free)
        for question, one, free in zip(questions, ways, shares, strict=False)
    ]


def _considered(recipe: Recipe, backend: Backend, asked: Sequence[DecisionQuestion]) -> list[Presented]:
    """Questions about which a model writes something before, with the probabilities that follow.

    Where nothing that it writes is readable, it is asked again; `ModelError` after `TRIES` attempts.
    """
    found: dict[int, Presented] = {}
    for attempt in range(TRIES):
        missing = {place: one for place, one in enumerate(asked) if place not in found}
        again = [replace(one, seed=(*one.seed, attempt)) for one in missing.values()]
        results = consider(backend, recipe.prompting.template, again, recipe.prompting.temperature) if again else []
        for (place, one), result in zip(missing.items(), map(answered_only, results), strict=True):
            if result.probabilities is not None:
                mass, thoughts = result.mass / (attempt + 1), (result.deliberations, result.prediction)
                found[place] = Presented(
                    one.prompt, one.labels, result.probabilities, mass, None, result.margin, *thoughts
                )
    for place, one in enumerate(asked):
        if place not in found:
            raise ModelError(
                f"model '{backend.name}': nothing that it wrote about '{one.prompt[:40]}...' in {TRIES} attempts tells"
                " its choice; use another template"
            )
    return [found[place] for place in range(len(asked))]


def _replies(
    recipe: Recipe,
    role: str,
    backend: Backend,
    scenarios: Mapping[int, Scenario],
    asked: Mapping[int, Asked],
    numbers: Sequence[tuple[int, int]],
) -> Iterator[list[Asked]]:
    """Replies to scenarios, in one batch; where one is missing, those before it, and then the error.

    `numbers`: of scenario and reply, scenario by scenario.
    """
    ways = {number: _questions(recipe, role, scenarios[number]) for number in asked}
    questions = [
        replace(ways[n][reply % len(ways[n])], seed=(recipe.seed, ROLES.index(role), n, reply)) for n, reply in numbers
    ]
    missing: UnansweredError | None = None
    try:
        replies = _sampled(recipe, role, backend, questions)
    except UnansweredError as error:
        replies, missing = error.replies, error
    found: dict[int, list[tuple[str, int | None, str]]] = {number: [] for number in asked}
    for (number, _), reply in zip(numbers, replies, strict=False):
        found[number].append((reply.text, reply.action, reply.motivation))
    yield [replace(one, replies=tuple(found[number])) for number, one in asked.items()]
    if missing is not None:
        raise missing


def _sampled(recipe: Recipe, role: str, backend: Backend, asked: Sequence[DecisionQuestion]) -> Sequence[Reply]:
    """One reply to each question; `UnansweredError` where one is missing."""
    prompting = recipe.prompting
    if prompting.template.deliberate:
        return deliberate_replies(backend, prompting.template, asked, prompting.temperature)
    return sample_replies(
        backend,
        [(one.prompt, one.labels, one.seed) for one in asked],
        max_tokens=prompting.max_tokens if role == "teacher" else prompting.answer_tokens,
        temperature=prompting.temperature,
        prefill=prompting.template.reply_begins,
    )


def read_answers(path: Path) -> list[Asked]:
    """The answers in a file; an incomplete last line, left by a crash, is removed; other damage is a `RunError`."""
    answers = read_parts(path)
    seen: set[str] = set()
    for number, asked in enumerate(answers, start=1):
        if asked.scenario in seen:
            raise RunError(f"{path}, line {number}: {asked.scenario} was answered before; delete the line")
        seen.add(asked.scenario)
    return answers


def read_parts(path: Path) -> list[Asked]:
    """The lines of a file of answers, in which a scenario may have several."""
    if not path.is_file():
        return []
    drop_incomplete_line(path)
    check_sealed(path)
    remedy = "delete the line: the model is then asked again"
    lines = complete_lines(path)
    return [parse_json(line, Asked, f"{path}, line {number}", RunError, remedy) for number, line in lines]


def teach(run: Run) -> list[Example]:
    """Teaching data: the teacher's readable answers to the training scenarios, with the prompts of the student."""
    path = run.path("examples.jsonl")
    asked = {answers.scenario: answers for answers in read_answers(run.path("answers", "teacher.jsonl"))}
    examples = []
    for scenario in run.recipe.sets()[TRAINING_SET]:
        ways = _questions(run.recipe, "untuned", scenario)
        for reply, (text, action, motivation) in enumerate(asked[scenario.name].replies):
            if action is not None:
                shown, whole = ways[reply % len(ways)], text if run.recipe.prompting.template.deliberate else ""
                examples.append(Example(scenario.name, shown.prompt, shown.labels[action], action, motivation, whole))
    if not run.seals.fits(path):
        write_examples(path, examples)
        run.seals.add(path)
    return examples
