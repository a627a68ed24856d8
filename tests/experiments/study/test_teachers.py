"""An agent that is no language model as the teacher of a study."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dilemmas.agents.agent import Source
from dilemmas.agents.behaviour.quantal_response import BehaviouralModel, BehaviourError, closeness
from dilemmas.agents.models.backend import FakeBackend, ModelError, Request, Response
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.table_file import save_table
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.prompts.contexts import STOCK, stock_contexts
from dilemmas.experiments.study import playing, stages, teaching
from dilemmas.experiments.study.answers import read_answers
from dilemmas.experiments.study.conduct.procedure import check_teaching
from dilemmas.experiments.study.data import collect
from dilemmas.experiments.study.definitions import OwnContext
from dilemmas.experiments.study.evaluation import evaluate
from dilemmas.experiments.study.recipe import TRAINING_SET, MatchSettings, Recipe, RecipeError
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.teachers import AgentTeacher

SMALL = MatchSettings(("stag_hunt",), ("friends",), ("tit_for_tat",), rounds=4, repetitions=2)


def recipe(teacher: str, observations: int = 40) -> Recipe:
    found = load_recipe("miniatures")
    models = replace(found.models, teacher=teacher)
    return replace(found, models=models, observations=observations, matches=SMALL)


def asked(run: Run) -> AgentTeacher:
    teacher = AgentTeacher(run.recipe.models.teacher)
    assert sum(stages.ask_agent(run, "teacher", teacher)) == 162 * run.recipe.observations
    return teacher


def test_its_answers_have_its_probabilities_and_are_drawn_from_them(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", recipe("quantal_response", observations=300))
    asked(run)
    found = {one.scenario: one for one in read_answers(run.path("answers", "teacher.jsonl"))}
    z = []
    for scenario in run.recipe.sets()["new_both"]:
        truth = BehaviouralModel().judge(scenario.game, closeness()[scenario.context.name]).cooperate
        answers = found[scenario.name].answers(scenario)
        assert answers.rate(Source.EXACT) == pytest.approx(truth)
        z.append((answers.counts[0] - 300 * truth) / np.sqrt(300 * truth * (1 - truth)))
    assert abs(np.mean(z)) < 4 / np.sqrt(len(z))
    assert 0.7 < np.std(z) < 1.3


def test_a_stopped_study_asks_only_what_is_missing(tmp_path: Path) -> None:
    whole, again = (
        Run(tmp_path / "whole", recipe("quantal_response")),
        Run(tmp_path / "again", recipe("quantal_response")),
    )
    asked(whole)
    steps = stages.ask_agent(again, "teacher", AgentTeacher("quantal_response"))
    assert [next(steps), next(steps)] == [0, 20 * 40]
    steps.close()
    assert [*stages.ask_agent(again, "teacher", AgentTeacher("quantal_response"))][:2] == [20 * 40, 0]
    first, second = (run.path("answers", "teacher.jsonl").read_bytes() for run in (whole, again))
    assert first == second


@pytest.mark.parametrize("method", ["hard", "soft"])
def test_it_teaches_its_probabilities_or_its_answers_and_random_games(tmp_path: Path, method) -> None:
    base = recipe("quantal_response")
    taught = replace(base, lora=replace(base.lora, method=method), questions=replace(base.questions, number=5))
    run = Run(tmp_path / "run", taught)
    teacher = asked(run)
    shown = teaching.demonstrations(taught, teaching.teacher_answers(run.folder), method)
    assert len(shown) == (20 if method == "soft" else 20 * 40)
    random = teaching.random_questions(taught, teacher)
    for one, scenario in zip(random, taught.random_scenarios(), strict=True):
        truth = BehaviouralModel().judge(scenario.game, closeness()[scenario.context.name]).cooperate
        assert one.probabilities[0] == pytest.approx(truth)


def test_it_plays_and_is_measured_like_a_model(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", recipe("quantal_response"))
    teacher = asked(run)

    def even(request: Request) -> Response:
        return Response((-0.7,) * len(request.labels), text="C. Yes.")

    players: dict[str, playing.Player] = {"teacher": teacher}
    for role in ("untuned", "tuned"):
        players[role] = FakeBackend(even, role)
        list(stages.ask_model(run, role, players[role]))
    list(playing.play_matches(run, players))
    results = evaluate(collect(run, players, {}))
    assert {row["model"] for row in results["comprehension"]} == {"untuned", "tuned"}
    table = playing.compile_table(run.recipe, teacher, "stag_hunt", "friends")
    assert table.probabilities[0, 0] == pytest.approx(
        BehaviouralModel().judge(run.recipe.two_player_game("stag_hunt"), closeness()["friends"]).cooperate
    )
    assert run.recipe.counterbalanced is False, "the models of the study are miniatures"


def test_without_samples_only_probabilities_are_measured(tmp_path: Path) -> None:
    base = recipe("quantal_response", observations=300)
    exact = replace(base, prompting=replace(base.prompting, sampled=False), lora=replace(base.lora, method="soft"))
    run = Run(tmp_path / "run", exact)
    teacher = AgentTeacher("quantal_response")
    assert sum(stages.ask_agent(run, "teacher", teacher)) == 162

    def even(request: Request) -> Response:
        assert not request.max_tokens, "nothing is written"
        return Response((-0.7,) * len(request.labels))

    players: dict[str, playing.Player] = {"teacher": teacher}
    for role in ("untuned", "tuned"):
        players[role] = FakeBackend(even, role)
        assert sum(stages.ask_model(run, role, players[role])) == 162
    list(playing.play_matches(run, players))
    results = evaluate(collect(run, players, {}))
    assert results["unreadable"] == results["consistency"] == []
    assert results["alignment"]["within"]["estimate"] == "exact"
    assert results["alignment"]["within"]["gap_closed"] == pytest.approx(0, abs=1e-6)
    assert not any("was not trained" in text for text in results["warnings"])


def test_only_probabilities_can_be_taught_without_samples() -> None:
    base = recipe("quantal_response")
    with pytest.raises(RecipeError, match="method = 'soft'"):
        replace(base, prompting=replace(base.prompting, sampled=False))


def test_a_model_without_probabilities_is_not_asked_without_samples(tmp_path: Path) -> None:
    base = recipe("quantal_response")
    exact = replace(base, prompting=replace(base.prompting, sampled=False), lora=replace(base.lora, method="soft"))
    silent = FakeBackend(lambda request: Response(), scores=False)
    with pytest.raises(ModelError, match="sampled = false"):
        list(stages.ask_model(Run(tmp_path / "run", exact), "untuned", silent))


def test_a_teacher_that_cannot_do_all_of_it_is_refused_at_once(tmp_path: Path) -> None:
    save_table(compile_agent(strategy("random(0.3)"), stage_game("stag_hunt"), 1), tmp_path / "one_game.json")
    table = f"table:{tmp_path / 'one_game.json'}"
    with pytest.raises(InputError, match="stag_hunt"):
        check_teaching(recipe(table))
    own = replace(
        recipe("quantal_response"),
        scenarios=replace(recipe("quantal_response").scenarios, sets=(TRAINING_SET,), contexts=("friends", "pub")),
        contexts={"pub": OwnContext("a pub", "You are in a pub.", "You are in a pub with {others}.")},
    )
    with pytest.raises(BehaviourError, match="pub"):
        check_teaching(own)
    motivated = replace(recipe("quantal_response"), lora=replace(own.lora, method="motivated"))
    with pytest.raises(RecipeError, match="gives no motivations"):
        check_teaching(motivated)


def test_the_same_agent_has_the_same_fingerprint_and_another_one_not() -> None:
    prints = [AgentTeacher(spec).fingerprint for spec in ("tit_for_tat", "tit_for_tat", "quantal_response")]
    assert prints[0] == prints[1] != prints[2]


def test_the_stock_is_for_questions_and_no_test_context_can_be() -> None:
    base = recipe("quantal_response")
    broad = replace(base, questions=replace(base.questions, number=400, contexts=("team", STOCK)))
    contexts = {scenario.context.name for scenario in broad.random_scenarios()}
    assert contexts == {"team", *stock_contexts()}
    with pytest.raises(RecipeError, match="'siblings' is in a test set"):
        replace(base, questions=replace(base.questions, number=1, contexts=("siblings",)))
