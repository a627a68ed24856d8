"""The catalogue of strategies: all of them by name, from the tables in the other modules of this package.

    strategy("tit_for_tat")             strategy("Tit For 2 Tats")       a name, an alias or a name of Axelrod-Python
    strategy("random(0.3)")             strategy("zd_extort(3)")         with parameters in parentheses
    strategy("conditional_cooperator", players=5)                        in a group
    strategy("zd_extort_2", game=stage_game("stag_hunt"))                computed from the payoffs of a game

A new strategy is one entry in one of the tables. An action counts as cooperation if it is at least half as cooperative
as the most cooperative action of the game. In groups, the opponent of a strategy for two cooperates if at least half of
the others do.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite, nan
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, draw
from dilemmas.agents.strategies.classics import CLASSIC_FAMILIES, CLASSICS
from dilemmas.agents.strategies.entry import Family, GroupEntry, Strategy, StrategyEntry
from dilemmas.agents.strategies.evolved import EVOLVED
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError
from dilemmas.agents.strategies.first_tournament import FIRST_TOURNAMENT, FIRST_TOURNAMENT_COUNTING
from dilemmas.agents.strategies.groups import GROUP_FAMILIES, GROUPS
from dilemmas.agents.strategies.long_memory import LONG_MEMORY, LONG_MEMORY_FAMILIES
from dilemmas.agents.strategies.lookback import LOOKBACK
from dilemmas.agents.strategies.memory_one import MEMORY_ONE, MEMORY_ONE_FAMILIES, USUAL, bernoulli, generosity
from dilemmas.agents.strategies.probers import PROBERS
from dilemmas.agents.strategies.zero_determinant import ZERO_DETERMINANT, ZERO_DETERMINANT_FAMILIES
from dilemmas.agents.two_actions import symmetric_payoffs
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import UnknownNameError, did_you_mean

__all__ = [
    "FAMILIES",
    "FIRST_TOURNAMENT",
    "GROUPS",
    "SECTIONS",
    "STRATEGIES",
    "AnyEntry",
    "Listed",
    "Uniform",
    "bernoulli",
    "generosity",
    "listing",
    "strategy",
]

STRATEGIES: tuple[StrategyEntry, ...] = (
    *MEMORY_ONE,
    *CLASSICS,
    *PROBERS,
    *LOOKBACK,
    *EVOLVED,
    *ZERO_DETERMINANT,
    *FIRST_TOURNAMENT_COUNTING,
    *LONG_MEMORY,
)
"""The named strategies for two players."""
FAMILIES: tuple[Family, ...] = (
    *MEMORY_ONE_FAMILIES,
    *CLASSIC_FAMILIES,
    *ZERO_DETERMINANT_FAMILIES,
    *LONG_MEMORY_FAMILIES,
    *GROUP_FAMILIES,
)
"""The strategies with parameters."""

AnyEntry = StrategyEntry | GroupEntry | Family

SECTIONS: Mapping[str, tuple[AnyEntry, ...]] = {
    "Last round only": (*MEMORY_ONE, *MEMORY_ONE_FAMILIES),
    "Classics": (*CLASSICS, *CLASSIC_FAMILIES),
    "Probers": tuple(PROBERS),
    "Several rounds back": tuple(LOOKBACK),
    "Evolved by algorithms": tuple(EVOLVED),
    "Zero-determinant": (*ZERO_DETERMINANT, *ZERO_DETERMINANT_FAMILIES),
    "Axelrod's first tournament": tuple(FIRST_TOURNAMENT_COUNTING),
    "Whole history": (*LONG_MEMORY, *LONG_MEMORY_FAMILIES),
    "Groups of any size": (*GROUPS, *GROUP_FAMILIES),
}
"""All strategies by section of the list that people read, each in one section."""

WITH_PARAMETERS = re.compile(r"\s*([^()]+?)\s*\(([^()]*)\)\s*")


@dataclass(frozen=True, slots=True)
class Uniform:
    """Draws uniformly from all possible actions in every phase, using only the action space and the action mask."""

    name: str = "uniform"
    """Name in tables and records."""

    @property
    def traits(self) -> Traits:
        return Traits()

    def describe(self) -> PlayerRecord:
        return PlayerRecord(name=self.name, kind="uniform")

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    policy = decide

    def _decide(self, turn: Turn) -> Decision:
        if not isinstance(turn.space, Discrete):
            low, high = turn.space.low, turn.space.high
            amount = low + turn.rng.random(low.shape) * (high - low)
            return Decision(amount.astype(turn.space.dtype), None, Source.RULE)
        mask = turn.info.get("action_mask", np.ones(turn.space.n))
        probabilities = tuple((mask / mask.sum()).tolist())
        return Decision(draw(probabilities, turn.rng), probabilities, Source.RULE)


def strategy(name: str, players: int | None = None, game: StageGame | None = None) -> Strategy:
    """The strategy of a name.

    Parameters
    ----------
    name
        Name, alias or name in Axelrod-Python, in any capitalisation and punctuation, with parameters if it has any.
    players
        Number of players, at least 2. Strategies for groups require it; automata for two play with any number, and
        remain strategies for two if it is None.
    game
        The game to play, for strategies whose probabilities are computed from payoffs; they then play no other game.
        None: the default prisoner's dilemma.

    Raises
    ------
    UnknownNameError
        If there is no such strategy; the message suggests the nearest name.
    StrategyError
        If the parameters or the number of players are not valid, or the payoffs of the game allow no such strategy.
    """
    if players is not None and players < 2:
        raise StrategyError(f"strategy '{name}': players = {players}; must be at least 2")
    word, values = found.groups() if (found := WITH_PARAMETERS.fullmatch(name)) else (name, None)
    entry = _entry(word, values is not None)
    if values is None and isinstance(entry, StrategyEntry) and not entry.of_payoffs:
        return _for_players(_fixed(entry), players)
    arguments: dict[str, Any] = {"game": _payoffs_for(name, game)} if _of_payoffs(entry) else {}
    if isinstance(entry, GroupEntry):
        return entry.make(entry.name, _group(entry.name, players))
    if isinstance(entry, StrategyEntry):
        return _for_players(entry.make(entry.name, **arguments), players)
    return _with_parameters(entry, values or "", players, arguments)


@cache
def _fixed(entry: StrategyEntry) -> Strategy:
    """The strategy of an entry that depends on no game."""
    return entry.strategy


def _for_players(made: Strategy, players: int | None) -> Strategy:
    automaton: Automaton | None = made.traits.automaton
    if automaton is not None:
        return automaton.for_players(players or 2)
    if players not in (None, 2):
        raise StrategyError(f"strategy '{made.name}' is for two players, not for {players}")
    return made


def _of_payoffs(entry: AnyEntry) -> bool:
    return not isinstance(entry, GroupEntry) and entry.of_payoffs


def _payoffs_for(name: str, game: StageGame | None) -> MatrixGame:
    """The payoffs from which a strategy is computed; `StrategyError` if a game has no such payoffs."""
    if game is None:
        return USUAL
    payoffs = symmetric_payoffs(game)
    if payoffs is None:
        raise StrategyError(
            f"strategy '{name}' is computed from the payoffs T, R, P and S of two players in the same position;"
            f" {game.name} has none, with {game.n_players} players"
        )
    return MatrixGame("matrix_game", **dict(zip("TRPS", payoffs, strict=True)))


def _with_parameters(family: Family, values: str, players: int | None, arguments: Mapping[str, Any]) -> Strategy:
    given = _values(family, values)
    name = _full_name(family, values)
    if len(given) != len(family.parameters):
        raise StrategyError(f"strategy '{name}': write it as {_pattern(family)}")
    numbers = given if family.moves else [_number(value, name) for value in given]
    if family.groups:
        return family.make(name, *numbers, _group(name, players))
    return _for_players(family.make(name, *numbers, **arguments), players)


def _pattern(family: Family) -> str:
    """How a family is written, quoted for a shell."""
    return shlex.quote(f"{family.name}({','.join(family.parameters)})")


def _values(family: AnyEntry, values: str) -> list[str]:
    """The parameters of a strategy as they are written, without spaces."""
    moves = isinstance(family, Family) and family.moves
    return [value.strip() for value in (values.upper() if moves else values).split(",")]


def _full_name(family: AnyEntry, values: str) -> str:
    return f"{family.name}({','.join(_values(family, values))})"


def _number(text: str, name: str) -> float:
    """Parse a number such as 3, 0.3, 1e-3 or 1/3; whole numbers become integers."""
    above, slash, below = text.partition("/")
    try:
        value = float(above) / float(below) if slash else float(text)
    except (ValueError, ZeroDivisionError):
        value = nan
    if not isfinite(value):
        raise StrategyError(f"strategy '{name}': '{text}' is not a number; write it as 3, 0.3 or 1/3")
    return int(value) if value.is_integer() else value


def names_of(row: AnyEntry) -> tuple[str, ...]:
    """All names of a row of the catalogue, the canonical one first.

    A class of Axelrod-Python is no name of its twin if another strategy has that name: the one of the authors.
    """
    own = (row.name, *row.aliases)
    classes = row.axelrod if isinstance(row, StrategyEntry) else ()
    taken = _given_names() - {key_of(name) for name in own}
    return *own, *(cls for cls in classes if key_of(cls) not in taken)


@cache
def _given_names() -> frozenset[str]:
    """Keys of all names and aliases of strategies, without the classes of Axelrod-Python."""
    rows: tuple[AnyEntry, ...] = (*STRATEGIES, *GROUPS)
    return frozenset(key_of(name) for row in rows for name in (row.name, *row.aliases))


@cache
def canonical(name: str) -> str:
    """The name in the catalogue of a strategy that is written in any way; other words as they are."""
    word, values = found.groups() if (found := WITH_PARAMETERS.fullmatch(name)) else (name, None)
    try:
        entry = _entry(word, values is not None)
    except InputError:
        return name
    return entry.name if values is None else _full_name(entry, values)


def key_of(name: str) -> str:
    """A name in lower case without punctuation: ``Tit-For-2 Tats`` is ``titfor2tats``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _entry(word: str, parameters: bool) -> AnyEntry:
    """The entry of a name; of a family if `parameters`."""
    rows: Sequence[AnyEntry] = FAMILIES if parameters else (*STRATEGIES, *GROUPS)
    known = {known: row for row in rows for known in names_of(row)}
    for spelling, row in known.items():
        if key_of(spelling) == key_of(word):
            return row
    for family in FAMILIES:
        if key_of(word) in map(key_of, names_of(family)):
            raise StrategyError(f"strategy '{word}': write it as {_pattern(family)}")
    raise UnknownNameError(f"unknown strategy '{word}'{did_you_mean(word.lower().replace(' ', '_'), known)}")


def _group(name: str, players: int | None) -> int:
    if players is None:
        raise StrategyError(f"strategy '{name}' depends on the number of players: strategy('{name}', players=4)")
    return players


class Listed(NamedTuple):
    """Properties of a strategy, for listings."""

    name: str
    description: str
    """What it does, in one sentence."""
    aliases: tuple[str, ...]
    """Other names, those in Axelrod-Python included."""
    source: str
    """Paper or program that describes it."""
    kind: str
    """``automaton``, ``counting``, ``group`` or ``family``."""
    players: str
    """``2`` if it is for two players only, else ``2+``."""
    states: int | None
    """Number of states (for groups: of three); None if it is not an automaton or depends on parameters."""
    lookback: int | None
    """Past rounds that determine its play; None if no finite number does, or it depends on parameters."""
    deterministic: bool | None
    """Whether all its actions are certain; None if that depends on parameters."""
    vector: tuple[float, ...] | None = None
    """Probabilities of cooperation in round 1 and after CC, CD, DC, DD, own action first, of a strategy that depends on
    the last round only; computed for the default prisoner's dilemma if it depends on payoffs."""
    reading: str = ""
    """Whose reading of the source it follows; empty if it follows the source itself."""


def listing() -> list[Listed]:
    """Properties of the named strategies, then those for groups, then those with parameters."""
    rows = [_row(entry) for entry in STRATEGIES]
    for group in GROUPS:
        made = group.make(group.name, 3)
        known = (len(made.cooperate), made.lookback, made.deterministic)
        rows.append(Listed(group.name, group.description, group.aliases, group.source, "group", "2+", *known))
    for family in FAMILIES:
        name = f"{family.name}({','.join(family.parameters)})"
        players = "2" if family.of_payoffs or family in LONG_MEMORY_FAMILIES else "2+"
        rows.append(
            Listed(name, family.description, family.aliases, family.source, "family", players, None, None, None)
        )
    return rows


def _row(entry: StrategyEntry) -> Listed:
    made, names = entry.strategy, names_of(entry)[1:]
    automaton: Automaton | None = made.traits.automaton
    if automaton is not None:
        known = (len(automaton.cooperate), automaton.lookback, automaton.deterministic, automaton.vector)
        players = "2" if entry.of_payoffs else "2+"
        return Listed(entry.name, entry.description, names, entry.source, "automaton", players, *known, entry.reading)
    unknown = (None, None, made.deterministic, None)  # states, rounds back and probabilities
    return Listed(entry.name, entry.description, names, entry.source, "counting", "2", *unknown, entry.reading)
