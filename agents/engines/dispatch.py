"""Who plays the matches of a group: an exact engine where theory allows, else a sampled one.

cycle     automata that leave nothing to chance, no noise      exact
chain     automata with few joint states                       exact
kernel    pairs of automata                                    sampled in compiled code
lockstep  automata of any size, routines                       sampled in numpy, the same matches
agents    everybody else, language models included             sampled in environments
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Agent
from dilemmas.agents.engines.chains import DENSE, LARGEST, chain
from dilemmas.agents.engines.cycles import cycle
from dilemmas.agents.engines.environment import agents_play, why_not
from dilemmas.agents.engines.horizons import geometric, span
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.engines.vectorised import lockstep
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.strategies.counting import Routine
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.two_actions import EngineError, only_two_actions
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.repeated import Repeated

ENGINES = ("cycle", "chain", "kernel", "lockstep", "agents")
"""In the order in which they are preferred."""
EXACT = ("cycle", "chain")
"""Engines whose result is an expectation: one match stands for any number of them."""

MOST_WORK = 1 << 27
"""Most joint states times joint actions times rounds for which a group is given to `chain` unasked: a second or two."""
MOST_PLAYERS = 16
"""Most players for exact engines, which list every joint action."""

Recorder = Callable[[int, int, MatchRecord], None]
"""Told of every match that agents played: the place of its group, of its key, and what happened."""


def choose(rules: Repeated, group: Sequence[Agent], engine: str | None = None) -> str:
    """The engine for the matches of a group, agents by seat: the best one, or `engine` if it can play them.

    Raises `EngineError` where it cannot, with the reason and the engines that can; `InputError` for an unknown one.
    """
    names = ", ".join(agent.name for agent in group)
    if len(group) != rules.n_players:
        raise EngineError(f"{rules.n_players} play {rules.stage.name}; the group has {len(group)}: {names}")
    if engine is None:
        for one in ENGINES:
            if not _obstacle(one, rules, group) and not (one == "chain" and _work(rules, group) > MOST_WORK):
                return one
        raise EngineError(f"no engine can play {names}: {_obstacle(ENGINES[-1], rules, group)}")
    reason = _obstacle(lookup("engine", engine, {one: one for one in ENGINES}), rules, group)
    if reason:
        able = [one for one in ENGINES if not _obstacle(one, rules, group)]
        others = f"take {' or '.join(able)}" if able else "and no other engine can"
        raise EngineError(f"engine = '{engine}' cannot play {names}: {reason}; {others}")
    return engine


def play(
    rules: Repeated,
    groups: Sequence[Sequence[Agent]],
    keys: NDArray[np.uint64],
    engine: str | None = None,
    record: Recorder | None = None,
) -> list[Tally]:
    """The matches of groups of agents by seat; a `Tally` for each, in order.

    `keys`: shape (groups, matches), see `match_keys`; exact engines need none and return one expected match. `engine`:
    plays all groups; None: each is played by the best for it. Raises as `choose` does.
    """
    if keys.shape[:1] != (len(groups),):
        raise EngineError(f"keys of shape {keys.shape} for {len(groups)} groups; needs (groups, matches)")
    chosen = [choose(rules, group, engine) for group in groups]
    tallies: dict[int, Tally] = {}
    for one in dict.fromkeys(chosen):
        places = [place for place, name in enumerate(chosen) if name == one]
        tallies |= zip(places, _play(one, rules, groups, keys, places, record), strict=True)
    return [tallies[place] for place in range(len(groups))]


def _play(
    engine: str,
    rules: Repeated,
    groups: Sequence[Sequence[Agent]],
    keys: NDArray[np.uint64],
    places: Sequence[int],
    record: Recorder | None,
) -> list[Tally]:
    """The matches of those groups that an engine has been chosen for."""
    if engine == "agents":
        told = [None if record is None else partial(record, place) for place in places]
        return [agents_play(rules, groups[at], keys[at], tell) for at, tell in zip(places, told, strict=True)]
    seated = cast(list[Sequence[Automaton]], [groups[place] for place in places])
    if engine == "cycle":
        return [cycle(rules, group) for group in seated]
    if engine == "chain":
        return chain(rules, seated)
    if engine == "kernel":
        from dilemmas.agents.engines.compiled import sample

        return sample(rules, seated, keys[places])
    return lockstep(rules, seated, keys[places])


def _obstacle(engine: str, rules: Repeated, group: Sequence[Agent]) -> str | None:
    """Why an engine cannot play a group; None where it can. `StrategyError` for a strategy for other tables."""
    for agent in group:
        if isinstance(agent, Automaton) and agent.players not in (2, rules.stage.n_players):
            agent.for_players(rules.stage.n_players)
        if isinstance(agent, Routine) and rules.n_players != 2:
            return f"'{agent.name}' is a routine, for two players"
    if engine == "agents":
        return why_not(rules)
    try:
        only_two_actions(rules)
    except EngineError as error:
        return str(error)
    for agent in group:
        if not isinstance(agent, Automaton | Routine):
            return f"'{agent.name}' is no automaton" + " and no routine" * (engine == "lockstep")
        if isinstance(agent, Routine) and engine != "lockstep":
            return f"'{agent.name}' is no automaton but a routine"
    if engine in EXACT and rules.n_players > MOST_PLAYERS:
        return f"{rules.n_players} players; it lists all joint actions, of {MOST_PLAYERS} players at most"
    if engine == "kernel" and rules.n_players != 2:
        return f"{rules.n_players} players; it plays pairs"
    automata = [agent for agent in group if isinstance(agent, Automaton)]
    if engine == "cycle":
        return _chance(rules, automata)
    return _size(rules, automata) if engine == "chain" else None


def _chance(rules: Repeated, group: Sequence[Automaton]) -> str | None:
    """What keeps the moves of a match from being foreseen."""
    if rules.noise:
        return f"noise = {rules.noise:g}"
    return next((f"'{one.name}' leaves something to chance" for one in group if not one.deterministic), None)


def _size(rules: Repeated, group: Sequence[Automaton]) -> str | None:
    """What makes a group too large for `chain`, work or no work."""
    states = _joint_states(group)
    edges = states << rules.n_players
    if edges > LARGEST:
        return f"{edges:,} joint states times joint actions, more than {LARGEST:,}"
    if geometric(rules) and states > DENSE:
        return f"{states:,} joint states, more than {DENSE:,} where only chance ends matches"
    return None


def _work(rules: Repeated, group: Sequence[Agent]) -> int:
    """Joint states times joint actions times rounds; the rounds count as one where `chain` does not go through them."""
    states = _joint_states([agent for agent in group if isinstance(agent, Automaton)])
    return (states << rules.n_players) * (1 if geometric(rules) else span(rules)[1])


def _joint_states(group: Sequence[Automaton]) -> int:
    return prod(len(one.cooperate) for one in group)
