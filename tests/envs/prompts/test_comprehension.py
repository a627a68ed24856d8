"""Comprehension questions have the correct answers."""

import pytest

from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.prompts.comprehension import QuestionError, questions
from dilemmas.envs.prompts.labels import Presentation

SHOWN = Presentation(("C", "D"), (0, 1))


def answers(game, history=()) -> dict[str, str]:
    return {question.text: question.answer for question in questions(game, SHOWN, history)}


def test_a_stag_hunt() -> None:
    found = answers(MatrixGame("stag_hunt", T=3, R=5, P=2, S=0), history=((0, 0), (0, 1)))
    assert found["You choose C, they choose D: what do you get?"] == "0"
    assert found["You choose C, they choose D: what do they get?"] == "3"
    assert found["If they choose C, which gives you more?"] == "C"
    assert found["If they choose D, which gives you more?"] == "D"
    assert found["If they choose C, how much does your choice change for you?"] == "2"
    assert found["If they choose C, how much does your choice change for them?"] == "5"
    assert found["If they choose each equally often, which gives you more?"] == "the same"
    assert found["If all choose the same, which gives more?"] == "C"
    assert found["Which has the better worst case?"] == "D"
    assert found["What did you choose last round?"] == "C"
    assert found["What did they choose last round?"] == "D"


def test_a_public_goods_game() -> None:
    found = answers(PublicGoods(n_players=4, endowment=6, multiplier=2), history=((1, 0, 1, 0),))
    assert found["You choose C, 2 of the others choose C: what do you get?"] == "9"
    assert found["If 1 of the others choose C, which gives you more?"] == "D"
    assert found["If 1 of the others choose C, how much does your choice change for you?"] == "3"
    assert found["If 1 of the others choose C, how much does your choice change for each of them?"] == "3"
    assert found["If all choose the same, which gives more?"] == "C"
    assert found["How many of the others chose C last round?"] == "2"


def test_the_two_players_of_an_asymmetric_game_have_different_answers() -> None:
    """The employee works (C) or shirks, the employer trusts (C) or inspects."""
    game = stage_game("inspection_game")
    row, column = ({q.text: q.answer for q in questions(game, SHOWN, player=player)} for player in (0, 1))
    assert row["You choose D, they choose C: what do you get?"] == "4"
    assert row["You choose D, they choose C: what do they get?"] == "-4"
    assert column["You choose C, they choose D: what do you get?"] == "-4"
    assert column["You choose C, they choose D: what do they get?"] == "4"
    assert column["If they choose D, which gives you more?"] == "D"
    assert row["If they choose D, which gives you more?"] == "C"


@pytest.mark.parametrize(
    "game",
    [
        stage_game("rock_paper_scissors"),
        stage_game("bimatrix_game", row=[[1, 2, 3], [4, 5, 6]], column=[[1, 2, 3], [4, 5, 6]]),
        PublicGoods(endowment=(1, 2, 3, 4)),
        PublicGoods(levels=None),
    ],
    ids=lambda game: game.name,
)
def test_games_without_such_questions_are_refused_by_name(game) -> None:
    with pytest.raises(QuestionError, match=game.name):
        questions(game, SHOWN)
