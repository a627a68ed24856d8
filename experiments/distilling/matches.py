"""Matches of agents in a teacher's place: the situations that they lead to, and how they end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from zlib import crc32

import numpy as np

from dilemmas.agents.agent import Agent, Decision, PlayerRecord, Traits, Turn
from dilemmas.agents.engines.environment import Remembered, needs_more
from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.envs.errors import InputError
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.experiments.distilling.situations import FramedDecision
from dilemmas.experiments.reporting.intervals import Estimate, proportion, ratio
from dilemmas.experiments.study.teachers import Teacher


@dataclass(frozen=True, slots=True)
class MatchPlan:
    """Matches of one agent against others."""

    rules: Repeated
    """Rules of the matches."""
    context: Context
    """How they are told to language models."""
    opponents: tuple[str, ...]
    """Specifications of the others; all seats but the first are theirs."""
    matches: int
    """Matches against each opponent."""
    seed: int
    """Seed of the matches; whoever plays in the first seat meets the same opponents and the same chances."""

    def __post_init__(self) -> None:
        if again := [one for place, one in enumerate(self.opponents) if one in self.opponents[:place]]:
            raise InputError(f"opponents: {again[0]} is named twice, and would play the same matches again")


@dataclass(frozen=True, slots=True)
class PlayedMatches:
    """Matches that an agent played against one opponent."""

    agent: str
    """The agent in the first seat."""
    opponent: str
    """The agent in the others."""
    cooperation: Estimate
    """Mean cooperation of the agent per round, in [0, 1]."""
    payoff: Estimate
    """Its mean payoff per round, in points."""
    opponent_payoff: Estimate
    """Mean payoff of an opponent per round, in points."""


@dataclass(slots=True)
class Listening:
    """An agent whose turns are kept."""

    agent: Agent
    turns: list[Turn] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.agent.name

    @property
    def traits(self) -> Traits:
        return self.agent.traits

    def describe(self) -> PlayerRecord:
        return self.agent.describe()

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        self.turns += turns
        return self.agent.decide(turns)

    def policy(self, turns: Sequence[Turn]) -> list[Decision]:
        return self.agent.policy(turns)


def play_out(
    plan: MatchPlan, name: str, agent: Teacher, others: Mapping[str, Teacher]
) -> tuple[list[PlayedMatches], list[FramedDecision]]:
    """Let an agent play all matches of a plan.

    Parameters
    ----------
    plan
        The matches.
    name, agent
        The agent in the first seat.
    others
        The opponents by specification.

    Returns
    -------
    How each pairing ended, and the situations in which the agent decided.
    """
    rules, results = plan.rules, list[PlayedMatches]()
    situations: list[FramedDecision] = []
    for place, opponent in enumerate(plan.opponents):
        listening = Listening(agent(rules.stage, plan.context))
        other = others[opponent](rules.stage, plan.context)
        seats = [listening, *[other] * (rules.n_players - 1)]
        whole = [needs_more(one, rules.memory) for one in seats]
        make = lambda whole=whole: Remembered(SocialDilemma(rules, f"{rules.stage.name}_v0"), whole)  # noqa: E731
        seed = crc32(f"{plan.seed}/{opponent}".encode())
        records = list(finished(run_matches(make, seats, plan.matches, seed)))
        results.append(_result(name, opponent, rules, records))
        situations += [
            FramedDecision(turn.info["view"], plan.context, match=turn.key[0], opponent=place)
            for turn in listening.turns
        ]
    return results, situations


def _result(name: str, opponent: str, rules: Repeated, records: Sequence[MatchRecord]) -> PlayedMatches:
    lengths, coop, own, theirs = (np.zeros(len(records)) for _ in range(4))
    for place, record in enumerate(records):
        lengths[place] = record.outcome.rounds
        for moves, seat in product(record.steps, range(rules.n_players)):
            move = moves[seat]
            if seat == 0:
                own[place] += move.reward or 0.0
                coop[place] += rules.stage.cooperation(
                    move.played if move.played is not None else move.decision.action, 0
                )
            else:
                theirs[place] += (move.reward or 0.0) / (rules.n_players - 1)
    return PlayedMatches(name, opponent, proportion(coop, lengths), ratio(own, lengths), ratio(theirs, lengths))
