"""Candidate strategies of an inference: finite automata for matches of a given number of players."""

from collections.abc import Sequence

from dilemmas.agents.roster import make_agent, parse_spec
from dilemmas.agents.strategies.catalogue import GROUPS, STRATEGIES
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.experiments.inference.likelihoods import InferenceError

USUAL_CANDIDATES = (
    *("always_defect", "always_cooperate", "mutual_grim", "tit_for_tat", "win_stay_lose_shift", "trigger_2"),
    *("tit_for_two_tats", "tit_for_three_tats", "two_tits_for_tat", "two_tits_for_two_tats"),
    *("grim_2", "grim_3", "suspicious_tit_for_tat"),
)
"""The six strategies of Dal Bó & Fréchette 2011 and the eleven of Fudenberg, Rand & Dreber 2012 (AER 102:720)."""


def candidate_automata(specs: Sequence[str], players: int) -> list[Automaton]:
    """Return the finite automata of agent specifications.

    Parameters
    ----------
    specs
        Agent specifications, such as ``tit_for_tat`` or the path of a policy table.
    players
        Number of players of a match.

    Raises
    ------
    InferenceError
        If a specification is given twice, or is not a finite automaton.
    """
    found: dict[str, Automaton] = {}
    for spec in specs:
        if parse_spec(spec, players).kind == "model":
            raise InferenceError(
                f"'{spec}' is no strategy; `dilemmas tournament strategies` lists them, and `dilemmas compile` makes a"
                " policy table of a language model"
            )
        agent = make_agent(spec, players)
        automaton: Automaton | None = agent.traits.automaton
        if automaton is None:
            raise InferenceError(f"'{agent.name}' is not a finite automaton, so play cannot be attributed to it")
        if automaton.name in found:
            raise InferenceError(f"--strategies contains '{automaton.name}' twice, perhaps under another of its names")
        found[automaton.name] = automaton
    return list(found.values())


def known_automata(players: int) -> list[Automaton]:
    """Built-in strategies that are finite automata: those for two players, and those for groups if `players` > 2."""
    known = [entry.strategy.traits.automaton for entry in STRATEGIES]
    groups = [entry.make(entry.name, players) for entry in GROUPS] if players > 2 else []
    return [*(one for one in known if one is not None), *groups]
