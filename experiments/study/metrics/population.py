"""Cooperation in a population of each model's policy table, on a lattice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from dilemmas.envs.validation import Count, Share
from dilemmas.experiments.reporting.charts import lines
from dilemmas.experiments.reporting.format import Results, num, words
from dilemmas.experiments.reporting.page import Figure, Paragraph, Section, Table
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.study.answers import ROLES, Role
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import game_title

LATE = 0.1
"""Share of the steps, the last ones, over which the final cooperation is averaged."""


@dataclass(frozen=True, slots=True)
class PopulationCurves:
    """Cooperation in a population of each model."""

    game: str
    """Name of the game."""
    context: str
    """Context of the policy tables."""
    agents: Count
    """Number of agents."""
    curves: Mapping[Role, tuple[Share, ...]]
    """Mean cooperation in every step, by model."""


def _measure(data: StudyData) -> PopulationCurves | None:
    """Mean cooperation in every step by model; None without a population."""
    if not data.population:
        return None
    asked = data.recipe.population
    curves = {role: tuple(map(float, data.population[role])) for role in ROLES}
    return PopulationCurves(asked.game, asked.context, asked.size**2, curves)


def population_table(found: Results) -> Table:
    """Cooperation at the beginning and at the end."""
    rows = []
    for role, curve in found["curves"].items():
        late = curve[-max(1, round(LATE * len(curve))) :]
        rows.append((role, num(curve[0], 3), num(sum(late) / len(late), 3)))
    return Table(
        "Cooperation in the population",
        ("model", "first step", f"last {LATE:.0%} of the steps"),
        tuple(rows),
        note="One population of each model, without intervals. All have the same random numbers, so that they differ "
        "by the models alone.",
    )


def _sections(results: Results) -> Iterator[Section]:
    found = results["population"]
    if not found:
        return
    text = (
        f"{found['agents']:,} agents on a lattice whose edges are joined all follow the policy table of one model, "
        f"which remembers one round. In every step each agent plays one round of {game_title(found['game'])} with each "
        f"of its eight neighbours, in the context {words(found['context'])}."
    )
    caption = "Mean cooperation in every step, by model."
    draw = partial(lines, "Cooperation on a lattice", caption, {"all agents": found["curves"]}, "step")
    blocks = (Paragraph(text), Figure(responsive(draw), caption), population_table(found))
    yield Section("Population on a lattice", blocks)


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    asked, found = recipe.population, results["population"]
    if not found:
        yield "population: is missing"
        return
    for key, value in (("game", asked.game), ("context", asked.context), ("agents", asked.size**2)):
        if found[key] != value:
            yield f"population.{key}: needs {value}; got {found[key]}"
    yield from other_rows("population.curves", found["curves"], ROLES)
    for role, curve in found["curves"].items():
        if len(curve) != asked.steps:
            yield f"population.curves.{role}: needs {asked.steps} numbers; got {len(curve)}"


POPULATION = Metric("population", PopulationCurves | None, _measure, _sections, faults=_faults, report_rank=9)
