"""What the commands of an experiment measure, as one list of numbers that can be compared between variants."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from statistics import fmean
from typing import Any

from dilemmas.experiments.reporting.format import Results, words
from dilemmas.experiments.study.metrics.transfer_drop import transfer_drop
from dilemmas.experiments.study.titles import SETS


@dataclass(frozen=True, slots=True)
class MeasuredNumber:
    """One number of one run."""

    where: str
    """Set of scenarios, or agent and situations, such as ``new_context`` or ``Tuned: histories``."""
    what: str
    """Name of the measure, such as ``gap_closed``."""
    value: float | None
    """The number; null where it is not defined."""


SHARE, LEAN, ANY = (0.0, 1.0), (-1.0, 1.0), (-inf, inf)
"""Least and largest value of a measure."""
GAP = (-inf, 1.0)
"""The same of a gap closed."""
WHATS: Mapping[str, tuple[str, str, tuple[float, float]]] = {
    "gap_closed": ("gap closed", "over all scenarios; 1 = answers as the teacher, 0 = as the untuned student", GAP),
    "null": ("null", "gap closed by the null player, who always cooperates at the teacher's mean rate", GAP),
    "beyond_null": ("beyond null", "gap closed minus that of the null player", ANY),
    "gap_closed_counted": ("counted", "gap closed over the scenarios that the study's own report counts", GAP),
    "correlation": ("r", "correlation of cooperation with the teacher's", LEAN),
    "divergence": ("divergence", "Kullback-Leibler, from the teacher's probabilities, in nats", (0.0, inf)),
    "overlap": ("overlap", "1 minus the total variation distance to the teacher's probabilities", SHARE),
    "agreement": ("same", "probability that draws from both are the same action", SHARE),
    "level": ("level", "mean cooperation minus the teacher's", LEAN),
    "drop": ("drop", "share of the gap closed on new contexts that is lost where the game is new too", ANY),
    "disagreement": ("disagreement", "probability that two answers to the same scenario differ", SHARE),
    "motivations": ("different reasons", "share of the motivations of a scenario that differ from each other", SHARE),
    "label_mass": ("mass", "probability that a reply begins with one of the labels", SHARE),
    "place_effect": ("place effect", "how much more probable the first action is where it is named first", LEAN),
    "unreadable": ("unreadable", "share of the answers in which no action could be read", SHARE),
    "cooperation": ("cooperation", "mean cooperation", SHARE),
    "distance": ("distance", "mean difference of cooperation after each outcome from the teacher's", SHARE),
    "payoff": ("payoff", "mean payoff per round, in points", ANY),
}
"""Title and explanation of every measure, in the order of tables, and between which numbers it lies."""
TITLES = {**SETS, "teacher": "The teacher's own answers", "matches": "Histories of the teacher's matches"}
"""Titles of places."""


def of_study(results: Results) -> Iterator[MeasuredNumber]:
    """The numbers of a finished study, from the content of its results.json.

    The gap closed is over all scenarios of a set: in which of them sampled answers differ significantly depends on
    their number, in which variants may differ. That of the study's own report is `gap_closed_counted`.
    """
    closed: dict[str, float | None] = {}
    for row in results["pattern"]:
        name, figures = row["set"], results["alignment"][row["set"]]
        closed[name] = row["student"]
        yield MeasuredNumber(name, "gap_closed", row["student"])
        yield MeasuredNumber(name, "null", row["null"])
        yield MeasuredNumber(name, "beyond_null", _minus(row["student"], row["null"]))
        yield MeasuredNumber(name, "correlation", row["tuned"])
        yield MeasuredNumber(name, "gap_closed_counted", figures["gap_closed"])
    if None not in (ends := (closed.get("new_context"), closed.get("new_both"))):
        yield MeasuredNumber("new_both", "drop", transfer_drop(*ends))  # type: ignore[arg-type]
    yield MeasuredNumber("teacher", "disagreement", _mean(row["disagreement"] for row in results["consistency"]))
    for row in results["agreement"]:
        if row["model"] == "tuned":
            for key, what in (("overlap", "overlap"), ("expected", "agreement")):
                yield MeasuredNumber("matches", what, row[key]["value"])


def of_evaluation(found: Results) -> Iterator[MeasuredNumber]:
    """The numbers of `dilemmas evaluate`, as it prints them with ``--json``."""
    for row in found["alignment"]:
        where = f"{row['agent']}: {row['on']}"
        for what in ("divergence", "overlap", "agreement", "level", "correlation", "gap_closed"):
            yield MeasuredNumber(where, what, _number(row[what]))
    for row in found["matches"]:
        for what in ("cooperation", "payoff"):
            best = row["expected"] or row
            yield MeasuredNumber(f"{row['agent']} against {row['opponent']}", what, _number(best[what]))
    for row in found["conduct"]:
        if row["distance"] is not None:
            yield MeasuredNumber(f"{row['agent']}: all its matches", "distance", row["distance"])


def of_survey(found: Mapping[str, Mapping[str, Any]]) -> Iterator[MeasuredNumber]:
    """The numbers of `dilemmas ask`, as it prints them with ``--json``: by model and set."""
    for model, sets in found.items():
        for name, row in sets.items():
            where = name if len(found) == 1 else f"{model}: {name}"
            yield MeasuredNumber(where, "cooperation", _mean(row["cooperation"].values()))
            for what in ("disagreement", "motivations", "unreadable", "label_mass", "place_effect"):
                yield MeasuredNumber(where, what, row[what])


def place_title(where: str) -> str:
    """A place of measurements in words."""
    agent, colon, on = where.rpartition(": ")
    return f"{agent}{colon}{TITLES.get(on, words(on))}"


def _number(found: Any) -> float | None:
    """A number, or that of an estimate."""
    value: float | None = found["value"] if isinstance(found, Mapping) else found
    return value


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
