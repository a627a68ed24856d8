"""The matches of each group of a tournament, as means with their covariance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dilemmas.agents.engines.dispatch import EXACT
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.fingerprint import Habit, memory_one_fingerprint
from dilemmas.experiments.tournaments.fixtures import Row
from dilemmas.experiments.tournaments.settings import Group, TournamentError


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
