"""What the files of a run folder add up to: the measurements that the report shows."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.models.backend import Backend
from dilemmas.agents.models.language_model import comprehension, exact_distributions
from dilemmas.agents.models.model_files import is_miniature
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES, NEW_GAMES, Scenario, study_sets
from dilemmas.envs.prompts.templates import load_template
from dilemmas.experiments.run_folder import provenance
from dilemmas.experiments.study.answers import ROLES, ScenarioResult
from dilemmas.experiments.study.metrics import (
    Agreement,
    Bias,
    Comprehension,
    Consistency,
    MatchRow,
    agreement,
    bias,
    consistency,
    match_row,
)
from dilemmas.experiments.study.report import Evaluation, Model
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.stages import Asked, Pairing, compile_table, pairings, read_answers, recorded

CONSISTENCY_ANSWERS = 50
"""Answers of the teacher to one scenario under different seeds, as paper question 1 asks."""

Answered = Mapping[str, Mapping[str, Asked]]
"""Answers by role and scenario name."""


def evaluate(run: Run, backends: Mapping[str, Backend]) -> Evaluation:
    """Everything that the run measured. `backends`: by role; they are asked again where the files do not tell."""
    template = load_template(run.recipe.prompting.template)
    answered = read_all(run)
    sets = scenario_results(answered)
    models = run.recipe.models
    return Evaluation(
        recipe=run.recipe.name,
        models=[
            Model(
                role,
                backend.name,
                backend.fingerprint,
                miniature=is_miniature(models.teacher if role == "teacher" else models.student),
            )
            for role, backend in backends.items()
        ],
        sets=sets,
        training=[result.teacher for result in sets["within"]],
        observations=run.recipe.observations,
        seed=run.recipe.seed,
        seconds=0.0,
        template=f"{template.name}@{template.digest}",
        provenance={key: value for key, value in provenance().items() if key in ("python", "packages", "commit")},
        matches=match_rows(run, np.random.default_rng([run.recipe.seed, 1])),
        agreement=replayed(run, backends, np.random.default_rng([run.recipe.seed, 2])),
        consistency=teacher_consistency(answered),
        comprehension=understanding(run, backends),
        bias=label_bias(run, answered, np.random.default_rng([run.recipe.seed, 3])),
    )


def ask_ahead(run: Run, backend: Backend) -> None:
    """Put every question to a model that matches, population and measurements will.

    A backend that remembers the answers needs the model no more then: in matches that show one round there are no
    other questions than those of a table.
    """
    asked, population = run.recipe.matches, run.recipe.population
    for game, name in (*product(asked.games, asked.contexts), (population.game, population.context)):
        compile_table(run, backend, game, name)
    understanding(run, {backend.name: backend})


def understanding(run: Run, backends: Mapping[str, Backend]) -> list[Comprehension]:
    """Questions of fact about every game with two actions, in one context, by model and kind."""
    template = load_template(run.recipe.prompting.template)
    frame = study_sets()["within"][0].context
    cases = [(game, frame, ()) for game in (*KNOWN_GAMES.values(), *NEW_GAMES.values()) if game.n_actions == 2]
    return [
        Comprehension(role, score.kind, score.right, score.asked)
        for role, backend in backends.items()
        for score in comprehension(backend, template, cases, run.recipe.prompting.shuffle_labels)
    ]


def read_all(run: Run) -> Answered:
    """The answers of the three models."""
    return {
        role: {asked.scenario: asked for asked in read_answers(run.path("answers", f"{role}.jsonl"))} for role in ROLES
    }


def scenario_results(answered: Answered) -> dict[str, list[ScenarioResult]]:
    """The three models' answers by set of scenarios."""
    return {name: [_result(scenario, answered) for scenario in group] for name, group in study_sets().items()}


def _result(scenario: Scenario, answered: Answered) -> ScenarioResult:
    teacher, untuned, tuned = (answered[role][scenario.name].answers(scenario) for role in ROLES)
    return ScenarioResult(scenario.name, scenario.game.name, scenario.context.title, teacher, untuned, tuned)


def teacher_consistency(answered: Answered) -> list[Consistency]:
    """How variable the teacher's answers to each training scenario are."""
    rows = []
    for scenario in study_sets()["within"]:
        replies = answered["teacher"][scenario.name].replies[:CONSISTENCY_ANSWERS]
        motivations = [motivation for _, action, motivation in replies if action is not None]
        rows.append(consistency(scenario.name, [action for _, action, _ in replies], motivations))
    return rows


def label_bias(run: Run, answered: Answered, rng: np.random.Generator) -> list[Bias]:
    """What follows the label or the place, by set and model; nothing where labels are fixed."""
    if not run.recipe.prompting.shuffle_labels:
        return []
    labels = load_template(run.recipe.prompting.template).labels
    rows = []
    for name, group in study_sets().items():
        for role in ROLES:
            shown = [np.array(answered[role][scenario.name].presented) for scenario in group]
            ways = [probabilities.reshape(-1, 2, probabilities.shape[-1]) for probabilities in shown]
            rows.append(bias(name, role, labels, ways, rng))
    return rows


def match_rows(run: Run, rng: np.random.Generator) -> list[MatchRow]:
    """Every model against every opponent by game, over all contexts."""
    groups: dict[tuple[str, str, str], list[tuple[Pairing, MatchRecord]]] = {}
    for pairing in pairings(run):
        key = (pairing.model, pairing.opponent, pairing.game.name)
        groups.setdefault(key, []).extend((pairing, record) for record in recorded(run, pairing))
    return [_match_row(key, played, rng) for key, played in groups.items()]


def _match_row(
    key: tuple[str, str, str], played: Sequence[tuple[Pairing, MatchRecord]], rng: np.random.Generator
) -> MatchRow:
    rounds = max(len(record.steps) for _, record in played)
    cooperation, payoff, opponent = np.full((3, len(played), rounds), np.nan)
    for m, (pairing, record) in enumerate(played):
        for r, (mine, theirs) in enumerate(record.steps):
            if mine.reward is None or theirs.reward is None:
                continue  # the round was not played: a reply could not be read
            cooperation[m, r] = pairing.game.cooperation(mine.played)
            payoff[m, r], opponent[m, r] = mine.reward, theirs.reward
    return match_row(*key, cooperation, payoff, opponent, rng)


def replayed(run: Run, backends: Mapping[str, Backend], rng: np.random.Generator) -> list[Agreement]:
    """Decision by decision on the teacher's recorded histories: what the students would have done there."""
    prompts: list[tuple[str, tuple[str, ...]]] = []
    teacher: list[tuple[float, ...]] = []
    match: list[int] = []
    number = 0
    for pairing in pairings(run):
        if pairing.model != "teacher":
            continue
        for record in recorded(run, pairing):
            for mine, _ in record.steps:
                decision = mine.decision
                assert decision.prompt is not None
                assert decision.labels is not None
                assert decision.probabilities is not None
                prompts.append((decision.prompt, decision.labels))
                teacher.append(decision.probabilities)
                match.append(number)
            number += 1
    return [
        agreement(role, np.array(teacher), _probabilities(backends[role], prompts), np.array(match), rng)
        for role in ("untuned", "tuned")
    ]


def _probabilities(backend: Backend, prompts: Sequence[tuple[str, tuple[str, ...]]]) -> NDArray[np.float64]:
    return np.array([found.probabilities for found in exact_distributions(backend, prompts)])
