"""The report of a study: what was measured becomes one dictionary, and everything shown is read from it.

`results` measures; `write_report` and `print_tables` read nothing but its dictionary, so that a report can
be made again from results.json.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from rich.console import Console

from dilemmas.agents.agent import Source
from dilemmas.envs.data_files import write_text
from dilemmas.experiments.reporting.intervals import RESAMPLES
from dilemmas.experiments.reporting.page import html, markdown, print_sections
from dilemmas.experiments.study.alignment import (
    MAX_DROP,
    Alignment,
    Gap,
    align,
    gap_closed,
    null_rate,
    transfer_drop,
)
from dilemmas.experiments.study.answers import ROLES, Answers, ScenarioResult, compare, weighted
from dilemmas.experiments.study.metrics import MAX_DISAGREEMENT, Agreement, Bias, Comprehension, Consistency, MatchRow
from dilemmas.experiments.study.sections import brief, sections

VERSION = 1
"""Of the dictionary."""
MAX_UNREADABLE = 0.05
"""Above this share of unreadable replies the report warns: with 5% the bounds of a rate are 5 points apart,
as wide as the 95% interval of 300 observations."""

ESTIMATES = (Source.EXACT, Source.SAMPLED)


@dataclass(frozen=True, slots=True)
class Model:
    """Who played a part."""

    role: str
    """teacher, untuned or tuned."""
    name: str
    fingerprint: str
    """Hub id with revision, or the SHA-256 of the files."""
    miniature: bool = False
    """Whether it is a built-in miniature, of which nothing follows for large language models."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that a study measured."""

    recipe: str
    """Name of the recipe."""
    models: Sequence[Model]
    sets: Mapping[str, Sequence[ScenarioResult]]
    """Scenarios by set: within, new_context, new_game, new_both, or sets of one's own."""
    training: Sequence[Answers]
    """The teacher's answers to the training scenarios, for the null player."""
    observations: int
    """Answers asked of each model per scenario, at least 1; settles also which exact differences count."""
    seed: int
    seconds: float
    """Time that the study took."""
    template: str
    """Name and digest of the prompt template, ``study@2a22f7cbd29d``."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Versions, commit, command: what else it takes to make the numbers again. JSON types."""
    matches: Sequence[MatchRow] = ()
    agreement: Sequence[Agreement] = ()
    consistency: Sequence[Consistency] = ()
    """The teacher's."""
    comprehension: Sequence[Comprehension] = ()
    bias: Sequence[Bias] = ()
    """Empty where labels and their order were fixed."""


def results(evaluation: Evaluation, resamples: int = RESAMPLES) -> dict[str, Any]:
    """What results.json holds: the figures, and everything that the report shows, in JSON types."""
    measured: dict[str, Any] = {
        "version": VERSION,
        "recipe": evaluation.recipe,
        "models": [asdict(model) for model in evaluation.models],
        "observations": evaluation.observations,
        "template": evaluation.template,
        "provenance": evaluation.provenance,
        "seed": evaluation.seed,
        "seconds": evaluation.seconds,
        "resamples": resamples,
        "training": {
            "scenarios": len(evaluation.training),
            "null_rate": {str(estimate): null_rate(evaluation.training, estimate) for estimate in ESTIMATES},
        },
        "alignment": _alignment(evaluation, evaluation.sets, "student", resamples),
        "scenarios": {
            name: [_scenario(result, evaluation.observations) for result in group]
            for name, group in evaluation.sets.items()
        },
        "unreadable": [row for name, group in evaluation.sets.items() for row in _unreadable(name, group)],
        "matches": [asdict(row) for row in evaluation.matches],
        "agreement": [asdict(row) for row in evaluation.agreement],
        "consistency": [asdict(row) | {"noisy": row.noisy} for row in evaluation.consistency],
        "comprehension": [asdict(row) | {"interval": row.interval} for row in evaluation.comprehension],
        "bias": [asdict(row) for row in evaluation.bias],
    }
    measured["transfer_drop"] = _drop(measured["alignment"])
    measured["warnings"] = list(_warnings(measured))
    return {key: _json(value) for key, value in measured.items()}


def write_report(run_dir: Path, measured: Mapping[str, Any]) -> None:
    """Write report.md and report.html into a run folder, each at once; the page needs nothing but itself."""
    parts = sections(measured)
    title = f"How closely the student plays its teacher's part: {measured['recipe']}"
    write_text(run_dir / "report.md", markdown(title, parts))
    write_text(run_dir / "report.html", html(title, parts))


def print_tables(console: Console, measured: Mapping[str, Any]) -> None:
    """Print the main tables, which fit a terminal of 80 columns."""
    print_sections(console, brief(measured))


def _alignment(
    evaluation: Evaluation, sets: Mapping[str, Sequence[ScenarioResult]], student: str, resamples: int
) -> dict[str, Any]:
    """Figures per set; at the top the exact ones if all models give probabilities, else the sampled ones."""
    everywhere = all(result.has(Source.EXACT) for group in sets.values() for result in group)
    figures = {}
    for name, group in sets.items():
        by_estimate = {}
        for estimate in ESTIMATES:
            rng = _stream(evaluation.seed, student, name, estimate)
            rate = null_rate(evaluation.training, estimate)
            aligned = align(group, rate, estimate, evaluation.observations, rng, resamples)
            by_estimate[str(estimate)] = _row(aligned)
        main = by_estimate[str(Source.EXACT if everywhere else Source.SAMPLED)]
        figures[name] = main | {"scenarios": len(group), "estimates": by_estimate}
    return figures


def _stream(seed: int, *words: str) -> np.random.Generator:
    """A random stream of its own for every figure, so that one more set changes no other set's interval."""
    return np.random.default_rng([seed, *(crc32(word.encode(errors="replace")) for word in words)])


def _row(alignment: Alignment) -> dict[str, Any]:
    return {
        **_gap(alignment.aggregate),
        "mean": _gap(alignment.mean),
        "estimate": str(alignment.estimate),
        "counted": len(alignment.counted),
        "undefined": alignment.undefined,
        "missing": alignment.missing,
        "ceiling": alignment.ceiling,
    }


def _gap(gap: Gap | None) -> dict[str, Any]:
    keys = ("gap_closed", "interval", "null", "transfer", "transfer_interval")
    values = (gap.value, gap.interval, gap.null, gap.transfer, gap.transfer_interval) if gap else (None,) * 5
    return dict(zip(keys, values, strict=True))


def _scenario(result: ScenarioResult, observations: int) -> dict[str, Any]:
    row: dict[str, Any] = {"name": result.name, "game": result.game, "context": result.context}
    for role, answers in zip(ROLES, result.answers, strict=True):
        row[role] = {str(estimate): answers.rate(estimate) for estimate in ESTIMATES} | {
            "probabilities": answers.exact,
            "counts": answers.counts,
            "unreadable": answers.unreadable,
            "bounds": answers.bounds,
        }
    for name, student in (("test_untuned", result.untuned), ("test_tuned", result.tuned)):
        test = compare(result.teacher, student)
        row[name] = asdict(test) if test else None
    row["gap_closed"] = {str(estimate): gap_closed(result, estimate, observations) for estimate in ESTIMATES}
    return row


def _unreadable(name: str, group: Sequence[ScenarioResult]) -> Iterator[dict[str, Any]]:
    """Each model's replies over a set: how many could not be read, and what they could hide in the rate."""
    for player, role in enumerate(ROLES):
        answers = [result.answers[player] for result in group]
        replies = sum(one.readable + one.unreadable for one in answers)
        if replies:
            readable = sum(one.readable for one in answers)
            cooperation = sum(weighted(one.counts, one.cooperation) for one in answers)
            bounds = [one.bounds for one in answers if one.bounds]
            sizes = [one.readable + one.unreadable for one in answers if one.bounds]
            yield {
                "set": name,
                "role": role,
                "replies": replies,
                "unreadable": replies - readable,
                "rate": cooperation / readable if readable else None,
                "bounds": [weighted(sizes, ends) / replies for ends in zip(*bounds, strict=True)],
            }


def _drop(alignment: Mapping[str, Any]) -> dict[str, Any] | None:
    """Loss of alignment from new contexts to new contexts with new games; None where a set was not asked."""
    known, new = (alignment.get(name, {}).get("gap_closed") for name in ("new_context", "new_both"))
    if known is None or new is None:
        return None
    drop = transfer_drop(known, new)
    warning = drop is not None and drop > MAX_DROP
    return {"new_context": known, "new_both": new, "drop": drop, "limit": MAX_DROP, "warning": warning}


def _warnings(measured: Mapping[str, Any]) -> Iterator[str]:
    differing = [row["disagreement"] for row in measured["consistency"] if row["disagreement"] is not None]
    mean = sum(differing) / len(differing) if differing else 0.0
    if mean > MAX_DISAGREEMENT:
        yield (
            f"Two answers of the teacher to the same scenario differ with probability {mean:.2f}, above "
            f"{MAX_DISAGREEMENT:.2f}: a student tuned on single sampled answers learns noise. The teacher's "
            "exact probabilities carry the same information without it."
        )
    drop = measured["transfer_drop"]
    if drop and drop["warning"]:
        yield (
            f"The gap closed falls from {drop['new_context']:.2f} on new contexts to {drop['new_both']:.2f} "
            f"where the game is new too, by more than {MAX_DROP:.0%} of it: a sign that surface patterns were learned."
        )
    for row in measured["unreadable"]:
        share = row["unreadable"] / row["replies"]
        if share > MAX_UNREADABLE:
            yield f"{share:.0%} of the replies of the {row['role']} model could not be read ({row['set']})."


def _json(value: Any) -> Any:
    """The value as json.loads would give it back: tuples become lists, numpy's numbers plain ones.

    Six significant digits: beyond them a model's probabilities depend on what else was in the batch.
    """
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.6g}") if isinstance(value, float) else value
