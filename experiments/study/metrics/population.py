"""Cooperation in a population of each model's policy table, on a lattice."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from dilemmas.experiments.reporting.charts import lines
from dilemmas.experiments.reporting.format import Results, num, words
from dilemmas.experiments.reporting.page import Figure, Paragraph, Section, Table
from dilemmas.experiments.reporting.svg import responsive
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric
from dilemmas.experiments.study.titles import game_title

LATE = 0.1
"""Share of the steps, the last ones, over which the final cooperation is averaged."""


def _measure(data: StudyData) -> dict[str, Any] | None:
    """Mean cooperation in every step by model; None without a population."""
    if not data.population:
        return None
    asked = data.recipe.population
    curves = {role: list(map(float, curve)) for role, curve in data.population.items()}
    return {"game": asked.game, "context": asked.context, "agents": asked.size**2, "curves": curves}


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


POPULATION = Metric("population", _measure, _sections, report_rank=9)
