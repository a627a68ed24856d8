"""One line of the table of strategies."""

from collections.abc import Callable
from dataclasses import dataclass

from dilemmas.agents.strategies.counting import CountingStrategy
from dilemmas.agents.strategies.finite_state import Automaton

Strategy = Automaton | CountingStrategy


@dataclass(frozen=True, slots=True)
class Entry:
    """A strategy for two players, which may play in larger groups too (`Automaton.for_players`)."""

    name: str
    """In snake_case."""
    description: str
    """What it does, in one sentence of at most 100 characters; pairs such as CD give its own move first."""
    make: Callable[[str], Strategy]
    """Makes it, given its name."""
    source: str
    """Where it was described."""
    aliases: tuple[str, ...] = ()
    """Other names in use."""
    axelrod: tuple[str, ...] = ()
    """Classes of Axelrod-Python 4.13 that play the same, which are aliases too."""

    @property
    def strategy(self) -> Strategy:
        return self.make(self.name)


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """A strategy for any number of players."""

    name: str
    """In snake_case."""
    description: str
    """What it does, in one sentence of at most 100 characters."""
    make: Callable[[str, int], Automaton]
    """Makes it, given its name and the number of players, 2 or more."""
    source: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """Strategies that differ by numbers, written behind the name: ``random(0.3)``."""

    name: str
    """In snake_case."""
    description: str
    """What its members do, in one sentence of at most 100 characters that names the parameters."""
    parameters: tuple[str, ...]
    """What the numbers mean."""
    make: Callable[..., Automaton]
    """Makes one, given its name and a number for each parameter; for groups, then the number of players."""
    source: str
    aliases: tuple[str, ...] = ()
    groups: bool = False
    """Whether it is for any number of players."""
    moves: bool = False
    """Whether moves, C and D, stand behind the name instead of numbers."""
