"""Strategies with finitely many states: most that the literature knows, in games for two or for many.

An automaton cooperates in each state with a probability, and what a round brought leads to the next state; rules
become automata in `dilemmas.agents.strategies.builders`. Engines run it as it stands (`dilemmas.agents.engines.chains`
exactly, `dilemmas.agents.engines.vectorised` by sampling); as an agent it plays in any environment of dilemmas. In
every game an action counts as cooperation where it is at least half as cooperative as can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import IDLE, Decision, Player, Source, Turn, View, draw
from dilemmas.envs.errors import InputError
from dilemmas.envs.rules.choices import options_now, sanction_now


class StrategyError(InputError):
    """A strategy that cannot be made or cannot play; the message names it, the value and the way out."""


@dataclass(frozen=True)
class Automaton:
    """A strategy for `players` players. It starts in state 0, and plays C or D, nothing between."""

    name: str
    """What tables and records call it."""
    cooperate: tuple[float, ...]
    """Probability, from 0 to 1, to cooperate in each state."""
    after: tuple[tuple[int, ...], ...]
    """The next state by state and by what the round brought: own action (0 = C, 1 = D) times `players` plus the number
    of others who defected. For two players that is CC, CD, DC, DD, own action first."""
    players: int = 2
    """Players at the table. One for two plays in larger groups too: *the other* then cooperated where at least half
    of the others did (`for_players` writes that out)."""
    punishes: bool = False
    """Whether it gives everybody who defected all the penalty points it can, where there is a stage for that."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cooperate", tuple(map(float, self.cooperate)))  # 1 and 1.0 are one in records
        states = len(self.cooperate)
        if not states or len(self.after) != states or self.players < 2:
            raise StrategyError(
                f"strategy '{self.name}': {states} probabilities, {len(self.after)} rows of next states,"
                f" {self.players} players; needs one of each for every state, and 2 players or more"
            )
        for state, chance in enumerate(self.cooperate):
            if not (isfinite(chance) and 0.0 <= chance <= 1.0):
                raise StrategyError(
                    f"strategy '{self.name}', state {state}: cooperate = {chance!r}; a probability lies in [0, 1]"
                )
        for state, row in enumerate(self.after):
            if len(row) != 2 * self.players or not all(0 <= target < states for target in row):
                raise StrategyError(
                    f"strategy '{self.name}', state {state}: after = {row}; needs {2 * self.players} states"
                    f" from 0 to {states - 1}"
                )

    @property
    def deterministic(self) -> bool:
        """Whether nothing is left to chance."""
        return all(chance in (0.0, 1.0) for chance in self.cooperate)

    def for_players(self, players: int) -> "Automaton":
        """The same strategy at a table of that size: one for two plays by what at least half of the others did."""
        if players == self.players:
            return self
        if self.players != 2 or players < 2:
            raise StrategyError(f"strategy '{self.name}' is for {self.players} players, not for {players}")
        columns = [2 * own + (2 * defected > players - 1) for own in range(2) for defected in range(players)]
        after = tuple(tuple(row[column] for column in columns) for row in self.after)
        return Automaton(self.name, self.cooperate, after, players, self.punishes)

    def reduced(self) -> "Automaton":
        """The automaton of fewest states that plays as this one does, numbered in the order in which it meets them."""
        alike = _equivalent(np.array(self.cooperate), np.array(self.after)).tolist()
        kept, number = [0], {alike[0]: 0}  # a state of each kind, and its number
        rows: list[tuple[int, ...]] = []
        for state in kept:  # grows on the way
            for target in self.after[state]:
                if alike[target] not in number:
                    number[alike[target]] = len(kept)
                    kept.append(target)
            rows.append(tuple(number[alike[target]] for target in self.after[state]))
        return Automaton(
            self.name, tuple(self.cooperate[state] for state in kept), tuple(rows), self.players, self.punishes
        )

    @cached_property
    def lookback(self) -> int | None:
        """How many last rounds tell all that matters for what it does; None where no number of them does."""
        table = np.array(self.after)
        alike = _equivalent(np.array(self.cooperate), table)
        apart = alike[:, None] != alike[None, :]  # pairs of states it could be in, for all that the rounds tell
        rounds = 0
        while apart.any():
            one, other = np.nonzero(apart)
            then = np.zeros_like(apart)
            then[table[one], table[other]] = True
            then &= alike[:, None] != alike[None, :]
            if (then == apart).all():
                return None
            apart, rounds = then, rounds + 1
        return rounds

    def describe(self) -> Player:
        parameters: dict[str, Any] = {"cooperate": list(self.cooperate), "after": [list(row) for row in self.after]}
        if self.players != 2:
            parameters["players"] = self.players
        if self.punishes:
            parameters["punishes"] = True
        return Player(name=self.name, kind="automaton", parameters=parameters)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    def cooperation(self, view: View) -> float:
        """Probability to cooperate at what `view` shows."""
        return self.cooperate[self._state(view)]

    def _state(self, view: View) -> int:
        """The state it is in after the rounds that `view` shows."""
        needed = self.lookback
        if needed == 0 or view.round == 0:
            return 0
        history = view.history
        if len(history) < view.round and (needed is None or len(history) < needed):
            wanted = "the whole history" if needed is None else f"the last {needed} round{'s' * (needed > 1)}"
            raise StrategyError(
                f"strategy '{self.name}' needs {wanted}, but the environment shows {len(history)} of"
                f" {view.round} rounds: set memory to {'None' if needed is None else f'{needed} or more'}"
            )
        if needed is not None and view.population is None:
            history = history[-needed:]
        state = 0
        for joint in history:
            if len(joint) > 1:  # in a population it may have met nobody
                state = self.after[state][self.outcome(view, joint)]
        return state

    def outcome(self, view: View, joint: Sequence[Any]) -> int:
        """What a round brought, as a column of `after`; `joint` has the own action first."""
        mine, *others = (
            view.game.cooperation(action, seat) < 0.5
            for action, seat in zip(joint, seats(view, len(joint)), strict=True)
        )
        if self.players == 2:
            return 2 * mine + (2 * sum(others) > len(others))
        if len(joint) != self.players:
            raise StrategyError(f"strategy '{self.name}' is for {self.players} players; {len(joint)} are at the table")
        return self.players * mine + sum(others)

    def _decide(self, turn: Turn) -> Decision:
        view = view_of(turn, self.name)
        if view.phase == "punish" and self.punishes:
            return Decision(punishment_of_defectors(view), None, Source.RULE)
        if view.phase != "act":
            return IDLE
        return action_with(self.cooperation(view), turn, view)


def memory_one(name: str, first: float, cc: float, cd: float, dc: float, dd: float) -> Automaton:
    """A strategy that remembers one round (Nowak & Sigmund 1990, Acta Appl. Math. 20:247).

    It cooperates with probability `first` where there is no last round, `cd` after a round in which it cooperated and
    the other defected, and so on.
    """
    for field, value in zip(("first", "cc", "cd", "dc", "dd"), (first, cc, cd, dc, dd), strict=True):
        if not 0.0 <= value <= 1.0:
            raise StrategyError(f"strategy '{name}': {field} = {value!r}; a probability lies in [0, 1]")
    chances = tuple(dict.fromkeys((first, cc, cd, dc, dd)))  # equal probabilities, one state
    row = tuple(chances.index(chance) for chance in (cc, cd, dc, dd))
    return Automaton(name, chances, (row,) * len(chances))


def view_of(turn: Turn, name: str) -> View:
    """What the player of a turn knows; `StrategyError` in environments that do not say."""
    view = turn.info.get("view")
    if not isinstance(view, View):
        raise StrategyError(
            f"strategy '{name}' needs info['view'], which the environments of dilemmas give; {turn.agent} got none"
        )
    return view


def action_with(cooperate: float, turn: Turn, view: View) -> Decision:
    """The most cooperative action with that probability, else the least cooperative one."""
    options = options_now(view)
    if options == 1:
        return Decision(0, (1.0,), Source.RULE)
    if not options:
        defects = draw((cooperate, 1.0 - cooperate), turn.rng)
        return Decision(turn.space.low if defects else turn.space.high, None, Source.RULE)
    probabilities = (cooperate, *[0.0] * (options - 2), 1.0 - cooperate)
    return Decision(draw(probabilities, turn.rng), probabilities, Source.RULE)


def punishment_of_defectors(view: View) -> int:
    """The action of the punishing phase that gives everybody who defected as many points as there may be."""
    assert view.acted is not None
    points = sanction_now(view).points
    others = zip(view.acted[1:], seats(view, len(view.acted))[1:], strict=True)
    blamed = [view.game.cooperation(action, seat) < 0.5 for action, seat in others]
    return sum(points * (points + 1) ** place for place, guilty in enumerate(blamed) if guilty)


def seats(view: View, count: int) -> tuple[int | None, ...]:
    """Who did what in a round of `count` actions, own seat first; None in a population, where seats do not matter."""
    if view.population is not None:
        return (None,) * count
    return view.player, *(seat for seat in range(view.game.n_players) if seat != view.player)


def _equivalent(cooperate: NDArray[np.float64], after: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each state; two states with the same number never behave differently (Moore 1956)."""
    _, blocks = np.unique(cooperate, return_inverse=True)
    while True:
        keys = np.concatenate([blocks[:, None], blocks[after]], axis=1)
        _, finer = np.unique(keys, axis=0, return_inverse=True)
        if finer.max() == blocks.max():
            return np.asarray(finer, dtype=np.int64)
        blocks = finer
