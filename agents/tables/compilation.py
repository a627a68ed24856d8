"""Compilation of an agent into a policy table, with all histories of the last k rounds in one batch, or in a few."""

from collections.abc import Callable, Sequence

import numpy as np
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Agent, Decision, Turn, View
from dilemmas.agents.tables.histories import histories
from dilemmas.agents.tables.policy_table import Origin, PolicyTable, PolicyTableError, history_lists
from dilemmas.agents.versions import dilemmas_version
from dilemmas.envs.games.stage_game import StageGame

MOST_AT_ONCE = 256
"""Most histories in a batch. Batches are the same in every run, so that the table is."""
FASTER = 4
"""Factor from one batch to the next: the first is small, so that the speed of a slow model is known soon."""

TellProgress = Callable[[int, int], None]
"""Function called with the number of questions that are done, and of all."""


def compile_agent(
    agent: Agent,
    game: StageGame,
    memory: int,
    *,
    model: str | None = None,
    context: str | None = None,
    player: int = 0,
    tell: TellProgress | None = None,
) -> PolicyTable:
    """Compile an agent into a table of its action probabilities after every history of up to `memory` rounds.

    For a language model whose presentations are counterbalanced, the table has the mean over all of them, which is the
    policy of the agent because it draws one for every decision.

    Parameters
    ----------
    agent
        The agent, whose decisions must have probabilities.
    game
        The game, with its payoffs.
    memory
        Number of past rounds that the table distinguishes, 0 or more.
    model
        Fingerprint of the agent's weights, stored in the table.
    context
        Name of the social context of the agent, stored in the table.
    player
        Seat of the agent in an asymmetric game; otherwise 0.
    tell
        Called before the first batch of histories and after each; None to ask about all histories in one batch.

    Raises
    ------
    PolicyTableError
        If the agent gives no probabilities, or is a strategy that depends on more than the last `memory` rounds, so
        that the table would be another strategy.
    HistoryError
        If the histories of the game cannot be enumerated or are too many.
    """
    asked = histories(game, memory, player)
    if samples_replies(agent):
        raise PolicyTableError(
            f"agent '{agent.name}' gives sampled replies; a table is made of exact probabilities: use a model that"
            " gives them, or let the agent play matches"
        )
    _refuse_to_forget(agent, memory)
    turns = [view_turn(View(game, player, len(history), history), number) for number, history in enumerate(asked)]
    decisions = agent.policy(turns) if tell is None else _in_batches(agent, turns, tell)
    for history, decision in zip(asked, decisions, strict=True):
        if decision.probabilities is None:
            raise PolicyTableError(
                f"agent '{agent.name}' gives no probabilities after the history {history_lists(history)};"
                " a table is made of exact probabilities, not of sampled replies"
            )
    rows = tuple(tuple(float(p) for p in decision.probabilities or ()) for decision in decisions)
    masses = tuple(decision.mass for decision in decisions if decision.mass is not None)
    first, presentation = decisions[0], agent.describe().parameters.get("presentation")
    origin = Origin(agent.name, first.source, model, context, first.template, dilemmas_version(), presentation)
    return PolicyTable(game, memory, rows, origin, masses or None, player)


def samples_replies(agent: Agent) -> bool:
    """Whether an agent is a language model whose replies are sampled, so that it has no exact probabilities."""
    return agent.describe().parameters.get("ask") == "sampled"


def _in_batches(agent: Agent, turns: Sequence[Turn], tell: TellProgress) -> list[Decision]:
    """The agent's decisions, batch by batch."""
    decisions: list[Decision] = []
    size = 1
    tell(0, len(turns))
    while len(decisions) < len(turns):
        decisions += agent.policy(turns[len(decisions) : len(decisions) + size])
        size = min(FASTER * size, MOST_AT_ONCE)
        tell(len(decisions), len(turns))
    return decisions


def _refuse_to_forget(agent: Agent, memory: int) -> None:
    """Raise `PolicyTableError` for a strategy that depends on more than the last `memory` rounds."""
    needed = agent.traits.lookback
    if needed is None:
        wanted = "depends on the whole history, but a table only has the last rounds; use the strategy itself"
        raise PolicyTableError(f"strategy '{agent.name}' {wanted}")
    if needed > memory:
        wanted = f"looks at the last {needed} round{'s' * (needed > 1)}: set memory to {needed} or more"
        raise PolicyTableError(f"strategy '{agent.name}' {wanted}; memory = {memory} would give another strategy")


def view_turn(view: View, number: int) -> Turn:
    """The turn of a player with a view, without an environment. `number`: seed of its random stream."""
    space = Discrete(view.game.options[view.player])
    return Turn(f"player_{view.player}", None, {"view": view}, space, np.random.default_rng(number))
