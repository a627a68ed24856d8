"""How much of the gap closed on new contexts is lost where the game is new too."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from dilemmas.experiments.reporting.format import Results, num
from dilemmas.experiments.reporting.page import Paragraph, Section
from dilemmas.experiments.study.alignment import aggregate_gap, null_rate
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, is_above
from dilemmas.experiments.study.titles import SUMMARY

MAX_DROP = 0.25
"""Share of the gap closed on new contexts that may be lost where the game is new too; a larger loss is a warning that
surface patterns were learned. The study does not state whether it means a share or points; a share is stricter."""


@dataclass(frozen=True, slots=True)
class TransferDrop:
    """Drop of the gap closed from new contexts to both new."""

    new_context: Annotated[float, Le(1)]
    """Gap closed on new contexts."""
    new_both: Annotated[float, Le(1)]
    """Gap closed on both new."""
    drop: float | None
    """Relative drop; None if no gap was closed on new contexts."""
    limit: Annotated[float, Ge(0), Le(1)]
    """Drop above which the report warns."""
    warning: bool
    """Whether it does."""

    def __post_init__(self) -> None:
        if (self.drop is None) != (self.new_context <= 0):
            raise ValueError("drop: needs a number where new_context is above 0, and only there")
        if self.warning != is_above(self.drop, self.limit):
            raise ValueError(f"warning: needs to say whether drop is above {self.limit}")


def transfer_drop(new_context: float, new_both: float) -> float | None:
    """Share of the gap closed on new contexts that is lost where the game is new too: 1 - new_both / new_context.

    None where no gap was closed on new contexts. A value above `MAX_DROP` is a warning.
    """
    return 1 - new_both / new_context if new_context > 0 else None


def _measure(data: StudyData) -> TransferDrop | None:
    """The drop from new contexts to new contexts with new games; None where one of the sets was not evaluated."""
    known, new = (_gap(data, name) for name in ("new_context", "new_both"))
    if known is None or new is None:
        return None
    drop = transfer_drop(known, new)
    return TransferDrop(known, new, drop, MAX_DROP, is_above(drop, MAX_DROP))


def _gap(data: StudyData, name: str) -> float | None:
    """The gap closed on a set, as its main row in results.json."""
    estimate = data.estimate
    rate = null_rate(data.training, estimate)
    return aggregate_gap(data.sets.get(name, ()), rate, estimate)


def _sections(results: Results) -> Iterator[Section]:
    drop = results["transfer_drop"]
    if drop and drop["drop"] is not None:
        text = (
            f"The gap closed is {num(drop['new_context'])} on new contexts and {num(drop['new_both'])} where the game "
            f"is new too: a relative drop of {num(drop['drop'])}. A drop above {num(drop['limit'])} is a warning."
        )
        yield Section(SUMMARY, (Paragraph(text),))


def _warnings(results: Results) -> Iterator[str]:
    drop = results["transfer_drop"]
    if drop and drop["warning"]:
        yield (
            f"The gap closed falls from {drop['new_context']:.2f} on new contexts to {drop['new_both']:.2f} where the "
            f"game is new too, a loss of more than {MAX_DROP:.0%}: a sign that the student learned surface patterns."
        )


TRANSFER_DROP = Metric("transfer_drop", TransferDrop | None, _measure, _sections, warnings=_warnings, report_rank=2)
