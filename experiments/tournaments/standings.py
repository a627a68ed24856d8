"""The standings of a tournament: payoffs by pair, scores and ranks, with their uncertainty.

The score of a player is its mean payoff per round against opponents drawn at random, which is also the mean of its row
of payoffs: the weight of a group is its number of distinct seatings. Exact matches have no sampling error. The means of
sampled matches are assumed to be normal, with the covariance of the players of one group. Intervals of scores are
Student's, with the degrees of freedom of a sum of independent means (Satterthwaite 1946, Biometrics Bull. 2:110). The
interval of a rank counts the players whose scores are significantly higher or lower, all comparisons together (Mogstad,
Romano, Shaikh & Wilhelm 2024, Rev. Econ. Stud. 91:476). Where players are nearly equal, a single wrong comparison
contradicts only the ranks of the first and the last, so that the intervals of all players hold at once in about 95% of
tournaments; where players differ clearly, in more. The distribution of ranks is from a parametric bootstrap of all
means.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import factorial, inf, prod
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from dilemmas.agents.engines.dispatch import EXACT
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.validation import Share
from dilemmas.experiments.inference.fingerprint import Habit, memory_one_fingerprint
from dilemmas.experiments.reporting.uncertainty.intervals import LEVEL, RESAMPLES, Interval, Z, t_critical
from dilemmas.experiments.tournaments.fixtures import Row
from dilemmas.experiments.tournaments.settings import Group, TournamentError

DRAWS = 500
"""Simulated scores from which the critical values of ranks are computed."""


@dataclass(frozen=True)
class GroupMeans:
    """Means over the matches of one group of n players, by seat."""

    group: Group
    engine: str
    matches: int
    """Number of matches; 1 if the means are expectations."""
    rounds: float
    """Mean number of rounds of a match."""
    payoffs: Numbers
    """Points per round, shape (n,)."""
    covariance: Numbers | None
    """Covariance of these means, shape (n, n): zero for expectations, None if there was a single match."""
    cooperation: Numbers
    """Share of rounds in which each player cooperated, shape (n,)."""
    moves: Numbers
    """As in `Tally`, summed over all matches: shape (n, 1 + 2n, 2)."""
    aborted: int
    """Number of matches that were aborted after an unreadable reply."""


def group_means(rows: Iterable[Row]) -> list[GroupMeans]:
    """The rows of each group combined, in the order in which groups appear."""
    found: dict[Group, list[Row]] = {}
    for row in rows:
        found.setdefault(row.fixture.group, []).append(row)
    return [_means(group, these) for group, these in found.items()]


def _means(group: Group, rows: Sequence[Row]) -> GroupMeans:
    one = rows[0]
    if len(rows) > 1:
        rounds, payoffs = (np.concatenate([getattr(row, field) for row in rows]) for field in ("rounds", "payoffs"))
    else:
        rounds, payoffs = one.rounds, one.payoffs
    total, count = rounds.sum(), len(rounds)
    if not total:
        raise TournamentError(
            f"no round of {' against '.join(group)} was completed, because replies were unreadable or not given, so"
            " there are no payoffs; the matches are kept. Use a template that states the format of the answer"
        )
    means = payoffs.sum(axis=0) / total
    covariance: Numbers | None = None
    if one.fixture.engine in EXACT:
        covariance = np.zeros((len(group),) * 2)
    elif np.count_nonzero(rounds) > 1:
        spread = (payoffs - means * rounds[:, None]) / (total - rounds)[:, None]  # effect of omitting each match
        covariance = spread.T @ spread * ((count - 1) / count)  # jackknife, because matches differ in length
    return GroupMeans(
        group,
        one.fixture.engine,
        count,
        float(total / count),
        means,
        covariance,
        sum(row.cooperation.sum(axis=0) for row in rows) / total,
        sum((row.moves for row in rows[1:]), one.moves),
        sum(row.aborted for row in rows),
    )


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


def habits(groups: Sequence[GroupMeans]) -> dict[str, tuple[Habit, ...]]:
    """Memory-one fingerprint of each player over all its groups.

    Exact and sampled groups have the same weight; a player has intervals if any of its groups was sampled.
    """
    matches = max(means.matches for means in groups)
    counts: dict[str, Numbers] = {}
    sampled: set[str] = set()
    for means in groups:
        exact = means.engine in EXACT
        sampled |= set() if exact else set(means.group)
        for name, moves in zip(means.group, means.moves * (matches if exact else 1), strict=True):
            counts[name] = counts.get(name, 0) + moves
    return {name: memory_one_fingerprint(moves, name not in sampled) for name, moves in counts.items()}


def standings(players: Sequence[str], rows: Iterable[Row], seed: int = 0, alike: bool = True) -> Standings:
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
    """
    groups = group_means(rows)
    tables = _Tables.of(groups, players, alike)
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
    orders: Numbers
    """Number of seatings that a group represents, shape (G,); 1 if seats differ."""
    freedom: Numbers
    """Degrees of freedom of the covariance, shape (G,), at least 1."""

    @classmethod
    def of(cls, groups: Sequence[GroupMeans], players: Sequence[str], alike: bool) -> "_Tables":
        place = {name: number for number, name in enumerate(players)}
        members = np.array([[place[name] for name in means.group] for means in groups], dtype=np.int64)
        unknown = np.full((members.shape[1],) * 2, np.nan)
        return cls(
            len(place),
            members,
            np.array([means.payoffs for means in groups]),
            np.array([means.cooperation for means in groups]),
            np.array([unknown if means.covariance is None else means.covariance for means in groups]),
            np.array([_orders(means.group) if alike else 1 for means in groups], dtype=np.float64),
            np.array([max(1, means.matches - 1) for means in groups], dtype=np.float64),
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
        orders = self.orders[:, None, None]
        at = (self.members[:, :, None] * self.size + self.members[:, None, :]).ravel()

        def added(values: Numbers, weights: Numbers) -> Numbers:
            weighted = np.where(others, weights * values[:, :, None], 0.0)
            return _added(at, weighted, self.size**2).reshape(self.size, self.size)

        counts = added(np.ones_like(self.payoffs), orders)
        with np.errstate(invalid="ignore"):
            errors = np.sqrt(added(variance, orders**2 * met)) / counts
            return added(self.payoffs, orders) / counts, errors, added(self.cooperation, orders) / counts

    def scores(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Mean payoff and cooperation of each player, shape (N,), the covariance of the payoffs, shape (N, N), and the
        degrees of freedom of their variances, shape (N,).

        A score is a sum of means of groups, which are independent of each other.
        """
        who = self.members.ravel()
        orders = np.broadcast_to(self.orders[:, None], self.members.shape)
        weights = orders / _added(who, orders, self.size)[self.members]
        pairs = (self.members[:, :, None] * self.size + self.members[:, None, :]).ravel()
        spread = weights[:, :, None] * self.covariance * weights[:, None, :]
        covariance = _added(pairs, spread, self.size**2).reshape(self.size, self.size)
        seats = self.same.sum(axis=2)  # of the same player in the group, (G, n)
        part = ((spread * self.same).sum(axis=2)[:, None, :] * self.same).sum(axis=2)  # of its variance, (G, n)
        squares = _added(who, part**2 / (self.freedom[:, None] * seats), self.size)
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = np.where(squares > 0, np.diag(covariance) ** 2 / squares, inf)
        return (
            _added(who, weights * self.payoffs, self.size),
            _added(who, weights * self.cooperation, self.size),
            covariance,
            freedom,
        )


def _orders(group: Group) -> int:
    """Number of distinct seatings of the players of a group."""
    return factorial(len(group)) // prod(map(factorial, Counter(group).values()))


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
