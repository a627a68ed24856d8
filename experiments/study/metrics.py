"""Measures of decisions beside alignment: matches, agreement on recorded histories, consistency,
comprehension, bias towards labels and places.

Everything takes plain arrays, so that any record of play can be measured.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilemmas.experiments.reporting.intervals import Estimate, Interval, ratio, wilson

Array = NDArray[np.float64]

MAX_DISAGREEMENT = 0.30
"""The study's question warns above 30% variance of the teacher on identical scenarios. What it calls variance is not
said; here it is the chance that two answers differ."""


@dataclass(frozen=True, slots=True)
class MatchRow:
    """How one model played against one opponent."""

    model: str
    opponent: str
    game: str
    rounds: float
    """Mean number of rounds of a match."""
    matches: int
    cooperation: Estimate
    """The model's mean cooperation per round, from 0 to 1; intervals resample matches."""
    payoff: Estimate
    """The model's mean payoff per round, in points."""
    opponent_payoff: Estimate
    """The opponent's (the mean over the other players in a group), in points per round."""
    cooperation_by_round: tuple[float, ...]
    """The model's mean cooperation in each round, over the matches that reached it."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a model would decide where the teacher decided in recorded matches."""

    model: str
    decisions: int
    overlap: Estimate
    """Mean of 1 - total variation distance between the two models' probabilities: 1 = the same everywhere."""
    expected: Estimate
    """Share of decisions on which independent draws from the two models are the same action."""
    ceiling: float
    """`expected` of the teacher with itself: below 1 where the teacher's choices are mixed."""


@dataclass(frozen=True, slots=True)
class Consistency:
    """How variable one model's answers to one scenario are under different seeds."""

    scenario: str
    answers: int
    """Answers that could be read."""
    unreadable: int
    cooperation: float | None
    """Mean cooperation of the answers, from 0 to 1; None without a readable one."""
    disagreement: float | None
    """Chance that two answers differ, unbiased: 2p(1-p) for two actions, twice the variance of one answer.
    None with fewer than two readable answers."""
    motivations: int
    """Motivations given."""
    distinct_motivations: int
    """Different ones among them."""
    commonest: str
    """The motivation given most often; empty where there is none."""

    @property
    def noisy(self) -> bool:
        """Whether a student tuned on such answers learns noise, by the study's threshold."""
        return self.disagreement is not None and self.disagreement > MAX_DISAGREEMENT


@dataclass(frozen=True, slots=True)
class Comprehension:
    """How many questions of fact about scenarios a model answers rightly."""

    model: str
    kind: str
    """Kind of question, as in `dilemmas.envs.prompts.comprehension`."""
    right: int
    asked: int
    """At least 1."""

    @property
    def interval(self) -> Interval:
        """95% interval of the share of right answers."""
        return wilson(self.right, self.asked)


@dataclass(frozen=True, slots=True)
class Bias:
    """How much of a model's answers follows how the actions are shown instead of the game; see `bias`.

    Means over the scenarios of a set; intervals resample scenarios.
    """

    set: str
    model: str
    scenarios: int
    """At least 1."""
    labels: tuple[str, ...]
    """The two labels of the template."""
    label: Estimate | None
    """Share of the answers that follows the label, from 0 to 1; None where no game of the set has two actions."""
    label_lean: Estimate | None
    """Liking for a label: from -1, always the second of `labels`, to 1, always the first."""
    place: Estimate
    """Share of the answers that follows the place in which an action is named, from 0 to 1."""
    place_lean: Estimate
    """Liking for a place: from -1, always the last named, to 1, always the first named."""


def match_row(
    model: str,
    opponent: str,
    game: str,
    cooperation: Array,
    payoff: Array,
    opponent_payoff: Array,
    rng: np.random.Generator,
) -> MatchRow:
    """Sums up M matches of at most R rounds.

    `cooperation`, `payoff`, `opponent_payoff`: shape (M, R), nan in rounds that were not played. Every
    match has at least one round. Raises ValueError where the shapes differ.
    """
    if not cooperation.shape == payoff.shape == opponent_payoff.shape:
        raise ValueError(f"shapes {cooperation.shape}, {payoff.shape} and {opponent_payoff.shape} differ")
    played = ~np.isnan(cooperation)  # (M, R)
    lengths = played.sum(axis=1)  # (M,)
    reached = played.any(axis=0)
    by_round = np.nansum(cooperation, axis=0)[reached] / played.sum(axis=0)[reached]
    return MatchRow(
        model,
        opponent,
        game,
        rounds=float(lengths.mean()),
        matches=len(lengths),
        cooperation=ratio(np.nansum(cooperation, axis=1), lengths, rng),
        payoff=ratio(np.nansum(payoff, axis=1), lengths, rng),
        opponent_payoff=ratio(np.nansum(opponent_payoff, axis=1), lengths, rng),
        cooperation_by_round=tuple(float(rate) for rate in by_round),
    )


def agreement(
    model: str, teacher: Array, student: Array, match: NDArray[np.int64], rng: np.random.Generator
) -> Agreement:
    """Compares two models' probabilities on the same N decisions.

    `teacher`, `student`: probabilities by action, shape (N, K). `match`: which match each decision was made
    in, shape (N,); decisions of one match resemble each other, so intervals resample matches.
    """
    if not len(teacher):
        raise ValueError("no recorded decisions to compare on")
    _, cluster = np.unique(match, return_inverse=True)  # (N,)
    sizes = np.bincount(cluster)
    overlap = np.minimum(teacher, student).sum(axis=1)  # (N,): 1 - total variation distance
    expected = (teacher * student).sum(axis=1)
    return Agreement(
        model,
        decisions=len(teacher),
        overlap=ratio(np.bincount(cluster, overlap), sizes, rng),
        expected=ratio(np.bincount(cluster, expected), sizes, rng),
        ceiling=float((teacher**2).sum(axis=1).mean()),
    )


def consistency(
    scenario: str,
    actions: Sequence[int | None],
    motivations: Sequence[str] = (),
    cooperation: Sequence[float] = (1.0, 0.0),
) -> Consistency:
    """Variability of the answers to one scenario under different seeds.

    `actions`: action index of each answer, None where it could not be read.
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


def bias(name: str, model: str, labels: tuple[str, ...], shown: Sequence[Array], rng: np.random.Generator) -> Bias:
    """Label and place bias of a model on a set of scenarios, from its probabilities in every presentation.

    `shown`: for each scenario an array of shape (A, 2, K), the probability of each of K actions by assignment of the
    labels to the actions (A = 2: the template's, then swapped; A = 1 where amounts are the labels) and by order (action
    0 named first, then last).

    `label` is how far the distribution moves when the labels are swapped and nothing else, the mean over both orders;
    `place`, when the order is reversed and nothing else, the mean over the assignments. Far is the total variation
    distance; with two actions |difference of P(action 0)|. Both are 0 if and only if the game alone decides. A model
    that takes a certain label with probability u, a certain place with probability v, and else follows the game, has
    label = u and place = v. They are floors, the least share of answers that must change: pulls to either label that
    are equally strong in one prompt look like an even choice, and one to a middle place is not seen.

    The leans keep the sign before they take means: as every label stands equally often for each action and in each
    place, they are P(first label) - P(second label) and P(first named) - P(last named), whatever the game. A lean of 0
    beside a large share belongs to a model that likes no label, but misreads the game where the labels are swapped.
    """
    two = [one for one in shown if len(one) == 2]
    turned = [one.swapaxes(0, 1) for one in shown]  # (order, assignment, action)
    return Bias(
        name,
        model,
        scenarios=len(shown),
        labels=labels,
        label=_mean([_moves(one) for one in two], rng) if two else None,
        label_lean=_mean([_lean(one) for one in two], rng) if two else None,
        place=_mean([_moves(one) for one in turned], rng),
        place_lean=_mean([_lean(one) for one in turned], rng),
    )


def _mean(values: Sequence[float], rng: np.random.Generator) -> Estimate:
    """With an interval over scenarios."""
    return ratio(values, np.ones(len(values)), rng)


def _moves(shown: Array) -> float:
    """Mean total variation distance between two distributions of N pairs, shape (2, N, K)."""
    return float(np.abs(shown[0] - shown[1]).sum(axis=-1).mean() / 2)


def _lean(shown: Array) -> float:
    """Mean difference of the two distributions of N pairs, shape (2, N, K), towards action 0 and away from the last.

    Of K > 2 actions those between count by their place, so that it is never larger than what `_moves` gives.
    """
    weights = np.linspace(1, -1, shown.shape[-1]) / 2
    return float(((shown[0] - shown[1]) @ weights).mean())
