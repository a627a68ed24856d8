"""Rows of the catalogue of strategies."""

from collections.abc import Callable
from dataclasses import dataclass

from dilemmas.agents.strategies.bibliography import AXELROD_PYTHON, CRISTAL
from dilemmas.agents.strategies.counting import CountingStrategy
from dilemmas.agents.strategies.finite_state import Automaton

Strategy = Automaton | CountingStrategy


@dataclass(frozen=True, slots=True)
class StrategyEntry:
    """A strategy for two players; automata also play in larger groups (`Automaton.for_players`)."""

    name: str
    """Name in snake_case."""
    description: str
    """What it does, in one sentence of at most 100 characters; pairs such as CD give its own move first."""
    make: Callable[..., Strategy]
    """Constructs it from its name."""
    source: str
    """Paper or program that describes it."""
    aliases: tuple[str, ...] = ()
    """Other names in use."""
    axelrod: tuple[str, ...] = ()
    """Classes of Axelrod-Python 4.13 that play the same; they are aliases too, and the source is read as they read it
    (see `reading`)."""
    of_payoffs: bool = False
    """Whether its probabilities are computed from the payoffs of the game, which `make` then takes as second argument
    (the default prisoner's dilemma if it is not given)."""

    @property
    def reading(self) -> str:
        """Whose reading of a paper it follows; empty if it follows the paper, a program, or equations of payoffs."""
        program = any(name in self.source for name in (CRISTAL, AXELROD_PYTHON))
        return "" if program or self.of_payoffs or not self.axelrod else f"that of {AXELROD_PYTHON} 4.13"

    @property
    def strategy(self) -> Strategy:
        """The strategy itself."""
        return self.make(self.name)


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """A strategy for any number of players."""

    name: str
    """Name in snake_case."""
    description: str
    """What it does, in one sentence of at most 100 characters."""
    make: Callable[[str, int], Automaton]
    """Constructs it from its name and the number of players, at least 2."""
    source: str
    """Paper or program that describes it."""
    aliases: tuple[str, ...] = ()
    """Other names in use."""


@dataclass(frozen=True, slots=True)
class Family:
    """Strategies with parameters, given in parentheses after the name: ``random(0.3)``."""

    name: str
    """Name in snake_case."""
    description: str
    """What its members do, in one sentence of at most 100 characters that names the parameters."""
    parameters: tuple[str, ...]
    """Names of the parameters."""
    make: Callable[..., Strategy]
    """Constructs one from its name and its parameters; for groups, also from the number of players."""
    source: str
    """Paper or program that describes them."""
    aliases: tuple[str, ...] = ()
    """Other names in use."""
    groups: bool = False
    """Whether its members are for any number of players."""
    moves: bool = False
    """Whether the parameter is a sequence of moves, C and D, instead of numbers."""
    of_payoffs: bool = False
    """Whether its probabilities are computed from the payoffs of the game, which `make` then takes as `game`."""
