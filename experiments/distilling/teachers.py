"""Teachers by specification: one agent for every game and context in which it is asked."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dilemmas.agents.agent import Agent
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.roster import Framing, check_table, make_agent
from dilemmas.agents.specifications import parse_spec
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.prompts.contexts import Context

if TYPE_CHECKING:
    from dilemmas.agents.models.language_model import LanguageModelAgent

Teacher = Callable[[StageGame, Context], Agent]
"""The teacher in a game and a context."""


def teacher_of(spec: str, framing: Framing, kept: Path | None = None) -> Teacher:
    """The teacher that a specification means, opened at the first question; a language model is opened once.

    Parameters
    ----------
    spec
        Specification of an agent.
    framing
        How the game is told to a language model; its context is replaced.
    kept
        File in which the answers of a language model are kept.

    Raises
    ------
    InputError
        If there is no such agent; on being asked, if it cannot play the game.
    """
    kind = parse_spec(spec).kind
    if kind == "table":
        return lambda game, context: _table(cast(PolicyTable, make_agent(spec)), game)
    if kind != "model":
        return lambda game, context: make_agent(spec, game.n_players, game=game)
    model = cache(
        lambda: _kept_answers(cast("LanguageModelAgent", make_agent(spec, framing=framing, exact=True)), kept)
    )
    return lambda game, context: replace(model(), context=context)


def _kept_answers(agent: "LanguageModelAgent", kept: Path | None) -> "LanguageModelAgent":
    """The agent with a file of its answers."""
    if kept is not None and isinstance(agent.backend, CachingBackend):
        agent.backend.keep(kept)
    return agent


def _table(table: PolicyTable, game: StageGame) -> Agent:
    check_table(table, game)
    return table
