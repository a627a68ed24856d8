"""The strategies of dilemmas by name: one table of all families, each of which has a file of its own.

    strategy("tit_for_tat")             strategy("Tit For 2 Tats")       any alias, and the names of Axelrod-Python
    strategy("random(0.3)")             strategy("zd_extort(3)")         with numbers behind the name
    strategy("conditional_cooperator", players=5)                        in a group

A new strategy is one entry in the table of its family. In every game an action counts as cooperation where it is at
least half as cooperative as can be, and to a strategy for two *the other* cooperated where at least half of the others
did.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite, nan
from typing import NamedTuple, TypeVar

import numpy as np
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Decision, Player, Source, Turn, draw
from dilemmas.agents.strategies.classics import CLASSIC_FAMILIES, CLASSICS
from dilemmas.agents.strategies.entry import Entry, Family, GroupEntry, Strategy
from dilemmas.agents.strategies.evolved import EVOLVED
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError
from dilemmas.agents.strategies.first_tournament import FIRST_TOURNAMENT, FIRST_TOURNAMENT_COUNTING
from dilemmas.agents.strategies.groups import GROUP_FAMILIES, GROUPS
from dilemmas.agents.strategies.long_memory import LONG_MEMORY
from dilemmas.agents.strategies.lookback import LOOKBACK
from dilemmas.agents.strategies.memory_one import MEMORY_ONE, MEMORY_ONE_FAMILIES, bernoulli, generosity
from dilemmas.agents.strategies.probers import PROBERS
from dilemmas.agents.strategies.zero_determinant import ZERO_DETERMINANT, ZERO_DETERMINANT_FAMILIES
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

STRATEGIES: tuple[Entry, ...] = (
    *MEMORY_ONE,
    *CLASSICS,
    *PROBERS,
    *LOOKBACK,
    *EVOLVED,
    *ZERO_DETERMINANT,
    *FIRST_TOURNAMENT_COUNTING,
    *LONG_MEMORY,
)
"""Every strategy for two players that has a name."""
FAMILIES: tuple[Family, ...] = (*MEMORY_ONE_FAMILIES, *CLASSIC_FAMILIES, *ZERO_DETERMINANT_FAMILIES, *GROUP_FAMILIES)
"""Strategies with numbers behind the name."""

AnyEntry = Entry | GroupEntry | Family

SECTIONS: Mapping[str, tuple[AnyEntry, ...]] = {
    "Last round only": (*MEMORY_ONE, *MEMORY_ONE_FAMILIES),
    "Classics": (*CLASSICS, *CLASSIC_FAMILIES),
    "Probers": tuple(PROBERS),
    "Several rounds back": tuple(LOOKBACK),
    "Evolved by algorithms": tuple(EVOLVED),
    "Zero-determinant": (*ZERO_DETERMINANT, *ZERO_DETERMINANT_FAMILIES),
    "Axelrod's first tournament": tuple(FIRST_TOURNAMENT_COUNTING),
    "Whole history": tuple(LONG_MEMORY),
    "Groups of any size": (*GROUPS, *GROUP_FAMILIES),
}
"""All strategies by section of the list that people read, each in one section."""

Row = TypeVar("Row", bound=AnyEntry)

WITH_NUMBERS = re.compile(r"\s*([^()]+?)\s*\(([^()]*)\)\s*")


@dataclass(frozen=True, slots=True)
class Uniform:
    """Does in every phase anything that is possible then, each as likely: it needs nothing but space and mask."""

    name: str = "uniform"
    """What tables and records call it."""

    def describe(self) -> Player:
        return Player(name=self.name, kind="uniform")

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    def _decide(self, turn: Turn) -> Decision:
        if not isinstance(turn.space, Discrete):
            low, high = turn.space.low, turn.space.high
            amount = low + turn.rng.random(low.shape) * (high - low)
            return Decision(amount.astype(turn.space.dtype), None, Source.RULE)
        mask = turn.info.get("action_mask", np.ones(turn.space.n))
        probabilities = tuple((mask / mask.sum()).tolist())
        return Decision(draw(probabilities, turn.rng), probabilities, Source.RULE)


@cache
def strategy(name: str, players: int | None = None) -> Strategy:
    """A strategy by its name, an alias or its name in Axelrod-Python, in any spelling; with numbers where it takes any.

    `players`: at the table, 2 or more. Where it is left out, strategies for two play larger groups too, and those for
    groups are refused, because they depend on it. An unknown name is answered with the nearest one
    (`UnknownNameError`), numbers that make no sense with a `StrategyError`.
    """
    if players is not None and players < 2:
        raise StrategyError(f"strategy '{name}': players = {players}; needs 2 or more")
    if found := WITH_NUMBERS.fullmatch(name):
        return _with_numbers(found[1], found[2], players)
    rows: tuple[Entry | GroupEntry, ...] = (*STRATEGIES, *GROUPS)
    entry = _lookup(name, rows)
    if isinstance(entry, GroupEntry):
        return entry.make(entry.name, _group(entry.name, players))
    made = entry.strategy
    if isinstance(made, Automaton):
        return made.for_players(players or 2)
    if players not in (None, 2):
        raise StrategyError(f"strategy '{made.name}' is for two players, not for {players}")
    return made


def _with_numbers(word: str, values: str, players: int | None) -> Automaton:
    family = _lookup(word, FAMILIES)
    given = [value.strip() for value in (values.upper() if family.moves else values).split(",")]
    name = f"{family.name}({','.join(given)})"
    if len(given) != len(family.parameters):
        raise StrategyError(f"strategy '{name}': needs {family.name}({', '.join(family.parameters)})")
    numbers = given if family.moves else [_number(value, name) for value in given]
    if family.groups:
        return family.make(name, *numbers, _group(name, players))
    return family.make(name, *numbers).for_players(players or 2)


def _number(text: str, name: str) -> float:
    """A number as written: 3, 0.3, 1e-3 or 1/3; an integer where it is whole."""
    above, slash, below = text.partition("/")
    try:
        value = float(above) / float(below) if slash else float(text)
    except (ValueError, ZeroDivisionError):
        value = nan
    if not isfinite(value):
        raise StrategyError(f"strategy '{name}': '{text}' is no number; write it as 3, 0.3 or 1/3")
    return int(value) if value.is_integer() else value


def names_of(row: AnyEntry) -> tuple[str, ...]:
    """All names of a row of the tables."""
    return row.name, *row.aliases, *(row.axelrod if isinstance(row, Entry) else ())


def key_of(name: str) -> str:
    """A name without what spellings differ in: ``Tit-For-2 Tats`` is ``titfor2tats``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _lookup(name: str, rows: Sequence[Row]) -> Row:
    known = {known: row for row in rows for known in names_of(row)}
    for spelling, row in known.items():
        if key_of(spelling) == key_of(name):
            return row
    for family in FAMILIES:
        if key_of(name) in map(key_of, names_of(family)):
            raise StrategyError(f"strategy '{name}': needs {family.name}({', '.join(family.parameters)})")
    raise UnknownNameError(f"unknown strategy '{name}'{did_you_mean(name.lower().replace(' ', '_'), known)}")


def _group(name: str, players: int | None) -> int:
    if players is None:
        raise StrategyError(f"strategy '{name}' depends on the number of players: strategy('{name}', players=4)")
    return players


class Listed(NamedTuple):
    """What there is to say about a strategy in one line."""

    name: str
    description: str
    """What it does, in one sentence."""
    aliases: tuple[str, ...]
    source: str
    kind: str
    """``automaton``, ``routine``, ``group`` or ``family``."""
    players: str
    """``2`` where it is for two players only, else ``2+``."""
    states: int | None
    """Of an automaton for two; None where they depend on numbers, or are no finite number."""
    lookback: int | None
    """Last rounds that tell all that it needs; None where no number of them does, or it depends."""
    deterministic: bool | None
    """None where it depends on numbers."""


def listing() -> list[Listed]:
    """All strategies by name, then those for groups, then those with numbers."""
    rows = [_row(entry) for entry in STRATEGIES]
    for group in GROUPS:
        made = group.make(group.name, 3)
        known = (len(made.cooperate), made.lookback, made.deterministic)
        rows.append(Listed(group.name, group.description, group.aliases, group.source, "group", "2+", *known))
    for family in FAMILIES:
        name = f"{family.name}({','.join(family.parameters)})"
        rows.append(Listed(name, family.description, family.aliases, family.source, "family", "2+", None, None, None))
    return rows


def _row(entry: Entry) -> Listed:
    made, names = entry.strategy, (*entry.aliases, *entry.axelrod)
    if isinstance(made, Automaton):
        known = (len(made.cooperate), made.lookback, made.deterministic)
        return Listed(entry.name, entry.description, names, entry.source, "automaton", "2+", *known)
    return Listed(entry.name, entry.description, names, entry.source, "routine", "2", None, None, made.deterministic)
