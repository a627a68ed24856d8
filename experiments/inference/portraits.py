"""Portraits of players: fingerprint, character and nearest strategies, from recorded play."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.inference.candidates import known_automata
from dilemmas.experiments.inference.fingerprint import Character, Habit, character, recorded_fingerprint
from dilemmas.experiments.inference.likelihoods import LEAST_TREMBLE, MOST_TREMBLE, evidence
from dilemmas.experiments.inference.recorded_play import PlayerHistory, common_game

GRID = np.append(LEAST_TREMBLE, np.linspace(0.001, MOST_TREMBLE, 500))
"""Trembles among which the most likely one is chosen."""
SUPPORTED = 2.0
"""Strategies whose log-likelihood is at most this much below the maximum are reported too (Edwards 1972, Likelihood).
All have one fitted parameter, the tremble, so none has an advantage by being more flexible."""


@dataclass(frozen=True, slots=True)
class NearestStrategies:
    """The strategies under which the choices of a player are most likely, and the most likely tremble."""

    strategies: tuple[str, ...]
    """Names of the most likely strategy and of those that the choices do not rule out, most likely first."""
    tremble: float
    """Probability, from 0 to 1/2, that a choice is the opposite of what the first of `strategies` prescribes."""
    log_likelihood: float
    """Natural logarithm of the likelihood of all choices under the first of `strategies`."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """How one player played its matches with a given number of players."""

    player: str
    """Name of the player."""
    players: int
    """Number of players in each match."""
    matches: int
    """Number of matches."""
    choices: int
    """Number of readable choices."""
    unreadable: int
    """Number of rounds with an unreadable reply, which are excluded from all measures."""
    habits: tuple[Habit, ...]
    """Memory-one fingerprint."""
    character: Character
    """Measures of its character."""
    nearest: NearestStrategies | None
    """Nearest strategies; None without a readable choice."""


def portraits(plays: Sequence[PlayerHistory]) -> list[Portrait]:
    """Describe every player.

    Parameters
    ----------
    plays
        Matches, which may differ in their number of players.

    Returns
    -------
    list of Portrait
        One portrait for each player and number of players in a match, in order of first appearance.
    """
    found: dict[tuple[int, str], list[PlayerHistory]] = {}
    for one in plays:
        found.setdefault((one.players, one.player), []).append(one)
    best: dict[tuple[int, str], NearestStrategies] = {}
    for players in sorted({size for size, _ in found}):
        sized = {name: several for (size, name), several in found.items() if size == players}
        game = common_game([one for several in sized.values() for one in several])
        nearest = nearest_strategies(sized, known_automata(players, game))
        best |= {(players, name): strategies for name, strategies in nearest.items()}
    return [
        Portrait(
            player=name,
            players=players,
            matches=len(several),
            choices=sum(int((one.chosen >= 0).sum()) for one in several),
            unreadable=sum(int((one.chosen < 0).sum()) for one in several),
            habits=recorded_fingerprint(several),
            character=character(several),
            nearest=best.get((players, name)),
        )
        for (players, name), several in found.items()
    ]


def nearest_strategies(
    plays: Mapping[str, Sequence[PlayerHistory]], candidates: Sequence[Automaton]
) -> dict[str, NearestStrategies]:
    """Find the strategies under which the choices of each player are most likely.

    Parameters
    ----------
    plays
        Matches of each player by name, all with the same number of players.
    candidates
        Strategies to compare.

    Returns
    -------
    dict of str to NearestStrategies
        By player, without the players that have no readable choice. Trembles have a resolution of 0.001.
    """
    counted = evidence(plays, candidates)
    chances = np.log(counted.chances(np.broadcast_to(GRID, (1, len(GRID)))))  # (K, L, trembles)
    found = {}
    for s, name in enumerate(counted.subjects):
        counts = counted.counts[:, s]  # (K, L)
        if counts.any():
            likelihoods = (counts[:, None] @ chances)[:, 0]  # (K, trembles)
            found[name] = _nearest(counted.strategies, likelihoods)
    return found


def _nearest(names: Sequence[str], likelihoods: Numbers) -> NearestStrategies:
    """`likelihoods`: log-likelihood by strategy and tremble, shape (K, trembles)."""
    tops = likelihoods.max(axis=1)
    order = np.argsort(-tops.round(6), kind="stable").tolist()
    places = [k for k in order if tops[k] >= tops.max() - SUPPORTED]
    at = int(np.argmax(likelihoods[places[0]]))
    return NearestStrategies(tuple(names[k] for k in places), float(GRID[at]) if at else 0.0, float(tops.max()))
