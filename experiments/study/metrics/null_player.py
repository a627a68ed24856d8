"""The rate of the null player: the teacher's mean cooperation over the training scenarios."""

from collections.abc import Iterator
from dataclasses import dataclass

from dilemmas.envs.validation import Count
from dilemmas.experiments.reporting.format import Results
from dilemmas.experiments.study.alignment import null_rate
from dilemmas.experiments.study.answers import ESTIMATES, ShareByEstimate
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric
from dilemmas.experiments.study.recipe import TRAINING_SET, Recipe


@dataclass(frozen=True, slots=True)
class TrainingScenarios:
    """The training scenarios."""

    scenarios: Count
    """How many."""
    examples: Count
    """Demonstrations that the student was trained on: readable answers of the teacher, or questions whose probabilities
    were taught."""
    null_rate: ShareByEstimate
    """The teacher's mean cooperation, which the null player plays."""


def _measure(data: StudyData) -> TrainingScenarios:
    """How many scenarios and demonstrations the student was trained on, and the null player's rate by each estimate."""
    rates = ShareByEstimate(*(null_rate(data.training, estimate) for estimate in ESTIMATES))
    soft = data.recipe.lora.method == "soft"
    examples = data.recipe.demonstrations if soft else sum(answers.readable for answers in data.training)
    return TrainingScenarios(len(data.training), examples, rates)


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    scenarios, found = len(recipe.sets()[TRAINING_SET]), results["training"]
    if found["scenarios"] != scenarios:
        yield f"training.scenarios: needs {scenarios}; got {found['scenarios']}"
    if found["examples"] > recipe.demonstrations:
        yield f"training.examples: needs a number of at most {recipe.demonstrations}; got {found['examples']}"


NULL_PLAYER = Metric("training", TrainingScenarios, _measure, faults=_faults)
