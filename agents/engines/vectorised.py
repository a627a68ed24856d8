"""Sampled matches played side by side in NumPy, of automata and counting strategies for any number of players.

The tables of all automata are concatenated, so that a round takes a few array operations however many strategies
there are. A counting strategy is evaluated once per round for all its seats. The length of a match does not depend on
play and is drawn when the match begins.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.counts import MatchCounts, Strategies, punishers
from dilemmas.agents.engines.random_streams import ACTION, OWN, TREMBLE, Words, match_lengths, streams, uniform
from dilemmas.agents.engines.requirements import require, require_keys
from dilemmas.agents.engines.tally import Counts, Tally
from dilemmas.agents.strategies.counting import CountingStrategy, match_information
from dilemmas.agents.strategies.entry import Strategy
from dilemmas.agents.two_actions import round_payoffs
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

SEATS = 1 << 14
"""Seats that are played side by side: few enough for a processor's cache."""
DRAWS = 1 << 17
"""Random numbers that are generated at a time."""


def play_vectorised(rules: Repeated, groups: Sequence[Strategies], keys: NDArray[np.uint64]) -> list[Tally]:
    """Play the matches of several groups. A match depends on its key, its players and the rules alone.

    Parameters
    ----------
    rules
        Rules of the matches.
    groups
        Strategies of each group by seat.
    keys
        Keys of the random numbers, shape (groups, matches), see `match_keys`.

    Returns
    -------
    A tally for each group, in order.

    Raises
    ------
    EngineError
        If the engine `vectorised` cannot play a group; see `dilemmas.agents.engines.requirements`.
    """
    require("vectorised", rules, groups)
    require_keys(groups, keys)
    row = keys.astype(np.uint64, copy=False).ravel()
    strategies = StrategyTables.of(rules, groups)
    counted = MatchCounts.empty(rules.n_players, match_lengths(rules, row))
    group = np.repeat(np.arange(len(groups)), keys.shape[1])
    at_once = max(1, SEATS // rules.n_players)
    for first in range(0, len(row), at_once):
        part = np.arange(first, min(first + at_once, len(row)))
        _play(_Batch(rules, strategies, counted, part, group[part], row[part]))
    return counted.tallies(rules, groups)


@dataclass(frozen=True, slots=True)
class StrategyTables:
    """The strategies of some groups, each once: deterministic automata, other automata, counting strategies."""

    who: Counts
    """Index of the strategy in each seat, shape (groups, n)."""
    start: Counts
    """The first state of each automaton."""
    sure: int
    """Number of deterministic automata."""
    cooperate: Numbers
    """Probability of cooperation by state of all automata, concatenated."""
    after: Counts
    """The next state, by state times 2n plus outcome."""
    counting: Sequence[CountingStrategy]
    """The counting strategies."""
    punishers: NDArray[np.bool_]
    """Whether each player punishes, shape (groups, n)."""

    @classmethod
    def of(cls, rules: Repeated, groups: Sequence[Strategies]) -> "StrategyTables":
        """The tables of groups that the engine can play."""
        n = rules.n_players
        found, who = _distinct(groups)
        order = sorted(range(len(found)), key=lambda place: _kind(found[place]))
        rank = np.argsort(np.array(order, dtype=np.int64))
        automata = [one.for_players(n) for place in order if (one := found[place].traits.automaton) is not None]
        states = np.array([len(one.cooperate) for one in automata], dtype=np.int64)
        start = np.cumsum(states) - states
        tables = [np.array(one.after, dtype=np.int64) + first for one, first in zip(automata, start, strict=True)]
        return cls(
            rank[np.array(who, dtype=np.int64)].reshape(len(groups), n),
            start,
            sum(one.deterministic for one in automata),
            np.array([chance for one in automata for chance in one.cooperate]),
            np.concatenate([np.empty((0, 2 * n), dtype=np.int64), *tables]).ravel(),
            [one for place in order if (one := found[place].traits.counting) is not None],
            punishers(rules, groups),
        )


def _distinct(groups: Sequence[Strategies]) -> tuple[list[Strategy], list[list[int]]]:
    """The strategies of some groups, each once, and the index of each in that list, by group and seat."""
    found: dict[int, Strategy] = {id(one): one for group in groups for one in group}
    place = {number: index for index, number in enumerate(found)}
    return list(found.values()), [[place[id(one)] for one in group] for group in groups]


def _kind(strategy: Strategy) -> int:
    """The position of a kind of strategy in the tables."""
    return 2 if strategy.traits.counting is not None else int(not strategy.traits.deterministic)


class _Batch:
    """Matches in progress and their seats, in the order of the strategies. Actions are 0 = C and 1 = D."""

    def __init__(
        self, rules: Repeated, tables: StrategyTables, counted: MatchCounts, rows: Counts, groups: Counts, keys: Words
    ) -> None:
        """`rows`, `groups`, `keys`: row of the counts, group and key of each match, shape (M,)."""
        n = rules.n_players
        self.rules, self.tables, self.counted = rules, tables, counted
        self.rows, self.groups, self.keys = rows, groups, keys
        who = tables.who[groups].ravel()
        order = np.argsort(who, kind="stable")
        self.strategy: Counts = who[order]
        self.match, self.seat = np.divmod(order, n)
        self.saw = np.zeros(len(order), dtype=np.int64)  # 0 in the first round, then 1 + the last outcome
        self._arrange()
        self.state = tables.start[self.strategy[: self.automata]]
        self.known = [
            strategy.initial_state(
                self._own_numbers(part, strategy, 0),
                match_information(rules.stage, rules.certain_rounds, self.seat[part]),
            )
            for strategy, part in self.parts
        ]

    def _arrange(self) -> None:
        """Find the seats of each strategy, and the counts and the random numbers of each seat."""
        n, kinds = self.rules.n_players, len(self.tables.start)
        bounds = np.searchsorted(self.strategy, np.arange(kinds, kinds + len(self.tables.counting) + 1)).tolist()
        self.automata = bounds[0]
        self.parts = [
            (strategy, slice(*ends)) for strategy, *ends in zip(self.tables.counting, bounds, bounds[1:], strict=False)
        ]
        self.sure = int(np.searchsorted(self.strategy, self.tables.sure))
        self.cells = (self.rows[self.match] * n + self.seat) * (2 * (1 + 2 * n))
        keys, place = self.keys[self.match], self.seat + 1
        self.actions = streams(keys[self.sure :], place[self.sure :], ACTION)
        self.trembles = streams(keys, place, TREMBLE)
        self.lengths = self.counted.rounds[self.rows]

    def _own_numbers(self, part: slice, strategy: CountingStrategy, round: int) -> Numbers:
        """A counting strategy's own random numbers of a round, shape (its seats, n_random)."""
        if not strategy.n_random:
            return np.empty((part.stop - part.start, 0))
        keys, place = self.keys[self.match[part], None], self.seat[part, None] + 1
        return uniform(streams(keys, place, OWN + np.arange(strategy.n_random)), round)

    def draws(self, rounds: range) -> Iterator[tuple[int, Numbers, Numbers | None]]:
        """Rounds with the random numbers of the actions and, if there is noise, of the noise."""
        these = np.array(rounds)[:, None]
        actions = np.full((len(rounds), len(self.seat)), 0.5)  # any number will do for deterministic automata
        actions[:, self.sure :] = uniform(self.actions, these)
        trembles = uniform(self.trembles, these) if self.rules.noise else [None] * len(rounds)
        return zip(rounds, actions, trembles, strict=True)

    def play(self, round: int, draws: Numbers, trembles: Numbers | None) -> None:
        """Play one round and count it in the matches that are long enough."""
        n = self.rules.n_players
        chances = np.empty(len(self.seat))
        chances[: self.automata] = self.tables.cooperate[self.state]
        for (_, part), known in zip(self.parts, self.known, strict=True):
            chances[part] = known[:, 0]
        defects = draws >= chances
        if trembles is not None:
            defects ^= trembles < self.rules.noise
        own = defects.astype(np.int64)
        joint = np.empty((len(self.rows), n), dtype=np.int64)
        joint[self.match, self.seat] = own
        others = joint.sum(axis=1)[self.match] - own
        saw = own * n + others
        self._count(joint, own, saw, (self.lengths >= round).astype(np.int64))
        self.saw = saw + 1
        self.state = self.tables.after[self.state * (2 * n) + saw[: self.automata]]
        for place, (strategy, part) in enumerate(self.parts):
            numbers = self._own_numbers(part, strategy, round)
            self.known[place] = strategy.update(self.known[place], round, own[part], others[part], numbers)

    def _count(self, joint: Counts, own: Counts, saw: Counts, played: Counts) -> None:
        """Count a round; `played` is 1 in the matches that have it, else 0."""
        n, counted, rows = self.rules.n_players, self.counted, self.rows
        weight = played[self.match]
        counted.moves.reshape(-1)[self.cells + 2 * self.saw + own] += weight
        if counted.joints.shape[1]:
            counted.joints[rows, joint @ (1 << np.arange(n)[::-1])] += played
            return
        counted.outcomes[rows[self.match], self.seat, saw] += weight
        payoffs = round_payoffs(self.rules, joint == 1, self.tables.punishers[self.groups])
        counted.payoffs[rows] += payoffs * played[:, None]

    def clear(self, round: int) -> None:
        """Drop the matches that have ended by this round."""
        on = self.lengths > round
        if on.all():
            return
        stay = on[self.match]
        self.known = [known[stay[part]] for known, (_, part) in zip(self.known, self.parts, strict=True)]
        self.state = self.state[stay[: self.automata]]
        self.strategy, self.seat, self.saw = self.strategy[stay], self.seat[stay], self.saw[stay]
        self.match = (np.cumsum(on) - 1)[self.match[stay]]
        self.rows, self.groups, self.keys = self.rows[on], self.groups[on], self.keys[on]
        self._arrange()


def _play(batch: _Batch) -> None:
    """Play matches to their ends; those that have ended are dropped from time to time."""
    done = 0
    while len(batch.rows):
        ahead = min(max(1, DRAWS // len(batch.seat)), int(batch.lengths.max()) - done, 64)
        for draw in batch.draws(range(done + 1, done + ahead + 1)):
            batch.play(*draw)
        done += ahead
        batch.clear(done)
