"""The behavioural model follows its own statement, alone and as an agent."""

from collections import Counter
from math import exp

import pytest

from dilemmas.agents.behaviour.quantal_response import BehaviouralModel, BehaviourError, QuantalResponse, closeness
from dilemmas.agents.roster import Framing, make_agent
from dilemmas.agents.tables.compilation import compile_agent, view_turn
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.prompts.contexts import built_in_contexts, stock_contexts
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES
from dilemmas.envs.rules.protocol import View

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


def test_every_context_has_a_degree_and_each_degree_as_many_contexts_of_the_stock() -> None:
    assert set(closeness()) == {*built_in_contexts(), *stock_contexts()}
    degrees = Counter(closeness()[name] for name in stock_contexts())
    assert set(degrees) == set(range(5))
    assert len(set(degrees.values())) == 1


@pytest.mark.parametrize("name", ["ceasefire", "friends", "bus"])
def test_the_agent_decides_as_the_model_at_the_closeness_of_its_context(name) -> None:
    agent = make_agent("quantal_response", framing=Framing(context=name)) if name != "bus" else QuantalResponse(name)
    for history in ((), ((0, 1),), ((1, 0), (1, 1))):
        (found,) = agent.policy([view_turn(View(PD, 0, len(history), history), 0)])
        assert found.probabilities[0] == BehaviouralModel().judge(PD, closeness()[name], history).cooperate
        assert sum(found.probabilities) == pytest.approx(1)


def test_the_agent_draws_from_its_probabilities() -> None:
    agent = QuantalResponse("team")
    turns = [view_turn(View(PD, 0, 0, ()), number) for number in range(4000)]
    share = sum(decision.action == 0 for decision in agent.decide(turns)) / 4000
    assert share == pytest.approx(BehaviouralModel().judge(PD, closeness()["team"]).cooperate, abs=0.03)


def test_it_is_compiled_to_a_table_of_all_histories_of_one_round() -> None:
    table = compile_agent(QuantalResponse("friends"), PD, 1)
    assert table.probabilities.shape == (5, 2)


@pytest.mark.parametrize(
    ("name", "options"), [("matching_pennies", {}), ("rock_paper_scissors", {}), ("public_goods", {"levels": 5})]
)
def test_games_in_which_it_does_not_decide_are_refused(name, options) -> None:
    with pytest.raises(BehaviourError, match="symmetric games with two actions"):
        QuantalResponse("team").policy([view_turn(View(stage_game(name, **options), 0, 0, ()), 0)])


def test_a_context_without_a_degree_is_refused() -> None:
    with pytest.raises(BehaviourError, match="pub"):
        QuantalResponse("pub")
