"""The behavioural model behind the miniature teacher follows its own statement."""

from math import exp

import pytest

from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES
from dilemmas.training.miniatures.behaviour import BehaviouralModel, motive

PD = MatrixGame("prisoners_dilemma", T=5, R=3, P=1, S=0)


def test_a_hand_computed_prisoners_dilemma() -> None:
    model = BehaviouralModel(precision=2.0, alpha=(0.5,), belief=(0.25,))
    # own: C gives .25*3 + .75*0, D gives .25*5 + .75*1; others: C gives them .25*3 + .75*5, D gives .25*0 + .75*1
    own, social = (0.75 - 2.0) / 5, (4.5 - 0.75) / 5
    assert model.judge(PD, 0).cooperate == pytest.approx(1 / (1 + exp(-2.0 * (own + 0.5 * social))))


def test_without_precision_every_choice_is_a_coin_flip() -> None:
    model = BehaviouralModel(precision=0.0)
    assert {model.judge(game, c).cooperate for game in KNOWN_GAMES.values() for c in range(5)} == {0.5}


def test_a_selfish_precise_player_plays_the_dominant_action() -> None:
    model = BehaviouralModel(precision=500.0, alpha=(0.0,), belief=(0.5,))
    assert model.judge(PD, 0).cooperate < 1e-6
    assert model.judge(KNOWN_GAMES["harmony"], 0).cooperate > 1 - 1e-6


def test_public_goods_depend_on_the_marginal_return_alone() -> None:
    """In the linear game a contribution changes own points by share - endowment and the points of the others by
    share."""
    game = PublicGoods(n_players=4, endowment=6, multiplier=2)  # share of one contribution: 3
    model = BehaviouralModel(precision=1.0, alpha=(0.4,), belief=(0.9,))
    spread = 6 + 3 * 3 - 3  # best own points: free ride on three; worst: contribute alone
    expected = 1 / (1 + exp(-((3 - 6) + 0.4 * 3) / spread))
    assert model.judge(game, 0).cooperate == pytest.approx(expected)


def test_closeness_makes_people_cooperate_where_it_helps_the_other() -> None:
    for name in ("prisoners_dilemma", "stag_hunt", "harmony"):
        rates = [BehaviouralModel().judge(KNOWN_GAMES[name], closeness).cooperate for closeness in range(5)]
        assert rates == sorted(rates)


def test_reciprocity_answers_cooperation_with_cooperation() -> None:
    model = BehaviouralModel()
    kind, unkind = (model.judge(PD, 2, ((0, action),)).cooperate for action in (0, 1))
    assert kind > model.judge(PD, 2).cooperate > unkind


@pytest.mark.parametrize(
    ("closeness", "history", "action", "game", "reason"),
    [
        (4, (), 0, "prisoners_dilemma", "care"),
        (1, (), 1, "prisoners_dilemma", "gain"),
        (0, (), 1, "harmony", "spite"),
        (3, (), 0, "stag_hunt", "care"),
        (2, ((0, 1),), 1, "stag_hunt", "reciprocity"),
        (2, (), 1, "harmony", "whim"),
    ],
)
def test_the_motive_is_the_largest_contribution_to_the_choice(closeness, history, action, game, reason) -> None:
    game = KNOWN_GAMES[game]
    assert motive(BehaviouralModel().judge(game, closeness, history), action, game) == reason
