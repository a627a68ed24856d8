"""Finite automata: strategies with finitely many states, for two or more players.

An automaton cooperates with a given probability in each state, and the outcome of a round determines the next state.
`dilemmas.agents.strategies.builders` makes automata from rules. Engines run automata directly
(`dilemmas.agents.engines.chains` exactly, `dilemmas.agents.engines.vectorised` by sampling); as agents they play in all
environments of dilemmas. An action counts as cooperation if it is at least half as cooperative as the most cooperative
action of the game.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import IDLE, Decision, PlayerRecord, Source, Traits, Turn, View, draw
from dilemmas.agents.two_actions import shown_payoffs, symmetric_payoffs
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.rules.choices import options_now, sanction_now


class StrategyError(InputError):
    """A strategy that cannot be constructed or cannot play; the message names it, the wrong value and the remedy."""


@dataclass(frozen=True)
class Automaton:
    """A finite-state strategy for `players` players. It starts in state 0 and plays only C or D.

    Raises
    ------
    StrategyError
        If a probability is not in [0, 1], or the numbers of states and players do not fit the table.
    """

    name: str
    """Name in tables and records."""
    cooperate: tuple[float, ...]
    """Probability of cooperation, from 0 to 1, in each state."""
    after: tuple[tuple[int, ...], ...]
    """The next state by state and outcome of the round: own action (0 = C, 1 = D) times `players` plus the number of
    others who defected. For two players the outcomes are CC, CD, DC, DD, own action first."""
    players: int = 2
    """Number of players. A strategy for two also plays in larger groups, where its opponent counts as cooperating if at
    least half of the others cooperate (see `for_players`)."""
    punishes: bool = False
    """Whether it gives every defector the most penalty points allowed, in games with a punishment stage."""
    payoffs: tuple[float, ...] | None = None
    """T, R, P and S of the game from whose payoffs its probabilities are computed: it plays no other game, and only
    with two players. None if they depend on no payoffs."""

    def __post_init__(self) -> None:
        plain = (float(one) if isinstance(one, Real) else one for one in self.cooperate)  # 1 and 1.0 are recorded alike
        object.__setattr__(self, "cooperate", tuple(plain))
        if self.payoffs is not None:
            object.__setattr__(self, "payoffs", tuple(map(float, self.payoffs)))
        states = len(self.cooperate)
        if not states or len(self.after) != states or self.players < 2:
            raise StrategyError(
                f"strategy '{self.name}': {states} probabilities, {len(self.after)} rows of next states,"
                f" {self.players} players; must be one of each for every state, and at least 2 players"
            )
        for state, chance in enumerate(self.cooperate):
            if not (isinstance(chance, float) and isfinite(chance) and 0.0 <= chance <= 1.0):
                raise StrategyError(
                    f"strategy '{self.name}', state {state}: cooperate = {chance!r}; a probability must be in [0, 1]"
                )
        for state, row in enumerate(self.after):
            if len(row) != 2 * self.players or not all(0 <= target < states for target in row):
                raise StrategyError(
                    f"strategy '{self.name}', state {state}: after = {row}; must be {2 * self.players} states"
                    f" from 0 to {states - 1}"
                )

    @property
    def deterministic(self) -> bool:
        """Whether all probabilities are 0 or 1."""
        return all(chance in (0.0, 1.0) for chance in self.cooperate)

    def for_players(self, players: int) -> "Automaton":
        """The same strategy for another number of players.

        A strategy for two treats the others as one opponent, who cooperates if at least half of them do.

        Raises
        ------
        StrategyError
            If the strategy is for another number of players than two.
        """
        if players == self.players:
            return self
        if self.players != 2 or players < 2:
            raise StrategyError(f"strategy '{self.name}' is for {self.players} players, not for {players}")
        if self.payoffs is not None:
            raise StrategyError(
                f"strategy '{self.name}' is computed from the payoffs of a game for two, not for {players} players"
            )
        columns = [2 * own + (2 * defected > players - 1) for own in range(2) for defected in range(players)]
        after = tuple(tuple(row[column] for column in columns) for row in self.after)
        return Automaton(self.name, self.cooperate, after, players, self.punishes)

    def reduced(self) -> "Automaton":
        """The equivalent automaton with the fewest states, numbered in the order of a breadth-first search."""
        alike = _equivalent(np.array(self.cooperate), np.array(self.after)).tolist()
        kept, number = [0], {alike[0]: 0}  # one state of each equivalence class, and its number
        rows: list[tuple[int, ...]] = []
        for state in kept:  # grows during the loop
            for target in self.after[state]:
                if alike[target] not in number:
                    number[alike[target]] = len(kept)
                    kept.append(target)
            rows.append(tuple(number[alike[target]] for target in self.after[state]))
        return Automaton(
            self.name,
            tuple(self.cooperate[state] for state in kept),
            tuple(rows),
            self.players,
            self.punishes,
            self.payoffs,
        )

    def check_game(self, game: StageGame) -> None:
        """Raise `StrategyError` if its probabilities are computed from other payoffs than those of a game."""
        if self.payoffs is None or self.payoffs == (there := symmetric_payoffs(game)):
            return
        shown = "other payoffs" if there is None else shown_payoffs(there)
        raise StrategyError(
            f"strategy '{self.name}' is computed for {shown_payoffs(self.payoffs)}, and {game.name} has {shown}:"
            f" make it with strategy('{self.name}', game=...)"
        )

    @property
    def vector(self) -> tuple[float, ...] | None:
        """Probability of cooperation in round 1 and after CC, CD, DC and DD, own action first; None unless it is for
        two players and depends on the last round only."""
        if self.players != 2 or self.lookback not in (0, 1):
            return None
        return self.cooperate[0], *(self.cooperate[state] for state in self.after[0])

    @cached_property
    def lookback(self) -> int | None:
        """Number of past rounds that determine its probability of cooperation; None if no finite number does."""
        table = np.array(self.after)
        alike = _equivalent(np.array(self.cooperate), table)
        rows, kind = np.unique(table, axis=0, return_inverse=True)  # states with equal rows go to the same states
        apart = alike[:, None] != alike[None, :]  # pairs of states that the rounds so far do not distinguish
        rounds = 0
        while apart.any():
            kinds = np.zeros((len(rows), len(rows)), dtype=bool)
            kinds[tuple(kind.ravel()[states] for states in np.nonzero(apart))] = True
            one, other = np.nonzero(kinds)
            then = np.zeros_like(apart)
            for targets in rows.T:  # observation by observation, as groups have many
                then[targets[one], targets[other]] = True
            then &= alike[:, None] != alike[None, :]
            if (then == apart).all():
                return None
            apart, rounds = then, rounds + 1
        return rounds

    @cached_property
    def traits(self) -> Traits:
        return Traits(self.lookback, self.deterministic, automaton=self)

    def describe(self) -> PlayerRecord:
        parameters: dict[str, Any] = {"cooperate": list(self.cooperate), "after": [list(row) for row in self.after]}
        if self.players != 2:
            parameters["players"] = self.players
        if self.punishes:
            parameters["punishes"] = True
        if self.payoffs is not None:
            parameters["payoffs"] = list(self.payoffs)
        return PlayerRecord(name=self.name, kind="automaton", parameters=parameters)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    policy = decide

    def cooperation(self, view: View) -> float:
        """Probability of cooperation given what `view` shows."""
        self.check_game(view.game)
        return self.cooperate[self._state(view)]

    def _state(self, view: View) -> int:
        """The state after the rounds that `view` shows."""
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
            if len(joint) > 1:  # in a population it may have had no partner
                state = self.after[state][self.outcome(view, joint)]
        return state

    def outcome(self, view: View, joint: Sequence[Any]) -> int:
        """The outcome of a round, as a column of `after`; `joint` has its own action first."""
        mine, *others = (
            view.game.cooperation(action, seat) < 0.5
            for action, seat in zip(joint, seats(view, len(joint)), strict=True)
        )
        if self.players == 2:
            return 2 * mine + (2 * sum(others) > len(others))
        if len(joint) != self.players:
            raise StrategyError(f"strategy '{self.name}' is for {self.players} players, not for {len(joint)}")
        return self.players * mine + sum(others)

    def _decide(self, turn: Turn) -> Decision:
        view = view_of(turn, self.name)
        if view.phase == "punish" and self.punishes:
            return Decision(punishment_of_defectors(view), None, Source.RULE)
        if view.phase != "act":
            return IDLE
        return action_with(self.cooperation(view), turn, view)


def memory_one(name: str, first: float, cc: float, cd: float, dc: float, dd: float) -> Automaton:
    """A memory-one strategy (Nowak & Sigmund 1990, Acta Appl. Math. 20:247).

    Parameters
    ----------
    name
        Name in tables and records.
    first
        Probability of cooperation in the first round.
    cc, cd, dc, dd
        Probability of cooperation after each outcome of the last round, own action first.

    Raises
    ------
    StrategyError
        If a probability is not in [0, 1].
    """
    for field, value in zip(("first", "cc", "cd", "dc", "dd"), (first, cc, cd, dc, dd), strict=True):
        if not 0.0 <= value <= 1.0:
            raise StrategyError(f"strategy '{name}': {field} = {value!r}; a probability must be in [0, 1]")
    chances = tuple(dict.fromkeys((first, cc, cd, dc, dd)))  # one state for equal probabilities
    row = tuple(chances.index(chance) for chance in (cc, cd, dc, dd))
    return Automaton(name, chances, (row,) * len(chances))


def view_of(turn: Turn, name: str) -> View:
    """What the player of a turn knows; `StrategyError` in environments that do not provide it, and in games in which
    strategies cannot cooperate and defect."""
    view = turn.info.get("view")
    if not isinstance(view, View):
        raise StrategyError(
            f"strategy '{name}' needs info['view'], which environments of dilemmas have with views=True;"
            f" {turn.agent} has none"
        )
    check_cooperation(view.game, name)
    return view


def check_cooperation(game: StageGame, name: str) -> None:
    """Check that a strategy of cooperation and defection makes sense in a game.

    Raises
    ------
    StrategyError
        If a player's first action has a degree of cooperation below 1/2, or the last one of 1/2 or more.
    """
    try:
        degrees = _known_degrees(game)  # type: ignore[arg-type]
    except TypeError:  # a game that cannot be hashed
        degrees = _degrees_otherwise(game)
    if degrees:
        raise StrategyError(
            f"strategy '{name}' plays the first action to cooperate and the last one to defect, but in {game.name}"
            f" the degrees of cooperation are {', '.join(f'{degree:g}' for degree in degrees)}"
        )


def _degrees_otherwise(game: StageGame) -> tuple[float, ...]:
    """Degrees of cooperation of the first player whose first or last action is no cooperation or no defection."""
    for player, options in enumerate(() if game.endowments else game.options):
        if options > 1 and not game.cooperation(0, player) >= 0.5 > game.cooperation(options - 1, player):
            return tuple(game.cooperation(action, player) for action in range(options))
    return ()


_known_degrees = lru_cache(_degrees_otherwise)


def action_with(cooperate: float, turn: Turn, view: View) -> Decision:
    """Draw the most cooperative action with probability `cooperate`, else the least cooperative one."""
    options = options_now(view)
    if options == 1:
        return Decision(0, (1.0,), Source.RULE)
    if not options:
        defects = draw((cooperate, 1.0 - cooperate), turn.rng)
        return Decision(turn.space.low if defects else turn.space.high, None, Source.RULE)
    probabilities = (cooperate, *[0.0] * (options - 2), 1.0 - cooperate)
    return Decision(draw(probabilities, turn.rng), probabilities, Source.RULE)


def punishment_of_defectors(view: View) -> int:
    """The action of the punishment stage that gives every defector the most penalty points allowed."""
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
    """The equivalence class of each state, by partition refinement (Moore 1956)."""
    _, blocks = np.unique(cooperate, return_inverse=True)
    while True:
        keys = np.concatenate([blocks[:, None], blocks[after]], axis=1)
        _, finer = np.unique(keys, axis=0, return_inverse=True)
        if finer.max() == blocks.max():
            return np.asarray(finer, dtype=np.int64)
        blocks = finer
