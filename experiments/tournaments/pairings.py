"""Groups of agents that play in a tournament: all, a random sample, neighbours on a graph, or given ones."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, combinations_with_replacement, permutations, product
from math import comb, perm

import numpy as np

from dilemmas.agents.roster import player_named
from dilemmas.envs.checks import GameError
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.networks import build_network
from dilemmas.experiments.tournaments.settings import GRAPHS, MOST, Group, Settings, TournamentError

NAMED = 3
"""Number of players that a message names."""


@dataclass(frozen=True, slots=True)
class Pairings:
    """The groups of a tournament."""

    settings: Settings
    names: tuple[str, ...]
    """Names of the players."""
    n_players: int
    """Number of players of a match."""
    symmetric: bool
    """Whether the game is the same from every seat."""

    def groups(self, draws: Mapping[Group, int] | None) -> tuple[Group, ...]:
        """The groups that play, in order; `TournamentError` if there are too many, or a player is in none of them.

        `draws`: the groups that were drawn, from `draws`.
        """
        settings = self.settings
        if settings.meetings is not None:
            found = self._chosen(settings.meetings)
        elif settings.graph is not None:
            found = self._neighbours(settings.graph)
        else:
            found = tuple(draws or map(self._seated, self._all()))
        playing = set(chain(*found))
        if left := [name for name in self.names if name not in playing]:
            more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
            way = f"draw more than {settings.sample:,} groups" if settings.sample else "leave them out"
            raise TournamentError(f"in no group: {', '.join(left[:NAMED])}{more}; {way}")
        return found

    def draws(self) -> Counter[Group] | None:
        """How often each group is drawn, in the order of the first time; None if there is no sample, or it is all.

        Each of the draws fills the seats at random, so a group comes as often as it forms, and may come again.
        """
        count, names, n = self.settings.sample, len(self.names), self.n_players
        if count is None or count >= self._count():
            return None
        rng = np.random.default_rng([self.settings.seed, n])
        if self.settings.self_play:
            places = rng.integers(names, size=(count, n))
        else:
            places = np.array([rng.choice(names, n, replace=False) for _ in range(count)])
        return Counter(self._seated(self.names[place] for place in row) for row in places.tolist())

    def _seated(self, group: Iterable[str]) -> Group:
        """A group in the order of its seats; in alphabetical order if all seats are the same."""
        return tuple(sorted(group)) if self.symmetric else tuple(group)

    def _count(self) -> int:
        """Number of possible groups."""
        names, n = len(self.names), self.n_players
        if not self.settings.self_play and names < n:
            raise TournamentError(f"{names} agents and no self-play; a group has {n} different players")
        if self.symmetric:
            return comb(names + n - 1, n) if self.settings.self_play else comb(names, n)
        return int(names**n) if self.settings.self_play else perm(names, n)

    def _all(self) -> Iterator[Group]:
        """Every possible group."""
        names, n = self.names, self.n_players
        if (count := self._count()) > MOST:
            raise TournamentError(f"{count:,} groups; at most {MOST:,} are played: name fewer agents or draw a sample")
        if self.symmetric:
            return (combinations_with_replacement if self.settings.self_play else combinations)(names, n)
        return product(names, repeat=n) if self.settings.self_play else permutations(names, n)

    def _chosen(self, meetings: Sequence[Group]) -> tuple[Group, ...]:
        n = self.n_players
        for group in meetings:
            if len(group) != n:
                raise TournamentError(f"'{':'.join(group)}': {len(group)} players in a group of {n}")
        named = [tuple(self._named(word, group) for word in group) for group in meetings]
        if not self.settings.self_play and (own := next((group for group in named if len(set(group)) < n), None)):
            raise TournamentError(f"'{':'.join(own)}' is self-play, excluded by --no-self-play; drop one of them")
        seated = [self._seated(group) for group in named]
        for group, times in Counter(seated).items():
            if times > 1:
                raise TournamentError(f"'{':'.join(group)}' is given {times} times; use --repetitions instead")
        return tuple(seated)

    def _named(self, word: str, group: Group) -> str:
        """The agent with this name, or with this specification in the settings."""
        by_spec = dict(zip(self.settings.agents, self.names, strict=False))
        return by_spec.get(word) or player_named(word, self.names, "agent", f"'{':'.join(group)}'")

    def _neighbours(self, graph: str) -> tuple[Group, ...]:
        if self.n_players != 2:
            raise TournamentError(
                f"graph = '{graph}': neighbours play in pairs, this game has {self.n_players} players"
            )
        names = self.names
        try:
            lookup("graph", graph, dict.fromkeys(GRAPHS))
            _, edges = build_network(graph, len(names), self.settings.degree)
        except GameError as error:
            raise TournamentError(f"graph = '{graph}': {error}; change the number of agents, or give --pairs") from None
        assert edges is not None
        pairs = [(names[one], names[other]) for one, other in edges]
        return tuple(map(self._seated, pairs if self.symmetric else pairs + [(b, a) for a, b in pairs]))
