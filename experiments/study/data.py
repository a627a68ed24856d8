"""What the metrics of a study read: everything that a run recorded, and the models for further questions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from dilemmas.agents.agent import Source
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.models.answers import MIN_MASS
from dilemmas.agents.models.model_files import is_miniature
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.experiments.reporting.uncertainty.intervals import RESAMPLES
from dilemmas.experiments.study.answers import ROLES, Answers, Asked, Role, ScenarioResult, read_answers
from dilemmas.experiments.study.playing import Pairing, Player, pairings, recorded
from dilemmas.experiments.study.recipe import TRAINING_SET, Recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.seeds import derived_seed

Answered = Mapping[str, Mapping[str, Asked]]
"""Answers by role and scenario name."""


@dataclass(frozen=True, slots=True)
class StudyModel:
    """A model of the study."""

    role: Role
    """Role in the study."""
    name: str
    """Name of the model."""
    fingerprint: str
    """Hub id with revision, or the SHA-256 of the files."""
    engine: str
    """What computed its probabilities, with the data type if it is known."""
    miniature: bool
    """Whether it is a built-in miniature, whose results say nothing about large language models."""


@dataclass(frozen=True, slots=True)
class StudyData:
    """Everything that the metrics of a study are computed from."""

    recipe: Recipe
    models: Sequence[StudyModel]
    sets: Mapping[str, Sequence[ScenarioResult]]
    """What the three models answered, scenario by scenario, by set: within, new_context, new_game, new_both."""
    answers: Answered
    """The same as it was recorded, with texts, motivations and presentations, by role and scenario name."""
    pairings: Sequence[Pairing]
    """Who played whom."""
    records: Callable[[Pairing], Sequence[MatchRecord]]
    """Reads the matches of a pairing."""
    backends: Mapping[str, Player]
    """The models by role, for questions of a metric's own; see `Metric.ask`."""
    population: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Cooperation in every step of a population of each model, by role."""
    resamples: int = RESAMPLES
    """Simulated samples of answers for the intervals of the gap closed."""

    @property
    def estimate(self) -> Source:
        """The estimate that comes first: the exact one, unless a model gives no probabilities, or so little of them to
        the labels in a set (less than `MIN_MASS`) that they say nothing about what it would write."""
        groups = [group for group in self.sets.values() if group]
        everywhere = all(result.has(Source.EXACT) for group in groups for result in group)
        masses = (
            fmean(masses)
            for asked in self.answers.values()
            for group in groups
            if (masses := [mass for one in group if (mass := asked[one.name].mass) is not None])
        )
        return Source.EXACT if everywhere and min(masses, default=1.0) >= MIN_MASS else Source.SAMPLED

    @property
    def training_results(self) -> Sequence[ScenarioResult]:
        """What the three models answered to the training scenarios."""
        return self.sets.get(TRAINING_SET, ())

    @property
    def training(self) -> Sequence[Answers]:
        """The teacher's answers to the training scenarios."""
        return [result.teacher for result in self.training_results]

    def stream(self, *key: str) -> np.random.Generator:
        """Random numbers for one figure of one metric, by the run's seed and a key of words.

        Every figure has its own stream, so that one more metric or set changes no other figure.
        """
        return np.random.default_rng(derived_seed(self.recipe.seed, "metric", *key))


def collect(
    run: Run, backends: Mapping[str, Player], population: Mapping[str, Sequence[float]] | None = None
) -> StudyData:
    """Read what a run recorded. `backends`: the models by role; `population`: as in `StudyData`."""
    answers = read_all_answers(run)
    return StudyData(
        recipe=run.recipe,
        models=[_model(run.recipe, role, backends[role]) for role in ROLES if role in backends],
        sets=scenario_results(run.recipe, answers),
        answers=answers,
        pairings=pairings(run.recipe),
        records=lambda pairing: recorded(run, pairing),
        backends=backends,
        population=population or {},
    )


def _model(recipe: Recipe, role: Role, backend: Player) -> StudyModel:
    place = recipe.models.teacher if role == "teacher" else recipe.models.student
    return StudyModel(role, backend.name, backend.fingerprint, backend.engine, is_miniature(place))


def read_all_answers(run: Run) -> Answered:
    """The answers of the three models."""
    return {
        role: {asked.scenario: asked for asked in read_answers(run.path("answers", f"{role}.jsonl"))} for role in ROLES
    }


def scenario_results(recipe: Recipe, answers: Answered) -> dict[str, list[ScenarioResult]]:
    """The three models' answers by set of scenarios."""
    return {name: [_result(scenario, answers) for scenario in group] for name, group in recipe.sets().items()}


def _result(scenario: Scenario, answers: Answered) -> ScenarioResult:
    teacher, untuned, tuned = (answers[role][scenario.name].answers(scenario) for role in ROLES)
    return ScenarioResult(scenario.name, scenario.game.name, scenario.context.title, teacher, untuned, tuned)
