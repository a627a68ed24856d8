"""The measurements of a study: results.json, from which the report is written.

The file is written and read by one type: what does not depend on the metrics, and a key for every metric.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le

from dilemmas.agents.models.backend import Backend
from dilemmas.agents.models.deciding.questions import template_signature
from dilemmas.envs.data_files import check_value, plain_value
from dilemmas.envs.seals import check_sealed
from dilemmas.envs.validation import Count, Seed
from dilemmas.experiments.reporting.format import Results
from dilemmas.experiments.run_folder import RunError, provenance, read_run_json
from dilemmas.experiments.study.answers import ROLES
from dilemmas.experiments.study.data import StudyData, StudyModel
from dilemmas.experiments.study.metrics.metric import Metric, other_rows
from dilemmas.experiments.study.metrics.registry import METRICS
from dilemmas.experiments.study.playing import compile_table
from dilemmas.experiments.study.recipe import Recipe

FORMAT, VERSION = "dilemmas-study", 5
REMEDY = "delete it and repeat the command: only the metrics are computed again"


@dataclass(frozen=True, slots=True)
class ProvenanceNote:
    """Versions that computed the results; provenance.json has the rest."""

    python: str
    """Version of Python."""
    packages: Mapping[str, str]
    """Versions by package."""
    commit: str | None
    """Git commit; null outside a checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """What the results of a study depend on."""

    format: Literal["dilemmas-study"]
    """Name of the format."""
    version: Annotated[int, Ge(VERSION), Le(VERSION)]
    """Version of the format."""
    recipe: str
    """Name of the recipe."""
    models: tuple[StudyModel, ...]
    """The three models."""
    observations: Count
    """Replies per scenario and model."""
    template: str
    """Name and digest of the prompt template."""
    provenance: ProvenanceNote
    """Versions that computed the results."""
    seed: Seed
    """Seed of the run."""
    resamples: Count
    """Simulated samples of answers for the intervals of the gap closed."""
    warnings: tuple[str, ...]
    """What the report warns of."""


@cache
def results_type(metrics: tuple[Metric, ...]) -> type[StudyFacts]:
    """The type of results.json with a key for each of the metrics."""
    keys = [(metric.key, metric.kind, field(metadata={"description": metric.measure.__doc__})) for metric in metrics]
    return make_dataclass("StudyResults", keys, bases=(StudyFacts,), frozen=True, slots=True, kw_only=True)


def evaluate(data: StudyData) -> dict[str, Any]:
    """All metrics of a study, with what they depend on, as the plain values of results.json."""
    measured: dict[str, Any] = {
        **_facts(data.recipe),
        "models": data.models,
        "provenance": {item.name: provenance()[item.name] for item in fields(ProvenanceNote)},
        "resamples": data.resamples,
        **{metric.key: metric.measure(data) for metric in METRICS},
    }
    found: dict[str, Any] = _json(measured)
    found["warnings"] = [text for metric in METRICS for text in metric.warnings(found)]
    kind = results_type(METRICS)
    values: dict[str, Any] = plain_value(check_value(found, kind, "the results of the study"), kind)
    return values


def _facts(recipe: Recipe) -> dict[str, Any]:
    """What results.json says of the recipe."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "recipe": recipe.name,
        "observations": recipe.observations,
        "template": template_signature(recipe.prompting.template),
        "seed": recipe.seed,
    }


def read_results(path: Path, recipe: Recipe) -> dict[str, Any]:
    """Read the results.json of a run; `RunError` if it is damaged, or not the results of the recipe."""
    check_sealed(path)
    kind = results_type(METRICS)
    found: dict[str, Any] = plain_value(read_run_json(path, kind, REMEDY), kind)
    for fault in _faults(found, recipe):
        raise RunError(f"{path}: {fault}; {REMEDY}")
    return found


def _faults(found: Results, recipe: Recipe) -> Iterator[str]:
    """What in the results is not of the recipe."""
    for key, value in _facts(recipe).items():
        if found[key] != value:
            yield f"{key}: needs {value}, as in the recipe; got {found[key]}"
    yield from other_rows("models", (model["role"] for model in found["models"]), ROLES)
    for metric in METRICS:
        yield from metric.faults(found, recipe)


def ask_ahead(recipe: Recipe, backend: Backend) -> Iterator[None]:
    """Put every question to a model that matches, population and metrics will ask; yields after each group of them.

    A backend that remembers its answers does not need the weights afterwards: in matches that show one round, the
    questions are those of a policy table. What it writes before it chooses is not remembered, and not asked ahead.
    """
    asked, population, writes = recipe.matches, recipe.population, recipe.prompting.template.writes
    tables = (*product(asked.games, asked.contexts), (population.game, population.context))
    for game, name in () if writes else tables:
        compile_table(recipe, backend, game, name)
        yield
    for metric in METRICS:
        for _ in metric.ask(recipe, backend):
            yield


def _json(value: Any) -> Any:
    """The value as json.loads would return it: tuples become lists, numpy's numbers plain ones.

    Six significant digits: beyond them a model's probabilities depend on what else was in the batch.
    """
    if is_dataclass(value):
        return {item.name: _json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.6g}") if isinstance(value, float) else value
