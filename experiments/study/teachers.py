"""Teachers by specification: one agent for every game and context in which it is asked."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from hashlib import sha256
from itertools import chain, product
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dilemmas.agents.agent import Agent
from dilemmas.agents.behaviour.quantal_response import QuantalResponse
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.roster import Framing, check_table, make_agent
from dilemmas.agents.specifications import parse_spec
from dilemmas.agents.tables.compilation import compile_agent, view_turn
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.envs.data_files import json_text
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.prompts.contexts import Context, built_in_contexts
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES
from dilemmas.envs.rules.protocol import View
from dilemmas.experiments.study.recipe import Recipe

if TYPE_CHECKING:
    from dilemmas.agents.models.language_model import LanguageModelAgent


class TeacherError(InputError):
    """An agent that cannot teach what a study asks for."""


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
    if kind == "behaviour":
        return lambda game, context: QuantalResponse(context.name)
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


class AgentTeacher:
    """A teacher of a study that is no language model: a strategy, a policy table or a behavioural model."""

    def __init__(self, spec: str) -> None:
        """`spec`: specification of the agent."""
        self.name = spec
        self.engine = "its own rule"
        self._agent = teacher_of(spec, Framing())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what describes the agent, as it plays the prisoner's dilemma."""
        described = asdict(self.agent(KNOWN_GAMES["prisoners_dilemma"], built_in_contexts()["team"]).describe())
        return sha256(json_text(described).encode()).hexdigest()

    def agent(self, game: StageGame, context: Context) -> Agent:
        """The agent in a game and a context."""
        return self._agent(game, context)

    def policy(self, game: StageGame, context: Context) -> tuple[float, ...]:
        """Its probability of every action in a game that is played once; `InputError` if it has none."""
        (decision,) = self.agent(game, context).policy([view_turn(View(game, 0, 0, ()), 0)])
        if decision.probabilities is None:
            raise TeacherError(f"teacher '{self.name}' gives no probabilities in {game.name}; choose another agent")
        return tuple(float(share) for share in decision.probabilities)


def check_teacher(recipe: Recipe, teacher: AgentTeacher) -> None:
    """`InputError` if the teacher has no probabilities in a scenario, or cannot play the matches."""
    matches, population = recipe.matches, recipe.population
    for scenario in [*chain(*recipe.sets().values()), *recipe.random_scenarios()]:
        teacher.policy(scenario.game, scenario.context)
    for name, context in [*product(matches.games, matches.contexts), (population.game, population.context)]:
        game = recipe.two_player_game(name)
        compile_agent(teacher.agent(game, recipe.context(context)), game, memory=1)
