"""Candidate strategies of an inference: finite automata for matches of a given number of players."""

from collections.abc import Sequence

from dilemmas.agents.roster import make_agent
from dilemmas.agents.specifications import parse_spec
from dilemmas.agents.strategies.catalogue import GROUPS, STRATEGIES, strategy
from dilemmas.agents.strategies.entry import StrategyEntry
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.experiments.inference.likelihoods import InferenceError

USUAL_CANDIDATES = (
    *("always_defect", "always_cooperate", "mutual_grim", "tit_for_tat", "win_stay_lose_shift", "trigger_2"),
    *("tit_for_two_tats", "tit_for_three_tats", "two_tits_for_tat", "two_tits_for_two_tats"),
    *("grim_2", "grim_3", "suspicious_tit_for_tat"),
)
"""The six strategies of Dal Bó & Fréchette 2011 and the eleven of Fudenberg, Rand & Dreber 2012 (AER 102:720)."""


def candidate_automata(specs: Sequence[str], players: int, game: StageGame | None = None) -> list[Automaton]:
    """Return the finite automata of agent specifications.

    Parameters
    ----------
    specs
        Agent specifications, such as ``tit_for_tat`` or the path of a policy table.
    players
        Number of players of a match.
    game
        The stage game, for strategies that are computed from its payoffs; None if it is not known.

    Raises
    ------
    InferenceError
        If a specification is given twice, is not a finite automaton, or depends on payoffs that are not known.
    """
    found: dict[str, Automaton] = {}
    for spec in specs:
        if parse_spec(spec, players, game).kind == "model":
            raise InferenceError(
                f"'{spec}' is no strategy; `dilemmas tournament strategies` lists them, and `dilemmas compile` makes a"
                " policy table of a language model"
            )
        agent = make_agent(spec, players, game=game)
        automaton: Automaton | None = agent.traits.automaton
        if automaton is None:
            raise InferenceError(f"'{agent.name}' is not a finite automaton, so play cannot be attributed to it")
        if automaton.payoffs is not None and game is None:
            raise InferenceError(
                f"'{automaton.name}' depends on payoffs, which the play does not tell, or not one game alone; give its"
                " probabilities as memory_one(first, cc, cd, dc, dd), which `dilemmas tournament strategies` computes"
            )
        if automaton.name in found:
            raise InferenceError(f"--strategies contains '{automaton.name}' twice, perhaps under another of its names")
        found[automaton.name] = automaton
    return list(found.values())


def known_automata(players: int, game: StageGame | None = None) -> list[Automaton]:
    """Built-in strategies that are finite automata: those for two players, and those for groups if `players` > 2.

    Those that are computed from payoffs are included if the game is known and has them.
    """
    groups = [entry.make(entry.name, players) for entry in GROUPS] if players > 2 else []
    return [*(one for entry in STRATEGIES if (one := _automaton(entry, game)) is not None), *groups]


def _automaton(entry: StrategyEntry, game: StageGame | None) -> Automaton | None:
    if entry.of_payoffs and game is None:
        return None
    try:
        made: Automaton | None = strategy(entry.name, game=game).traits.automaton
    except StrategyError:
        return None
    return made
