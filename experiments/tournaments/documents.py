"""The types of the JSON files of a tournament, by which they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from dilemmas.agents.agent import Source
from dilemmas.envs.prompts.labels import Showing
from dilemmas.envs.validation import Count, One, Share, written
from dilemmas.experiments.inference.fingerprint import Habit
from dilemmas.experiments.tournaments.settings import Group, Settings, TournamentError
from dilemmas.experiments.tournaments.standings import Standing

Matrix = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class FramingFile:
    """How the game is presented to language models."""

    context: str
    """Social context."""
    template: str
    """Prompt template: a name or a path."""
    device: str
    """Device of the models."""
    presentation: Showing
    """Labels and order of the actions."""
    min_mass: Share
    """Smallest label mass that is accepted."""
    persona: str
    """Personas of the models; empty for that of the template, ``none`` for nobody."""
    labels: str
    """Label set, or two labels; empty for those of the template."""
    system: str
    """Text of the system turn; empty for that of the template, ``none`` for no text."""


@written(nulls=True, later=("sources",))
@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile(Settings):
    """The settings of a tournament, and who takes part."""

    format: Literal["dilemmas-tournament"]
    """Name of the format."""
    version: One
    """Version of the format."""
    framing: FramingFile  # type: ignore[assignment]  # the template's file need not exist any more
    """How the game is presented to language models."""
    players: tuple[str, ...]
    """Names of the participants, in order."""
    alike: bool
    """Whether the game is the same from every seat."""
    identities: Mapping[str, str]
    """Digest of what each player is, by name."""
    sources: Mapping[str, Source] | None = None
    """Where the probabilities come from of the players that play from a table, by name; older files do not say it."""


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Means of the matches of a group."""

    players: Group
    """Names, by seat."""
    engine: str
    """Engine that played them."""
    matches: Count
    """Number of matches."""
    aborted: Count
    """Number of aborted matches."""
    rounds: Annotated[float, Ge(0)]
    """Mean number of rounds."""
    payoffs: tuple[float, ...]
    """Points per round, by seat."""
    cooperation: tuple[Share, ...]
    """Share of rounds with cooperation, by seat."""


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """The results of a tournament of N players."""

    format: Literal["dilemmas-tournament"]
    """Name of the format."""
    version: One
    """Version of the format."""
    settings: SettingsFile
    """The content of settings.json."""
    players: tuple[str, ...]
    """Names of the players, in the order of rows and columns."""
    payoff_matrix: Matrix
    """Points per round of the row's player in groups with the column's, shape (N, N); null if they never met."""
    standard_errors: Matrix
    """Standard errors of the payoffs, shape (N, N)."""
    cooperation_matrix: Matrix
    """Share of rounds in which the row's player cooperated in groups with the column's, shape (N, N)."""
    ranking: tuple[Standing, ...]
    """The players, best first."""
    rank_distribution: tuple[tuple[Share, ...], ...] | None
    """Probability of each rank from 1 to N of each player, shape (N, N); null if there were only single matches."""
    fingerprints: Mapping[str, tuple[Habit, ...]]
    """What each player did after each outcome, by name."""
    engines: Mapping[str, Count]
    """Number of groups by engine."""
    groups: tuple[GroupResult, ...]
    """Means of each group."""

    def __post_init__(self) -> None:
        size, names = len(self.players), sorted(self.players)
        for name in ("payoff_matrix", "standard_errors", "cooperation_matrix", "rank_distribution"):
            rows = getattr(self, name)
            if rows is not None and [size] * size != [len(row) for row in rows]:
                raise TournamentError(f"{name}: needs {size} rows of {size} numbers, one for each player")
        if len(set(names)) < size or names != sorted(one.player for one in self.ranking):
            raise TournamentError("ranking: needs each of the players once")
        if names != sorted(self.fingerprints) or not all(map(self._fits, self.fingerprints.values())):
            raise TournamentError("fingerprints: needs the same outcomes for each of the players")
        for place, group in enumerate(self.groups):
            seats = {len(group.players), len(group.payoffs), len(group.cooperation)}
            if len(seats) > 1 or not set(group.players) <= set(names):
                raise TournamentError(
                    f"groups[{place}]: needs players, and a payoff and a cooperation for each of them"
                )
        if not self.groups:
            raise TournamentError("groups: needs one or more")

    def _fits(self, habits: Sequence[Habit]) -> bool:
        """Whether habits are about the same outcomes as those of other players, with an interval where there can be
        one."""
        first = next(iter(self.fingerprints.values()))
        return [one.after for one in habits] == [one.after for one in first] and all(
            one.interval is not None or not one.times for one in habits
        )
