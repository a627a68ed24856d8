"""How much of the models' answers follows the label or the position of an action instead of the game."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from dilemmas.envs.validation import Share
from dilemmas.experiments.reporting.format import Results, num, with_span
from dilemmas.experiments.reporting.page import Block, Paragraph, Section, Table
from dilemmas.experiments.reporting.uncertainty.distance_intervals import mean_distance
from dilemmas.experiments.reporting.uncertainty.intervals import Estimate, LeanEstimate, ShareEstimate, ratio
from dilemmas.experiments.reporting.variance import FACTORS, homogeneity, variance_shares
from dilemmas.experiments.study.answers import ROLES, WEIGHT, Role
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Cells, Metric, other_rows, pivot, titled
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.titles import set_title

Array = NDArray[np.float64]
LEVEL = 0.05
"""p-value above which scenarios count as answered alike."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Share of the variance of the probability of action 0 that each factor explains by itself."""

    place: Share
    """The order in which the actions are named."""
    label: Share
    """The labels of the actions."""
    context: Share
    """The context."""
    game: Share
    """The game."""


@dataclass(frozen=True, slots=True)
class Bias:
    """How much of a model's answers follows how the actions are shown instead of the game; see `bias`.

    Means over the scenarios of a set; intervals treat the scenarios as a sample.
    """

    set: str
    """Name of the set."""
    model: Role
    """The model."""
    scenarios: Annotated[int, Ge(1)]
    """Number of scenarios, at least 1."""
    labels: tuple[str, str]
    """The two labels of the template."""
    label: ShareEstimate | None
    """Share of the answers that follows the label, in [0, 1]; None where no game of the set has two actions."""
    label_lean: LeanEstimate | None
    """Preference for a label: from -1, always the second of `labels`, to 1, always the first."""
    place: ShareEstimate
    """Share of the answers that follows the position in which an action is named, in [0, 1]."""
    place_lean: LeanEstimate
    """Preference for a position: from -1, always the last named, to 1, always the first named."""
    alike: Share
    """p-value of the hypothesis that all scenarios of the set have one rate of cooperation, if each rate were that of
    `weight` answers; 1 for one scenario."""
    weight: Annotated[int, Ge(1)]
    """Answers per scenario: those that were drawn, or 300 where probabilities are exact."""
    shares: Followed | None
    """What the answers follow; None if they do not vary, or no game of the set has two actions with labels."""


def bias(
    name: str,
    model: Role,
    labels: tuple[str, str],
    scenarios: Sequence[tuple[str, str]],
    shown: Sequence[Array],
    weight: int,
) -> Bias:
    """Label and position bias of a model on a set of scenarios, from its probabilities in every presentation.

    Parameters
    ----------
    name : str
        Name of the set.
    model : Role
        The model.
    labels : tuple of str
        The two labels of the template.
    scenarios : sequence of tuple
        Game and context of each scenario.
    shown : sequence of array, shape (A, 2, K)
        For each scenario the probability of each of K actions, by assignment of the labels to the actions (A = 2: the
        template's, then swapped; A = 1 where amounts are the labels) and by order (action 0 named first, then last).
    weight : int
        Answers per scenario; see `homogeneity`.

    Notes
    -----
    `label` is how far the distribution moves when the labels are swapped and nothing else changes, averaged over both
    orders; `place`, how far it moves when the order is reversed and nothing else changes, averaged over the
    assignments. The distance is total variation; with two actions it is |difference of P(action 0)|. Both are 0 if and
    only if the game alone decides. A model that chooses a certain label with probability u, a certain position with
    probability v, and otherwise follows the game, has label = u and place = v. Both are lower bounds, the smallest
    share of answers that must change: equally strong preferences for both labels in one prompt look like an even
    choice, and a preference for a middle position is not detected.

    The leans keep the sign before averaging: as every label is used equally often for each action and in each position,
    they are P(first label) - P(second label) and P(first named) - P(last named), whatever the game. A lean of 0 next to
    a large share belongs to a model that prefers no label but misreads the game where the labels are swapped.
    """
    two = [one for one in shown if len(one) == 2]
    turned = [one.swapaxes(0, 1) for one in shown]  # (order, assignment, action)
    return Bias(
        name,
        model,
        scenarios=len(shown),
        labels=labels,
        label=mean_distance(np.array([_moves(one) for one in two])) if two else None,
        label_lean=_mean([_lean(one) for one in two]) if two else None,
        place=mean_distance(np.array([_moves(one) for one in turned])),
        place_lean=_mean([_lean(one) for one in turned]),
        alike=homogeneity(np.array([one[..., 0].mean() for one in shown]), weight),
        weight=weight,
        shares=followed(scenarios, shown),
    )


def _mean(values: Sequence[float]) -> Estimate:
    """Mean of values from -1 to 1, with an interval over scenarios."""
    return ratio(values, np.ones(len(values)), bounds=(-1.0, 1.0))


def _moves(shown: Array) -> float:
    """Mean total variation distance between the two distributions of N pairs, shape (2, N, K)."""
    return float(np.abs(shown[0] - shown[1]).sum(axis=-1).mean() / 2)


def _lean(shown: Array) -> float:
    """Mean difference of the two distributions of N pairs, shape (2, N, K), towards action 0 and away from the last.

    With K > 2 actions, those in between count by their position, so the result is never larger than that of `_moves`.
    """
    weights = np.linspace(1, -1, shown.shape[-1]) / 2
    return float(((shown[0] - shown[1]) @ weights).mean())


def _measure(data: StudyData) -> list[Bias]:
    """Bias by set and model; empty where labels are fixed."""
    if not data.recipe.counterbalanced:
        return []
    first, second = data.recipe.prompting.template.labels
    wordings = len(data.recipe.prompting.wordings)
    rows = []
    for name, group in data.sets.items():
        for role in ROLES:
            asked = [data.answers[role][result.name] for result in group]
            worded = [one.by_wording(wordings) for one in asked]
            weight = WEIGHT if all(one.exact for one in asked) else data.recipe.observations
            ways = [one.mean(axis=0).reshape(-1, 2, one.shape[-1]) for one in worded]
            scenarios = [(result.game, result.context) for result in group]
            rows.append(bias(name, role, (first, second), scenarios, ways, weight))
    return rows


def followed(scenarios: Sequence[tuple[str, str]], shown: Sequence[Array]) -> Followed | None:
    """What the answers follow; the parameters are those of `bias`.

    Only games with two actions and labels of their own are counted, so that every scenario has the same presentations.
    """
    two = [(names, one) for names, one in zip(scenarios, shown, strict=True) if one.shape == (2, 2, 2)]
    if not two:
        return None
    cells = [
        (one[label, place, 0], place, label, context, game)
        for (game, context), one in two
        for label in (0, 1)
        for place in (0, 1)
    ]
    values, *levels = zip(*cells, strict=True)
    shares = variance_shares(np.array(values), dict(zip(FACTORS, levels, strict=True)))
    return Followed(**shares) if shares else None


def bias_table(rows: Sequence[Results]) -> Table:
    """Share of the answers determined by label or position, one column per model."""
    parts = {"label": "label", "place": "position"}
    columns, cells = _by_model(rows, parts, lambda found: with_span(found["value"], found["interval"]))
    return Table(
        "Share of the answers determined by label or position",
        ("set", "by", *columns),
        cells,
        words=2,
        note="How much the probability of an action changes when only the two labels are swapped, or only the order of "
        "the actions is reversed: 0 if that has no effect, 1 if it determines every answer. Means over scenarios; in "
        "brackets: 95% intervals over scenarios.",
    )


def lean_table(rows: Sequence[Results]) -> Table:
    """Preference for a label or a position, one column per model."""
    first, second = rows[0]["labels"] if rows else ("", "")
    columns, cells = _by_model(
        rows, {"label_lean": "label", "place_lean": "position"}, lambda found: num(found["value"])
    )
    return Table(
        f"Preference for {first} or the first named (1), {second} or the last named (−1)",
        ("set", "by", *columns),
        cells,
        words=2,
        note="How much more often the one is chosen than the other, whatever action it stands for. Opposite "
        "preferences cancel here but not in the shares above: a share without a preference belongs to a model that "
        "misreads the game in some presentations.",
    )


def shares_table(rows: Sequence[Results]) -> Table:
    """What the variance of the answers follows, one row per set and model."""
    cells = (
        (set_title(row["set"]), row["model"], *(f"{row['shares'][key]:.0%}" for key in FACTORS), _rest(row["shares"]))
        for row in rows
        if row["shares"]
    )
    return Table(
        "What the answers follow: shares of their variance",
        ("set", "model", *FACTORS, "together"),
        tuple(cells),
        words=2,
        note="Share of the variance of the probability to cooperate, over all scenarios and presentations, that "
        "follows the place of the actions, their labels, the context and the game, each by itself; together: what "
        "depends on how they are combined.",
    )


def _rest(found: Results) -> str:
    return f"{max(0.0, 1 - sum(found.values())):.0%}"


def _by_model(
    rows: Sequence[Results], parts: Mapping[str, str], cell: Callable[[Results], str]
) -> tuple[list[str], Cells]:
    """The models, and a row of cells for each set and each part of the bias; `parts`: key of a part -> its name."""
    flat = [
        {"set": set_title(row["set"]), "by": by, "model": row["model"], "found": row[key]}
        for row in rows
        for key, by in parts.items()
        if row[key] is not None
    ]
    return pivot(flat, {"set": str, "by": str}, lambda row: cell(row["found"]))


def _sections(results: Results) -> Iterator[Section]:
    rows = results["bias"]
    text = (
        "Every scenario was asked in all presentations: with both assignments of the labels to the actions, in both "
        "orders. The figures of this report are means over the presentations, in which a preference for a label or a "
        "position cancels. Here it is measured: a share of 0.30 means that at least three answers in ten to a single "
        "prompt are determined by the label (or the position), not by the game."
    )
    tables = [table for table in (shares_table(rows), bias_table(rows), lean_table(rows)) if table.rows]
    blocks: tuple[Block, ...] = (Paragraph(text), *tables) if rows else ()
    yield Section("Label and position bias", blocks)


def _terminal(results: Results) -> list[Section]:
    rows = results["bias"]
    return titled([shares_table(rows), bias_table(rows), lean_table(rows)])


def _warnings(results: Results) -> Iterator[str]:
    for row in results["bias"]:
        found = row["shares"]
        if row["scenarios"] < 2:  # there is nothing to compare with
            continue
        if row["alike"] > LEVEL:
            yield (
                f"The {row['model']} model answers all scenarios alike (set: {set_title(row['set'])}): with "
                f"{row['weight']} answers each, rates as far apart would be chance (p = {row['alike']:.2f}). "
                "Nothing was measured there but noise."
            )
        if found and (more := more_by_order(found)):
            by_order, by_content = more
            yield (
                f"The answers of the {row['model']} model (set: {set_title(row['set'])}) follow the order and the "
                "labels of the options more than the game and the context: "
                f"{by_order:.0%} of their variance, against {by_content:.0%}. What is left after averaging over the "
                "presentations may be little more than noise."
            )


def more_by_order(shares: Mapping[str, float]) -> tuple[float, float] | None:
    """Share of the variance by place and label, and share by game and context, if the first is the larger one.

    `shares`: the fields of `Followed`.
    """
    by_order, by_content = shares["place"] + shares["label"], shares["game"] + shares["context"]
    return (by_order, by_content) if by_order > by_content else None


def _limits(results: Results) -> Iterator[str]:
    if not results["bias"]:
        yield (
            "Labels and their order were fixed, so an answer to the game cannot be distinguished from a preference for "
            "a label or for the action named first. A run with --presentation counterbalanced averages over both and "
            "measures the bias."
        )


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    expected = product(recipe.sets(), ROLES) if recipe.counterbalanced else ()
    yield from other_rows("bias", ((row["set"], row["model"]) for row in results["bias"]), expected)
    for place, row in enumerate(results["bias"]):
        scenarios = len(recipe.sets().get(row["set"], ()))
        if row["scenarios"] != scenarios:
            yield f"bias[{place}].scenarios: needs {scenarios}; got {row['scenarios']}"


BIAS = Metric(
    "bias",
    tuple[Bias, ...],
    _measure,
    _sections,
    _terminal,
    warnings=_warnings,
    limits=_limits,
    faults=_faults,
    report_rank=6,
    terminal_rank=2,
)
