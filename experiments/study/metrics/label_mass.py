"""How much of a model's probability stands on the labels at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

from dilemmas.envs.validation import Share
from dilemmas.experiments.reporting.format import Results, num
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.answers import ROLES, Role
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, other_rows, shown, titled
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import set_title

FEW = 0.5
"""Mean label mass of a set below which the report warns: most replies are then something else than a label."""


@dataclass(frozen=True, slots=True)
class LabelMass:
    """Label mass of a model over the scenarios of a set."""

    set: str
    """Name of the set."""
    model: Role
    """The model."""
    mean: Share
    """Mean over the scenarios."""
    least: Share
    """Smallest of the scenarios."""


def _measure(data: StudyData) -> list[LabelMass]:
    """Mean and smallest label mass over the scenarios, by set and model."""
    rows = []
    for name, group in data.sets.items():
        for role in ROLES if group and data.answers else ():
            masses = [data.answers[role][result.name].mass for result in group]
            rows.append(LabelMass(name, role, fmean(masses), min(masses)))
    return rows


def mass_table(rows: Sequence[Results]) -> Table:
    """The label mass of every set and model."""
    return Table(
        "Label mass: probability that a reply begins with one of the labels",
        ("set", "model", "mean", "smallest"),
        tuple((set_title(row["set"]), row["model"], num(row["mean"], 3), num(row["least"], 3)) for row in rows),
        words=2,
        note="The exact estimate is the choice among the labels, given that the reply begins with one of them. Where "
        "the mass is small, it says little about what the model would write.",
    )


def _sections(results: Results) -> Iterator[Section]:
    yield Section("Label mass", (*shown(mass_table(results["label_mass"])),))


def _terminal(results: Results) -> list[Section]:
    return titled([mass_table([row for row in results["label_mass"] if row["mean"] < FEW])])


def _warnings(results: Results) -> Iterator[str]:
    for row in results["label_mass"]:
        if row["mean"] < FEW:
            yield (
                f"Only {row['mean']:.1%} of the replies of the {row['model']} model (set: {set_title(row['set'])}) "
                "begin with one of the labels: the exact estimate is about these replies alone."
            )


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    expected = product(recipe.sets(), ROLES)
    yield from other_rows("label_mass", ((row["set"], row["model"]) for row in results["label_mass"]), expected)


LABEL_MASS = Metric(
    "label_mass",
    tuple[LabelMass, ...],
    _measure,
    _sections,
    _terminal,
    warnings=_warnings,
    faults=_faults,
    report_rank=3,
    terminal_rank=1,
)
