"""Matches of agents in a teacher's place: the situations that they lead to, and how they end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from zlib import crc32

import numpy as np

from dilemmas.agents.agent import Agent, Decision, PlayerRecord, Traits, Turn
from dilemmas.agents.engines.environment import Remembered, needs_more
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.envs.errors import InputError
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.experiments.distilling.conduct import ExpectedPlay, expected_play, expected_tally
from dilemmas.experiments.distilling.situations import FramedDecision
from dilemmas.experiments.reporting.uncertainty.intervals import Estimate, proportion, ratio
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
    by_round: tuple[float, ...]
    """Mean cooperation of the agent in each round, over the matches that have it, in [0, 1]."""
    expected: ExpectedPlay | None
    """The three means without sampling error; None where they are not computed."""


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


Keep = Callable[[str, Sequence[MatchRecord], Tally | None], object]
"""Called with each opponent, the matches against it, and their expected counts where they are known."""


def play_out(
    plan: MatchPlan, name: str, agent: Teacher, others: Mapping[str, Teacher], keep: Keep | None = None
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
    keep
        Called with the matches against each opponent; None if nobody needs them, and nothing is computed exactly.

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
        tally = None if keep is None else expected_tally(rules, listening.agent, other)
        results.append(_result(name, opponent, rules, records, tally))
        if keep is not None:
            keep(opponent, records, tally)
        situations += [
            FramedDecision(turn.info["view"], plan.context, match=turn.key[0], opponent=place)
            for turn in listening.turns
        ]
    return results, situations


def _result(
    name: str, opponent: str, rules: Repeated, records: Sequence[MatchRecord], tally: Tally | None
) -> PlayedMatches:
    lengths, coop, own, theirs = (np.zeros(len(records)) for _ in range(4))
    rounds: list[list[float]] = [[] for _ in range(max(len(record.steps) for record in records))]
    for place, record in enumerate(records):
        lengths[place] = record.outcome.rounds
        for number, moves in enumerate(record.steps):
            mine, *others = moves
            own[place] += mine.reward or 0.0
            theirs[place] += sum(other.reward or 0.0 for other in others) / len(others)
            action = mine.played if mine.played is not None else mine.decision.action
            cooperation = rules.stage.cooperation(action, 0)
            coop[place] += cooperation
            rounds[number].append(cooperation)
    return PlayedMatches(
        name,
        opponent,
        proportion(coop, lengths),
        ratio(own, lengths),
        ratio(theirs, lengths),
        tuple(map(fmean, rounds)),
        None if tally is None else expected_play(tally),
    )
