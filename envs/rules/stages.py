"""Optional stages of a round: talk before the game is played, punishment and reward after it."""

from dataclasses import dataclass

from dilemmas.envs.checks import flag, from_zero, whole_number

LARGEST_CHOICE = 1 << 16
"""Largest number of options of a player in one phase; sanctions against many other players exceed it."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Cheap talk before the players act: messages without cost that do not restrict the actions.

    Raises
    ------
    GameError
        If a value is outside its range.
    """

    turns: int = 1
    """Turns per round, 1 or more; in each, all players send a signal simultaneously."""
    signals: int = 3
    """Number of signals, 2 or more; signal 0 is silence."""
    words: bool = False
    """Whether a message may also be a text. The action space contains the signals only."""

    def __post_init__(self) -> None:
        for name, least in (("turns", 1), ("signals", 2)):
            count = whole_number(getattr(self, name), f"talk: {name}", least, LARGEST_CHOICE)
            object.__setattr__(self, name, count)
        object.__setattr__(self, "words", flag(self.words, "talk: words"))


@dataclass(frozen=True, slots=True)
class Sanction:
    """Points that players take from or give to each other after they have observed the joint action.

    The defaults are those of the punishment in Fehr & Gächter 2002 (Nature 415:137).

    Raises
    ------
    GameError
        If a value is outside its range.
    """

    cost: float = 1.0
    """Cost of a point to the player who assigns it, 0 or more."""
    effect: float = 3.0
    """Payoff that a point takes from, or gives to, the player to whom it is assigned, 0 or more."""
    points: int = 1
    """Largest number of points that one player can assign to another player, 1 or more."""

    def __post_init__(self) -> None:
        for name in ("cost", "effect"):
            object.__setattr__(self, name, from_zero(getattr(self, name), f"sanction: {name}"))
        object.__setattr__(self, "points", whole_number(self.points, "sanction: points", 1, LARGEST_CHOICE))
