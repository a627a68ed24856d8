"""How an agent plays its matches: what it does after each outcome, and which strategies its play looks like.

Where the agent and its opponents are finite automata, or language models that see one round, matches are Markov chains:
what they lead to is then computed, not sampled (`dilemmas.agents.engines.chains`).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dilemmas.agents.agent import Agent
from dilemmas.agents.engines.chains import play_chains
from dilemmas.agents.engines.requirements import obstacle
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.experiments.inference.candidates import USUAL_CANDIDATES, candidate_automata
from dilemmas.experiments.inference.fingerprint import Habit, memory_one_fingerprint, recorded_fingerprint
from dilemmas.experiments.inference.likelihoods import InferenceError, evidence
from dilemmas.experiments.inference.mixture import infer
from dilemmas.experiments.inference.recorded_play import PlayerHistory, match_histories
from dilemmas.experiments.reporting.uncertainty.intervals import ShareInterval

RESAMPLES = 200
"""Bootstrap samples of the matches for the intervals of the shares of strategies."""
LEAST_SHARE = 0.005
"""Smallest share of a strategy that is told."""


@dataclass(frozen=True, slots=True)
class ExpectedPlay:
    """What the matches of a pairing lead to in expectation, without sampling error."""

    cooperation: float
    """Mean cooperation of the agent per round, in [0, 1]."""
    payoff: float
    """Its mean payoff per round, in points."""
    opponent_payoff: float
    """Mean payoff of an opponent per round, in points."""


@dataclass(frozen=True, slots=True)
class StrategyShare:
    """Share of an agent's matches that look like a strategy."""

    strategy: str
    """Name of the strategy."""
    share: float
    """Its share, in [0, 1]."""
    interval: ShareInterval | None
    """95% interval; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """How an agent played all of its matches."""

    agent: str
    """The agent."""
    exact: bool
    """Whether `after` is computed; otherwise it is counted in the matches."""
    after: dict[str, float | None]
    """Probability of cooperation by the outcome of the round before, own action first (``CD``: the agent cooperated and
    the other defected), and at the start; None after what did not occur."""
    distance: float | None
    """Mean absolute difference of these probabilities from the teacher's, after what occurred to both; None for the
    teacher itself, or where nothing did."""
    strategies: tuple[StrategyShare, ...]
    """Strategies that explain its matches best, most frequent first (see `dilemmas.experiments.inference.mixture`)."""
    tremble: float | None
    """Probability that a choice is the opposite of what the strategy of the match prescribes; None where it is not
    known."""


def as_automaton(agent: Agent, rules: Repeated) -> Automaton | None:
    """The agent as an automaton, if it is one, or sees no more than one round and has probabilities; else None."""
    found: Automaton | None = agent.traits.automaton
    if found is None and rules.memory == 1:
        with suppress(InputError):
            found = compile_agent(agent, rules.stage, rules.memory).traits.automaton
    return found


def expected_tally(rules: Repeated, agent: Agent, other: Agent) -> Tally | None:
    """Expected counts of a match of an agent in the first seat, and another in all other ones; None if not computed."""
    try:
        group = [as_automaton(one, rules) for one in (agent, *[other] * (rules.n_players - 1))]
        automata = [one for one in group if one is not None]
        if len(automata) < len(group) or obstacle("chain", rules, automata):
            return None
        return play_chains(rules, [automata])[0]
    except InputError:  # a strategy of other payoffs, or a game without cooperation
        return None


def expected_play(tally: Tally) -> ExpectedPlay:
    """Means per round of the expected counts of a match."""
    rounds = float(tally.rounds[0])
    mine, *theirs = tally.payoffs[0]
    return ExpectedPlay(
        float(tally.moves[0, 0, :, 0].sum()) / rounds, float(mine) / rounds, float(np.mean(theirs)) / rounds
    )


def conduct(
    name: str,
    rules: Repeated,
    records: Mapping[str, Sequence[MatchRecord]],
    tallies: Sequence[Tally | None],
    teacher: Conduct | None,
    seed: int,
) -> Conduct | None:
    """How an agent played in the first seat.

    Parameters
    ----------
    name
        The agent.
    rules
        Rules of the matches.
    records
        Its matches by opponent.
    tallies
        Expected counts against each of them, where they are known.
    teacher
        Conduct of the agent with which it is compared; None for that one.
    seed
        Seed of the bootstrap.

    Returns
    -------
    Conduct, or None for a game without cooperation and defection.
    """
    if set(rules.stage.options) != {2}:
        return None
    plays = [
        next(match_histories(Path(opponent), record, [name, *[opponent] * (rules.n_players - 1)], rules))
        for opponent, matches in records.items()
        for record in matches
        if record.steps
    ]
    known = [tally for tally in tallies if tally is not None]
    exact = len(known) == len(tallies)
    habits: Sequence[Habit] = (
        memory_one_fingerprint(sum(tally.moves[0, 0] for tally in known), exact=True)
        if exact
        else recorded_fingerprint(plays)
    )
    after = {habit.after: habit.probability for habit in habits}
    shares, tremble = _strategies(plays, seed) if rules.n_players == 2 else ((), None)
    return Conduct(name, exact, after, _distance(after, teacher), shares, tremble)


def _distance(after: Mapping[str, float | None], teacher: Conduct | None) -> float | None:
    if teacher is None:
        return None
    pairs = [(one, teacher.after.get(key)) for key, one in after.items()]
    apart = [abs(one - other) for one, other in pairs if one is not None and other is not None]
    return float(np.mean(apart)) if apart else None


def _strategies(plays: Sequence[PlayerHistory], seed: int) -> tuple[tuple[StrategyShare, ...], float | None]:
    """The mixture of common strategies that explains the matches best; none where they are too few."""
    subjects = {f"{number}": [one] for number, one in enumerate(plays)}
    try:
        counted = evidence(subjects, candidate_automata(USUAL_CANDIDATES, 2))
        found = infer(counted, np.random.default_rng([seed, 8]), RESAMPLES)
    except InferenceError:
        return (), None
    order = np.argsort(-found.shares, kind="stable")
    shares = tuple(
        StrategyShare(counted.strategies[k], float(found.shares[k]), _ends(found.pointwise[k]))
        for k in order
        if found.shares[k] >= LEAST_SHARE
    )
    return shares, float(found.trembles[0])


def _ends(interval: Numbers) -> tuple[float, float] | None:
    return None if np.isnan(interval).any() else (float(interval[0]), float(interval[1]))
