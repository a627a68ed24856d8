"""Agents as players in the matches, tournaments and Moran processes of Axelrod-Python."""

import math
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from axelrod_matches import matches, played

from dilemmas.agents.agent import Decision, PlayerRecord, Traits, Turn
from dilemmas.agents.axelrod.bridge import axelrod_agent, axelrod_player, native_strategy
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import STRATEGIES, strategy
from dilemmas.agents.strategies.finite_state import StrategyError
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.protocol import View


def test_the_bridge_in_both_directions_is_the_same_strategy(axl: Any) -> None:
    for entry in STRATEGIES:
        here = entry.strategy
        there = axelrod_agent(axelrod_player(here))
        assert there.deterministic == here.deterministic
        if here.deterministic:
            one, other = ([agent, strategy("random")] for agent in (here, there))
            assert played(*matches(one, 16, noise=0.1)) == played(*matches(other, 16, noise=0.1)), entry.name


@pytest.mark.parametrize("cls", ["TitForTat", "Grudger", "WinStayLoseShift", "TitFor2Tats", "FirstByNydegger"])
def test_a_native_strategy_plays_in_axelrods_match_as_axelrods_own(axl: Any, cls: str) -> None:
    twin = native_strategy(cls)
    assert twin is not None
    for opponent in (axl.Random(0.6), axl.Adaptive(), axl.Prober()):
        ours = axl.Match((axelrod_player(twin), opponent), turns=50, noise=0.05, seed=4).play()
        theirs = axl.Match((getattr(axl, cls)(), opponent), turns=50, noise=0.05, seed=4).play()
        assert ours == theirs


def test_native_strategies() -> None:
    assert native_strategy("Tit For Tat") == native_strategy("TitForTat") == strategy("tit_for_tat")
    assert native_strategy("EvolvedANN") is None
    assert native_strategy("Random(p=0.3)") is None


def test_players_can_be_cloned_reset_and_pickled(axl: Any) -> None:
    player = axelrod_player(strategy("gtft"), name="ours")
    fresh = player.clone()
    assert (str(player), player.name, player) == ("ours", "ours", fresh)
    axl.Match((player, axl.Alternator()), turns=5, seed=1).play()
    assert player != fresh
    assert pickle.loads(pickle.dumps(player)) == player
    player.reset()
    assert player == fresh
    assert player.clone() == fresh
    assert player != axelrod_player(strategy("tit_for_tat"), name="ours")


@pytest.mark.parametrize(
    ("name", "stochastic", "depth"),
    [("tit_for_tat", False, 1), ("gtft", True, 1), ("always_defect", False, 0), ("grim", False, math.inf)],
)
def test_classifiers(axl: Any, name: str, stochastic: bool, depth: float) -> None:
    agent = strategy(name)
    for player in (axelrod_player(agent), axelrod_player(axelrod_agent(axelrod_player(agent)))):
        assert axl.Classifiers["stochastic"](player) == stochastic
        assert axl.Classifiers["memory_depth"](player) == depth
        assert axl.Classifiers.obey_axelrod(player)
        assert not axl.Classifiers["long_run_time"](player)


def test_tournaments_of_axelrod_are_reproducible(axl: Any) -> None:
    def ranking(seed: int) -> Any:
        agents = [strategy("gtft"), strategy("random"), axelrod_agent("Adaptive"), strategy("tit_for_tat")]
        players = [*map(axelrod_player, agents), axl.TitForTat(), axl.Defector()]
        results = axl.Tournament(players, turns=10, repetitions=3, seed=seed).play(progress_bar=False)
        return results.scores

    first = ranking(1)
    assert first == ranking(1) != ranking(2)
    assert first[3] != first[5]


def test_a_moran_process_of_axelrod_ends_with_one_kind(axl: Any) -> None:
    players = [axelrod_player(strategy("tit_for_tat"))] * 3 + [axl.Cooperator()]
    process = axl.MoranProcess([player.clone() for player in players], turns=5, seed=1)
    process.play()
    assert process.winning_strategy_name in ("tit_for_tat", "Cooperator")


def test_every_round_in_axelrods_matches_has_its_own_random_numbers(axl: Any) -> None:
    match = axl.Match((axelrod_player(strategy("random")), axl.Defector()), turns=200, seed=1)
    own = [action.value for action, _ in match.play()]
    assert abs(sum(own) - 100) < 4 * math.sqrt(50)


@dataclass
class Probe:
    """Alternates and records what it is shown."""

    name: str = "probe"
    views: list[View] = field(default_factory=list)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        self.views += [turn.info["view"] for turn in turns]
        return [Decision(turn.info["view"].round % 2) for turn in turns]

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:

        return PlayerRecord(self.name, "scripted")


def test_the_view_of_an_agent_in_axelrods_matches(axl: Any) -> None:
    probe, game = Probe(), axl.Game(r=4, s=-1, t=6, p=2)
    axl.Match((axl.Defector(), axelrod_player(probe)), turns=3, game=game, seed=1).play()
    assert [view.history for view in probe.views] == [(), ((0, 1),), ((0, 1), (1, 1))]
    found = probe.views[-1]
    assert (found.round, found.rounds, found.phase) == (2, 3, "act")
    assert [found.game.payoffs(joint) for joint in ((0, 0), (0, 1), (1, 0), (1, 1))] == [
        (4, 4),
        (-1, 6),
        (6, -1),
        (2, 2),
    ]
    axl.Match((axelrod_player(probe), axl.Defector()), turns=3, prob_end=0.01, noise=0.5, seed=1).play()
    assert probe.views[-1].rounds is None
    assert probe.views[-1].rules.noise == 0.5  # type: ignore[union-attr]
    own = axelrod_player(probe, stage_game("stag_hunt"), noise=0.0)
    axl.Match((own, axl.Defector()), turns=1, noise=0.5, seed=1).play()
    assert probe.views[-1].game == stage_game("stag_hunt")
    assert probe.views[-1].rules.noise == 0.0  # type: ignore[union-attr]
    asymmetric = axl.AsymmetricGame(np.array([[3, 0], [5, 1]]), np.array([[2, 0], [5, 1]]))
    with pytest.raises(StrategyError, match="give axelrod_player the game"):
        axl.Match((axelrod_player(probe), axl.Defector()), turns=1, game=asymmetric).play()


def model(chance: float, **settings: Any) -> LanguageModelAgent:
    """A model that chooses its first label with a fixed probability."""

    def answer(request: Request) -> Response:
        return Response((math.log(chance), math.log(1 - chance)), "perhaps")

    return LanguageModelAgent(FakeBackend(answer, "little"), context("team"), load_template("study"), **settings)


def test_language_models_and_tables_in_axelrods_matches(axl: Any) -> None:
    def game(seed: int) -> Any:
        return axl.Match((axelrod_player(model(0.5)), axl.Alternator()), turns=30, seed=seed).play()

    assert game(1) == game(1) != game(2)
    assert axl.Classifiers["long_run_time"](axelrod_player(model(0.5)))
    table = compile_agent(strategy("tit_for_tat"), stage_game("prisoners_dilemma"), 1)
    ours = axl.Match((axelrod_player(table), axl.Alternator()), turns=9).play()
    assert ours == axl.Match((axl.TitForTat(), axl.Alternator()), turns=9).play()
    with pytest.raises(StrategyError, match="the reply 'perhaps' is unreadable"):
        axl.Match((axelrod_player(model(0.5, ask="sampled")), axl.Alternator()), turns=1, seed=1).play()
