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
    whole: Share | None
    """Mean probability that a reply begins with a label as a whole word; null if it is not known."""
    margin: Share
    """How far the exact estimate of a scenario may be from the model's own probabilities, at most; 0 if it is exact."""


def _measure(data: StudyData) -> list[LabelMass]:
    """Mean and smallest label mass over the scenarios, by set and model; no row where models state probabilities."""
    rows = []
    for name, group in data.sets.items():
        for role in ROLES if group and data.answers else ():
            asked = [data.answers[role][result.name] for result in group]
            masses = [one.mass for one in asked if one.mass is not None]
            wholes = [one.whole for one in asked if one.whole is not None]
            whole = fmean(wholes) if len(wholes) == len(asked) else None
            if masses:
                rows.append(LabelMass(name, role, fmean(masses), min(masses), whole, max(one.margin for one in asked)))
    return rows


def mass_table(rows: Sequence[Results]) -> Table:
    """The label mass of every set and model."""
    return Table(
        "Label mass: probability that a reply begins with one of the labels",
        ("set", "model", "mean", "smallest", "whole word", "margin"),
        tuple(
            (
                *(set_title(row["set"]), row["model"]),
                *(num(row[key], 3) for key in ("mean", "least", "whole")),
                f"±{row['margin']:.2g}" if row["margin"] else "exact",
            )
            for row in rows
        ),
        words=2,
        note="The exact estimate is the choice among the labels, given that the reply begins with one of them. Where "
        "the mass is small, it says little about what the model would write. Whole word: the label does not go on with "
        "letters or digits. Margin: how far the choice among the labels may be from the model's own probabilities.",
        missing="not known",
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
        if row["margin"]:
            yield (
                f"The exact estimate of the {row['model']} model (set: {set_title(row['set'])}) is not exact: its "
                f"server tells the probabilities within ±{row['margin']:.2g} only."
            )


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    stated = recipe.prompting.template.decision.way == "mixed"
    expected = () if stated else product(recipe.sets(), ROLES)
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
