"""What sampled matches are counted into, and how counts become points: one way for every engine that samples.

Points come from whole counts of joint actions, added up in one order, so that engines agree to the last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.strategies.counting import Routine
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import EngineError, outcome_numbers, stakes
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

Group = Sequence[Automaton | Routine]
"""Strategies by seat."""
Counts = NDArray[np.int64]

MOST_JOINT = 64
"""Most joint actions that are counted one by one; with seven players or more there are more."""


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of M matches between n players, to be filled while they are played."""

    rounds: Counts
    """Rounds of each match, shape (M,)."""
    moves: Counts
    """As in `Tally`, shape (M, n, 1 + 2n, 2)."""
    joints: Counts
    """Rounds by joint action, the first player's being the highest binary digit: shape (M, 2**n), or (M, 0) where that
    is more than `MOST_JOINT`."""
    outcomes: Counts
    """As in `Tally`, shape (M, n, 2n), where joint actions are not counted; else (0, n, 2n)."""
    payoffs: Numbers
    """Points so far where joint actions are not counted, shape (M, n); else (0, n)."""

    @classmethod
    def empty(cls, n: int, rounds: Counts) -> "Score":
        matches, few = len(rounds), 2**n <= MOST_JOINT
        rest = 0 if few else matches
        return cls(
            rounds,
            np.zeros((matches, n, 1 + 2 * n, 2), dtype=np.int64),
            np.zeros((matches, 2**n if few else 0), dtype=np.int64),
            np.zeros((rest, n, 2 * n), dtype=np.int64),
            np.zeros((rest, n)),
        )


def checked(rules: Repeated, groups: Sequence[Group], keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The keys in one row; `EngineError` where groups, their size and the number of keys do not go together."""
    if keys.ndim != 2 or len(keys) != len(groups):
        raise EngineError(f"keys of shape {keys.shape} for {len(groups)} groups; needs (groups, matches)")
    for group in groups:
        if len(group) != rules.n_players:
            names = ", ".join(strategy.name for strategy in group)
            raise EngineError(f"{rules.n_players} play {rules.stage.name}; the group has {len(group)}: {names}")
    return keys.astype(np.uint64, copy=False).ravel()


def punishers(rules: Repeated, groups: Sequence[Group]) -> NDArray[np.bool_]:
    """Who punishes, shape (groups, n)."""
    punishing = rules.punishment is not None
    given = [[punishing and isinstance(one, Automaton) and one.punishes for one in group] for group in groups]
    return np.array(given, dtype=np.bool_).reshape(len(groups), rules.n_players)


def points(joints: Counts, table: Numbers) -> Numbers:
    """Points over a match, shape (M, n), of its rounds by joint action, shape (M, J).

    `table`: points of a round by joint action, shape (J, n), or (J, M, n) where they differ between matches.
    """
    total = np.zeros((len(joints), table.shape[-1]))
    for joint, rows in enumerate(table):
        total += joints[:, joint, None] * rows
    return total


def tallies(rules: Repeated, groups: Sequence[Group], score: Score) -> list[Tally]:
    """A `Tally` for each group, of as many consecutive matches each."""
    if not groups:
        return []
    payoffs, outcomes = _settled(rules, groups, score)
    rounds, moves = score.rounds.astype(np.float64), score.moves.astype(np.float64)
    each = len(rounds) // len(groups)
    parts = [slice(place * each, (place + 1) * each) for place in range(len(groups))]
    return [Tally("lockstep", rounds[part], payoffs[part], moves[part], outcomes[part]) for part in parts]


def _settled(rules: Repeated, groups: Sequence[Group], score: Score) -> tuple[Numbers, Numbers]:
    """Points of every match, shape (M, n), and how often its players saw what, shape (M, n, 2n)."""
    if not score.joints.shape[1]:
        return score.payoffs, score.outcomes.astype(np.float64)
    n, matches = rules.n_players, len(score.rounds)
    kinds, kind = np.unique(punishers(rules, groups), axis=0, return_inverse=True)
    tables = np.stack([stakes(rules, row.tolist()).reshape(-1, n) for row in kinds], axis=1)  # (joints, kinds, n)
    of_match = np.repeat(kind.ravel(), matches // len(groups))
    payoffs = points(score.joints, tables[:, 0] if len(kinds) == 1 else tables[:, of_match])
    outcomes = np.zeros((matches, n, 2 * n))
    for joint, seen in enumerate(outcome_numbers(n).reshape(-1, n)):
        outcomes[:, np.arange(n), seen] += score.joints[:, joint, None]
    return payoffs, outcomes
