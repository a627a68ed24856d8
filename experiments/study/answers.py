"""What models answered to scenarios, and whether two of them answer differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from dilemmas.agents.agent import Source
from dilemmas.envs.errors import InputError
from dilemmas.envs.validation import Share
from dilemmas.experiments.reporting.intervals import Interval, ZTest, differ, two_proportions

Role = Literal["teacher", "untuned", "tuned"]
"""Who is asked."""
ROLES: tuple[Role, ...] = get_args(Role)
"""Who is asked: the teacher, and the student before and after tuning."""
ESTIMATES = (Source.EXACT, Source.SAMPLED)
"""How a model's cooperation is estimated: from its own probabilities, and from sampled answers."""


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


def distinguishable(one: Answers, other: Answers, estimate: Source, observations: int) -> bool:
    """Whether two models that both have the estimate differ significantly, at the 5% level.

    Sampled answers are compared by the z-test for two proportions (Pearson's chi-squared for more than two actions).
    Exact probabilities have no sampling error: they count as different where the same test would be significant for two
    samples of `observations` answers in exactly these proportions.
    """
    if estimate is Source.SAMPLED:
        return bool(differ(one.counts, other.counts))
    return bool(differ(*([p * observations for p in answers.exact or ()] for answers in (one, other))))


def compare(one: Answers, other: Answers) -> ZTest | None:
    """z-test for the difference of the sampled cooperation rates; None where one has no readable answer.

    With more than two actions the rate is a mean of values in [0, 1], whose variance is at most that of a
    proportion: the test is then conservative.
    """
    if not (one.readable and other.readable):
        return None
    successes = [weighted(answers.counts, answers.cooperation) for answers in (one, other)]
    return two_proportions(successes[0], one.readable, successes[1], other.readable)


def weighted(weights: Sequence[float], values: Sequence[float]) -> float:
    """Sum of values times weights, one for each action."""
    return sum(weight * value for weight, value in zip(weights, values, strict=True))
