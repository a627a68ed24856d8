"""What language models answer to the scenarios of the study.

Each model has a run folder of its own inside that of the survey, in which its answers are kept as they come, so that a
stopped survey is resumed by repeating the command.
"""

import math
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from os.path import expanduser
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Source
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.asking.kept_texts import KeptTexts
from dilemmas.agents.models.backend import Backend
from dilemmas.agents.models.comprehension import ComprehensionScore
from dilemmas.agents.models.deciding.scored import why_sampled
from dilemmas.agents.models.hub import NotCachedError
from dilemmas.agents.models.model_files import check_installed, find_model, full_name, split_spec
from dilemmas.agents.models.servers.settings import is_served, parse_address
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.experiments.reporting.variance import homogeneity
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study.answers import WEIGHT, Answers, Asked, Role, append_answers, read_answers
from dilemmas.experiments.study.conduct.ahead import ask_in_parts
from dilemmas.experiments.study.conduct.procedure import check_device
from dilemmas.experiments.study.metrics.bias import Followed, followed
from dilemmas.experiments.study.metrics.comprehension import ask_questions_of_fact
from dilemmas.experiments.study.metrics.consistency import MAX_DISAGREEMENT, consistency
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.stages import PRESENTED, TOGETHER, Told, ask_exactly, ask_model, tell_nobody

Array = NDArray[np.float64]
CHECKSUM = re.compile(r"-[0-9a-f]{8}$")
"""End of the name of the folder of a model."""


@dataclass(frozen=True, slots=True)
class SetAnswers:
    """What a model answered to the scenarios of a set."""

    estimate: Source
    """``exact``: `cooperation` is from the model's own probabilities; ``sampled``: from readable replies, because there
    are no probabilities, so it has standard errors."""
    cooperation: dict[str, float | None]
    """Mean cooperation, in [0, 1], by scenario: the mean over wordings and presentations. None without a readable
    reply."""
    errors: dict[str, float | None]
    """Standard error of the cooperation by scenario, in [0, 0.5], if it is sampled; None without a readable reply."""
    by_wording: dict[str, tuple[float | None, ...]]
    """Mean cooperation in each wording, the template's own first, then its paraphrases in order."""
    sampled: dict[str, float | None]
    """The same by sampled answers, None without a readable one; empty if none were drawn."""
    label_mass: float | None
    """Mean probability that a reply begins with one of the labels, in [0, 1]; None if it is not known."""
    margin: float
    """How far the cooperation of a scenario may be from the model's own probabilities, at most, because a server tells
    these within bounds only; 0 if it is exact or sampled."""
    place_effect: float | None
    """Mean of P(action 0 where it is named first) - P(action 0 where it is named last), in [-1, 1]; None if all
    scenarios were asked in one presentation."""
    place_error: float | None
    """Largest standard error that `place_effect` can have if it is sampled: 1 / sqrt(readable replies)."""
    shares: Followed | None
    """Share of the variance by place, label, context and game; None if the answers do not vary, all scenarios were
    asked in one presentation, or the answers are sampled: their chance would count as variance."""
    alike: float
    """p-value of the hypothesis that all scenarios are answered alike, for `weight` answers each."""
    weight: int
    """Answers per scenario: those that were read on average, or `WEIGHT` where probabilities are exact."""
    unreadable: float | None
    """Share of sampled answers in which no action could be read, in [0, 1]; None without answers."""
    disagreement: float | None
    """Mean probability that two readable answers to the same scenario differ, in [0, 1]; None without answers."""
    motivations: float | None
    """Mean share of the motivations of a scenario that differ from each other, in [0, 1]: 1 if no two are the same.
    None if there are none."""

    @property
    def wordings(self) -> tuple[float, ...]:
        """Mean cooperation over the scenarios in each wording, in [0, 1]."""
        known = [[rate for rate in rates if rate is not None] for rates in zip(*self.by_wording.values(), strict=True)]
        return tuple(fmean(rates) for rates in known if rates)

    @property
    def noisy(self) -> bool:
        """Whether the answers vary more than the study allows for a teacher."""
        return self.disagreement is not None and self.disagreement > MAX_DISAGREEMENT


@dataclass(frozen=True, slots=True)
class ReportedSet(SetAnswers):
    """What ``ask --json`` prints of a model and a set."""

    comprehension: tuple[ComprehensionScore, ...]
    """What the model answered to questions of fact about the games of all sets, by kind; empty if none were asked."""
    warnings: tuple[str, ...]
    """Sentences about what speaks against these answers, such as a small label mass; empty if nothing does."""


def check_survey(folder: Path, recipe: Recipe, specs: Sequence[str]) -> None:
    """Check the folder of a survey, and the models as far as they are on this machine, before any of them is asked.

    Raises
    ------
    InputError
        If language models are not installed, one is named twice, does not exist or cannot be used, or the folder
        holds something else.
    """
    check_installed()
    check_device(recipe.models.device)
    seen: dict[str, str] = {}
    for spec in specs:
        if (other := seen.setdefault(_which(spec), spec)) != spec or specs.count(spec) > 1:
            raise RunError(f"models = {list(specs)}; needs each of them once, and {other} and {spec} are the same")
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (path.is_dir() and CHECKSUM.search(path.name)):
            raise RunError(f"{folder} is not empty and holds something else ({path.name}); choose another --out")


def _which(spec: str) -> str:
    """What tells a model from others, however it is specified; `InputError` if there is none or it cannot be used."""
    if is_served(spec):
        return str(parse_address(spec))
    try:
        return find_model(*split_spec(spec), ask_hub=False).fingerprint
    except NotCachedError:
        return full_name(spec)


def short_names(specs: Sequence[str]) -> dict[str, str]:
    """A name for tables by model: of files and folders the last part of the path, unless two models had the same."""
    short = {
        spec: spec if is_served(spec) else "+".join(map(_last_part, filter(None, split_spec(spec)))) for spec in specs
    }
    return short if len(set(short.values())) == len(short) else {spec: spec for spec in specs}


def _last_part(place: str) -> str:
    path = Path(expanduser(place))
    return path.name if path.exists() else place


@dataclass(frozen=True, slots=True)
class Survey:
    """What a model answered."""

    sets: dict[str, SetAnswers]
    """To the scenarios, by set."""
    facts: list[ComprehensionScore]
    """To questions of fact, by kind; empty if none were asked."""
    hits: str
    """How many questions were put to it now, in words; empty where answers are sampled."""


def recipe_for(recipe: Recipe, spec: str) -> Recipe:
    """The recipe with one model in both places."""
    return replace(recipe, models=replace(recipe.models, teacher=spec, student=spec))


def model_folder(folder: Path, spec: str) -> Path:
    """The folder of one model in that of a survey: its name with a checksum, which tells similar names apart."""
    name = re.sub(r"[^\w.-]+", "_", spec)[-60:].lstrip("._-")  # a name that begins with a dot is hidden
    return folder / f"{name}-{sha256(spec.encode()).hexdigest()[:8]}"


def ask_all(run: Run, role: Role, kept: CachingBackend, exact: bool, told: Told = tell_nobody) -> Iterator[int]:
    """Ask a model about all scenarios of a recipe; yields how many more answers there are, at first those of before.

    Parameters
    ----------
    run
        The folder of the model.
    role
        ``teacher``: asked for a motivation too; ``untuned``: for an answer alone.
    kept
        The model, as `kept_model` gives it.
    exact
        Whether only its own probabilities are asked for: one answer a scenario.
    told
        Called while the model writes.
    """
    if not exact:
        yield from ask_model(run, role, kept.below, told)
        return
    every, path = [scenario for group in run.recipe.sets().values() for scenario in group], _exact_path(run, role)
    done = {asked.scenario for asked in read_answers(path)}
    yield len(done)
    missing = [scenario for scenario in every if scenario.name not in done]
    texts_path = run.path("answers", f"{role}.exact.texts.jsonl")
    kept.texts = KeptTexts(texts_path, kept.below, told)
    size = max(1, kept.portion // PRESENTED) if kept.portion else TOGETHER
    if run.recipe.prompting.template.deliberate:
        size = 1
    for begin in range(0, len(missing), size):
        asked = list(ask_exactly(run.recipe, role, kept, missing[begin : begin + size]))
        append_answers(path, asked)
        run.seals.add(path, finished=False)
        yield len(asked)
    run.seals.add(path)
    texts_path.unlink(missing_ok=True)


def _exact_path(run: Run, role: Role) -> Path:
    return run.path("answers", f"{role}.exact.jsonl")


def kept_model(run: Run, role: Role, backend: Backend) -> CachingBackend:
    """A model with the answers that are kept in its folder."""
    return CachingBackend(backend, run.path("questions", f"{role}.jsonl"))


def answered(run: Run, role: Role, exact: bool) -> dict[str, SetAnswers]:
    """What a model answered that `ask_all` has asked, by set; the parameters are the same."""
    sets = run.recipe.sets()
    path = _exact_path(run, role) if exact else run.path("answers", f"{role}.jsonl")
    found = {one.scenario: one for one in read_answers(path)}
    asked = {name: [found[one.name] for one in group] for name, group in sets.items()}
    wordings = len(run.recipe.prompting.wordings)
    return {name: set_answers(group, asked[name], wordings) for name, group in sets.items()}


def ask_facts(run: Run, kept: CachingBackend) -> Generator[tuple[int, int], None, list[ComprehensionScore]]:
    """Ask a model questions of fact about the games of a recipe; returns how well it answers them.

    Yields how many are answered, and of how many. A model whose answers can only be sampled is asked none, because
    these questions are answered by probabilities.
    """
    if why_sampled(kept, run.recipe.prompting.template):
        return []
    return (yield from ask_in_parts(partial(ask_questions_of_fact, run.recipe), kept))


def set_answers(group: Sequence[Scenario], asked: Sequence[Asked], wordings: int = 1) -> SetAnswers:
    """The answers to the scenarios of a set, in the same order; `wordings`: number of wordings of each."""
    answers = {one.name: reply.answers(one) for one, reply in zip(group, asked, strict=True)}
    worded = {one.scenario: one.by_wording(wordings) for one in asked}
    presented = [one.mean(axis=0) for one in worded.values()]
    shown = [one.reshape(-1, 2, one.shape[-1]) for one in presented if len(one) > 1]
    names = [(scenario.game.name, scenario.context.name) for scenario in group]
    alike = [consistency(one.scenario, *_said(one)) for one in asked]
    differing = [one.disagreement for one in alike if one.disagreement is not None]
    reasons = [one.distinct_motivations / one.motivations for one in alike if one.motivations]
    replies = sum(one.replies for one in answers.values())
    masses = [one.mass for one in asked if one.mass is not None]
    estimate = Source.EXACT if all(one.exact for one in answers.values()) else Source.SAMPLED
    exact, readable = estimate is Source.EXACT, [one.readable for one in answers.values()]
    weight = WEIGHT if exact else int(fmean(readable))
    effects = [effect for one in shown if not math.isnan(effect := _first_minus_last(one))]
    sampled = [rate for one in answers.values() if (rate := one.rate(Source.SAMPLED)) is not None]
    rates = np.array([one[:, 0].mean() for one in presented] if exact else sampled)
    return SetAnswers(
        estimate=estimate,
        cooperation={name: one.rate(estimate) for name, one in answers.items()},
        errors={} if exact else {name: _standard_error(one) for name, one in answers.items()},
        by_wording={name: _by_wording(worded[name], one) for name, one in answers.items()},
        sampled={name: one.rate(Source.SAMPLED) for name, one in answers.items()} if replies else {},
        label_mass=fmean(masses) if masses else None,
        margin=max(one.margin for one in asked) if exact else 0.0,
        place_effect=fmean(effects) if effects else None,
        place_error=sum(readable) ** -0.5 if effects and not exact else None,
        shares=followed(names, shown) if shown and exact else None,
        alike=homogeneity(rates, weight) if len(rates) else 1.0,
        weight=weight,
        unreadable=sum(one.unreadable for one in answers.values()) / replies if replies else None,
        disagreement=fmean(differing) if differing else None,
        motivations=fmean(reasons) if reasons else None,
    )


def _said(asked: Asked) -> tuple[list[int | None], list[str]]:
    """The action of every reply, and the motivations that were given."""
    return [action for _, action, _ in asked.replies], [reason for _, _, reason in asked.replies if reason]


def _by_wording(worded: Array, answers: Answers) -> tuple[float | None, ...]:
    """Mean cooperation in each wording; `worded`: probability of every action, (wordings, presentations, actions)."""
    rates = worded @ np.array(answers.cooperation)  # (wordings, presentations)
    known = [one[~np.isnan(one)] for one in rates]
    return tuple(float(one.mean()) if len(one) else None for one in known)


def _standard_error(answers: Answers) -> float | None:
    """Of the sampled rate; with more than two actions it is an upper bound, that of a share.

    With two successes and two failures added (Agresti & Coull 1998), so that equal answers do not seem certain.
    """
    rate, number = answers.rate(Source.SAMPLED), answers.readable + 4
    if rate is None:
        return None
    nearer = (rate * answers.readable + 2) / number
    return math.sqrt(nearer * (1 - nearer) / number)


def _first_minus_last(shown: Array) -> float:
    """P(action 0 where it is named first) - P(action 0 where it is named last), shape (assignments, 2, actions)."""
    return float((shown[:, 0, 0] - shown[:, 1, 0]).mean())
