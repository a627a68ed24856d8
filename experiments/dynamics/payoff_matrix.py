"""Who earns how much against whom: what all dynamics of populations start from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.names import lookup
from dilemmas.envs.theory.outcomes import tie_of
from dilemmas.experiments.run_folder import read_run_json


class DynamicsError(InputError):
    """Payoffs or settings that no population can live by; the message names the value and the way out."""


@dataclass(frozen=True, eq=False)
class PayoffMatrix:
    """Mean payoffs of strategies against each other, as a round robin with self-play finds them."""

    names: tuple[str, ...]
    """The strategies, each once."""
    payoffs: Numbers
    """Points per round of row against column, shape (k, k); what a strategy earns against itself is the diagonal."""
    errors: Numbers | None = None
    """Their standard errors, shape (k, k), NaN where they are not known; None where all payoffs are exact."""

    def __post_init__(self) -> None:
        k = len(self.names)
        if k == 0 or len(set(self.names)) < k:
            raise DynamicsError(f"players = {list(self.names)}; needs one name or more, each once")
        if self.payoffs.shape != (k, k):
            raise DynamicsError(f"payoffs of shape {self.payoffs.shape} for {k} players; needs ({k}, {k})")
        if np.isinf(self.payoffs).any():
            raise DynamicsError("a payoff is infinite; needs finite points per round")
        for row, column in np.argwhere(np.isnan(self.payoffs)):
            raise DynamicsError(_missing(self.names[row], self.names[column]))

    @property
    def tie(self) -> float:
        """Points by which two payoffs may differ and still tie: what rounding does."""
        return tie_of(self.payoffs)

    def index(self, name: str) -> int:
        """Place of a strategy; an unknown name is answered with the nearest one."""
        return lookup("player", name, {known: place for place, known in enumerate(self.names)})

    def only(self, names: Sequence[str]) -> "PayoffMatrix":
        """The same for some of the strategies, in the order given."""
        places = [self.index(name) for name in names]
        among = np.ix_(places, places)
        return PayoffMatrix(tuple(names), self.payoffs[among], None if self.errors is None else self.errors[among])

    def pair(self, mutant: str, resident: str) -> Numbers:
        """Payoffs of two strategies, the mutant's first: shape (2, 2)."""
        return self.only([mutant, resident]).payoffs


def _missing(player: str, other: str) -> str:
    if player == other:
        return (
            f"the payoff of '{player}' against itself is missing, and in a population it also meets its own kind;"
            " run the tournament with self-play"
        )
    return f"'{player}' never met '{other}'; run a round robin, or take only players who all met each other"


def read_payoffs(folder: Path, names: Sequence[str] | None = None) -> PayoffMatrix:
    """The payoffs in the ``results.json`` of a tournament's folder; of some players only, where they are named.

    Pairs that were not played are null there; they may only belong to players who are left out. Where more than two
    play at a table, what they earn is no matter of pairs, and is refused.
    """
    file = folder / "results.json"
    if not file.is_file():
        raise DynamicsError(f"{file} is not there; give the folder of a tournament that has ended")
    told = read_run_json(file)
    try:
        seats = max((len(group["players"]) for group in told.get("groups", ())), default=2)
        players = dict.fromkeys(map(str, told["players"]))
        payoffs = np.array(told["payoff_matrix"], dtype=np.float64)  # null becomes NaN
        errors = np.array(told.get("standard_errors", np.zeros_like(payoffs)), dtype=np.float64)
        if not payoffs.shape == errors.shape == (len(told["players"]),) * 2 or len(players) < len(payoffs):
            raise ValueError
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DynamicsError(f"{file} holds no 'players' with a square 'payoff_matrix' of numbers") from None
    if seats > 2:
        raise DynamicsError(f"{file}: {seats} play at a table; populations live by the payoffs of a game for two")
    known = {name: place for place, name in enumerate(players)}
    chosen = tuple(players) if names is None else tuple(names)
    places = [lookup("player", name, known, str(file)) for name in chosen]
    among = np.ix_(places, places)
    return PayoffMatrix(chosen, payoffs[among], errors[among])
