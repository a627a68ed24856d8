"""Labels and their order may change; the game they describe does not."""

from dataclasses import replace

import numpy as np
import pytest

from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import (
    choose_presentation,
    match_prompt,
    presentations,
    presentations_now,
    scenario_prompt,
)
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.prompts.wording import TemplateError
from dilemmas.envs.rules.protocol import View

STUDY = load_template("study")
FRIENDS = context("friends")
PD = MatrixGame("prisoners_dilemma", T=5, R=3, P=1, S=0)


def test_shuffled_labels_keep_the_game() -> None:
    """Under each assignment of labels, the payoff stated for (own, other) is that of the game."""
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(40):
        shown = choose_presentation(STUDY, PD, rng)
        seen.add((shown.labels, shown.order))
        prompt = scenario_prompt(STUDY, PD, FRIENDS, shown=shown)
        cooperate, defect = shown.labels
        assert f"You choose {defect}, they choose {cooperate}: you get 5, they get 0." in prompt
    assert len(seen) == 4
    assert [(shown.labels, shown.order) for shown in presentations(STUDY, PD)] == [
        (("C", "D"), (0, 1)),
        (("C", "D"), (1, 0)),
        (("D", "C"), (0, 1)),
        (("D", "C"), (1, 0)),
    ]


def test_amounts_are_their_own_labels_in_both_orders() -> None:
    game = PublicGoods(n_players=3, endowment=6, levels=4)
    ways = presentations(STUDY, game)
    assert {shown.labels for shown in ways} == {("6", "4", "2", "0")}
    assert [shown.listed() for shown in ways] == ["6, 4, 2 or 0", "0, 2, 4 or 6"]


@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("points", [1, 2])
def test_the_labels_of_sanctions_agree_with_the_rules(players: int, points: int) -> None:
    env = parallel("public_goods", n_players=players, punishment=(1, 3), points=points, views=True)
    env.reset(seed=0)
    infos = env.step(dict.fromkeys(env.agents, 0))[-1]
    labels = presentations_now(STUDY, infos["player_0"]["view"])[0].labels
    assert len(set(labels)) == len(labels) == (points + 1) ** (players - 1)
    for action, label in enumerate(labels):
        given = env.rules.sanctions(action, 0, points)[1:]
        parts = label.split(" and ")
        if players == 2:
            assert given == [int(label)]
        elif points == 1:
            assert given == [int(str(k) in parts) for k in range(1, players)]
        else:
            amounts = {part[2:]: int(part[0]) for part in parts if part != "nobody"}
            assert given == [amounts.get(f"to {k}", 0) for k in range(1, players)]


@pytest.mark.parametrize("name", ["rock_paper_scissors", "inspection_game", "matching_pennies"])
def test_shuffled_labels_keep_any_two_player_game(name: str) -> None:
    game = stage_game(name)
    for player in range(2):
        for shown in presentations(STUDY, game, player):
            found = match_prompt(STUDY, View(game, player, 0, ()), FRIENDS, shown)
            for joint in np.ndindex(*game.options):
                paid, mine, theirs = game.payoffs(joint), joint[player], joint[1 - player]
                points = f"you get {paid[player]:g}, they get {paid[1 - player]:g}."
                assert f"You choose {shown.labels[mine]}, they choose {shown.labels[theirs]}: {points}" in found


def test_sanctions_against_too_many_are_refused() -> None:
    env = parallel("public_goods", n_players=10, punishment=(1, 3), views=True)
    env.reset(seed=0)
    infos = env.step(dict.fromkeys(env.agents, 0))[-1]
    with pytest.raises(TemplateError, match="512 ways to assign points to 9 others"):
        presentations_now(STUDY, infos["player_0"]["view"])


@pytest.mark.parametrize("word", ["1", "2", " 1", "--"])
def test_a_word_for_silence_that_reads_like_a_signal_is_refused(word: str) -> None:
    view = parallel("stag_hunt", talk=2, views=True).reset(seed=0)[1]["player_0"]["view"]
    with pytest.raises(TemplateError, match="cannot be told from each other in a reply"):
        presentations_now(replace(STUDY, silence=word), view)
