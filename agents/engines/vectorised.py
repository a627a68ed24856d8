"""Sampled matches side by side in numpy: strategies of any kind, tables of any size.

All automata are one table, in which a strategy's states follow those of the one before, so that a round costs a
handful of array operations however many strategies there are. A routine is asked once a round for all its seats.
How long a match lasts is known when it begins: nobody's play has a say in that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.engines.counts import Counts, Group, Score, checked, punishers, tallies
from dilemmas.agents.engines.random_streams import ACTION, OWN, TREMBLE, Words, lengths, streams, uniform
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.strategies.counting import Routine, briefing
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import EngineError, only_two_actions, paid
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated

SEATS = 1 << 14
"""Seats that are played side by side: their numbers stay in a core's cache."""
DRAWS = 1 << 17
"""Random numbers that are made at a time."""


def lockstep(rules: Repeated, groups: Sequence[Group], keys: NDArray[np.uint64]) -> list[Tally]:
    """Play as many matches of every group as it has keys; a `Tally` for each, in order.

    `groups`: strategies by seat; `keys`: shape (groups, matches), see `match_keys`. What a match brings depends on its
    key, its players and the rules alone. Raises `EngineError` for other players than automata and routines, and for
    rules under which more can happen than C and D.
    """
    row = checked(rules, groups, keys)
    only_two_actions(rules)
    cast = Cast.of(rules, groups)
    score = Score.empty(rules.n_players, lengths(rules, row))
    group = np.repeat(np.arange(len(groups)), keys.shape[1])
    at_once = max(1, SEATS // rules.n_players)
    for first in range(0, len(row), at_once):
        part = np.arange(first, min(first + at_once, len(row)))
        _play(_Tables(rules, cast, score, part, group[part], row[part]))
    return tallies(rules, groups, score)


@dataclass(frozen=True, slots=True)
class Cast:
    """All strategies of some groups, each once: automata that leave nothing to chance, other automata, routines."""

    who: NDArray[np.int64]
    """The strategy in each seat, shape (groups, n)."""
    start: NDArray[np.int64]
    """The first state of each automaton."""
    sure: int
    """How many automata leave nothing to chance."""
    cooperate: Numbers
    """Probability to cooperate by state, those of all automata one after the other."""
    after: NDArray[np.int64]
    """The next state, by state times 2n plus what was seen."""
    routines: Sequence[Routine]
    punishers: NDArray[np.bool_]
    """Who punishes, shape (groups, n)."""

    @classmethod
    def of(cls, rules: Repeated, groups: Sequence[Group]) -> "Cast":
        """`EngineError` for a player that is neither automaton nor routine, or a routine where not two play."""
        n = rules.n_players
        found, who = _distinct(groups)
        for one in found:
            if not isinstance(one, Automaton | Routine) or (isinstance(one, Routine) and n != 2):
                what = "a routine, for two players" if isinstance(one, Routine) else "no automaton and no routine"
                raise EngineError(f"'{one.name}' is {what}; the engine 'lockstep' cannot seat it among {n}")
        order = sorted(range(len(found)), key=lambda place: _kind(found[place]))
        rank = np.argsort(np.array(order, dtype=np.int64))
        automata = [one.for_players(n) for place in order if isinstance(one := found[place], Automaton)]
        states = np.array([len(one.cooperate) for one in automata], dtype=np.int64)
        start = np.cumsum(states) - states
        tables = [np.array(one.after, dtype=np.int64) + first for one, first in zip(automata, start, strict=True)]
        return cls(
            rank[np.array(who, dtype=np.int64)].reshape(len(groups), n),
            start,
            sum(one.deterministic for one in automata),
            np.array([chance for one in automata for chance in one.cooperate]),
            np.concatenate([np.empty((0, 2 * n), dtype=np.int64), *tables]).ravel(),
            [one for place in order if isinstance(one := found[place], Routine)],
            punishers(rules, groups),
        )


def _distinct(groups: Sequence[Group]) -> tuple[list[Automaton | Routine], list[list[int]]]:
    """The strategies of some groups, each once, and the place of each in that list, by group and seat."""
    found: dict[int, Automaton | Routine] = {id(one): one for group in groups for one in group}
    place = {number: index for index, number in enumerate(found)}
    return list(found.values()), [[place[id(one)] for one in group] for group in groups]


def _kind(strategy: Automaton | Routine) -> int:
    return 2 if isinstance(strategy, Routine) else int(not strategy.deterministic)


class _Tables:
    """Matches under way and the seats at them, in the order of the cast. Actions are 0 = C and 1 = D."""

    def __init__(
        self, rules: Repeated, cast: Cast, score: Score, rows: Counts, groups: NDArray[np.int64], keys: Words
    ) -> None:
        """`rows`: where the score counts each match, shape (M,), in which its group and key have the same place."""
        n = rules.n_players
        self.rules, self.cast, self.score = rules, cast, score
        self.rows, self.groups, self.keys = rows, groups, keys
        who = cast.who[groups].ravel()
        order = np.argsort(who, kind="stable")
        self.strategy: NDArray[np.int64] = who[order]
        self.match, self.seat = np.divmod(order, n)
        self.saw = np.zeros(len(order), dtype=np.int64)  # 0 in the first round, 1 + a number of `outcome_numbers` later
        self._arrange()
        self.state = cast.start[self.strategy[: self.automata]]
        rounds = int(rules.rounds) if rules.clock and isinstance(rules.rounds, Integral) else None
        self.known = [
            routine.begin(self._luck(part, routine, 0), briefing(rules.stage, rounds, self.seat[part]))
            for routine, part in self.parts
        ]

    def _arrange(self) -> None:
        """Who sits where, and where their counts and their random numbers are."""
        n, kinds = self.rules.n_players, len(self.cast.start)
        bounds = np.searchsorted(self.strategy, np.arange(kinds, kinds + len(self.cast.routines) + 1)).tolist()
        self.automata = bounds[0]
        self.parts = [
            (routine, slice(*ends)) for routine, *ends in zip(self.cast.routines, bounds, bounds[1:], strict=False)
        ]
        self.sure = int(np.searchsorted(self.strategy, self.cast.sure))
        self.counted = (self.rows[self.match] * n + self.seat) * (2 * (1 + 2 * n))
        keys, place = self.keys[self.match], self.seat + 1
        self.actions = streams(keys[self.sure :], place[self.sure :], ACTION)
        self.trembles = streams(keys, place, TREMBLE)
        self.lengths = self.score.rounds[self.rows]

    def _luck(self, part: slice, routine: Routine, round: int) -> Numbers:
        """A routine's own random numbers of a round, shape (its seats, luck)."""
        if not routine.luck:
            return np.empty((part.stop - part.start, 0))
        keys, place = self.keys[self.match[part], None], self.seat[part, None] + 1
        return uniform(streams(keys, place, OWN + np.arange(routine.luck)), round)

    def draws(self, rounds: range) -> Iterator[tuple[int, Numbers, Numbers | None]]:
        """Rounds with the numbers that decide the seats' actions and, where hands tremble, trembles."""
        these = np.array(rounds)[:, None]
        actions = np.full((len(rounds), len(self.seat)), 0.5)  # any number does where nothing is left to chance
        actions[:, self.sure :] = uniform(self.actions, these)
        trembles = uniform(self.trembles, these) if self.rules.noise else [None] * len(rounds)
        return zip(rounds, actions, trembles, strict=True)

    def play(self, round: int, draws: Numbers, trembles: Numbers | None) -> None:
        """One round, counted in the matches that have so many."""
        n = self.rules.n_players
        chances = np.empty(len(self.seat))
        chances[: self.automata] = self.cast.cooperate[self.state]
        for (routine, part), known in zip(self.parts, self.known, strict=True):
            chances[part] = routine.chances(known, round)
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
        self.state = self.cast.after[self.state * (2 * n) + saw[: self.automata]]
        for place, (routine, part) in enumerate(self.parts):
            luck = self._luck(part, routine, round)
            self.known[place] = routine.learn(self.known[place], round, own[part], others[part], luck)

    def _count(self, joint: Counts, own: Counts, saw: Counts, played: Counts) -> None:
        """Add a round to the score; `played`: 1 in the matches that have it, else 0."""
        n, score, rows = self.rules.n_players, self.score, self.rows
        weight = played[self.match]
        score.moves.reshape(-1)[self.counted + 2 * self.saw + own] += weight
        if score.joints.shape[1]:
            score.joints[rows, joint @ (1 << np.arange(n)[::-1])] += played
            return
        score.outcomes[rows[self.match], self.seat, saw] += weight
        points = paid(self.rules, joint == 1, self.cast.punishers[self.groups])
        score.payoffs[rows] += points * played[:, None]

    def clear(self, round: int) -> None:
        """Leave the matches that end with this round or have ended."""
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


def _play(tables: _Tables) -> None:
    """Play matches to their ends; those that are over leave from time to time."""
    done = 0
    while len(tables.rows):
        ahead = min(max(1, DRAWS // len(tables.seat)), int(tables.lengths.max()) - done, 64)
        for draw in tables.draws(range(done + 1, done + ahead + 1)):
            tables.play(*draw)
        done += ahead
        tables.clear(done)
