"""Stages that a round may have besides the game itself: talk before it, punishment and reward after it."""

from dataclasses import dataclass

from dilemmas.envs.checks import flag, from_zero, whole_number

LARGEST_CHOICE = 1 << 16
"""Most options of a player in one phase; sanctions against many others exceed it."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Cheap talk before the players act: signals that cost nothing and bind nobody."""

    turns: int = 1
    """Turns per round; all speak at once in each."""
    signals: int = 3
    """Size of the alphabet; signal 0 is silence."""
    words: bool = False
    """Whether a signal may also be a text. The space of actions stays the alphabet."""

    def __post_init__(self) -> None:
        for name, least in (("turns", 1), ("signals", 2)):
            count = whole_number(getattr(self, name), f"talk: {name}", least, LARGEST_CHOICE)
            object.__setattr__(self, name, count)
        object.__setattr__(self, "words", flag(self.words, "talk: words"))


@dataclass(frozen=True, slots=True)
class Sanction:
    """Points that players take from or give to each other once they have seen what everybody did.

    Fehr & Gächter 2002 (Nature 415:137): punishment with cost 1 and effect 3.
    """

    cost: float = 1.0
    """What a point costs who assigns it."""
    effect: float = 3.0
    """What a point takes from, or gives to, who receives it."""
    points: int = 1
    """Most points that one player can assign to another one."""

    def __post_init__(self) -> None:
        for name in ("cost", "effect"):
            object.__setattr__(self, name, from_zero(getattr(self, name), f"sanction: {name}"))
        object.__setattr__(self, "points", whole_number(self.points, "sanction: points", 1, LARGEST_CHOICE))
