"""The stages of the study in which the models play: matches, and policy tables for a population."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from dilemmas.agents.agent import Agent, PlayerRecord
from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import TrajectoryWriter, read_trajectory
from dilemmas.agents.matches.trajectory_format import Header
from dilemmas.agents.models.backend import Backend
from dilemmas.agents.models.deciding.scored import further_replies
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.specifications import is_model, parse_spec
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.games.catalogue import ENVIRONMENTS, GAMES
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.longest import longest_view, longest_views
from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.study.answers import ROLES, Role
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.seeds import match_seed
from dilemmas.experiments.study.teachers import AgentTeacher

Player = Backend | AgentTeacher
"""Who answers and plays: a language model, or another agent as the teacher."""
REMEMBERED = 1
"""Rounds that the policy tables of a population remember."""


def environment(game: MatrixGame) -> tuple[str, dict[str, float]]:
    """Catalogue name and options of the environment in which a two-player game is played."""
    payoffs = {symbol: getattr(game, symbol) for symbol in "TRPS"}
    named = game.name in ENVIRONMENTS and isinstance(GAMES[game.name], MatrixGame)
    return (game.name if named else "matrix_game"), payoffs


@dataclass(frozen=True, slots=True)
class Pairing:
    """One model against one opponent, in one game and context."""

    game: MatrixGame
    context: str
    model: Role
    """The first player."""
    opponent: str
    """A role or a strategy."""

    def path(self, run: Run) -> Path:
        name = f"{self.game.name}.{self.context}.{self.model}-{self.opponent}.trajectory.jsonl"
        return run.path("matches", name)


def pairings(recipe: Recipe) -> list[Pairing]:
    """Every model against every strategy and every other model, in all games and contexts of the recipe."""
    asked = recipe.matches
    return [
        Pairing(recipe.two_player_game(game), name, model, opponent)
        for game, name, model in product(asked.games, asked.contexts, ROLES)
        for opponent in (*asked.opponents, *(role for role in ROLES if role != model))
    ]


def play_matches(run: Run, backends: Mapping[str, Player]) -> Iterator[str]:
    """Play and record every pairing; yields the name of its file when it is complete.

    All three models play an opponent under the same seeds (see `match_seed`): the same environment and the same random
    numbers for the opponent's decisions.
    """
    agents: dict[tuple[str, str, str], Any] = {}
    for pairing in pairings(run.recipe):
        place = pairing.game.name, pairing.context
        for name in (pairing.model, pairing.opponent):
            if name in ROLES and (name, *place) not in agents:
                agents[name, *place] = player_in(run.recipe, backends[name], *place)
        seated = [
            agents.get((name, *place)) or strategy(name, game=pairing.game)
            for name in (pairing.model, pairing.opponent)
        ]
        yield _play_pairing(run, pairing, seated)


def check_play(recipe: Recipe, backend: Backend) -> None:
    """Check that a model can be asked all that matches and policy tables will ask it, before it is asked anything.

    `LanguageModelError` if the longest question is too long for a model of this machine.
    """
    asked, words, population = recipe.matches, recipe.prompting.template, recipe.population
    longest = max(asked.contexts, key=lambda name: len(recipe.context(name).opening(2)))
    for game in asked.games:
        name, payoffs = environment(recipe.two_player_game(game))
        rules = rules_of(name, rounds=asked.rounds, **payoffs)
        _model_in(recipe, backend, longest).check(longest_views(words, rules))
    view = longest_view(words, recipe.two_player_game(population.game), REMEMBERED)
    _model_in(recipe, backend, population.context).check([view])


def player_in(recipe: Recipe, player: Player, game: str, context: str) -> Agent:
    """Who plays in matches, in a game and a context."""
    if isinstance(player, AgentTeacher):
        return player.agent(recipe.two_player_game(game), recipe.context(context))
    return _model_in(recipe, player, context)


def _model_in(recipe: Recipe, backend: Backend, context: str) -> LanguageModelAgent:
    asked = recipe.prompting
    return LanguageModelAgent(
        backend,
        recipe.context(context),
        asked.template,
        presentation="counterbalanced" if recipe.counterbalanced else "fixed",
        min_mass=asked.min_mass,
        retries=further_replies(asked.template, sampled=False),
    )


def _play_pairing(run: Run, pairing: Pairing, seated: Sequence[Any]) -> str:
    name, payoffs = environment(pairing.game)
    options: dict[str, Any] = {"rounds": run.recipe.matches.rounds, **payoffs}
    seed = match_seed(run.recipe.seed, pairing.game.name, pairing.context, pairing.opponent)
    header = Header(
        environment=f"dilemmas/{name}-v0",
        agents=_player_records(run.recipe, pairing, seated),
        seed=seed,
        options=options,
        context=pairing.context,
        template=run.recipe.prompting.template.name,
    )
    path = pairing.path(run)
    with TrajectoryWriter(path, header) as writer:
        missing = [match for match in range(run.recipe.matches.repetitions) if match not in writer.matches]
        if missing:
            make_env = partial(parallel, name, **options)
            for record in finished(run_matches(make_env, seated, missing, seed)):
                writer.write(record)
    run.seals.add(path)
    return path.name


def _player_records(recipe: Recipe, pairing: Pairing, seated: Sequence[Agent]) -> tuple[PlayerRecord, ...]:
    """The records of the players; a teacher that is given as ``NAME=AGENT`` takes part as NAME."""
    records = [agent.describe() for agent in seated]
    named = "" if is_model(recipe.models.teacher) else parse_spec(recipe.models.teacher).own_name
    seats = (pairing.model, pairing.opponent)
    return tuple(
        record.entered_as(named) if named and seat == "teacher" else record
        for seat, record in zip(seats, records, strict=True)
    )


def recorded(run: Run, pairing: Pairing) -> list[MatchRecord]:
    """The matches of a pairing, from its file."""
    return list(read_trajectory(pairing.path(run))[1])


def compile_tables(run: Run, backends: Mapping[str, Player]) -> dict[str, PolicyTable]:
    """Each model as a policy table in the population's game and context; the tables are written to the run folder."""
    population = run.recipe.population
    tables = {}
    for role, backend in backends.items():
        tables[role] = compile_table(run.recipe, backend, population.game, population.context)
        path = run.path("tables", f"{role}.json")
        save_table(tables[role], path)
        run.seals.add(path)
    return tables


def compile_table(recipe: Recipe, backend: Player, game: str, context: str) -> PolicyTable:
    """A model as a policy table of the last round; counterbalanced: the mean over all presentations."""
    return compile_agent(
        player_in(recipe, backend, game, context),
        recipe.two_player_game(game),
        memory=REMEMBERED,
        model=backend.fingerprint,
        context=context,
    )
