"""Which engine can play which matches. All engines are checked in this module.

=========== ============================================== ==================================================
engine      plays                                          how
=========== ============================================== ==================================================
cycle       deterministic automata without noise           exact
chain       automata with few joint states                 exact
compiled    pairs of automata                              sampled in compiled code
vectorised  automata of any size, counting strategies      sampled in NumPy, same matches as ``compiled``
environment agents of any kind, language models included   sampled in PettingZoo environments
=========== ============================================== ==================================================
"""

from collections.abc import Sequence
from math import floor, prod

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.agent import Agent
from dilemmas.agents.engines.horizons import geometric, mean_rounds, round_limits
from dilemmas.agents.strategies.finite_state import Automaton, check_cooperation
from dilemmas.envs.errors import InputError
from dilemmas.envs.rules.repeated import Repeated

ENGINES = ("cycle", "chain", "compiled", "vectorised", "environment")
"""Names of the engines in order of preference."""
EXACT = ("cycle", "chain")
"""Engines that compute expectations: one match represents any number of matches."""

MOST_PLAYERS = 16
"""Most players for exact engines, which enumerate the joint actions."""
MOST_EDGES = 1 << 22
"""Most pairs of a joint state and a joint action for `chain`, reachable or not: about 400 MB."""
MOST_JOINT_STATES = 1 << 12
"""Most joint states for `chain` if only the continuation probability ends matches: a matrix of 128 MB."""


MOST_ROUNDS = 10**10
"""Most rounds of a match, on average, for sampled engines: some minutes in compiled code. Also for `chain` if only the
continuation probability ends matches: beyond, its linear systems are nearly singular."""
MOST_ROUNDS_IN_CHAIN = 10**7
"""Most rounds of a match for `chain`, unless only the continuation probability ends matches."""
MOVE_BYTES, NUMBER_BYTES = 1000, 32
"""Memory of a recorded decision of a strategy, and of each number of its observation."""
MOST_RECORDED = 600_000_000
"""Bytes of records that are in memory for `environment`; about three times as much is used for a replay."""


class EngineError(InputError):
    """Matches that an engine cannot play; the message gives the reason and the engines that can."""


def require(engine: str, rules: Repeated, groups: Sequence[Sequence[Agent]]) -> None:
    """Check that an engine can play the matches of some groups.

    Parameters
    ----------
    engine
        One of `ENGINES`.
    rules
        Rules of the matches.
    groups
        Agents of each group by seat.

    Raises
    ------
    EngineError
        If the engine cannot play one of the groups, or a group has the wrong size.
    """
    for group in groups:
        require_size(rules, group)
        if reason := obstacle(engine, rules, group):
            able = [one for one in ENGINES if not obstacle(one, rules, group)]
            advice = f"use {' or '.join(able)}" if able else "no other engine can"
            raise EngineError(f"engine '{engine}' cannot play {names_in(group)}: {reason}; {advice}")


def require_size(rules: Repeated, group: Sequence[Agent]) -> None:
    """Raise `EngineError` unless the group has as many agents as the rules have players."""
    if len(group) != rules.n_players:
        raise EngineError(
            f"{rules.stage.name} has {rules.n_players} players; the group has {len(group)}: {names_in(group)}"
        )


def require_keys(groups: Sequence[Sequence[Agent]], keys: NDArray[np.uint64]) -> None:
    """Raise `EngineError` unless the keys of random numbers have the shape (groups, matches)."""
    if keys.ndim != 2 or len(keys) != len(groups):
        raise EngineError(f"keys of shape {keys.shape} for {len(groups)} groups; must be (groups, matches)")


def names_in(group: Sequence[Agent]) -> str:
    """The names of a group's agents for a message; of a large group, those of the first."""
    names = [agent.name for agent in group]
    return ", ".join(names if len(names) <= 8 else [*names[:3], f"... ({len(names)} agents)"])


def obstacle(engine: str, rules: Repeated, group: Sequence[Agent]) -> str | None:
    """Why an engine cannot play a group of the right size; None if it can.

    Raises
    ------
    StrategyError
        If an automaton is for another number of players, or computed from other payoffs; or the game has no cooperation
        and defection.
    """
    if rules.endless:
        return "the match has no end: set rounds, or a continuation probability below 1"
    for agent in {id(agent): agent for agent in group}.values():
        automaton: Automaton | None = agent.traits.automaton
        if automaton is not None or agent.traits.counting is not None:
            check_cooperation(rules.stage, agent.name)
        if automaton is not None and automaton.players not in (2, rules.stage.n_players):
            automaton.for_players(rules.stage.n_players)
        if automaton is not None:
            automaton.check_game(rules.stage)
        if agent.traits.counting is not None and rules.n_players != 2:
            return f"'{agent.name}' is a counting strategy, for two players only"
    if engine == "environment":
        return _recorded(rules)
    return _other_actions(rules) or _unsuitable(engine, group) or _limit(engine, rules, group)


def why_none(rules: Repeated, group: Sequence[Agent]) -> str | None:
    """Why no engine can play a group: the limit of those that keep counts only, if its agents are of their kind."""
    if _other_actions(rules) or _unsuitable("vectorised", group):
        return obstacle("environment", rules, group)
    return obstacle("vectorised", rules, group)


def _recorded(rules: Repeated) -> str | None:
    """Why a match cannot be recorded, or not be counted."""
    if (needed := record_bytes(rules)) > MOST_RECORDED:
        most = int(mean_rounds(rules) * MOST_RECORDED / needed)
        remedy = f"at most {most:,} rounds" if most else "fewer players"
        if most > 1 and rules.rounds is None:
            digits = len(str(most))
            share = floor((1 - 1 / most) * 10**digits) / 10**digits
            remedy += f", which is a continuation probability of at most {share}"
        return (
            f"a match of about {mean_rounds(rules):,.0f} rounds is recorded whole, in about {needed / 1e9:,.3g} GB of"
            f" memory; take {remedy}"
        )
    return None if rules.memory else "memory = 0 hides every round, so none can be counted: set memory to 1 or more"


def _other_actions(rules: Repeated) -> str | None:
    """Reason why actions other than C and D may be played or observed."""
    if rules.n_players != rules.stage.n_players:
        return f"a population of {rules.n_players} is a single match"
    if rules.misperception:
        return f"misperception = {rules.misperception:g}"
    if rules.noise and set(rules.stage.options) != {2}:
        options = " x ".join("amounts" if not count else str(count) for count in rules.stage.options)
        return (
            f"{rules.stage.name} has {options} actions, and noise = {rules.noise:g} may replace an action by any other"
        )
    return None


def _unsuitable(engine: str, group: Sequence[Agent]) -> str | None:
    """The first agent of a kind that the engine does not play."""
    for agent in group:
        if agent.traits.counting is not None:
            if engine != "vectorised":
                return f"'{agent.name}' is a counting strategy, not an automaton"
        elif agent.traits.automaton is None:
            return f"'{agent.name}' is not an automaton" + " or a counting strategy" * (engine == "vectorised")
        elif engine == "cycle" and not agent.traits.deterministic:
            return f"'{agent.name}' is not deterministic"
    return None


def _limit(engine: str, rules: Repeated, group: Sequence[Agent]) -> str | None:
    """What the engine does not support about the rules or the size of the group."""
    if engine in EXACT and rules.n_players > MOST_PLAYERS:
        return f"{rules.n_players} players; it enumerates joint actions of at most {MOST_PLAYERS} players"
    if engine == "cycle" and rules.noise:
        return f"noise = {rules.noise:g}"
    if engine == "compiled" and rules.n_players != 2:
        return f"{rules.n_players} players; it plays pairs"
    if engine not in EXACT and (rounds := mean_rounds(rules)) > MOST_ROUNDS:
        return f"about {rounds:.3g} rounds in a match, and it plays all of them; at most {MOST_ROUNDS:,}"
    return _size(rules, group) if engine == "chain" else None


def _size(rules: Repeated, group: Sequence[Agent]) -> str | None:
    """What makes a group too large for `chain`, however long its matches."""
    states = joint_states(group)
    edges = states << rules.n_players
    if edges > MOST_EDGES:
        return f"{edges:,} pairs of a joint state and a joint action, more than {MOST_EDGES:,}"
    if geometric(rules) and (rounds := mean_rounds(rules)) > MOST_ROUNDS:
        return f"about {rounds:.3g} rounds in a match, and its rounding errors grow with them; at most {MOST_ROUNDS:,}"
    if geometric(rules) and states > MOST_JOINT_STATES:
        return f"{states:,} joint states, more than {MOST_JOINT_STATES:,} in matches without a limit of rounds"
    if not geometric(rules) and (longest := round_limits(rules)[1]) > MOST_ROUNDS_IN_CHAIN:
        return f"{longest:,} rounds, and it goes through all of them; at most {MOST_ROUNDS_IN_CHAIN:,}"
    return None


def record_bytes(rules: Repeated) -> float:
    """Memory of the record of a match that the rules end, in bytes; the prompts and replies of models come on top."""
    decisions = mean_rounds(rules) * len(rules.phases) * rules.n_players
    return decisions * (MOVE_BYTES + NUMBER_BYTES * rules.observation_size)


def joint_states(group: Sequence[Agent]) -> int:
    """The number of joint states of the automata of a group."""
    automata = [agent.traits.automaton for agent in group]
    return prod(len(one.cooperate) for one in automata if one is not None)
