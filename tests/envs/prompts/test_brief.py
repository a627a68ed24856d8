"""The template of few words: one line for each action, with what both get against each action of the other player."""

import re
from dataclasses import replace

import pytest

from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import match_prompt, presentations, scenario_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.prompts.wording import TemplateError
from dilemmas.envs.rules.protocol import View

BRIEF = load_template("brief")
FRIENDS = context("friends", "vignettes")
PD = MatrixGame("prisoners_dilemma", T=5, R=3, P=1, S=0)


def test_the_prisoners_dilemma_in_full() -> None:
    paragraph, *lines = scenario_prompt(BRIEF, PD, FRIENDS).split("\n")
    assert paragraph.startswith("You are in a chat with a good friend")
    assert lines == [
        "You both choose C or D at the same time. You/they get:",
        "C: 3/3 against C, 0/5 against D.",
        "D: 5/0 against C, 1/1 against D.",
        "Your choice?",
    ]


def test_a_public_good_in_full() -> None:
    game = PublicGoods(n_players=3, endowment=6, multiplier=1.5)
    assert scenario_prompt(BRIEF, game, FRIENDS).split("\n")[1:] == [
        "All 3 of you choose C or D at the same time. You get:",
        "C: 3, 6 or 9 if 0, 1 or 2 others choose C.",
        "D: 6, 9 or 12 if 0, 1 or 2 others choose C.",
        "Your choice?",
    ]


@pytest.mark.parametrize("wording", range(4))
@pytest.mark.parametrize("player", [0, 1])
def test_every_wording_and_presentation_tells_all_payoffs_of_both_players(wording: int, player: int) -> None:
    game = BimatrixGame("g", row=[[11, 12, 13], [14, 15, 16]], column=[[21, 22, 23], [24, 25, 26]])
    template = load_template(f"brief#{wording}" if wording else "brief")
    for shown in presentations(template, game, player):
        told = match_prompt(template, View(game, player, 0, ()), FRIENDS, shown=shown)
        pairs = re.findall(r"\b(\d\d)/(\d\d)\b", told)
        rows = {(str(10 + i), str(20 + i)) for i in range(1, 7)}
        assert {pair if player == 0 else pair[::-1] for pair in pairs} == rows
        assert len(pairs) == 6


def test_a_line_of_an_action_without_its_cases_is_refused() -> None:
    with pytest.raises(TemplateError, match="pair_case"):
        scenario_prompt(replace(BRIEF, pair_case=""), PD, FRIENDS)
