"""What play tells of strategies: how often each player chose what each strategy would have chosen in its place.

A strategy is led through the rounds as they happened, the player's own slips included, and says before each round how
likely it is to cooperate. These counts are all that `dilemmas.experiments.inference.mixture` needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.recorded_play import Actions, Played

LEAST_TREMBLE, MOST_TREMBLE = 1e-10, 0.5
"""A strategy that trembles in more than half of the rounds is rather its opposite; one that never does could explain no
single slip, and no likelihood of 0 can be climbed from."""


class InferenceError(InputError):
    """Strategies or play from which nothing can be inferred; the message says what is missing."""


@dataclass(frozen=True)
class Evidence:
    """Choices of S subjects in the light of K strategies, counted by how likely the strategy was to make them."""

    strategies: tuple[str, ...]
    """Names, K of them."""
    subjects: tuple[str, ...]
    """Names, S of them."""
    follows: Numbers
    """Probabilities, from 0 to 1, with which each strategy makes a choice, shape (K, L): 1 and 0 where it is
    deterministic."""
    counts: Numbers
    """How often each subject made a choice of that probability, shape (K, S, L)."""

    @property
    def choices(self) -> int:
        """Choices of all subjects."""
        return int(self.counts[0].sum())

    def of(self, places: Sequence[int]) -> "Evidence":
        """The same for some of the strategies."""
        kept = list(places)
        names = tuple(self.strategies[place] for place in kept)
        return replace(self, strategies=names, follows=self.follows[kept], counts=self.counts[kept])

    def chances(self, trembles: Numbers) -> Numbers:
        """Probability of each kind of choice where a choice is swapped with a probability, shape (K, L, B).

        `trembles`: that probability, shape (K, B), or (1, B) where it is common to all.
        """
        follows = self.follows[:, :, None]
        return np.asarray(follows + trembles[:, None] * (1.0 - 2.0 * follows))


def evidence(plays: Mapping[str, Sequence[Played]], candidates: Sequence[Automaton]) -> Evidence:
    """Count choices by subject.

    `plays`: what each subject did, by its name, all at tables of one size (`InferenceError`). Candidates for two play
    at larger tables too; others have to be for that size (`StrategyError`).
    """
    played = [one for several in plays.values() for one in several]
    sizes = sorted({one.players for one in played})
    if len(sizes) > 1:
        raise InferenceError(f"tables of {', '.join(map(str, sizes))} players; infer from those of one size at a time")
    chosen = _filled([one.chosen for one in played], -1)  # (M, T)
    seen = _filled([one.players * one.own + one.defectors for one in played], 0)
    subject = np.repeat(np.arange(len(plays)), [len(several) for several in plays.values()])  # (M,)
    who = np.broadcast_to(subject[:, None], chosen.shape)[chosen >= 0]
    counted = []
    for candidate in candidates:
        cooperate = _led(candidate.for_players(sizes[0]) if sizes else candidate, seen)
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
    )


def _filled(rows: Sequence[Actions], value: int) -> Actions:
    """Matches side by side, filled up to the longest: shape (M, T)."""
    table = np.full((len(rows), max(map(len, rows), default=0)), value, dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def _led(automaton: Automaton, seen: Actions) -> Numbers:
    """Probability to cooperate in each round of matches, by what was seen of the rounds: shape (M, T)."""
    after = np.array(automaton.after)
    states = np.zeros(seen.shape, dtype=np.int64)
    for round in range(1, seen.shape[1]):
        states[:, round] = after[states[:, round - 1], seen[:, round - 1]]
    return np.array(automaton.cooperate, dtype=np.float64)[states]
