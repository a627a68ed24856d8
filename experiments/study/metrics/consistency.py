"""How variable the teacher's answers to one scenario are under different seeds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dilemmas.envs.validation import Count, Share
from dilemmas.experiments.reporting.format import NONE, Results, num
from dilemmas.experiments.reporting.page import Section, Table
from dilemmas.experiments.study.data import StudyData
from dilemmas.experiments.study.metrics.metric import Metric, is_above, other_rows, shown
from dilemmas.experiments.study.recipe import TRAINING_SET, Recipe
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
    """``game/context``."""
    answers: Count
    """Number of readable answers."""
    unreadable: Count
    """Number of unreadable answers."""
    cooperation: Share | None
    """Mean cooperation of the answers, in [0, 1]; None without a readable answer."""
    disagreement: Share | None
    """Probability that two answers differ, unbiased: 2p(1-p) for two actions, twice the variance of one answer.
    None with fewer than two readable answers."""
    motivations: Count
    """Number of motivations given."""
    distinct_motivations: Count
    """Number of different motivations."""
    commonest: str
    """The most frequent motivation; empty where there is none."""

    noisy: bool
    """Whether a student tuned on such answers learns noise, by the study's threshold for `disagreement`, 0.30."""

    def __post_init__(self) -> None:
        for name, least in (("cooperation", 1), ("disagreement", 2)):
            if (getattr(self, name) is None) != (self.answers < least):
                raise ValueError(f"{name}: needs a number with {least} or more answers, and only then")
        if self.noisy != is_above(self.disagreement, MAX_DISAGREEMENT):
            raise ValueError(f"noisy: needs to say whether disagreement is above {MAX_DISAGREEMENT}")
        if self.distinct_motivations > self.motivations:
            raise ValueError(f"distinct_motivations: needs a number of at most motivations, {self.motivations}")


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
    disagreement = 1 - agreeing / (n * (n - 1)) if n > 1 else None
    return Consistency(
        scenario,
        answers=n,
        unreadable=len(actions) - n,
        cooperation=sum(cooperation[action] for action in read) / n if n else None,
        disagreement=disagreement,
        motivations=given.total(),
        distinct_motivations=len(given),
        commonest=given.most_common(1)[0][0] if given else "",
        noisy=is_above(disagreement, MAX_DISAGREEMENT),
    )


def _measure(data: StudyData) -> list[Consistency]:
    """The teacher's consistency in every training scenario."""
    rows = []
    for result in data.training_results if data.recipe.drawn else ():
        replies = data.answers["teacher"][result.name].replies[:CONSISTENCY_ANSWERS]
        motivations = [motivation for _, action, motivation in replies if action is not None]
        actions = [action for _, action, _ in replies]
        rows.append(consistency(result.name, actions, motivations, result.teacher.cooperation))
    return rows


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


def _faults(results: Results, recipe: Recipe) -> Iterator[str]:
    expected = (scenario.name for scenario in recipe.sets()[TRAINING_SET] if recipe.drawn)
    yield from other_rows("consistency", (row["scenario"] for row in results["consistency"]), expected)
    asked = min(CONSISTENCY_ANSWERS, recipe.drawn)
    for place, row in enumerate(results["consistency"]):
        if row["answers"] + row["unreadable"] != asked:
            yield f"consistency[{place}].answers: needs {asked} with the unreadable ones; got {row['answers']}"


CONSISTENCY = Metric(
    "consistency", tuple[Consistency, ...], _measure, _sections, warnings=_warnings, faults=_faults, report_rank=4
)
