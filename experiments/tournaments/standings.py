"""The standings of a tournament: payoffs by pair, scores and ranks, with their uncertainty.

The score of a player is its mean payoff per round against opponents drawn at random, which is also the mean of its row
of payoffs: the weight of a group is its number of distinct seatings. Exact matches have no sampling error. The means of
sampled matches are assumed to be normal, with the covariance of the players of one group. Intervals of scores are
Student's, with the degrees of freedom of a sum of independent means (Satterthwaite 1946, Biometrics Bull. 2:110). Where
groups were drawn, the weight of a group is how often it was drawn, and the covariance is that of the draws: it has the
chance of the matches and that of the choice of groups (ratio of means, linearised: Cochran 1977, Sampling Techniques,
ch. 6). The
interval of a rank counts the players whose scores are significantly higher or lower, all comparisons together (Mogstad,
Romano, Shaikh & Wilhelm 2024, Rev. Econ. Stud. 91:476). Where players are nearly equal, a single wrong comparison
contradicts only the ranks of the first and the last, so that the intervals of all players hold at once in about 95% of
tournaments; where players differ clearly, in more. The distribution of ranks is from a parametric bootstrap of all
means.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, lgamma
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.validation import Share
from dilemmas.experiments.reporting.uncertainty.intervals import LEVEL, RESAMPLES, Interval, Z, t_critical
from dilemmas.experiments.tournaments.fixtures import Row
from dilemmas.experiments.tournaments.group_means import GroupMeans, group_means
from dilemmas.experiments.tournaments.settings import Group

FEWEST_OPPONENTS = 12
"""Opponents that each player must have met where groups were drawn; with fewer, Student's intervals do not hold."""
DRAWS = 500
"""Simulated scores from which the critical values of ranks are computed."""


@dataclass(frozen=True)
class Standing:
    """The standing of one player."""

    player: str
    """Name."""
    rank: Annotated[int, Ge(1)]
    """From 1; players with the same score share the better rank."""
    score: float
    """Mean payoff per round."""
    interval: Interval | None
    """95% interval of the score; None if no match was repeated."""
    ranks: Interval | None
    """Interval of the rank; those of all players hold at once in about 95% of tournaments, or more."""
    first: Share | None
    """Probability of the first place."""
    cooperation: Share
    """Share of rounds in which it cooperated."""


@dataclass(frozen=True)
class Standings:
    """The results of a tournament of N players."""

    players: tuple[str, ...]
    payoffs: Numbers
    """Mean points per round of the row player in groups with the column player, shape (N, N); NaN if they never met."""
    errors: Numbers
    """Standard errors of `payoffs`, shape (N, N); NaN if unknown."""
    cooperation: Numbers
    """Share of rounds in which the row player cooperated with the column player, shape (N, N)."""
    ranking: tuple[Standing, ...]
    """Standings, best first."""
    ranks: NDArray[np.int64] | None
    """Ranks in a parametric bootstrap of all means, shape (draws, N); None if matches were not repeated."""
    groups: tuple[GroupMeans, ...]


def standings(
    players: Sequence[str],
    rows: Iterable[Row],
    seed: int = 0,
    alike: bool = True,
    draws: Mapping[Group, int] | None = None,
) -> Standings:
    """Compute the results of a tournament.

    Parameters
    ----------
    players
        Names of the N players.
    rows
        Rows of the results, in any order.
    seed
        Seed of the bootstrap of ranks and intervals.
    alike
        Whether the seats are the same, so that a group represents all orders of its players.
    draws
        How often each group was drawn, if groups were drawn.
    """
    groups = group_means(rows)
    tables = _Tables.of(groups, players, alike, draws)
    payoffs, errors, cooperation = tables.by_pair()
    scores, cooperating, covariance, freedom = tables.scores()
    ranks, certainty = None, None
    if not np.isnan(covariance).any():
        if covariance.any():
            drawn = np.random.default_rng(seed).multivariate_normal(scores, covariance, RESAMPLES, method="eigh")
        else:
            drawn = scores[None]
        ranks = np.broadcast_to(_ranks(drawn), (RESAMPLES, len(scores)))
        reach = np.array([t_critical(df) for df in freedom.tolist()])
        half, (best, worst) = reach * _errors(covariance), rank_intervals(scores, covariance, drawn[:DRAWS], reach / Z)
        certainty = Certainty(
            np.stack([scores - half, scores + half]), np.stack([best, worst]), (ranks == 1).mean(axis=0)
        )
    ranking = _ranking(players, scores, cooperating, certainty)
    return Standings(tuple(players), payoffs, errors, cooperation, ranking, ranks, tuple(groups))


@dataclass(frozen=True)
class _Tables:
    """The means of G groups of n players as arrays."""

    size: int
    """Number of players of the tournament, N."""
    members: NDArray[np.int64]
    """Index of the player in each seat, shape (G, n)."""
    payoffs: Numbers
    """Shape (G, n)."""
    cooperation: Numbers
    """Shape (G, n)."""
    covariance: Numbers
    """Covariance of the payoffs, shape (G, n, n); NaN if unknown."""
    weights: Numbers
    """Weight of each group, shape (G,): how often it was drawn; or, up to a factor, the number of seatings that it
    represents, 1 if seats differ."""
    freedom: Numbers
    """Degrees of freedom of the covariance, shape (G,), at least 1."""
    drawn: bool
    """Whether the groups were drawn at random."""

    @classmethod
    def of(
        cls, groups: Sequence[GroupMeans], players: Sequence[str], alike: bool, draws: Mapping[Group, int] | None
    ) -> "_Tables":
        place = {name: number for number, name in enumerate(players)}
        members = np.array([[place[name] for name in means.group] for means in groups], dtype=np.int64)
        unknown = np.full((members.shape[1],) * 2, np.nan)
        return cls(
            len(place),
            members,
            np.array([means.payoffs for means in groups]),
            np.array([means.cooperation for means in groups]),
            np.array([unknown if means.covariance is None else means.covariance for means in groups]),
            _weights([means.group for means in groups], alike, draws),
            np.array([max(1, means.matches - 1) for means in groups], dtype=np.float64),
            draws is not None,
        )

    @cached_property
    def same(self) -> NDArray[np.bool_]:
        """Whether the same player is in both of two seats, shape (G, n, n)."""
        return np.asarray(self.members[:, :, None] == self.members[:, None, :])

    def by_pair(self) -> tuple[Numbers, Numbers, Numbers]:
        """Payoffs, their standard errors and cooperation by pair of players, shape (N, N); NaN if they never met."""
        others = ~np.eye(self.members.shape[1], dtype=np.bool_)
        met = self.same.sum(axis=1)[:, None, :] - self.same  # without the row player's own seat
        variance = (self.covariance * self.same).sum(axis=2)  # and other seats of the same player
        weights = self.weights[:, None, None]
        at = (self.members[:, :, None] * self.size + self.members[:, None, :]).ravel()

        def added(values: Numbers, factors: Numbers) -> Numbers:
            weighted = np.where(others, factors * values[:, :, None], 0.0)
            return _added(at, weighted, self.size**2).reshape(self.size, self.size)

        counts = added(np.ones_like(self.payoffs), weights)
        with np.errstate(invalid="ignore"):
            errors = np.sqrt(added(variance, weights**2 * met)) / counts
            return added(self.payoffs, weights) / counts, errors, added(self.cooperation, weights) / counts

    def scores(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Mean payoff and cooperation of each player, shape (N,), the covariance of the payoffs, shape (N, N), and the
        degrees of freedom of their variances, shape (N,).

        A score is a sum of means of groups, which are independent of each other.
        """
        who = self.members.ravel()
        of_seats = np.broadcast_to(self.weights[:, None], self.members.shape)
        weights = of_seats / _added(who, of_seats, self.size)[self.members]
        means = _added(who, weights * self.payoffs, self.size), _added(who, weights * self.cooperation, self.size)
        return *means, *(self._between(weights, means[0]) if self.drawn else self._within(weights))

    def _between(self, weights: Numbers, scores: Numbers) -> tuple[Numbers, Numbers]:
        """Covariance and degrees of freedom from the differences between draws; NaN for a player who is in one draw
        alone, or met fewer than `FEWEST_OPPONENTS`.

        `weights`: of each seat in the score of its player, shape (G, n).
        """
        count, seats = self.members.shape
        place = np.repeat(np.arange(count), seats), self.members.ravel()
        effects = csr_array(((weights * (self.payoffs - scores[self.members])).ravel(), place), (count, self.size))
        covariance = (effects.T @ (effects / self.weights[:, None])).toarray()  # of k equal draws, each 1 / k of it
        drawn = csr_array((np.ones(count * seats), place), (count, self.size)).astype(bool).T @ self.weights
        with np.errstate(divide="ignore", invalid="ignore"):
            known = (drawn > 1) & (drawn * (seats - 1) >= FEWEST_OPPONENTS)
            correction = np.sqrt(np.where(known, drawn / (drawn - 1), np.nan))
        return covariance * correction[:, None] * correction, np.maximum(1.0, drawn - 1)

    def _within(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """Covariance and degrees of freedom from the differences between the matches of a group."""
        who = self.members.ravel()
        pairs = (self.members[:, :, None] * self.size + self.members[:, None, :]).ravel()
        spread = weights[:, :, None] * self.covariance * weights[:, None, :]
        covariance = _added(pairs, spread, self.size**2).reshape(self.size, self.size)
        seats = self.same.sum(axis=2)  # of the same player in the group, (G, n)
        part = ((spread * self.same).sum(axis=2)[:, None, :] * self.same).sum(axis=2)  # of its variance, (G, n)
        squares = _added(who, part**2 / (self.freedom[:, None] * seats), self.size)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = np.where(squares > 0, np.diag(covariance) ** 2 / squares, inf)
        return covariance, freedom


def _weights(groups: Sequence[Group], alike: bool, draws: Mapping[Group, int] | None) -> Numbers:
    """How often each group was drawn; else its number of distinct seatings relative to the largest, 1 if seats differ.

    Shape (G,).
    """
    if draws is not None:
        return np.array([draws[group] for group in groups], dtype=np.float64)
    if not alike:
        return np.ones(len(groups))
    repeats = np.array([sum(lgamma(1 + count) for count in Counter(group).values()) for group in groups])
    return np.asarray(np.exp(repeats.min() - repeats))  # n! is the same for all; of hundreds of players no float


def _added(places: NDArray[np.int64], values: Numbers, size: int) -> Numbers:
    """Sum of the values by index, shape (size,)."""
    return np.asarray(np.bincount(places, values.ravel(), size), dtype=np.float64)


def _ranks(scores: Numbers) -> NDArray[np.int64]:
    """Ranks along the last axis, from 1 for the highest score; scores equal up to rounding share the better rank."""
    tie = 1e-9 * np.abs(scores).max(initial=0.0)
    order = np.argsort(-scores, axis=-1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=-1)
    below = np.diff(ordered, axis=-1, prepend=np.inf) < -tie  # the first score of each rank
    place = np.maximum.accumulate(np.where(below, np.arange(scores.shape[-1]), 0), axis=-1)
    ranks = np.empty_like(place)
    np.put_along_axis(ranks, order, place + 1, axis=-1)
    return ranks


def _errors(covariance: Numbers) -> Numbers:
    """Standard errors, shape (N,), from a covariance."""
    return np.asarray(np.sqrt(np.maximum(0.0, np.diag(covariance))))


def rank_intervals(scores: Numbers, covariance: Numbers, drawn: Numbers, widen: Numbers) -> tuple[Numbers, Numbers]:
    """95% intervals of the ranks of N players: their best and worst ranks, shape (N,) each.

    Parameters
    ----------
    scores, covariance
        Means and their covariance, shapes (N,) and (N, N).
    drawn
        Scores drawn from this distribution, shape (draws, N).
    widen
        Factor of the critical value of each player, shape (N,), for covariances from few matches.
    """
    tie = 1e-9 * np.abs(scores).max(initial=0.0)
    best, worst = np.empty(len(scores)), np.empty(len(scores))
    variance = np.diag(covariance)
    for own in range(len(scores)):
        ahead = scores - scores[own]
        error = np.sqrt(np.maximum(0.0, variance + variance[own] - 2 * covariance[own]))
        unsure = error > tie
        moved = np.abs(drawn[:, unsure] - drawn[:, [own]] - ahead[unsure]) / error[unsure]
        limit = float(np.quantile(moved.max(axis=1), LEVEL)) * widen[own] if unsure.any() else 0.0
        margin = np.where(unsure, limit * error, tie)
        best[own], worst[own] = 1 + (ahead > margin).sum(), len(scores) - (ahead < -margin).sum()
    return best, worst


@dataclass(frozen=True)
class Certainty:
    """The uncertainty of the scores of N players."""

    scores: Numbers
    """95% intervals of the scores, shape (2, N)."""
    ranks: Numbers
    """95% intervals of the ranks, shape (2, N)."""
    first: Numbers
    """Probability of the first place, shape (N,)."""


def _ranking(
    players: Sequence[str], scores: Numbers, cooperating: Numbers, certainty: Certainty | None
) -> tuple[Standing, ...]:
    """The players, best first."""
    rows = zip(players, _ranks(scores).tolist(), scores.tolist(), cooperating.tolist(), strict=True)
    found = []
    for place, (name, rank, score, share) in enumerate(rows):
        interval = ranks = first = None
        if certainty is not None:
            interval, ranks = (_ends(values, place) for values in (certainty.scores, certainty.ranks))
            first = float(certainty.first[place])
        found.append(Standing(name, rank, score, interval, ranks, first, share))
    return tuple(sorted(found, key=lambda standing: standing.rank))


def _ends(intervals: Numbers, place: int) -> Interval:
    low, high = intervals[:, place].tolist()
    return low, high
