"""How variable the teacher's answers to one scenario are under different seeds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dilemmas.experiments.reporting.format import NONE, Results, num
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, shown
from dilemmas.experiments.study.titles import scenario_title

CONSISTENCY_ANSWERS = 50
"""Answers of the teacher to one scenario that are compared, as in question 1 of the study."""
MAX_DISAGREEMENT = 0.30
"""The study warns above 30% variance of the teacher on identical scenarios. It does not define variance; here it is the
probability that two answers differ."""


@dataclass(frozen=True, slots=True)
class Consistency:
    """How variable one model's answers to one scenario are under different seeds."""

    scenario: str
    answers: int
    """Number of readable answers."""
    unreadable: int
    cooperation: float | None
    """Mean cooperation of the answers, in [0, 1]; None without a readable answer."""
    disagreement: float | None
    """Probability that two answers differ, unbiased: 2p(1-p) for two actions, twice the variance of one answer.
    None with fewer than two readable answers."""
    motivations: int
    """Number of motivations given."""
    distinct_motivations: int
    """Number of different motivations."""
    commonest: str
    """The most frequent motivation; empty where there is none."""

    @property
    def noisy(self) -> bool:
        """Whether a student tuned on such answers learns noise, by the study's threshold."""
        return self.disagreement is not None and self.disagreement > MAX_DISAGREEMENT


def consistency(
    scenario: str,
    actions: Sequence[int | None],
    motivations: Sequence[str] = (),
    cooperation: Sequence[float] = (1.0, 0.0),
) -> Consistency:
    """Variability of the answers to one scenario under different seeds.

    Parameters
    ----------
    scenario : str
        Name of the scenario.
    actions : sequence of int or None
        Action index of each answer, None where it could not be read.
    motivations : sequence of str
        The motivations given.
    cooperation : sequence of float
        How cooperative each action is, in [0, 1].
    """
    read = [action for action in actions if action is not None]
    n = len(read)
    agreeing = sum(count * (count - 1) for count in Counter(read).values())  # ordered pairs
    given = Counter(motivations)
    return Consistency(
        scenario,
        answers=n,
        unreadable=len(actions) - n,
        cooperation=sum(cooperation[action] for action in read) / n if n else None,
        disagreement=1 - agreeing / (n * (n - 1)) if n > 1 else None,
        motivations=given.total(),
        distinct_motivations=len(given),
        commonest=given.most_common(1)[0][0] if given else "",
    )


def _measure(data: StudyData) -> list[dict[str, Any]]:
    """The teacher's consistency in every training scenario."""
    rows = []
    for result in data.training_results:
        replies = data.answers["teacher"][result.name].replies[:CONSISTENCY_ANSWERS]
        motivations = [motivation for _, action, motivation in replies if action is not None]
        actions = [action for _, action, _ in replies]
        rows.append(consistency(result.name, actions, motivations, result.teacher.cooperation))
    return [asdict(row) | {"noisy": row.noisy} for row in rows]


def consistency_table(rows: Sequence[Results]) -> Table:
    """How variable the teacher's answers to one scenario are."""
    cells = (
        (
            scenario_title(row["scenario"]),
            row["commonest"] or NONE,
            f"{row['answers']}",
            num(row["cooperation"]),
            f"{'! ' if row['noisy'] else ''}{num(row['disagreement'])}",
            f"{row['distinct_motivations']}/{row['motivations']}",
        )
        for row in rows
    )
    return Table(
        "The teacher's answers to one scenario under different seeds",
        ("scenario", "most frequent motivation", "answers", "cooperation", "disagreement", "distinct motivations"),
        tuple(cells),
        words=2,
        note="Disagreement: the probability that two answers to the same scenario differ; ! marks values above the "
        f"study's limit of {MAX_DISAGREEMENT:.2f}.",
    )


def _sections(results: Results) -> Iterator[Section]:
    yield Section("Consistency of the teacher", (*shown(consistency_table(results["consistency"])),))


def _warnings(results: Results) -> Iterator[str]:
    differing = [row["disagreement"] for row in results["consistency"] if row["disagreement"] is not None]
    mean = sum(differing) / len(differing) if differing else 0.0
    if mean > MAX_DISAGREEMENT:
        yield (
            f"Two answers of the teacher to the same scenario differ with probability {mean:.2f}, above "
            f"{MAX_DISAGREEMENT:.2f}: a student trained on single sampled answers learns noise. The teacher's exact "
            "probabilities carry the same information without noise."
        )


CONSISTENCY = Metric("consistency", _measure, _sections, warnings=_warnings, report_rank=4)
