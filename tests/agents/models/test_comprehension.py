"""The comprehension check counts the questions about a game that a model answers correctly."""

import math

import pytest

from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.comprehension import comprehension_scores
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import DEFAULTS, MatrixGame
from dilemmas.envs.games.stage_game import Joint
from dilemmas.envs.prompts.comprehension import EQUAL, questions
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import choose_presentation
from dilemmas.envs.prompts.templates import load_template

DILEMMA = DEFAULTS["prisoners_dilemma"]
FRIENDS, STUDY = context("friends"), load_template("study")
ALIKE = FakeBackend(lambda request: Response((-1.0,) * len(request.labels)))
"""A model to which all answers are equally probable."""


def knows(game: MatrixGame, history: tuple[Joint, ...]) -> FakeBackend:
    """A model that answers every question about a game correctly."""
    right = {question.text: question.answer for question in questions(game, choose_presentation(STUDY, game), history)}

    def answer(request: Request) -> Response:
        expected = right[request.prompt.rsplit("\n", 1)[1]]
        return Response(tuple(math.log(0.5 if label == expected else 0.01) for label in request.labels))

    return FakeBackend(answer)


def test_a_model_with_the_right_answers_is_correct_on_all_questions() -> None:
    for history in ((), ((0, 1),)):
        scores = comprehension_scores(knows(DILEMMA, history), STUDY, [(DILEMMA, FRIENDS, history)])
        assert all(score.right == score.asked > 0 for score in scores)
        assert ("history" in {score.kind for score in scores}) == bool(history)


def test_a_model_that_always_answers_c_is_correct_if_c_is_right() -> None:
    model = FakeBackend(lambda request: Response(tuple(-1.0 if label == "C" else -2.0 for label in request.labels)))
    scores = {score.kind: score for score in comprehension_scores(model, STUDY, [(DILEMMA, FRIENDS, ())])}
    assert (scores["together"].right, scores["more"].right, scores["payoff"].right) == (1, 0, 0)
    assert scores["more"].chance == pytest.approx(2 / len({"C", "D", EQUAL}))


def test_counterbalanced_each_question_is_asked_in_all_four_presentations() -> None:
    model = FakeBackend(lambda request: Response(tuple(-1.0 if label == "C" else -2.0 for label in request.labels)))
    fixed, shuffled = (
        {score.kind: score for score in comprehension_scores(model, STUDY, [(DILEMMA, FRIENDS, ())], shuffle)}
        for shuffle in (False, True)
    )
    assert {kind: score.asked for kind, score in shuffled.items()} == {k: 4 * s.asked for k, s in fixed.items()}
    assert shuffled["together"].right == 2, "mutual cooperation is better, and called C in two of four presentations"


def test_a_model_with_equal_probabilities_answers_nothing_correctly() -> None:
    model = FakeBackend(lambda request: Response((-1.0,) * len(request.labels)))
    assert all(score.right == 0 < score.asked for score in comprehension_scores(model, STUDY, [(DILEMMA, FRIENDS, ())]))


def test_games_without_questions_of_fact_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="rock_paper_scissors"):
        comprehension_scores(ALIKE, STUDY, [(stage_game("rock_paper_scissors"), FRIENDS, ())])
