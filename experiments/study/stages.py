"""The stages of the study: ask the models, make teaching data, play matches, compile policy tables.

Every stage writes its results into the run folder as it proceeds, and starts where these results end: a stopped run is
resumed by calling it again. Stages yield the name of each item when it is complete; callers show progress.

The teacher is asked for an answer and a motivation, the student for an answer only, as in the study; in matches all
models are asked for an answer only. The teacher's answers to the training scenarios are the teaching data and also its
sampled estimate there.

With shuffled labels, every scenario is asked in one presentation of its actions, the same for all models; the exact
probabilities are computed in all presentations, to measure the bias towards labels and positions.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np

from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import TrajectoryWriter, read_trajectory
from dilemmas.agents.matches.trajectory_format import Header
from dilemmas.agents.models.answers import exact_distributions, sample_replies
from dilemmas.agents.models.backend import Backend
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.data_files import append_text, complete_lines, drop_incomplete_line
from dilemmas.envs.games.catalogue import ENVIRONMENTS, GAMES
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.prompts import choose_presentation, presentations, scenario_prompt
from dilemmas.envs.prompts.scenarios import Scenario
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.seals import check_sealed
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study.answers import ROLES, Answers
from dilemmas.experiments.study.recipe import TRAINING_SET, Recipe
from dilemmas.experiments.study.run import Run
from dilemmas.training.examples import Example, write_examples

TOGETHER = 20
"""Scenarios that are asked in one batch: the most that a stopped run has to ask again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model answered to one scenario, as recorded in the run folder."""

    scenario: str
    prompt: str
    labels: tuple[str, ...]
    exact: tuple[float, ...]
    """Probability of every action, by index."""
    mass: float
    """Probability that a reply starts with one of the labels, in [0, 1]."""
    replies: tuple[tuple[str, int | None, str], ...]
    """Sampled replies: raw text, action (None where it could not be read), motivation."""
    presented: tuple[tuple[float, ...], ...] = ()
    """Probability of every action in each of `presentations`; empty where labels are fixed."""

    def answers(self, scenario: Scenario) -> Answers:
        """The answers as counts by action."""
        actions = [action for _, action, _ in self.replies]
        return Answers(
            exact=self.exact,
            counts=tuple(actions.count(index) for index in range(scenario.game.n_actions)),
            unreadable=actions.count(None),
            cooperation=tuple(scenario.game.cooperation(index) for index in range(scenario.game.n_actions)),
        )


def ask_model(run: Run, role: str, backend: Backend) -> Iterator[str]:
    """Ask one model about every scenario of every set; yields the name of every answered scenario."""
    path = run.path("answers", f"{role}.jsonl")
    done = {asked.scenario for asked in read_answers(path)}
    scenarios = enumerate(scenario for group in run.recipe.sets().values() for scenario in group)
    while chunk := dict(islice(scenarios, TOGETHER)):
        missing = {number: scenario for number, scenario in chunk.items() if scenario.name not in done}
        if missing:
            answers = _ask(run.recipe, role, backend, missing)
            append_text(path, "".join(json.dumps(asdict(asked), ensure_ascii=False) + "\n" for asked in answers))
            run.seals.add(path, finished=False)
        yield from (scenario.name for scenario in chunk.values())
    run.seals.add(path)


def _ask(recipe: Recipe, role: str, backend: Backend, scenarios: Mapping[int, Scenario]) -> Iterator[Asked]:
    """The model's answers to some scenarios, given by their number in the study."""
    prompting, template = recipe.prompting, recipe.prompting.template
    shown = {number: presentation(recipe, scenario, number) for number, scenario in scenarios.items()}
    prompts = [_prompt(template, role, scenario, shown[number]) for number, scenario in scenarios.items()]
    labels = [shown[number].labels for number in scenarios]
    seeds = [(recipe.seed, ROLES.index(role), number) for number in scenarios]
    exact = exact_distributions(backend, list(zip(prompts, labels, strict=True)))
    shuffled = prompting.shuffle_labels
    presented = _presented(backend, template, role, scenarios.values()) if shuffled else [()] * len(scenarios)
    replies = sample_replies(
        backend,
        list(zip(prompts, labels, seeds, strict=True)),
        n=recipe.observations,
        max_tokens=prompting.max_tokens if role == "teacher" else prompting.answer_tokens,
        temperature=prompting.temperature,
    )
    for row in zip(scenarios.values(), prompts, labels, exact, replies, presented, strict=True):
        scenario, prompt, names, found, given, others = row
        texts = tuple((reply.text, reply.action, reply.motivation) for reply in given)
        yield Asked(scenario.name, prompt, names, found.probabilities, found.mass, texts, others)


def _prompt(template: Template, role: str, scenario: Scenario, shown: Presentation) -> str:
    """The prompt of a scenario; only the teacher is asked for a motivation."""
    return scenario_prompt(template, scenario.game, scenario.context, shown=shown, motivation=role == "teacher")


def _presented(
    backend: Backend, template: Template, role: str, scenarios: Iterable[Scenario]
) -> list[tuple[tuple[float, ...], ...]]:
    """Probability of every action in every presentation, scenario by scenario; all are asked in one batch."""
    asked = [
        [(_prompt(template, role, one, shown), shown.labels) for shown in presentations(template, one.game)]
        for one in scenarios
    ]
    found = iter(exact_distributions(backend, [question for questions in asked for question in questions]))
    return [tuple(next(found).probabilities for _ in questions) for questions in asked]


def presentation(recipe: Recipe, scenario: Scenario, number: int) -> Presentation:
    """Labels and order of a scenario's actions: the template's, or shuffled by the recipe's seed; the same for all
    models. `number`: index of the scenario among all scenarios."""
    rng = np.random.default_rng([recipe.seed, number]) if recipe.prompting.shuffle_labels else None
    return choose_presentation(recipe.prompting.template, scenario.game, rng)


def read_answers(path: Path) -> list[Asked]:
    """The answers in a file; an incomplete last line, left by a crash, is removed; other damage is a `RunError`."""
    if not path.is_file():
        return []
    drop_incomplete_line(path)
    check_sealed(path)
    answers: list[Asked] = []
    seen: set[str] = set()
    for number, line in complete_lines(path):
        try:
            answers.append(_read_asked(line))
        except (ValueError, KeyError, TypeError) as error:
            what = f"{path}, line {number}: not an answer ({type(error).__name__}: {error})"
            raise RunError(f"{what}; delete the line: the model is then asked again") from None
        if answers[-1].scenario in seen:
            raise RunError(f"{path}, line {number}: {answers[-1].scenario} was answered before; delete the line")
        seen.add(answers[-1].scenario)
    return answers


def _read_asked(line: bytes) -> Asked:
    value = json.loads(line)
    replies, presented = (tuple(map(tuple, value.get(key, ()))) for key in ("replies", "presented"))
    plain = {"labels": tuple(value["labels"]), "exact": tuple(value["exact"])}
    return Asked(**value | plain | {"replies": replies, "presented": presented})


def teach(run: Run) -> list[Example]:
    """Teaching data: the teacher's readable answers to the training scenarios, with the prompts of the student."""
    path = run.path("examples.jsonl")
    template = run.recipe.prompting.template
    asked = {answers.scenario: answers for answers in read_answers(run.path("answers", "teacher.jsonl"))}
    examples = []
    for number, scenario in enumerate(run.recipe.sets()[TRAINING_SET]):
        shown = presentation(run.recipe, scenario, number)
        prompt = scenario_prompt(template, scenario.game, scenario.context, shown=shown)
        examples += [
            Example(scenario.name, prompt, shown.labels[action], action, motivation)
            for _, action, motivation in asked[scenario.name].replies
            if action is not None
        ]
    if not run.seals.fits(path):
        write_examples(path, examples)
        run.seals.add(path)
    return examples


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
    model: str
    """A role; the first player."""
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


def play_matches(run: Run, backends: Mapping[str, Backend]) -> Iterator[str]:
    """Play and record every pairing; yields the name of its file when it is complete.

    All three models play an opponent under the same seeds: the same environment and the same random numbers for the
    opponent's decisions.
    """
    agents: dict[tuple[str, str], Any] = {}
    for pairing in pairings(run.recipe):
        for name in (pairing.model, pairing.opponent):
            if name in ROLES and (name, pairing.context) not in agents:
                agents[name, pairing.context] = _player(run.recipe, backends[name], pairing.context)
        seated = [
            agents.get((name, pairing.context)) or strategy(name, game=pairing.game)
            for name in (pairing.model, pairing.opponent)
        ]
        yield _play_pairing(run, pairing, seated)


def _player(recipe: Recipe, backend: Backend, context: str) -> LanguageModelAgent:
    """A model as a player in matches, in a context."""
    prompting = recipe.prompting
    return LanguageModelAgent(
        backend, recipe.context(context), prompting.template, shuffle_labels=prompting.shuffle_labels
    )


def _play_pairing(run: Run, pairing: Pairing, seated: Sequence[Any]) -> str:
    name, payoffs = environment(pairing.game)
    options: dict[str, Any] = {"rounds": run.recipe.matches.rounds, **payoffs}
    header = Header(
        environment=f"dilemmas/{name}-v0",
        agents=tuple(agent.describe() for agent in seated),
        seed=run.recipe.seed,
        options=options,
        context=pairing.context,
        template=run.recipe.prompting.template.name,
    )
    path = pairing.path(run)
    with TrajectoryWriter(path, header) as writer:
        missing = [match for match in range(run.recipe.matches.repetitions) if match not in writer.matches]
        if missing:
            make_env = partial(parallel, name, **options)
            for record in finished(run_matches(make_env, seated, missing, run.recipe.seed)):
                writer.write(record)
    run.seals.add(path)
    return path.name


def recorded(run: Run, pairing: Pairing) -> list[MatchRecord]:
    """The matches of a pairing, from its file."""
    return list(read_trajectory(pairing.path(run))[1])


def compile_tables(run: Run, backends: Mapping[str, Backend]) -> dict[str, PolicyTable]:
    """Each model as a policy table in the population's game and context; the tables are written to the run folder."""
    population = run.recipe.population
    tables = {}
    for role, backend in backends.items():
        tables[role] = compile_table(run.recipe, backend, population.game, population.context)
        path = run.path("tables", f"{role}.json")
        save_table(tables[role], path)
        run.seals.add(path)
    return tables


def compile_table(recipe: Recipe, backend: Backend, game: str, context: str) -> PolicyTable:
    """A model as a policy table that remembers one round.

    With shuffled labels, the table holds the mean over all presentations.
    """
    return compile_agent(
        _player(recipe, backend, context),
        recipe.two_player_game(game),
        memory=1,
        model=backend.fingerprint,
        context=context,
    )
