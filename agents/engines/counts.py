"""Counts of sampled matches and the payoffs that follow from them, shared by the sampling engines.

Payoffs are computed from integer counts of joint actions, added up in a fixed order, so that the engines agree
bit for bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.tally import Counts, Tally
from dilemmas.agents.strategies.entry import Strategy
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import outcome_indices, payoff_table
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

Strategies = Sequence[Strategy]
"""The strategies of a group by seat."""

MOST_JOINT = 64
"""Most joint actions that are counted one by one: those of six players."""


@dataclass(frozen=True, slots=True)
class MatchCounts:
    """Counts of M matches between n players, filled in while they are played."""

    rounds: Counts
    """Rounds of each match, shape (M,)."""
    moves: Counts
    """As in `Tally`, shape (M, n, 1 + 2n, 2)."""
    joints: Counts
    """Rounds by joint action, the first player's action being the highest binary digit: shape (M, 2**n), or (M, 0) if
    there are more than `MOST_JOINT`."""
    outcomes: Counts
    """As in `Tally`, shape (M, n, 2n), if joint actions are not counted; else (0, n, 2n)."""
    payoffs: Numbers
    """Payoffs so far if joint actions are not counted, shape (M, n); else (0, n)."""

    @classmethod
    def empty(cls, n: int, rounds: Counts) -> "MatchCounts":
        """No counts yet, for matches of these numbers of rounds."""
        matches, few = len(rounds), 2**n <= MOST_JOINT
        rest = 0 if few else matches
        return cls(
            rounds,
            np.zeros((matches, n, 1 + 2 * n, 2), dtype=np.int64),
            np.zeros((matches, 2**n if few else 0), dtype=np.int64),
            np.zeros((rest, n, 2 * n), dtype=np.int64),
            np.zeros((rest, n)),
        )

    def tallies(self, rules: Repeated, groups: Sequence[Strategies]) -> list[Tally]:
        """The tally of each group; all groups have the same number of consecutive matches."""
        if not groups:
            return []
        payoffs, outcomes = self._totals(rules, groups)
        rounds, moves = self.rounds.astype(np.float64), self.moves.astype(np.float64)
        matches = len(rounds) // len(groups)
        parts = [slice(place * matches, (place + 1) * matches) for place in range(len(groups))]
        return [Tally(rounds[part], payoffs[part], moves[part], outcomes[part]) for part in parts]

    def _totals(self, rules: Repeated, groups: Sequence[Strategies]) -> tuple[Numbers, Numbers]:
        """Payoffs of every match, shape (M, n), and its outcomes as in `Tally`, shape (M, n, 2n)."""
        if not self.joints.shape[1]:
            return self.payoffs, self.outcomes.astype(np.float64)
        n, matches = rules.n_players, len(self.rounds)
        kinds, kind = np.unique(punishers(rules, groups), axis=0, return_inverse=True)
        tables = np.stack([payoff_table(rules, row.tolist()).reshape(-1, n) for row in kinds], axis=1)  # (J, kinds, n)
        of_match = np.repeat(kind.ravel(), matches // len(groups))
        payoffs = total_payoffs(self.joints, tables[:, 0] if len(kinds) == 1 else tables[:, of_match])
        outcomes = np.zeros((matches, n, 2 * n))
        for joint, seen in enumerate(outcome_indices(n).reshape(-1, n)):
            outcomes[:, np.arange(n), seen] += self.joints[:, joint, None]
        return payoffs, outcomes


def punishers(rules: Repeated, groups: Sequence[Strategies]) -> NDArray[np.bool_]:
    """Whether each player punishes, shape (groups, n)."""
    punishing = rules.punishment is not None
    given = [[punishing and _punishes(one) for one in group] for group in groups]
    return np.array(given, dtype=np.bool_).reshape(len(groups), rules.n_players)


def total_payoffs(joints: Counts, table: Numbers) -> Numbers:
    """Payoffs over a match, shape (M, n), from its rounds by joint action, shape (M, J).

    `table` has the payoffs of a round by joint action, shape (J, n), or (J, M, n) if they differ between matches.
    """
    total = np.zeros((len(joints), table.shape[-1]))
    for joint, rows in enumerate(table):
        total += joints[:, joint, None] * rows
    return total


def _punishes(strategy: Strategy) -> bool:
    automaton: Automaton | None = strategy.traits.automaton
    return automaton is not None and automaton.punishes
