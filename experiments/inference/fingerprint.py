"""Description of a player from its play: a memory-one fingerprint, and measures of its character.

A fingerprint is the frequency of cooperation conditional on the previous round, whatever the strategy of the player.
Cooperation, initial cooperation, good partner, vengeful cooperation, eigenjesus and eigenmoses are those of
Axelrod-Python (``axelrod/result_set.py``); the terms nice, provocable, forgiving and echo those of Axelrod 1984.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dilemmas.envs.checks import number_array
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.likelihoods import InferenceError
from dilemmas.experiments.inference.recorded_play import PlayerHistory
from dilemmas.experiments.reporting.uncertainty.intervals import Estimate, Interval, proportion, wilson

TURNS = 100_000
"""Largest number of power iterations."""


@dataclass(frozen=True, slots=True)
class Habit:
    """Frequency of cooperation after one observation."""

    after: str
    """``start``; ``CD``: the player cooperated and the other defected; with three or more players
    ``C, 2 D``: the player cooperated and two others defected."""
    cooperated: float
    """Number of times it then cooperated; an expectation if counts are exact."""
    times: float
    """Number of observations."""
    interval: Interval | None
    """95% interval of the probability; a point if counts are exact, None if `times` is 0."""

    @property
    def probability(self) -> float | None:
        """Estimated probability of cooperation; None if `times` is 0."""
        return self.cooperated / self.times if self.times else None


@dataclass(frozen=True, slots=True)
class Character:
    """Measures of one player over its matches, from 0 to 1; None without an observation.

    Intervals take the rounds of a match as dependent and the matches as a sample, in each file and against each
    opponent; see `Sample` and `dilemmas.experiments.reporting.uncertainty.intervals.proportion`.
    """

    cooperation: Estimate | None
    """C / rounds (cooperation rating)."""
    initial_cooperation: Estimate | None
    """Matches with C in the first round / matches (initial cooperation rate)."""
    niceness: Estimate | None
    """Matches in which it never was the first to defect / matches (nice)."""
    provocability: Estimate | None
    """D / rounds, of those after it cooperated and the other defected: retaliation for unprovoked defection."""
    forgiveness: Estimate | None
    """C / rounds, of those after the other defected (Axelrod 1980, J. Confl. Res. 24:3)."""
    vengeance: Estimate | None
    """D / rounds, of those after it defected and the other cooperated: continued exploitation."""
    echo: Estimate | None
    """Rounds in which both players exchanged their actions / rounds, of those after a round with a single defector; for
    two players. It is 1 for two players who retaliate in turns."""
    good_partner: Estimate | None
    """Matches in which it cooperated at least as often as the mean of the others / matches (good partner rating)."""


def labels(players: int) -> tuple[str, ...]:
    """Possible observations of the previous round with a number of players, in the order of `Tally.moves`."""
    if players == 2:
        return ("start", "CC", "CD", "DC", "DD")
    return ("start", *(f"{own}, {defected} D" for own in "CD" for defected in range(players)))


def memory_one_fingerprint(moves: Numbers, exact: bool = False) -> tuple[Habit, ...]:
    """The fingerprint of a player from counts of its actions.

    Parameters
    ----------
    moves
        Counts of C and D at the start and after each observation, shape (1 + 2n, 2) with n players, such as
        ``tally.moves[:, seat].sum(axis=0)``.
    exact
        Whether the counts are expectations, without sampling error. Otherwise intervals are Wilson's, for choices that
        depend on the previous round only.

    Raises
    ------
    InferenceError
        If the counts do not have this shape, or one is negative.
    """
    moves = number_array(moves, "moves", ("1 + 2n", 2), 0, error=InferenceError)
    if len(moves) % 2 == 0 or len(moves) < 5:
        raise InferenceError(f"moves of {len(moves)} rows; needs 1 + 2n, with n players")
    return tuple(
        Habit(after, float(c), float(c + d), _interval(float(c), float(c + d), exact))
        for after, (c, d) in zip(labels(len(moves) // 2), moves, strict=True)
    )


def _interval(cooperated: float, times: float, exact: bool) -> Interval | None:
    if not times:
        return None
    return (cooperated / times,) * 2 if exact else wilson(cooperated, times)


def recorded_fingerprint(plays: Sequence[PlayerHistory]) -> tuple[Habit, ...]:
    """The fingerprint of a player from its matches, of n players each; intervals are those of `Character`.

    If there is a single independent match, choices are assumed to depend on the previous round only.
    """
    counts, among = np.array([_moves(one) for one in plays]), Sample.of(plays)  # (match, 1 + 2n, 2)
    found = []
    for habit, made in zip(memory_one_fingerprint(counts.sum(axis=0)), counts.swapaxes(0, 1), strict=True):
        interval = among.proportion(made[:, 0], made.sum(axis=1)).interval if habit.times else None
        found.append(replace(habit, interval=interval or habit.interval))
    return tuple(found)


def moves(plays: Iterable[PlayerHistory]) -> Numbers:
    """Counts of actions as in `Tally.moves`, summed over matches of n players each, shape (1 + 2n, 2)."""
    return np.asarray(np.sum([_moves(one) for one in plays], axis=0))


def _moves(one: PlayerHistory) -> Numbers:
    n, made = one.players, one.chosen >= 0
    seen = np.concatenate([[0], 1 + n * one.own[:-1] + one.defectors[:-1]])
    counts = np.bincount(2 * seen[made] + one.chosen[made], minlength=2 * (1 + 2 * n))
    return np.asarray(counts.reshape(-1, 2), dtype=np.float64)


def character(plays: Sequence[PlayerHistory]) -> Character:
    """Measures of the character of a player, from one or more of its matches.

    In groups, "the other" counts as defecting if more than half of the others do.
    """
    chosen = [one.chosen[one.chosen >= 0] for one in plays]
    after = np.array([_after(one) for one in plays])  # (match, CC CD DC DD, C or D)
    times, among = after.sum(axis=2), Sample.of(plays)

    def share(counts: ArrayLike, of: ArrayLike) -> Estimate | None:
        return among.proportion(counts, of) if np.any(of) else None

    return Character(
        cooperation=share([(c == 0).sum() for c in chosen], [len(c) for c in chosen]),
        initial_cooperation=share([one.chosen[0] == 0 for one in plays], [one.chosen[0] >= 0 for one in plays]),
        niceness=share([_nice(one) for one in plays], np.ones(len(plays))),
        provocability=share(after[:, 1, 1], times[:, 1]),
        forgiveness=share(after[:, [1, 3], 0].sum(axis=1), times[:, [1, 3]].sum(axis=1)),
        vengeance=share(after[:, 2, 1], times[:, 2]),
        echo=share(*np.array([_echoes(one) for one in plays]).T),
        good_partner=share([_good(one) for one in plays], np.ones(len(plays))),
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """The matches of a player as a sample: those with the same seed, in which it sat alike, are one observation."""

    cluster: list[int]
    """Index of the observation of each match."""
    strata: list[int]
    """File and opponents of each observation, by number."""

    @classmethod
    def of(cls, plays: Sequence[PlayerHistory]) -> "Sample":
        clusters: dict[tuple[object, ...], int] = {}
        met: dict[tuple[str, ...], int] = {}
        cluster: list[int] = []
        strata: list[int] = []
        for number, one in enumerate(plays):
            known = (one.seed, one.seat) if one.seed is not None else (one.file, one.match, number)
            cluster.append(clusters.setdefault(known, len(clusters)))
            if len(clusters) > len(strata):
                strata.append(met.setdefault((one.file, *one.others), len(met)))
        return cls(cluster, strata)

    def proportion(self, counts: ArrayLike, of: ArrayLike) -> Estimate:
        """Proportion over all matches, from a count and a number of observations in each."""
        counted, observed = (np.bincount(self.cluster, np.asarray(values)) for values in (counts, of))
        return proportion(counted, observed, self.strata)


def _after(one: PlayerHistory) -> Numbers:
    """Choices after CC, CD, DC and DD, also in groups: shape (4, 2)."""
    seen = 2 * one.own[:-1] + (2 * one.defectors[:-1] > one.players - 1)
    chosen = one.chosen[1:]
    counts = np.bincount(2 * seen[chosen >= 0] + chosen[chosen >= 0], minlength=8)
    return np.asarray(counts.reshape(4, 2), dtype=np.float64)


def _nice(one: PlayerHistory) -> bool:
    own, others = np.flatnonzero(one.chosen == 1), np.flatnonzero(one.defectors)
    return not len(own) or bool(len(others) and others[0] < own[0])


def _good(one: PlayerHistory) -> bool:
    return bool(int(one.own.sum()) * (one.players - 1) <= int(one.defectors.sum()))


def _echoes(one: PlayerHistory) -> Numbers:
    """Rounds in which two players exchanged their actions after a single defection, and all rounds after one."""
    if one.players != 2:
        return np.zeros(2)
    single = one.own[:-1] != one.defectors[:-1]
    exchanged = (one.own[1:] == one.defectors[:-1]) & (one.defectors[1:] == one.own[:-1])
    return np.array([(single & exchanged).sum(), single.sum()], dtype=np.float64)


def cooperation_matrix(plays: Iterable[PlayerHistory], names: Sequence[str]) -> Numbers:
    """C / rounds of each player (row) against each other (column) in two-player matches; 0 for pairs that never met."""
    place = {name: number for number, name in enumerate(names)}
    counts = np.zeros((2, len(names), len(names)))
    for one in plays:
        pair = place[one.player], place[one.others[0]]
        counts[0][pair] += (one.own == 0).sum()
        counts[1][pair] += len(one.own)
    return np.asarray(np.divide(counts[0], counts[1], out=np.zeros_like(counts[0]), where=counts[1] > 0))


def vengeful_cooperation(cooperation: Numbers) -> Numbers:
    """2 (cooperation - 1/2), from -1 (always defects) to 1, of any shape (Axelrod-Python); `InferenceError` for rates
    outside [0, 1]."""
    return 2.0 * (number_array(cooperation, "cooperation", ("...",), 0, 1, InferenceError) - 0.5)


def eigenjesus(cooperation: Numbers) -> Numbers | None:
    """Cooperation with cooperators, defined recursively (Singer-Clark 2014, "Morality metrics").

    Parameters
    ----------
    cooperation
        Cooperation rate of each player with each other, shape (players, players).

    Returns
    -------
    ndarray or None
        The principal eigenvector of length 1, shape (players,); None if the power iteration does not converge.

    Raises
    ------
    InferenceError
        If the shape differs, or a rate is outside [0, 1].
    """
    return _principal(_rates(cooperation))


def eigenmoses(cooperation: Numbers) -> Numbers | None:
    """As `eigenjesus`, for vengeful cooperation: cooperating with defectors lowers the score."""
    return _principal(vengeful_cooperation(_rates(cooperation)))


def _rates(cooperation: Numbers) -> Numbers:
    return number_array(cooperation, "cooperation", ("players", "players"), 0, 1, InferenceError)


def cooperation_ratings(plays: Sequence[PlayerHistory]) -> dict[str, Any]:
    """Cooperation matrix of all two-player matches and its ratings, as JSON values.

    Returns
    -------
    dict
        ``names``, ``cooperation_matrix``, ``eigenjesus`` and ``eigenmoses``, each in the order of ``names``; empty
        without a two-player match in which both players have names.
    """
    pairs = [one for one in plays if one.players == 2 and one.others[0]]
    names = list(dict.fromkeys(one.player for one in pairs))
    if not names:
        return {}
    matrix = cooperation_matrix(pairs, names)
    jesus, moses = eigenjesus(matrix), eigenmoses(matrix)
    return {
        "names": names,
        "cooperation_matrix": matrix.tolist(),
        "eigenjesus": None if jesus is None else jesus.tolist(),
        "eigenmoses": None if moses is None else moses.tolist(),
    }


def _principal(matrix: Numbers) -> Numbers | None:
    """Limit of the power iteration from the vector of ones; None if it does not converge."""
    vector: Numbers = np.ones(len(matrix))
    for _ in range(TURNS):
        last, vector = vector, matrix @ vector
        length = float(np.linalg.norm(vector))
        if length < 1e-12:
            return None
        vector = vector / length
        if np.abs(vector - last).max() < 1e-12:
            return vector
    return None
