"""Sufficient statistics of recorded play: counts of choices by the probability that each strategy gives them.

The state of a strategy follows the actions that were played, including trembles of the player, and gives a probability
of cooperation in each round. These counts are all that `dilemmas.experiments.inference.mixture` needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.recorded_play import Actions, PlayerHistory

LEAST_TREMBLE, MOST_TREMBLE = 1e-10, 0.5
"""Bounds of a tremble. A strategy that trembles in more than half of the rounds is closer to its opposite; with a
tremble of 0 a single deviation has likelihood 0, from which EM cannot recover."""


class InferenceError(InputError):
    """Strategies or play that allow no inference; the message says what is missing."""


@dataclass(frozen=True)
class Evidence:
    """Choices of S subjects, counted by the probability that each of K strategies gives them."""

    strategies: tuple[str, ...]
    """K names."""
    subjects: tuple[str, ...]
    """S names."""
    follows: Numbers
    """The L different probabilities that each strategy gives to choices, shape (K, L): 1 and 0 for a deterministic
    strategy."""
    counts: Numbers
    """Number of choices of each subject that have this probability, shape (K, S, L)."""
    clusters: NDArray[np.int64]
    """Index, from 0, of the cluster of each subject, shape (S,). Subjects of one cluster have random numbers in common:
    they sat alike in matches with the same seed."""

    @property
    def choices(self) -> int:
        """Number of choices of all subjects."""
        return int(self.counts[0].sum())

    @property
    def independent(self) -> int:
        """Number of clusters."""
        return len(set(self.clusters.tolist()))

    def of(self, places: Sequence[int]) -> "Evidence":
        """The evidence on some of the strategies."""
        kept = list(places)
        names = tuple(self.strategies[place] for place in kept)
        return replace(self, strategies=names, follows=self.follows[kept], counts=self.counts[kept])

    def chances(self, trembles: Numbers) -> Numbers:
        """Probability of each kind of choice under trembling hands, shape (K, L, B).

        Parameters
        ----------
        trembles
            Probability that a choice is swapped, shape (K, B), or (1, B) if it is common to all strategies.
        """
        follows = self.follows[:, :, None]
        return np.asarray(follows + trembles[:, None] * (1.0 - 2.0 * follows))


def evidence(plays: Mapping[str, Sequence[PlayerHistory]], candidates: Sequence[Automaton]) -> Evidence:
    """Count the choices of each subject.

    Parameters
    ----------
    plays
        Matches of each subject by name, all with the same number of players.
    candidates
        Strategies; two-player strategies are extended to groups.

    Raises
    ------
    InferenceError
        If the matches have different numbers of players.
    StrategyError
        If a candidate is for groups of another size.
    """
    played = [one for several in plays.values() for one in several]
    sizes = sorted({one.players for one in played})
    if len(sizes) > 1:
        raise InferenceError(f"matches of {', '.join(map(str, sizes))} players; use matches of one size")
    chosen = _filled([one.chosen for one in played], -1)  # (M, T)
    seen = _filled([one.players * one.own + one.defectors for one in played], 0)
    subject = np.repeat(np.arange(len(plays)), [len(several) for several in plays.values()])  # (M,)
    who = np.broadcast_to(subject[:, None], chosen.shape)[chosen >= 0]
    counted = []
    for candidate in candidates:
        cooperate = _cooperation(candidate.for_players(sizes[0]) if sizes else candidate, seen)
        chance = np.where(chosen == 0, cooperate, 1.0 - cooperate)[chosen >= 0]
        levels, level = np.unique(chance, return_inverse=True)
        counts = np.bincount(who * len(levels) + level, minlength=len(plays) * len(levels))
        counted.append((levels, counts.reshape(len(plays), -1)))
    most = max((len(levels) for levels, _ in counted), default=0)
    return Evidence(
        tuple(candidate.name for candidate in candidates),
        tuple(plays),
        np.array([np.pad(levels, (0, most - len(levels)), constant_values=0.5) for levels, _ in counted]),
        np.array([np.pad(counts, ((0, 0), (0, most - len(levels)))) for levels, counts in counted], dtype=np.float64),
        _clusters(list(plays.values())),
    )


def _clusters(subjects: Sequence[Sequence[PlayerHistory]]) -> NDArray[np.int64]:
    """Clusters of subjects with random numbers in common, see `Evidence.clusters`."""
    first: dict[tuple[int, int], int] = {}
    same = [
        (number, first.setdefault((one.seed, one.seat), number))
        for number, several in enumerate(subjects)
        for one in several
        if one.seed is not None
    ]
    ones, others = np.array(same, dtype=np.int64).reshape(-1, 2).T
    shared = coo_array((np.ones(len(ones)), (ones, others)), shape=(len(subjects),) * 2)
    return np.asarray(connected_components(shared, directed=False)[1], dtype=np.int64)


def _filled(rows: Sequence[Actions], value: int) -> Actions:
    """Matches side by side, padded to the longest, shape (M, T)."""
    table = np.full((len(rows), max(map(len, rows), default=0)), value, dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def _cooperation(automaton: Automaton, seen: Actions) -> Numbers:
    """Probability of cooperation in each round of each match, from the observations of the rounds, shape (M, T)."""
    after = np.array(automaton.after)
    states = np.zeros(seen.shape, dtype=np.int64)
    for round in range(1, seen.shape[1]):
        states[:, round] = after[states[:, round - 1], seen[:, round - 1]]
    return np.array(automaton.cooperate, dtype=np.float64)[states]
