"""Strategies of Axelrod-Python play here as they play there, and agents play there as they play here."""

import json
import math
import pickle
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Agent, Decision, Player, Turn
from dilemmas.agents.axelrod.bridge import AxelrodAgent, axelrod_agent, axelrod_player, native, player_seed
from dilemmas.agents.axelrod.names import axelrod_library
from dilemmas.agents.matches.match import AgentError, run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import STRATEGIES, strategy
from dilemmas.agents.strategies.finite_state import StrategyError
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.stage_game import Joint
from dilemmas.envs.names import UnknownNameError
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.protocol import View
from dilemmas.experiments.commands.replay import command
from dilemmas.experiments.tournaments.run_folder import play_tournament
from dilemmas.experiments.tournaments.tournament import Settings, Tournament

SAMPLE = (
    "TitForTat",
    "Adaptive",
    "BackStabber",  # knows when the match ends
    "EvolvedLookerUp2_2_2",
    "FirstBySteinAndRapoport",
    "CycleHunter",
    "Gradual",
    "EvolvedFSM16",
    "OmegaTFT",
    "ContriteTitForTat",
    "FirstByShubik",
    "EvolvedANN",
    "MetaHunter",
    "DoubleResurrection",
    "APavlov2011",
    "Stalker",
    "Random(p=0.3)",
    "GTFT",
    "ZDExtort2",
    "FirstByJoss",
    "EvolvedHMM5",
    "RiskyQLearner",
    "Calculator",
    "BushMosteller",
    "MemoryDecay",
    "WorseAndWorse2",
)
"""Deterministic ones first; with a clock or without, with automata, counting, learning, and teams of other players."""


@pytest.fixture(scope="module")
def axl() -> Any:
    pytest.importorskip("axelrod")
    return axelrod_library()


def matches(
    agents: Sequence[Agent], rounds: int, number: int = 1, game: str = "prisoners_dilemma", **options: Any
) -> Any:
    made = {"memory": None, **options}
    return list(run_matches(lambda: parallel(game, rounds=rounds, **made), list(agents), number, seed=5))


def played(record: MatchRecord) -> list[tuple[int, ...]]:
    return [tuple(move.played for move in moves) for moves in record.steps]


@dataclass
class Dealt:
    """Chance in a match of Axelrod, as it fell in a recorded one."""

    seeds: Iterator[int]
    trembles: Iterator[bool]

    def random_seed_int(self) -> int:
        return next(self.seeds)

    def random_flip(self, action: Any, noise: float) -> Any:
        return action.flip() if next(self.trembles) else action


def in_axelrod(axl: Any, agents: Sequence[AxelrodAgent], record: MatchRecord, **settings: Any) -> list[tuple[int, int]]:
    """The same match by Axelrod's Match, with the seeds and trembles of the recorded one."""
    match = axl.Match([agent.player.clone() for agent in agents], turns=len(record.steps), **settings)
    seeds = [player_seed((record.seed, seat)) for seat, agent in enumerate(agents) if not agent.deterministic]
    trembles = [move.decision.action != move.played for moves in record.steps for move in moves]
    match._random = Dealt(iter(seeds), iter(trembles))
    return [(one.value, other.value) for one, other in match.play()]


def asked(agent: Agent, history: tuple[Joint, ...], key: tuple[int, int] = (7, 0), **known: Any) -> Decision:
    """What an agent decides after a history of the prisoner's dilemma, own action first."""
    view = View(stage_game("prisoners_dilemma"), key[1], len(history), history, **known)
    turn = Turn("player_0", None, {"view": view}, Discrete(2), np.random.default_rng(0), key)
    return agent.decide([turn])[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("EvolvedLookerUp2_2_2", "EvolvedLookerUp2_2_2"),
        ("Tit For Tat", "TitForTat"),
        ("tit_for_tat", "TitForTat"),
        ("N Tit(s) For M Tat(s)", "NTitsForMTats"),
        ("N Tit(s) For M Tat(s): 4, 2", "NTitsForMTats(N=4, M=2)"),
        ("Random: 0.3", "Random(p=0.3)"),
        ("Random(0.3)", "Random(p=0.3)"),
        ("Soft Go By Majority: 10", "GoByMajority10"),
        ("Retaliate2", "Retaliate2"),
        ("Retaliate(2)", "Retaliate(retaliation_threshold=2)"),
        ("Retaliate: 2", "Retaliate(retaliation_threshold=2)"),
        ("Grumpy: Grumpy, 5, -5", "Grumpy(starting_state='Grumpy', grumpy_threshold=5, nice_threshold=-5)"),
        ("Cycler(cycle='CDD')", "Cycler(cycle='CDD')"),
        ("Handshake([C, D, D])", "Handshake(initial_plays=[C, D, D])"),
        ("MemoryOnePlayer((1, 0, 1, 0), D)", "MemoryOnePlayer(four_vector=(1, 0, 1, 0), initial=D)"),
    ],
)
def test_names(axl: Any, written: str, meant: str) -> None:
    agent = axelrod_agent(written)
    assert (agent.name, agent.text) == (f"axelrod:{meant}", meant)
    again = pickle.loads(pickle.dumps(agent))
    assert again == agent
    assert again.player == agent.player


def test_parameters_may_be_given_apart(axl: Any) -> None:
    assert axelrod_agent("Random", p=0.3) == axelrod_agent("Random(p=0.3)")
    assert axelrod_agent("Random(p=0.3)").player == axl.Random(0.3)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("TitForTatt", "'TitForTatt'; did you mean 'TitForTat'"),
        ("Randm(p=0.3)", "'Randm'; did you mean 'Random'"),
        ("zzzzz", "axelrod.all_strategies has them all"),
        ("Random(q=0.3)", "unknown parameter 'q' in Axelrod's Random; known: p"),
        ("TitForTat(3)", "TitForTat takes no parameters; got 1 values"),
        ("Random(p=open('secret'))", "needs plain values"),
        ("Random(0.3", "needs plain values"),
        ("Random(0.3)(0.4)", "needs plain values"),
        ("Meta Player: 3 players", r"nothing 'Meta Player: 3 players'; write MetaPlayer\(team=...\)"),
        ("FSMPlayer(initial_state=3)", r"FSMPlayer\(initial_state=3\): ValueError"),
        ("Darwin", "Darwin inspects source: it needs its opponent itself"),
    ],
)
def test_names_refused(axl: Any, written: str, said: str) -> None:
    with pytest.raises((UnknownNameError, StrategyError), match=said):
        axelrod_agent(written)


def test_without_axelrod_the_message_tells_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "axelrod", None)
    axelrod_library.cache_clear()
    with pytest.raises(StrategyError, match=r'pip install "dilemmas\[axelrod\]"'):
        axelrod_agent("TitForTat")
    axelrod_library.cache_clear()


@pytest.mark.parametrize(
    ("options", "points"),
    [
        ({"clock": True}, {}),
        ({"noise": 0.1}, {}),
        ({"clock": True, "noise": 0.05}, {"T": 7, "R": 5, "P": 2, "S": 1}),
    ],
)
def test_matches_are_those_of_axelrod(axl: Any, options: dict[str, Any], points: dict[str, float]) -> None:
    noise, rounds = options.get("noise", 0.0), 40
    theirs = axl.Game(**{symbol.lower(): value for symbol, value in points.items()})
    length = rounds if "clock" in options else math.inf
    settings = {"noise": noise, "match_attributes": {"length": length, "game": theirs, "noise": noise}}
    agents = [axelrod_agent(name) for name in SAMPLE]
    assert [agent.deterministic for agent in agents] == [True] * 15 + [False] * 11
    for pair in pairwise([*agents, agents[0]]):
        (record,) = matches(pair, rounds, **options, **points)
        assert played(record) == in_axelrod(axl, pair, record, **settings), [agent.name for agent in pair]


def test_the_known_length_and_the_payoffs_are_told_as_axelrods_match_tells_them(axl: Any) -> None:
    told: list[dict[str, Any]] = []

    class Told(axl.Player):
        name = "Told"

        def strategy(self, opponent: Any) -> Any:
            told.append(self.match_attributes)
            return axl.Action.C

    agents = [axelrod_agent(Told()), strategy("tit_for_tat")]
    matches(agents, 3, clock=True, noise=0.2)
    matches(agents, 3)
    matches(agents, 3, clock=True, continuation=0.9)
    assert told[0] == {"length": 3, "game": axl.DefaultGame, "noise": 0.2}
    assert {one["length"] for one in told[3:]} == {math.inf}
    assert agents[0].describe().kind == "axelrod_player"

    told.clear()
    inspection, told_by_seat = stage_game("inspection_game"), []
    for seat in range(2):
        matches([axelrod_agent(Told()), strategy("random")][:: 1 - 2 * seat], 1, game="inspection_game")
        told_by_seat.append(told.pop()["game"])
    for own, other in np.ndindex(2, 2):
        assert told_by_seat[0].score((own, other)) == inspection.payoffs((own, other))
        assert told_by_seat[1].score((own, other)) == inspection.payoffs((other, own))[::-1]


def test_chance_is_as_stated(axl: Any) -> None:
    records = matches([axelrod_agent("Random(p=0.3)"), axelrod_agent("Defector")], 10, 200)
    actions = np.array([played(record) for record in records])[:, :, 0]
    assert abs((actions == 0).mean() - 0.3) < 4 * math.sqrt(0.21 / actions.size)
    records = matches([axelrod_agent("GTFT"), axelrod_agent("Defector")], 10, 200)
    later = np.array([played(record) for record in records])[:, 1:, 0]
    assert abs((later == 0).mean() - 0.33) < 4 * math.sqrt(0.33 * 0.67 / later.size)


def test_asked_in_any_order_it_answers_the_same(axl: Any) -> None:
    rng = np.random.default_rng(3)
    rounds = tuple(map(tuple, rng.integers(0, 2, (12, 2)).tolist()))
    altered = tuple((1 - own, 1 - other) for own, other in rounds[:5]) + rounds[5:]
    for name in ("Gradual", "EvolvedHMM5", "Random(p=0.3)", "MetaHunter"):
        cases = [(history[:last], (9, seat)) for history in (rounds, altered) for last in range(13) for seat in (0, 1)]
        alone = [asked(axelrod_agent(name), *case).action for case in cases]
        agent = axelrod_agent(name)
        for number in rng.permutation(len(cases)):
            assert asked(agent, *cases[number]).action == alone[number]
            assert asked(agent, *cases[number]).action == alone[number]
        assert len(set(alone)) == 2
    agent = axelrod_agent("BackStabber")  # defects in the last two rounds, where it knows which they are
    answers = [asked(agent, ((0, 0),) * 8, rounds=rounds).action for rounds in (10, 11, None, 10)]
    assert answers == [1, 0, 0, 1]


def test_nothing_is_gone_through_twice_in_ordinary_play(axl: Any) -> None:
    class Counting(axl.Player):
        name = "Counting"
        asked = 0

        def strategy(self, opponent: Any) -> Any:
            type(self).asked += 1
            return axl.Action(len(self.history) % 2)

    agent = axelrod_agent(Counting())
    matches([agent, agent], 20, 100)
    assert Counting.asked == 2 * 20 * 100


@pytest.mark.parametrize(
    ("game", "options", "said"),
    [
        ("rock_paper_scissors", {"memory": None}, "has 2 players and 3 x 3 actions"),
        ("public_goods", {"memory": None, "n_players": 3}, "has 3 players"),
        ("population", {"memory": None, "n_players": 16}, "has 16 players"),
        ("prisoners_dilemma", {"memory": 1}, "1 of 2 rounds: set memory to None"),
    ],
)
def test_matches_refused(axl: Any, game: str, options: dict[str, Any], said: str) -> None:
    players = len(parallel(game, rounds=3, **options).possible_agents)
    with pytest.raises(AgentError, match=said):
        matches([axelrod_agent("TitForTat")] * players, 3, game=game, **options)


def test_games_that_a_strategy_cannot_play_are_named(axl: Any) -> None:
    with pytest.raises(AgentError, match=r"axelrod:ZDExtort2 cannot play .*'snowdrift'.*ValueError"):
        matches([axelrod_agent("ZDExtort2")] * 2, 3, game="snowdrift")


def test_other_phases_are_idle(axl: Any) -> None:
    (record,) = matches([axelrod_agent("TitForTat")] * 2, 2, talk=1, punishment=(1, 3))
    assert [tuple(move.decision.action for move in moves) for moves in record.steps] == [(0, 0)] * 6


def replay(path: Path, agents: Sequence[Any], players: Sequence[Player]) -> Any:
    """What the command makes of three matches of the agents in a file that says the players were others."""
    options: dict[str, Any] = {"rounds": 8, "memory": 8, "noise": 0.1}
    with TrajectoryWriter(path, Header("dilemmas/prisoners_dilemma-v0", tuple(players), 5, options)) as writer:
        for record in matches(agents, number=3, **options):
            writer.write(record)
    done = CliRunner().invoke(command, [str(path), "--json"], standalone_mode=False)
    return json.loads(done.stdout)


def test_a_record_comes_out_again(axl: Any, tmp_path: Path) -> None:
    agents = [axelrod_agent("EvolvedHMM5"), axelrod_agent("Handshake([C, D])")]
    players = [agent.describe() for agent in agents]
    found = replay(tmp_path / "one.trajectory.jsonl", agents, players)
    assert (found["matches"], found["differences"], found["not_asked"]) == (3, [], [])
    found = replay(tmp_path / "other.trajectory.jsonl", agents, [players[0], axelrod_agent("Defector").describe()])
    assert {one["field"] for one in found["differences"]} >= {"action"}


def test_to_axelrod_and_back_is_the_same_strategy(axl: Any) -> None:
    for entry in STRATEGIES:
        here = entry.strategy
        there = axelrod_agent(axelrod_player(here))
        assert there.deterministic == here.deterministic
        if here.deterministic:
            one, other = ([agent, strategy("random")] for agent in (here, there))
            assert played(*matches(one, 16, noise=0.1)) == played(*matches(other, 16, noise=0.1)), entry.name


@pytest.mark.parametrize("cls", ["TitForTat", "Grudger", "WinStayLoseShift", "TitFor2Tats", "FirstByNydegger"])
def test_a_native_twin_in_axelrods_match_plays_as_axelrods_own(axl: Any, cls: str) -> None:
    twin = native(cls)
    assert twin is not None
    for opponent in (axl.Random(0.6), axl.Adaptive(), axl.Prober()):
        ours = axl.Match((axelrod_player(twin), opponent), turns=50, noise=0.05, seed=4).play()
        theirs = axl.Match((getattr(axl, cls)(), opponent), turns=50, noise=0.05, seed=4).play()
        assert ours == theirs


def test_native_twins() -> None:
    assert native("Tit For Tat") == native("TitForTat") == strategy("tit_for_tat")
    assert native("EvolvedANN") is None
    assert native("Random(p=0.3)") is None


def test_a_player_is_a_good_player_of_axelrod(axl: Any) -> None:
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


def test_tournaments_of_axelrod_follow_from_their_seed(axl: Any) -> None:
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


def test_every_round_in_axelrods_matches_has_chances_of_its_own(axl: Any) -> None:
    match = axl.Match((axelrod_player(strategy("random")), axl.Defector()), turns=200, seed=1)
    own = [action.value for action, _ in match.play()]
    assert abs(sum(own) - 100) < 4 * math.sqrt(50)


@dataclass
class Probe:
    """Alternates, and remembers what it was shown."""

    name: str = "probe"
    views: list[View] = field(default_factory=list)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        self.views += [turn.info["view"] for turn in turns]
        return [Decision(turn.info["view"].round % 2) for turn in turns]


def test_what_an_agent_is_told_in_axelrods_matches(axl: Any) -> None:
    probe, game = Probe(), axl.Game(r=4, s=-1, t=6, p=2)
    axl.Match((axl.Defector(), axelrod_player(probe)), turns=3, game=game, seed=1).play()
    assert [view.history for view in probe.views] == [(), ((0, 1),), ((0, 1), (1, 1))]
    told = probe.views[-1]
    assert (told.round, told.rounds, told.phase) == (2, 3, "act")
    assert [told.game.payoffs(joint) for joint in ((0, 0), (0, 1), (1, 0), (1, 1))] == [
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
    with pytest.raises(StrategyError, match="no action can be read in 'perhaps'"):
        axl.Match((axelrod_player(model(0.5, ask="sampled")), axl.Alternator()), turns=1, seed=1).play()


@pytest.mark.slow
def test_every_strategy_of_axelrod_plays_as_it_plays_there(axl: Any) -> None:
    wrong = []
    for cls in axl.strategies:
        for opponent in ("TitForTat", "Random"):
            pair = [axelrod_agent(cls.__name__), axelrod_agent(opponent)]
            (record,) = matches(pair, 20, clock=True)
            if played(record) != in_axelrod(axl, pair, record):
                wrong.append((cls.__name__, opponent))
    assert wrong == []
    assert len(axl.strategies) > 230


def test_a_tournament_takes_them_and_plays_as_axelrod_does(axl: Any) -> None:
    agents = ("tit_for_tat", "axelrod:Adaptive", "axelrod:Grudger")
    table = play_tournament(Tournament(Settings("prisoners_dilemma", agents, {"rounds": 30}, repetitions=1)))
    theirs = [axl.TitForTat(), axl.Adaptive(), axl.Grudger()]
    for row, one in enumerate(theirs):
        for column, other in enumerate(theirs):
            match = axl.Match((one.clone(), other.clone()), turns=30)
            match.play()
            assert table.payoffs[row, column] == pytest.approx(match.final_score_per_turn()[0])
