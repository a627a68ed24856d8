"""The matrix of payoffs of strategies against each other, on which all population dynamics are based."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from dilemmas.agents.matches.trajectory import check_recorded
from dilemmas.agents.roster import player_named
from dilemmas.envs.checks import unmasked
from dilemmas.envs.data_files import check_value
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.seals import check_sealed
from dilemmas.envs.theory.outcomes import tie_of
from dilemmas.envs.validation import short_repr
from dilemmas.experiments.run_folder import read_run_json

Amount = TypeVar("Amount", int, float)


class DynamicsError(InputError):
    """Payoffs or settings that cannot be used; the message names the value and the remedy."""


@dataclass(frozen=True, eq=False)
class PayoffMatrix:
    """Mean payoffs of strategies against each other, as measured by a round robin with self-play."""

    names: tuple[str, ...]
    """The strategies, k different names."""
    payoffs: Numbers
    """Points per round of row against column, shape (k, k); the diagonal is self-play."""
    errors: Numbers | None = None
    """Standard errors, shape (k, k), NaN if unknown; None if all payoffs are exact."""
    freedom: float = inf
    """Degrees of freedom of the standard errors, at least 1: number of matches of a pair, less 1."""

    def __post_init__(self) -> None:
        k = len(self.names)
        if k == 0 or len(set(self.names)) < k:
            raise DynamicsError(f"players = {list(self.names)}; needs at least one name, each once")
        if not isinstance(self.payoffs, np.ndarray) or self.payoffs.dtype.kind not in "iuf":
            raise DynamicsError(f"payoffs = {short_repr(self.payoffs)}; needs an array of numbers")
        for name in ("payoffs", "errors"):
            unmasked(getattr(self, name), name, DynamicsError)
        if self.payoffs.shape != (k, k):
            raise DynamicsError(f"payoffs of shape {self.payoffs.shape} for {k} players; needs ({k}, {k})")
        if np.isinf(self.payoffs).any():
            raise DynamicsError("a payoff is infinite; needs finite points per round")
        for row, column in np.argwhere(np.isnan(self.payoffs)):
            raise DynamicsError(_missing(self.names[row], self.names[column]))

    @property
    def tie(self) -> float:
        """Largest difference at which two payoffs count as equal: rounding."""
        return tie_of(self.payoffs)

    def index(self, name: str) -> int:
        """Index of a strategy, by any of its names; the error for an unknown name has the nearest known one."""
        return self.names.index(player_named(name, self.names))

    def by_name(self, given: Mapping[str, Amount], place: str) -> dict[str, Amount]:
        """Amounts by the names of this matrix, from any names of the strategies; `place`: where they were given."""
        found: dict[str, Amount] = {}
        for word, amount in given.items():
            name = player_named(word, self.names, place=place)
            if name in found:
                raise DynamicsError(f"start: '{word}' is a second name of '{name}'; give each player once")
            found[name] = amount
        return found

    def only(self, names: Sequence[str]) -> "PayoffMatrix":
        """The matrix of some of the strategies, in the given order."""
        places = [self.index(name) for name in names]
        among = np.ix_(places, places)
        return PayoffMatrix(
            tuple(self.names[place] for place in places),
            self.payoffs[among],
            None if self.errors is None else self.errors[among],
            self.freedom,
        )

    def pair(self, mutant: str, resident: str) -> Numbers:
        """Payoffs of two strategies, the mutant first, shape (2, 2)."""
        return self.only([mutant, resident]).payoffs


def _missing(player: str, other: str) -> str:
    if player == other:
        return (
            f"the payoff of '{player}' against itself is missing, and in a population it also meets itself;"
            " run the tournament with self-play"
        )
    return f"'{player}' never met '{other}'; run a round robin, or select players who all met each other"


@dataclass(frozen=True, slots=True)
class PairPayoffs:
    """The payoffs of every pair of players, among the results of a tournament."""

    players: tuple[str, ...]
    payoff_matrix: tuple[tuple[float | None, ...], ...]
    """Points per round, shape (N, N); null for a pair that was not played."""
    standard_errors: tuple[tuple[float | None, ...], ...] | None = None
    """Shape (N, N); null if unknown."""
    groups: tuple[Mapping[str, Any], ...] = ()
    """What is known of each group."""

    def __post_init__(self) -> None:
        size = len(self.players)
        for rows in (self.payoff_matrix, self.standard_errors):
            if (rows is not None and [len(row) for row in rows] != [size] * size) or len(set(self.players)) < size:
                raise DynamicsError("holds no 'players' with a square 'payoff_matrix' of numbers")


def read_payoffs(folder: Path, names: Sequence[str] | None = None) -> PayoffMatrix:
    """Read the payoffs in the ``results.json`` of the folder of a tournament.

    Parameters
    ----------
    folder
        Folder of a finished tournament.
    names
        Players to select, in this order; all by default. Pairs that were not played are null in the file, and none of
        them may be selected.

    Raises
    ------
    DynamicsError
        If the file is absent or has no such payoffs, a selected pair was not played, or the groups of the tournament
        have more than two players.
    SealError
        If a file of the folder was changed or is missing.
    """
    file = folder / "results.json"
    if not file.is_file():
        raise DynamicsError(f"{file} does not exist; give the folder of a finished tournament")
    check_sealed(file)
    check_recorded(folder)
    results = read_run_json(file, dict[str, Any])
    kept = {item.name: results[item.name] for item in fields(PairPayoffs) if item.name in results}
    found = check_value(kept, PairPayoffs, str(file), DynamicsError)
    seats = max((len(group.get("players", ())) for group in found.groups), default=2)
    players = dict.fromkeys(found.players)
    payoffs = np.array(found.payoff_matrix, dtype=np.float64)  # null becomes NaN
    errors = np.zeros_like(payoffs) if found.standard_errors is None else np.array(found.standard_errors, np.float64)
    if seats > 2:
        raise DynamicsError(f"{file}: groups of {seats} players; population dynamics need a two-player game")
    known = tuple(players)
    chosen = known if names is None else tuple(player_named(name, known, place=str(file)) for name in names)
    places = [known.index(name) for name in chosen]
    among = np.ix_(places, places)
    return PayoffMatrix(chosen, payoffs[among], errors[among], error_freedom(found.groups))


def error_freedom(groups: Iterable[Mapping[str, Any]]) -> float:
    """Degrees of freedom of the standard errors of sampled payoffs, from the groups of a tournament; at least 1."""
    matches = [group.get("matches") for group in groups]
    return min((count for count in matches if isinstance(count, int) and count > 1), default=inf) - 1
