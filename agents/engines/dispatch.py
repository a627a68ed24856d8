"""Choose the engine for each group of agents and play its matches; see `dilemmas.agents.engines.requirements`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Agent
from dilemmas.agents.engines.chains import play_chains
from dilemmas.agents.engines.cycles import play_cycle
from dilemmas.agents.engines.environment import play_in_environment
from dilemmas.agents.engines.horizons import geometric, round_limits
from dilemmas.agents.engines.requirements import (
    ENGINES,
    EXACT,
    EngineError,
    joint_states,
    names_in,
    obstacle,
    require,
    require_keys,
    require_size,
    why_none,
)
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.engines.vectorised import play_vectorised
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.repeated import Repeated

__all__ = ["ENGINES", "EXACT", "choose_engine", "play_groups"]

MOST_WORK = 1 << 27
"""Most joint states times joint actions times rounds for which `chain` is chosen by default: one or two seconds."""


def choose_engine(rules: Repeated, group: Sequence[Agent], engine: str | None = None) -> str:
    """The engine that plays the matches of a group.

    Parameters
    ----------
    rules
        Rules of the matches.
    group
        Agents by seat.
    engine
        The engine to use, if it can play the group; None for the best one that can.

    Raises
    ------
    EngineError
        If the engine, or every engine, cannot play the group; the message gives the reason and the engines that can.
    UnknownNameError
        If there is no engine of this name.
    """
    if engine is not None:
        require(lookup("engine", engine, {one: one for one in ENGINES}), rules, [group])
        return engine
    require_size(rules, group)
    for one in ENGINES:
        if not obstacle(one, rules, group) and not (one == "chain" and _work(rules, group) > MOST_WORK):
            return one
    raise EngineError(f"no engine can play {names_in(group)}: {why_none(rules, group)}")


def play_groups(
    rules: Repeated,
    groups: Sequence[Sequence[Agent]],
    keys: NDArray[np.uint64],
    engine: str | None = None,
) -> list[Tally]:
    """Play the matches of several groups.

    Parameters
    ----------
    rules
        Rules of the matches.
    groups
        Agents of each group by seat.
    keys
        Keys of the random numbers, shape (groups, matches), see `match_keys`. Exact engines ignore their values and
        return one expected match.
    engine
        The engine that plays all groups; None for the best engine for each group.

    Returns
    -------
    A tally for each group, in order.

    Raises
    ------
    EngineError, UnknownNameError
        As `choose_engine`.
    """
    require_keys(groups, keys)
    chosen = [choose_engine(rules, group, engine) for group in groups]
    tallies: dict[int, Tally] = {}
    for one in dict.fromkeys(chosen):
        places = [place for place, name in enumerate(chosen) if name == one]
        tallies |= zip(places, _play(one, rules, groups, keys, places), strict=True)
    return [tallies[place] for place in range(len(groups))]


def _play(
    engine: str,
    rules: Repeated,
    groups: Sequence[Sequence[Agent]],
    keys: NDArray[np.uint64],
    places: Sequence[int],
) -> list[Tally]:
    """Play the groups at some places with an engine that can play them."""
    if engine == "environment":
        return [play_in_environment(rules, groups[place], keys[place]) for place in places]
    seated = [[one.traits.automaton or one.traits.counting for one in groups[place]] for place in places]
    if engine == "cycle":
        return [play_cycle(rules, group) for group in seated]
    if engine == "chain":
        return play_chains(rules, seated)
    if engine == "compiled":
        from dilemmas.agents.engines.compiled import play_compiled

        return play_compiled(rules, seated, keys[places])
    return play_vectorised(rules, seated, keys[places])


def _work(rules: Repeated, group: Sequence[Agent]) -> int:
    """Joint states times joint actions times rounds; `chain` solves for matches without a limit of rounds at once."""
    return (joint_states(group) << rules.n_players) * (1 if geometric(rules) else round_limits(rules)[1])
