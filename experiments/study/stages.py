"""The stages of the study in which models are asked about scenarios.

Every stage writes its results into the run folder as it proceeds, and starts where these results end: a stopped run is
resumed by calling it again. Stages yield the name of each item when it is complete; callers show progress.

The teacher is asked for an answer and a motivation, the student for an answer only, as in the study; in matches all
models are asked for an answer only. The teacher's answers to the training scenarios are the teaching data and also its
sampled estimate there.

Counterbalanced, a scenario is asked in all presentations of its actions, and in all wordings that the recipe asks for:
the exact probabilities are the mean over them, and the sampled answers are spread evenly over them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, repeat
from zlib import crc32

import numpy as np

from dilemmas.agents.agent import Source
from dilemmas.agents.models.answers import (
    Reply,
    UnansweredError,
    calibrated,
    check_mass,
    content_free,
    exact_distributions,
    sample_replies,
)
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.asking.kept_texts import KeptTexts
from dilemmas.agents.models.asking.pace import Pace
from dilemmas.agents.models.backend import Backend, ModelError, Request
from dilemmas.agents.models.deciding.deliberation import (
    DecisionQuestion,
    consider_again,
    deliberate_replies,
)
from dilemmas.agents.models.deciding.scored import room_to_decide, scores_labels, why_sampled
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.phrases import predicted_values
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.protocol import View
from dilemmas.experiments.study.answers import (
    ROLES,
    Asked,
    Presented,
    Role,
    append_answers,
    joined_answers,
    read_answers,
    read_parts,
)
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.seeds import derived_seed
from dilemmas.experiments.study.teachers import AgentTeacher

TRIES = 10
"""Attempts until something readable is written about a question."""
PRESENTED = 4
"""Questions about a scenario, for the size of portions: two assignments of labels, in two orders."""
TOGETHER = 20
"""Scenarios that a small model is asked in one batch: the most that a stopped run has to ask it again."""


Told = Callable[[int], None]
"""Called with the number of texts that are kept of scenarios that are not complete."""


def tell_nobody(written: int) -> None:
    """Tell nobody how many texts are kept."""


def ask_model(run: Run, role: str, backend: Backend, told: Told = tell_nobody) -> Iterator[int]:
    """Ask one model about every scenario of every set; yields how many more replies are kept, at first those of before.

    The replies to scenarios that are not complete are kept in a file of their own, ``ROLE.begun.jsonl``, and what the
    model writes before probabilities or replies are known in ``ROLE.texts.jsonl``.
    """
    texts_path = run.path("answers", f"{role}.texts.jsonl")
    if run.recipe.prompting.template.deliberate:
        backend = CachingBackend(backend)
        backend.texts = KeptTexts(texts_path, backend.below, told)
    path, begun_path = (run.path("answers", f"{role}.{kind}jsonl") for kind in ("", "begun."))
    done = {asked.scenario for asked in read_answers(path)}
    begun = joined_answers(asked for asked in read_parts(begun_path) if asked.scenario not in done)
    yield len(done) * max(1, run.recipe.drawn) + sum(len(asked.replies) for asked in begun.values())
    scenarios = enumerate(scenario for group in run.recipe.sets().values() for scenario in group)
    pace = Pace(backend, tokens=_reply_tokens(run.recipe, role))
    while chunk := dict(islice(scenarios, TOGETHER)):
        missing = {number: scenario for number, scenario in chunk.items() if scenario.name not in done}
        for part in _ask_on(run.recipe, role, backend, missing, begun, pace):
            joined = joined_answers([*(begun[asked.scenario] for asked in part if asked.scenario in begun), *part])
            begun |= joined
            whole = {name: asked for name, asked in joined.items() if len(asked.replies) == run.recipe.drawn}
            append_answers(begun_path, [asked for asked in part if asked.scenario not in whole])
            if whole:
                append_answers(path, whole.values())
                run.seals.add(path, finished=False)
            yield sum(len(asked.replies) for asked in part) if run.recipe.drawn else len(part)
    run.seals.add(path)
    for temporary in (begun_path, texts_path):
        temporary.unlink(missing_ok=True)


def ask_agent(run: Run, role: Role, agent: AgentTeacher) -> Iterator[int]:
    """Ask an agent that is no language model about every scenario; yields how many replies are kept.

    Its replies are the labels of actions that are drawn from its probabilities.
    """
    path = run.path("answers", f"{role}.jsonl")
    done = {asked.scenario for asked in read_answers(path)}
    yield len(done) * max(1, run.recipe.drawn)
    for group in run.recipe.sets().values():
        missing = [scenario for scenario in group if scenario.name not in done]
        append_answers(path, [_drawn(run.recipe, role, agent, scenario) for scenario in missing])
        run.seals.add(path, finished=False)
        yield len(missing) * max(1, run.recipe.drawn)
    run.seals.add(path)


def _drawn(recipe: Recipe, role: Role, agent: AgentTeacher, scenario: Scenario) -> Asked:
    shares = agent.policy(scenario.game, scenario.context)
    ways = role_questions(recipe, role, scenario)
    rng = np.random.default_rng(derived_seed(recipe.seed, role, scenario.name))
    actions = map(int, rng.choice(len(shares), recipe.drawn, p=np.array(shares) / sum(shares)))
    replies = ((ways[n % len(ways)].labels[action], action, "") for n, action in enumerate(actions))
    presented = tuple(Presented(way.prompt, way.labels, shares, None, None, 0.0) for way in ways)
    return Asked(scenario.name, presented, tuple(replies))


def _ask_on(
    recipe: Recipe,
    role: str,
    backend: Backend,
    scenarios: Mapping[int, Scenario],
    begun: Mapping[str, Asked],
    pace: Pace,
) -> Iterator[list[Asked]]:
    """What is missing of a model's answers to some scenarios, given by their number in the study, part by part."""
    if not recipe.drawn:
        yield from _exact_parts(recipe, role, backend, scenarios.values())
        return
    known = dict(begun)
    wanted = [
        (number, reply)
        for number, scenario in scenarios.items()
        for reply in range(len(known[scenario.name].replies) if scenario.name in known else 0, recipe.observations)
    ]
    for portion in pace.portions(wanted):
        some = {number: scenarios[number] for number, _ in portion}
        new = {number: scenario for number, scenario in some.items() if scenario.name not in known}
        ask = ask_without_scores if why_sampled(backend, recipe.prompting.template) else ask_exactly
        for together in [[one] for one in new.values()] if backend.portion else [new.values()]:
            known |= {asked.scenario: asked for asked in ask(recipe, role, backend, together)}
        asked = {number: known[one.name] for number, one in some.items()}
        yield from _replies(recipe, role, backend, some, asked, portion)


def _exact_parts(recipe: Recipe, role: str, backend: Backend, scenarios: Iterable[Scenario]) -> Iterator[list[Asked]]:
    """The model's probabilities in scenarios, those of one context together, because their questions begin alike."""
    if reason := why_sampled(backend, recipe.prompting.template):
        raise ModelError(f"model '{backend.name}': sampled = false, but {reason}; draw answers (sampled = true)")
    alike = sorted(scenarios, key=lambda one: one.context.name)
    size = max(1, backend.portion // PRESENTED) if backend.portion else len(alike)
    for start in range(0, len(alike), size):
        yield list(ask_exactly(recipe, role, backend, alike[start : start + size]))


def ask_exactly(recipe: Recipe, role: str, backend: Backend, scenarios: Iterable[Scenario]) -> Iterator[Asked]:
    """The model's probabilities in some scenarios, without replies; all are asked in one batch."""
    questions = [(scenario.name, role_questions(recipe, role, scenario)) for scenario in scenarios]
    weigh = _considered if recipe.prompting.template.deliberate else _weighed
    found = iter(weigh(recipe, backend, [question for _, ways in questions for question in ways]))
    for name, ways in questions:
        presented = [one for _, one in zip(ways, found, strict=False)]
        asked = Asked(name, tuple(presented), ())
        if asked.mass is not None:
            check_mass(backend.name, presented[0].labels, asked.mass, recipe.prompting.min_mass)
        yield asked


def ask_without_scores(recipe: Recipe, role: str, backend: Backend, scenarios: Iterable[Scenario]) -> Iterator[Asked]:
    """Some scenarios as a model is asked about them whose answers can only be sampled, without replies."""
    for scenario in scenarios:
        ways = role_questions(recipe, role, scenario)
        yield Asked(scenario.name, tuple(Presented(way.prompt, way.labels, None, None, None, 0.0) for way in ways), ())


def role_questions(recipe: Recipe, role: str, scenario: Scenario) -> list[DecisionQuestion]:
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
    predicts = template.decision.way == "predict"
    sentence, values = predicted_values(template, view, shown) if predicts else ("", ())
    return DecisionQuestion(prompt, shown.labels, values, seed, sentence)


def _weighed(recipe: Recipe, backend: Backend, asked: Sequence[DecisionQuestion]) -> list[Presented]:
    """Questions that a model answers at once, with the probabilities of the labels."""
    questions = [(one.prompt, one.labels) for one in asked]
    free = [(content_free(*one), one[1]) for one in questions] if recipe.prompting.calibrate else []
    words = recipe.prompting.template
    found = exact_distributions(backend, [*questions, *free], words.reply_begins, words.system)
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
    words, presented = recipe.prompting, []
    results = consider_again(backend, words.template, asked, words.temperature, tries=TRIES)
    for one, found in zip(asked, results, strict=True):
        if found.probabilities is None:
            raise ModelError(
                f"model '{backend.name}': nothing that it wrote about '{one.prompt[:40]}...' in {TRIES} attempts tells"
                " its choice; use another template"
            )
        mass, thoughts = None if found.source is Source.STATED else found.mass, (found.deliberations, found.prediction)
        presented.append(Presented(one.prompt, one.labels, found.probabilities, mass, None, found.margin, *thoughts))
    return presented


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
    ways = {number: role_questions(recipe, role, scenarios[number]) for number in asked}
    questions = [
        replace(ways[n][reply % len(ways[n])], seed=(recipe.seed, ROLES.index(role), n, reply)) for n, reply in numbers
    ]
    missing: UnansweredError | None = None
    try:
        replies = _sampled(recipe, role, backend, questions)
    except UnansweredError as error:
        replies, missing = error.replies, error
    found: dict[int, list[Reply]] = {number: [] for number in asked}
    for (number, _), reply in zip(numbers, replies, strict=False):
        found[number].append(reply)
    yield [_with_replies(one, found[number]) for number, one in asked.items()]
    if missing is not None:
        raise missing


def _with_replies(asked: Asked, replies: Sequence[Reply]) -> Asked:
    thoughts = tuple(one.thoughts for one in replies)
    given = tuple((one.text, one.action, one.motivation) for one in replies)
    return replace(asked, replies=given, thoughts=thoughts if any(thoughts) else None)


def check_room(recipe: Recipe, role: str, model: Backend, exact: bool = False) -> None:
    """`ModelError` if a model cannot be asked about a scenario: the question is too long for one on this machine, or
    its labels cannot be told apart. `exact`: whether nothing is sampled."""
    model.check_requests(questions_asked(recipe, role, model, exact))


def questions_asked(recipe: Recipe, role: str, model: Backend, exact: bool = False) -> list[Request]:
    """The questions to a model about all scenarios, with the most tokens that it writes; parameters as `check_room`."""
    words = recipe.prompting.template
    scored = scores_labels(model, words)
    room = room_to_decide(model, words) if words.deliberate else 0 if exact else _reply_tokens(recipe, role)
    return [
        Request(one.prompt, one.labels if scored else (), room, prefill=words.reply_begins, system=words.system)
        for group in recipe.sets().values()
        for scenario in group
        for one in role_questions(recipe, role, scenario)
    ]


def _reply_tokens(recipe: Recipe, role: str) -> int:
    return recipe.prompting.max_tokens if role == "teacher" else recipe.prompting.answer_tokens


def _sampled(recipe: Recipe, role: str, backend: Backend, asked: Sequence[DecisionQuestion]) -> Sequence[Reply]:
    """One reply to each question; `UnansweredError` where one is missing."""
    prompting = recipe.prompting
    if prompting.template.deliberate:
        return deliberate_replies(backend, prompting.template, asked, prompting.temperature)
    return sample_replies(
        backend,
        [(one.prompt, one.labels, one.seed) for one in asked],
        max_tokens=_reply_tokens(recipe, role),
        temperature=prompting.temperature,
        prefill=prompting.template.reply_begins if backend.continues else "",
        system=prompting.template.system,
    )
