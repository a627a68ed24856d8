"""Everything that the results of a tournament depend on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dilemmas.agents.engines.dispatch import ENGINES
from dilemmas.agents.roster import Framing
from dilemmas.envs.checks import check_numbers
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import lookup

MOST = 200_000
"""Maximum number of groups in a tournament; of more, a sample has to be drawn."""

GRAPHS = ("ring", "lattice", "small_world")
"""Graphs on which neighbours meet."""

Group = tuple[str, ...]
"""Names of the players of a match, by seat."""


class TournamentError(InputError):
    """A tournament that cannot be played as specified."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the results of a tournament depend on."""

    game: str
    """Name in the catalogue."""
    agents: tuple[str, ...]
    """Who takes part, as `dilemmas.agents.roster` reads it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the game and of the match: payoffs, rounds, continuation, noise ..."""
    repetitions: int = 10
    """Matches of every group, where they are sampled."""
    self_play: bool = True
    """Whether agents also meet themselves."""
    meetings: tuple[Group, ...] | None = None
    """Who meets whom, by name; None: everybody meets everybody."""
    graph: str | None = None
    """Only neighbours meet: the agents in their order on a ``ring``, a ``lattice`` or a ``small_world``."""
    sample: int | None = None
    """Number of groups that are drawn, where there are three or more players; None: all of them."""
    engine: str = "auto"
    """Who plays the matches; ``auto``: exactly where theory allows, sampled elsewhere."""
    seed: int = 0
    framing: Framing = field(default_factory=Framing)

    def __post_init__(self) -> None:
        check_numbers(self, "repetitions", 1)
        check_numbers(self, "seed", 0)
        lookup("engine", self.engine, dict.fromkeys(("auto", *ENGINES)))
        given = {"pairs": self.meetings, "a graph": self.graph, "a sample": self.sample}
        answers = [what for what, value in given.items() if value is not None]
        if len(answers) > 1:
            raise TournamentError(f"{', '.join(answers)}: each says who meets whom; give one of them")
        if self.meetings == ():
            raise TournamentError("no pairs; write them as a:b,c:d")
        if self.sample is not None:
            check_numbers(self, "sample", 1, MOST)

    def as_table(self) -> dict[str, Any]:
        """Plain values, as JSON has them."""
        return asdict(self)
