"""What models answered to scenarios, and whether two of them answer differently."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Deliberation, Source
from dilemmas.envs.data_files import append_text, complete_lines, drop_incomplete_line, json_text, parse_json
from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.seals import check_sealed
from dilemmas.envs.validation import Count, Share, written
from dilemmas.experiments.reporting.uncertainty.equivalence import equivalence
from dilemmas.experiments.reporting.uncertainty.intervals import Interval, ZTest, differ, two_proportions
from dilemmas.experiments.run_folder import RunError

Role = Literal["teacher", "untuned", "tuned"]
"""Who is asked."""
ROLES: tuple[Role, ...] = get_args(Role)
"""Who is asked: the teacher, and the student before and after tuning."""
ESTIMATES = (Source.EXACT, Source.SAMPLED)
"""How a model's cooperation is estimated: from its own probabilities, and from sampled answers."""
WEIGHT = 300
"""Answers to a scenario, as many as the study drew, that exact probabilities count as where it matters whether answers
would differ significantly."""


class AnswersError(InputError):
    """Answers that cannot be a model's; the message names the field and the value."""


@dataclass(frozen=True, slots=True)
class ShareByEstimate:
    """A share by estimate, from 0 to 1; null where there is none."""

    exact: Share | None
    """From the model's own probabilities."""
    sampled: Share | None
    """From readable replies."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one model answered to one scenario, by action index; action 0 is the most cooperative."""

    exact: tuple[float, ...] | None
    """Probability of each action, from the model's own probabilities of the labels; None where unknown."""
    counts: tuple[int, ...]
    """Number of sampled answers by action; all 0 where none were sampled."""
    unreadable: int = 0
    """Number of sampled replies without a readable action: not in the rates; `bounds` shows their possible effect."""
    cooperation: tuple[float, ...] = (1.0, 0.0)
    """How cooperative each action is, in [0, 1]."""

    def __post_init__(self) -> None:
        for name in ("counts", "exact"):
            values = getattr(self, name)
            if values is None:
                continue
            if len(values) != len(self.cooperation):
                raise AnswersError(f"{name} = {values}; needs one number per action, {len(self.cooperation)}")
            if min(values) < 0:
                raise AnswersError(f"{name} = {values}; must not be negative")
        if self.unreadable < 0:
            raise AnswersError(f"unreadable = {self.unreadable}; a count is 0 or more")
        if self.exact is not None and not abs(sum(self.exact) - 1) <= 1e-6:  # not: catches nan
            raise AnswersError(f"exact = {self.exact}; probabilities sum to 1, not {sum(self.exact)}")

    @property
    def readable(self) -> int:
        """Number of sampled answers that could be read."""
        return sum(self.counts)

    @property
    def replies(self) -> int:
        """Number of sampled answers, readable or not."""
        return self.readable + self.unreadable

    def distribution(self, estimate: Source) -> tuple[float, ...] | None:
        """Share of each action by one estimate; None where there is no such estimate."""
        if estimate is Source.EXACT:
            return self.exact
        return tuple(count / self.readable for count in self.counts) if self.readable else None

    def rate(self, estimate: Source) -> float | None:
        """Mean cooperation, in [0, 1]; None where there is no such estimate."""
        shares = self.distribution(estimate)
        return None if shares is None else weighted(shares, self.cooperation)

    @property
    def bounds(self) -> Interval | None:
        """Sampled rate if all unreadable replies were D, and if all were C; None without replies."""
        if not self.replies:
            return None
        known = weighted(self.counts, self.cooperation)
        low, high = (known + self.unreadable * end for end in (min(self.cooperation), max(self.cooperation)))
        return low / self.replies, high / self.replies


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The three models' answers to one scenario."""

    name: str
    """Game and context, as in ``stag_hunt/summit``."""
    game: str
    context: str
    teacher: Answers
    untuned: Answers
    """The student before it was tuned."""
    tuned: Answers

    def __post_init__(self) -> None:
        if not self.teacher.cooperation == self.untuned.cooperation == self.tuned.cooperation:
            raise AnswersError(f"{self.name}: the three models answered about different actions")

    @property
    def answers(self) -> tuple[Answers, Answers, Answers]:
        """Of teacher, untuned and tuned student."""
        return self.teacher, self.untuned, self.tuned

    def has(self, estimate: Source) -> bool:
        """Whether all three models have this estimate."""
        return all(answers.distribution(estimate) is not None for answers in self.answers)


def distance(shares: Sequence[float], other: Sequence[float]) -> float:
    """Total variation distance, in [0, 1]; with two actions the difference of the cooperation rates."""
    return sum(abs(p - q) for p, q in zip(shares, other, strict=True)) / 2


def distinguishable(one: Answers, other: Answers, estimate: Source) -> bool:
    """Whether two models that both have the estimate differ significantly, at the 5% level.

    Sampled answers are compared by the z-test for two proportions (Pearson's chi-squared for more than two actions).
    Exact probabilities have no sampling error: they count as different where the same test would be significant for two
    samples of `WEIGHT` answers in exactly these proportions, however many were drawn.
    """
    if estimate is Source.SAMPLED:
        return bool(differ(one.counts, other.counts))
    return bool(differ(*([p * WEIGHT for p in answers.exact or ()] for answers in (one, other))))


def compare(one: Answers, other: Answers) -> ZTest | None:
    """z-test for the difference of the sampled cooperation rates; None where one has no readable answer.

    With more than two actions the rate is a mean of values in [0, 1], whose variance is at most that of a
    proportion: the test is then conservative.
    """
    if not (one.readable and other.readable):
        return None
    successes = [weighted(answers.counts, answers.cooperation) for answers in (one, other)]
    return two_proportions(successes[0], one.readable, successes[1], other.readable)


def equivalent(one: Answers, other: Answers) -> float | None:
    """p-value of `equivalence` of the sampled cooperation rates; None where one has no readable answer."""
    if not (one.readable and other.readable):
        return None
    successes = [weighted(answers.counts, answers.cooperation) for answers in (one, other)]
    return equivalence(successes[0], one.readable, successes[1], other.readable)


def weighted(weights: Sequence[float], values: Sequence[float]) -> float:
    """Sum of values times weights, one for each action."""
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


@written(nulls=True)
@dataclass(frozen=True, slots=True)
class Presented:
    """A scenario as a model was asked about it in one presentation, and the model's own probabilities."""

    prompt: str
    """The question."""
    labels: tuple[str, ...]
    """Label of each action."""
    exact: tuple[Share, ...] | None
    """Probability of every action, by index; null if the model's answers can only be sampled."""
    mass: Share | None
    """Probability that a reply starts with one of the labels, in [0, 1], times that of a label in the prediction
    before, if there is one; null if it is not known."""
    whole: Share | None
    """Probability that it starts with one of them as a whole word; null if it is not known."""
    margin: Share
    """How far the probabilities may be from the model's own; 0 if they are exact."""
    deliberations: tuple[Deliberation, ...] = ()
    """What the model wrote before; `exact` is the mean over it. Empty if it answers at once."""
    prediction: tuple[Share, ...] | None = None
    """Probability of every action of the other player, by index, or in games of more players of every number of others
    who cooperate, or of every level as their mean contribution; None unless it was predicted."""
    prior: tuple[Share, ...] | None = None
    """Probability of every action in the question without content by which `exact` was divided; None without one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model answered to one scenario, as recorded in the run folder."""

    scenario: str
    """``game/context``."""
    presented: tuple[Presented, ...]
    """The wordings (outer loop) and presentations (inner loop), in the order of `Recipe.ways`; at least one."""
    replies: tuple[tuple[str, Count | None, str], ...]
    """Sampled replies: raw text, action (None where it could not be read), motivation. Reply i was given in
    presentation i modulo their number."""
    thoughts: tuple[str, ...] | None = None
    """What the model thought before each reply, no part of it; None if it is known of none."""

    @property
    def exact(self) -> tuple[float, ...] | None:
        """Probability of every action, by index: the mean over the wordings and presentations; None if it is not
        known."""
        known = [one.exact for one in self.presented if one.exact is not None]
        return tuple(map(fmean, zip(*known, strict=True))) if known else None

    @property
    def mass(self) -> float | None:
        """Probability that a reply starts with one of the labels: the mean over the presentations; None if it is not
        known."""
        return _mean_if_known([one.mass for one in self.presented])

    @property
    def whole(self) -> float | None:
        """Probability that a reply starts with a label as a whole word: the mean; None if it is not known."""
        return _mean_if_known([one.whole for one in self.presented])

    @property
    def margin(self) -> float:
        """How far the probabilities may be from the model's own; 0 if they are exact."""
        return fmean(one.margin for one in self.presented)

    def followed_by(self, part: "Asked") -> "Asked":
        """With further replies to the same scenario."""
        thoughts = [one.thoughts or ("",) * len(one.replies) for one in (self, part)]
        known = any(map(any, thoughts))
        return replace(self, replies=self.replies + part.replies, thoughts=sum(thoughts, ()) if known else None)

    def by_wording(self, wordings: int) -> NDArray[np.float64]:
        """Probability of every action in each wording and presentation, shape (wordings, presentations, actions).

        Where it is not known, the share of the readable replies; NaN where there is none.
        """
        found = np.array([one.exact or self._shares(place) for place, one in enumerate(self.presented)])
        return found.reshape(wordings, -1, found.shape[-1])

    def _shares(self, place: int) -> tuple[float, ...]:
        """Share of the readable replies with each action, in one of the wordings and presentations."""
        given = [action for _, action, _ in self.replies[place :: len(self.presented)] if action is not None]
        return tuple(given.count(i) / len(given) if given else np.nan for i in range(len(self.presented[0].labels)))

    def answers(self, scenario: Scenario) -> Answers:
        """The answers as counts by action."""
        actions = [action for _, action, _ in self.replies]
        return Answers(
            exact=self.exact,
            counts=tuple(actions.count(index) for index in range(scenario.game.n_actions)),
            unreadable=actions.count(None),
            cooperation=tuple(scenario.game.cooperation(index) for index in range(scenario.game.n_actions)),
        )


def append_answers(path: Path, answers: Collection[Asked]) -> None:
    """Append answers to a file."""
    if answers:
        append_text(path, "".join(json_text(asdict(asked)) + "\n" for asked in answers))


def joined_answers(parts: Iterable[Asked]) -> dict[str, Asked]:
    """The answers by scenario, the replies of all parts in order."""
    found: dict[str, Asked] = {}
    for part in parts:
        before = found.get(part.scenario)
        found[part.scenario] = before.followed_by(part) if before else part
    return found


def read_answers(path: Path) -> list[Asked]:
    """The answers in a file; an incomplete last line, left by a crash, is removed; other damage is a `RunError`."""
    answers = read_parts(path)
    seen: set[str] = set()
    for number, asked in enumerate(answers, start=1):
        if asked.scenario in seen:
            raise RunError(f"{path}, line {number}: {asked.scenario} was answered before; delete the line")
        seen.add(asked.scenario)
    return answers


def read_parts(path: Path) -> list[Asked]:
    """The lines of a file of answers, in which a scenario may have several."""
    if not path.is_file():
        return []
    drop_incomplete_line(path)
    check_sealed(path)
    remedy = "delete the line: the model is then asked again"
    lines = complete_lines(path)
    return [parse_json(line, Asked, f"{path}, line {number}", RunError, remedy) for number, line in lines]


def _mean_if_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None
