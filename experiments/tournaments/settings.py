"""Everything that the results of a tournament depend on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dilemmas.agents.engines.dispatch import ENGINES
from dilemmas.agents.roster import Framing
from dilemmas.envs.checks import check_numbers
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.networks import DEGREES
from dilemmas.envs.validation import Count, Seed

MOST = 200_000
"""Maximum number of groups in a tournament; larger tournaments need a sample."""

GRAPHS = ("ring", "lattice", "small_world")
"""Graphs whose neighbours play each other."""

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
    """Specifications of the participants, see `dilemmas.agents.specifications`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of game and match: payoffs, rounds, continuation, noise ..."""
    repetitions: Count = 10
    """Number of matches of each group, if sampled."""
    self_play: bool = True
    """Whether agents also play against themselves."""
    meetings: tuple[Group, ...] | None = None
    """The groups that play, by name; None for all groups."""
    graph: str | None = None
    """Graph whose neighbours play each other, in the order of the agents: one of `GRAPHS`."""
    degree: Count | None = None
    """Number of neighbours of each agent on the graph; by default `DEGREES`. None without a graph."""
    sample: Count | None = None
    """Number of groups to draw; None for all groups."""
    engine: str = "auto"
    """Engine of the matches; ``auto``: exact where possible, otherwise sampled."""
    seed: Seed = 0
    """Seed of all matches."""
    framing: Framing = field(default_factory=Framing)
    """Context, template and device of language models, and how servers are asked."""

    def __post_init__(self) -> None:
        check_numbers(self, "repetitions", 1)
        check_numbers(self, "seed", 0)
        lookup("engine", self.engine, dict.fromkeys(("auto", *ENGINES)))
        given = {"pairs": self.meetings, "a graph": self.graph, "a sample": self.sample}
        answers = [what for what, value in given.items() if value is not None]
        if len(answers) > 1:
            raise TournamentError(f"{', '.join(answers)}: these exclude each other; give one of them")
        if self.graph is not None and self.degree is None:
            object.__setattr__(self, "degree", DEGREES.get(self.graph))
        if self.degree is not None and self.graph is None:
            raise TournamentError(f"degree = {self.degree}: without a graph there are no neighbours; give --graph too")
        if self.meetings == ():
            raise TournamentError("no pairs; give them as a:b,c:d")
        if self.sample is not None:
            check_numbers(self, "sample", 1, MOST)

    def as_table(self) -> dict[str, Any]:
        """The settings as JSON values, without how servers are asked, which changes no result, and without the template
        of a recipe, which tournaments do not have."""
        table = asdict(self)
        del table["framing"]["servers"], table["framing"]["usual"]
        return table
