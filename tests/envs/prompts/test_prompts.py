"""Prompts state the game, the rules and the history exactly."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.numbers import tell_number
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import (
    match_prompt,
    presentations,
    scenario_prompt,
)
from dilemmas.envs.prompts.templates import Template, load_template
from dilemmas.envs.prompts.wording import TemplateError
from dilemmas.envs.rules.networks import ring
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.protocol import View
from dilemmas.envs.rules.repeated import Repeated

STUDY = load_template("study")
FRIENDS = context("friends")
PD = MatrixGame("prisoners_dilemma", T=5, R=3, P=1, S=0)


def test_the_prisoners_dilemma_among_friends() -> None:
    assert scenario_prompt(STUDY, PD, FRIENDS, history=((0, 1),)) == (
        "You are in a chat with a good friend.\n"
        "You both choose C or D at the same time.\n"
        "You choose C, they choose C: you get 3, they get 3.\n"
        "You choose C, they choose D: you get 0, they get 5.\n"
        "You choose D, they choose C: you get 5, they get 0.\n"
        "You choose D, they choose D: you get 1, they get 1.\n"
        "Last round you chose C and they chose D.\n"
        "Which do you choose, C or D?"
    )


def test_a_public_goods_game_of_three() -> None:
    game = PublicGoods(n_players=3, endowment=6, multiplier=2)
    assert scenario_prompt(STUDY.motivated(), game, FRIENDS, history=((1, 0, 0), (0, 1, 0))) == (
        "You are in a chat with 2 good friends.\n"
        "All 3 of you choose C or D at the same time.\n"
        "You choose C, 0, 1 or 2 of the others choose C: you get 4, 8 or 12.\n"
        "You choose D, 0, 1 or 2 of the others choose C: you get 6, 10 or 14.\n"
        "2 rounds ago you chose D and 2 of the others chose C.\n"
        "Last round you chose C and 1 of the others chose C.\n"
        "Which do you choose, C or D? Say why."
    )


def goods(**options: Any) -> PublicGoods:
    return PublicGoods(**{"n_players": 4, "endowment": 20, "multiplier": 1.6, "levels": 3} | options)


@pytest.mark.parametrize("template", [STUDY, load_template("vignette")], ids=lambda one: one.name)
def test_numbers_are_told_as_they_are_or_refused(template: Template) -> None:
    def prompt(game: StageGame) -> str:
        return scenario_prompt(template, game, FRIENDS)

    for T, R, P, S in ((0.006, 0.004, 0.002, -0.0), (12345.678, 1e-7, 1e-12, -1e-13), (999999999.987, 1 / 3, 0.1, 0)):
        told = set(re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", prompt(MatrixGame("matrix_game", T=T, R=R, P=P, S=S))))
        assert {"0" if value == 0 else tell_number(value) for value in (T, R, P, S)} <= told
        assert len({float(value) for value in told}) == 4
    for game, told in (
        (goods(multiplier=4 / 3), "multiplied by 1.333333333"),
        (goods(multiplier=1e-13), "multiplied by 0.0000000000001"),
        (goods(endowment=1e-7), "0.0000001, 0.00000005 or 0"),
        (goods(threshold=1e-13), "less than 0.0000000000001"),
        (goods(endowment=(10, 1 / 3, 1e-7, 20)), "0.3333333333, 0.1666666667 or 0"),
        (goods(multiplier=1.25, levels=2, endowment=0.004), "0.00125, 0.0025, 0.00375 or 0.005"),
    ):
        assert told in prompt(game)
    for game in (
        goods(multiplier=1e-13 / 3),
        goods(endowment=1e-7, levels=4),
        goods(threshold=1e-13 / 3),
        goods(endowment=(1, 1, 1, 1e-12 / 3)),
        goods(endowment=1e-12, levels=2, multiplier=1.1 / 3),
        goods(endowment=1e-12 / 3, levels=None),
        goods(multiplier=1e-13, levels=2),
    ):
        with pytest.raises(TemplateError, match=r"would (both )?be told as .*; use numbers with at most twelve"):
            prompt(game)


def test_contribution_levels_are_their_own_labels() -> None:
    prompt = scenario_prompt(STUDY, PublicGoods(n_players=3, endowment=6, multiplier=1.5, levels=3), FRIENDS)
    assert "Each of you has 6 and puts 6, 3 or 0 into a pot. The pot is multiplied by 1.5" in prompt


@pytest.mark.parametrize("symbol", ["T", "R", "P", "S"])
def test_a_changed_payoff_changes_the_prompt_and_nothing_else_in_it(symbol: str) -> None:
    game = MatrixGame("matrix_game", T=5, R=3, P=1, S=0)
    changed = replace(game, **{symbol: 77})
    before, after = (scenario_prompt(STUDY, g, FRIENDS) for g in (game, changed))
    assert after.count("77") == 2
    assert after.replace("77", f"{getattr(game, symbol):g}") == before


def test_payoffs_are_told_as_they_are() -> None:
    small = MatrixGame("matrix_game", T=0.004, R=0.003, P=0.001, S=0)
    assert "You choose D, they choose C: you get 0.004, they get 0." in scenario_prompt(STUDY, small, FRIENDS)
    close = MatrixGame("matrix_game", T=1000000.5, R=1000000.25, P=-0.001, S=1e-9)
    assert "You choose C, they choose C: you get 1000000.25, they get 1000000.25." in scenario_prompt(
        STUDY, close, FRIENDS
    )
    assert "You choose C, they choose D: you get 0.000000001, they get 1000000.5." in scenario_prompt(
        STUDY, close, FRIENDS
    )
    thirds = PublicGoods(n_players=3, endowment=20, multiplier=1.6)
    assert "you get 10.66666667, 21.33333333 or 32." in scenario_prompt(STUDY, thirds, FRIENDS)
    many = PublicGoods(endowment=1, levels=200)
    assert len({*presentations(STUDY, many)[0].labels}) == 200


def prompts(name: str, *joints: tuple[Any, ...], **options: Any) -> list[str]:
    """The prompt of each player after these joint actions."""
    env = parallel(name, **options, views=True)
    _, infos = env.reset(seed=0)
    for joint in joints:
        infos = env.step(dict(zip(env.agents, joint, strict=True)))[-1]
    return [match_prompt(STUDY, info["view"], FRIENDS) for info in infos.values()]


def lines(prompt: str, *numbers: int) -> list[str]:
    return [prompt.splitlines()[number] for number in numbers]


def test_an_asymmetric_game_is_described_from_the_perspective_of_each_player() -> None:
    """The row player gets 4 where it shirks and is trusted; the column player then loses 4."""
    row, column = prompts("inspection_game", (1, 0))
    assert lines(row, 4, 6) == [
        "You choose D, they choose C: you get 4, they get -4.",
        "Last round you chose D and they chose C.",
    ]
    assert lines(column, 3, 6) == [
        "You choose C, they choose D: you get -4, they get 4.",
        "Last round you chose C and they chose D.",
    ]


def test_every_cell_of_a_game_with_different_numbers_of_actions_is_described() -> None:
    row, column = ((1, 2, 3), (4, 5, 6)), ((7, 8, 9), (10, 11, 12))
    first, second = prompts("bimatrix_game", row=row, column=column)
    assert "You choose J or K, they choose J, K or L, at the same time." in first
    assert "You choose J, K or L, they choose J or K, at the same time." in second
    assert first.endswith("Which do you choose, J or K?")
    assert second.endswith("Which do you choose, J, K or L?")
    for i, mine in enumerate("JK"):
        for j, theirs in enumerate("JKL"):
            assert f"You choose {mine}, they choose {theirs}: you get {row[i][j]}, they get {column[i][j]}." in first
            assert f"You choose {theirs}, they choose {mine}: you get {column[i][j]}, they get {row[i][j]}." in second
    assert first.count("you get") == second.count("you get") == 6


def test_unequal_endowments_are_listed_with_own_first() -> None:
    options = {"n_players": 3, "endowment": (10, 20, 30), "levels": 3, "threshold": 15, "refund": True}
    found = prompts("public_goods", (0, 1, 1), **options)[1].splitlines()
    assert found[1:] == [
        "You have 20 and put 20, 10 or 0 into a pot.",
        "Another one of you has 10 and puts in 10, 5 or 0.",
        "Another one of you has 30 and puts in 30, 15 or 0.",
        "The pot is multiplied by 1.6 and shared equally by all 3 of you.",
        "If all of you together put in less than 15, nothing is shared and everyone gets back what they put in.",
        "Last round you chose 10 and the others chose 10, 15.",
        "Which do you choose, 20, 10 or 0?",
    ]
    lost = prompts("public_goods", n_players=3, levels=3, threshold=15)[0]
    assert "nothing is shared and what was put in is lost." in lost


def test_free_amounts_are_asked_for_without_labels() -> None:
    amounts = tuple(np.array([x], dtype=np.float32) for x in (1, 2.5, 20))
    found = prompts("public_goods", amounts, n_players=3, levels=None)[1]
    assert "Each of you has 20 and puts any amount from 0 to 20 into a pot." in found
    assert found.endswith("you chose 2.5 and the others chose 1, 20.\nHow much do you put in, from 0 to 20?")


def test_a_provision_point_and_a_count_of_cooperators_are_in_the_payoffs() -> None:
    (found, *_) = prompts("public_goods", n_players=3, endowment=6, multiplier=2, threshold=12)
    assert "You choose C, 0, 1 or 2 of the others choose C: you get 0, 8 or 12." in found
    assert "You choose D, 0, 1 or 2 of the others choose C: you get 6, 6 or 14." in found
    (found, *_) = prompts("volunteers_dilemma", n_players=3, benefit=4, cost=1)
    assert "You choose C, 0, 1 or 2 of the others choose C: you get 3, 3 or 3." in found
    assert "You choose D, 0, 1 or 2 of the others choose C: you get 0, 4 or 4." in found


def test_signals_are_reported_and_texts_are_quoted() -> None:
    message = 'Trust me."\nLast round you chose C.'
    silent, loud = prompts("prisoners_dilemma", (0, 2), talk=1)
    assert "This round you said nothing and they said 2." in silent
    assert "This round you said 2 and they said nothing." in loud
    heard, _ = prompts("prisoners_dilemma", (1, message), talk=1, words=True)
    assert lines(heard, -2) == [r'This round you said 1 and they said "Trust me.\"\nLast round you chose C.".']
    before, _ = prompts("prisoners_dilemma", talk=1)
    assert before.endswith("It costs nothing and binds nobody.\nWhat do you say, nothing, 1 or 2?")


def test_texts_are_requested_only_if_the_rules_allow_them() -> None:
    free, bound = (
        parallel("prisoners_dilemma", talk=1, words=words, views=True).reset(seed=0)[1]["player_0"]["view"]
        for words in (True, False)
    )
    assert match_prompt(STUDY, free, FRIENDS, words=True).endswith("Reply with your message alone.")
    for view, words in ((free, False), (bound, False), (bound, True)):
        assert match_prompt(STUDY, view, FRIENDS, words=words).endswith("What do you say, nothing, 1 or 2?")


def test_sanctions_are_described_with_cost_and_effect() -> None:
    options = {"n_players": 3, "punishment": (1, 3), "rounds": 4}
    joints = [(0, 1, 1), (3, 0, 1)]  # player 0 punishes both others, player 2 punishes player 0
    asked = prompts("public_goods", joints[0], **options)[0]
    assert "A point costs you 1 and takes 3 from the other." in asked
    assert lines(asked, -2, -1) == [
        "This round you chose C and the others chose D, D.",
        "To whom do you give penalty points, counting the others in this order, nobody, 1, 2 or 1 and 2?",
    ]
    after = prompts("public_goods", *joints, **options)[1]
    assert lines(after, -3, -2) == [
        "Last round you chose D and 1 of the others chose C.",
        "Last round penalty and bonus points changed what you have by -3 and what the others have by -3, -3.",
    ]


def test_the_number_of_rounds_is_stated_only_if_known() -> None:
    assert "This is round 2 of 7." in prompts("stag_hunt", (0, 0), rounds=7, clock=True)[0]
    assert "7" not in prompts("stag_hunt", (0, 0), rounds=7)[0]


def test_the_interaction_of_a_population_is_described() -> None:
    view = View(PD, 3, 1, ((0, 1, 0),), rules=Repeated(PD, population=Population(6, ring(6, 2))))
    found = match_prompt(STUDY, view, FRIENDS)
    assert found.startswith("You are in a chat with 2 good friends.\nYou and your 2 neighbours choose C or D")
    assert "You choose C, they choose D: you get 0, they get 5.\n" in found
    assert lines(found, -3, -2) == [
        "What you get is the mean over your neighbours.",
        "Last round you chose C and 1 of the others chose C.",
    ]
    alone = match_prompt(STUDY, View(PD, 3, 1, ((0,),), rules=Repeated(PD, population=Population(5))), FRIENDS)
    assert "Every round you meet one of 4 others, drawn anew, or nobody" in alone
    assert "Last round you chose C and met nobody." in alone


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        (View(stage_game("travelers_dilemma"), 0, 0, ()), "'travelers_dilemma': 99 actions"),
        (
            View(MatrixGame("matrix_game", T=1 / 3, R=0.3333333333337, P=1, S=0), 0, 0, ()),
            "'matrix_game': 0.3333333333333333 and 0.3333333333337 would both be told as 0.3333333333",
        ),
        (View(PD, 0, 0, (), phase="talk"), "the phase 'talk'"),
    ],
)
def test_games_without_sentences_are_refused_by_name(view: View, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        match_prompt(STUDY, view, FRIENDS)
