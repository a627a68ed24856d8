"""The comprehension check counts the questions about a game that a model answers correctly."""

import math

import pytest

from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.comprehension import comprehension_scores, understanding
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


@pytest.mark.parametrize(("margin", "open_ones"), [(0.05, 0.0), (0.15, 0.0), (0.35, 1.0)])
def test_an_answer_that_bounds_leave_open_is_not_known(margin: float, open_ones: float) -> None:
    """The right answer leads by .4 to .64, so its lead is certain within .15 and open within .35."""

    def bounded(request: Request) -> Response:
        found = knows(DILEMMA, ()).answer(request)
        least = [0.7 if value == max(found.logprobs) else 0.3 / (len(found.logprobs) - 1) for value in found.logprobs]
        return Response(tuple(map(math.log, least)), margin=margin)

    for score in comprehension_scores(FakeBackend(bounded), STUDY, [(DILEMMA, FRIENDS, ())]):
        assert score.unknown == open_ones * score.asked
        assert score.right == score.known == score.asked - score.unknown


def test_what_is_not_known_counts_neither_as_right_nor_as_wrong() -> None:
    def some(request: Request) -> Response:
        if request.prompt.endswith("what do you get?"):
            return Response((-math.inf,) * len(request.labels), margin=1.0)  # no label is listed
        return knows(DILEMMA, ()).answer(request)

    scores = comprehension_scores(FakeBackend(some), STUDY, [(DILEMMA, FRIENDS, ())])
    assert 0 < sum(score.unknown for score in scores) < sum(score.asked for score in scores)
    assert understanding(scores) == pytest.approx(1.0)
    assert all(score.chance == 0 for score in scores if not score.known)
    nothing = comprehension_scores(
        FakeBackend(lambda asked: Response((-math.inf,) * len(asked.labels), margin=1.0)),
        STUDY,
        [(DILEMMA, FRIENDS, ())],
    )
    assert understanding(nothing) is None


def test_a_question_without_an_answer_is_an_error_and_not_unknown() -> None:
    with pytest.raises(InputError, match="no connection"):
        comprehension_scores(FakeBackend(lambda _: Response(failed="no connection")), STUDY, [(DILEMMA, FRIENDS, ())])


def test_games_without_questions_of_fact_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="rock_paper_scissors"):
        comprehension_scores(ALIKE, STUDY, [(stage_game("rock_paper_scissors"), FRIENDS, ())])
