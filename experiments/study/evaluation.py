"""The measurements of a study: one dictionary, which results.json holds and from which the report is written."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import product
from typing import Any

import numpy as np

from dilemmas.agents.models.backend import Backend
from dilemmas.experiments.run_folder import provenance
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.registry import METRICS
from dilemmas.experiments.study.playing import compile_table
from dilemmas.experiments.study.recipe import Recipe

VERSION = 2
"""Version of the dictionary."""
PROVENANCE = ("python", "packages", "commit")
"""What the results state of the run's provenance; provenance.json has the rest."""


def evaluate(data: StudyData) -> dict[str, Any]:
    """All metrics of a study, in JSON types, with what they depend on."""
    recipe, template = data.recipe, data.recipe.prompting.template
    measured: dict[str, Any] = {
        "version": VERSION,
        "recipe": recipe.name,
        "models": [asdict(model) for model in data.models],
        "observations": recipe.observations,
        "template": f"{template.name}@{template.digest}",
        "provenance": {key: value for key, value in provenance().items() if key in PROVENANCE},
        "seed": recipe.seed,
        "seconds": 0.0,
        "resamples": data.resamples,
        **{metric.key: metric.measure(data) for metric in METRICS},
    }
    measured["warnings"] = [text for metric in METRICS for text in metric.warnings(measured)]
    return {key: _json(value) for key, value in measured.items()}


def ask_ahead(recipe: Recipe, backend: Backend) -> Iterator[None]:
    """Put every question to a model that matches, population and metrics will ask; yields after each group of them.

    A backend that remembers its answers does not need the weights afterwards: in matches that show one round, the
    questions are those of a policy table.
    """
    asked, population = recipe.matches, recipe.population
    for game, name in (*product(asked.games, asked.contexts), (population.game, population.context)):
        compile_table(recipe, backend, game, name)
        yield
    for metric in METRICS:
        metric.ask(recipe, backend)
        yield


def _json(value: Any) -> Any:
    """The value as json.loads would return it: tuples become lists, numpy's numbers plain ones.

    Six significant digits: beyond them a model's probabilities depend on what else was in the batch.
    """
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.6g}") if isinstance(value, float) else value
