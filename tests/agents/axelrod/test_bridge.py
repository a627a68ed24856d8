"""Strategies of Axelrod-Python as agents play as they do in Axelrod-Python."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axelrod_matches import matches, played
from click.testing import CliRunner
from gymnasium.spaces import Discrete

from dilemmas.agents.agent import Agent, Decision, PlayerRecord, Turn
from dilemmas.agents.axelrod.bridge import AxelrodAgent, axelrod_agent, player_seed
from dilemmas.agents.matches.match import AgentError
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.stage_game import Joint
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
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
"""Deterministic ones first; with and without a clock, automata, counting, learning, and teams of other players."""


@dataclass
class Dealt:
    """Random numbers of a match of Axelrod-Python, those of a recorded match."""

    seeds: Iterator[int]
    trembles: Iterator[bool]

    def random_seed_int(self) -> int:
        return next(self.seeds)

    def random_flip(self, action: Any, noise: float) -> Any:
        return action.flip() if next(self.trembles) else action


def in_axelrod(axl: Any, agents: Sequence[AxelrodAgent], record: MatchRecord, **settings: Any) -> list[tuple[int, int]]:
    """The same match by Axelrod's Match, with the seeds and the noise of the recorded one."""
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


def test_players_know_the_length_and_the_payoffs_as_in_axelrods_match(axl: Any) -> None:
    found: list[dict[str, Any]] = []

    class Told(axl.Player):
        name = "Told"

        def strategy(self, opponent: Any) -> Any:
            found.append(self.match_attributes)
            return axl.Action.C

    agents = [axelrod_agent(Told()), strategy("tit_for_tat")]
    matches(agents, 3, clock=True, noise=0.2)
    matches(agents, 3)
    matches(agents, 3, clock=True, continuation=0.9)
    assert found[0] == {"length": 3, "game": axl.DefaultGame, "noise": 0.2}
    assert {one["length"] for one in found[3:]} == {math.inf}
    assert agents[0].describe().kind == "axelrod_player"

    found.clear()
    inspection, told_by_seat = stage_game("inspection_game"), []
    for seat in range(2):
        matches([axelrod_agent(Told()), strategy("random")][:: 1 - 2 * seat], 1, game="inspection_game")
        told_by_seat.append(found.pop()["game"])
    for own, other in np.ndindex(2, 2):
        assert told_by_seat[0].score((own, other)) == inspection.payoffs((own, other))
        assert told_by_seat[1].score((own, other)) == inspection.payoffs((other, own))[::-1]


def test_frequencies_are_as_stated(axl: Any) -> None:
    records = matches([axelrod_agent("Random(p=0.3)"), axelrod_agent("Defector")], 10, 200)
    actions = np.array([played(record) for record in records])[:, :, 0]
    assert abs((actions == 0).mean() - 0.3) < 4 * math.sqrt(0.21 / actions.size)
    records = matches([axelrod_agent("GTFT"), axelrod_agent("Defector")], 10, 200)
    later = np.array([played(record) for record in records])[:, 1:, 0]
    assert abs((later == 0).mean() - 0.33) < 4 * math.sqrt(0.33 * 0.67 / later.size)


def test_decisions_do_not_depend_on_the_order_of_calls(axl: Any) -> None:
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


def test_no_history_is_replayed_in_ordinary_play(axl: Any) -> None:
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
        ("travelers_dilemma", {"memory": None}, "has 2 players and 99 x 99 actions"),
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


def replay(path: Path, agents: Sequence[Any], players: Sequence[PlayerRecord]) -> Any:
    """The result of `replay` for three matches of agents, with other players in the header of the file."""
    options: dict[str, Any] = {"rounds": 8, "memory": 8, "noise": 0.1}
    with TrajectoryWriter(path, Header("dilemmas/prisoners_dilemma-v0", tuple(players), 5, options)) as writer:
        for record in matches(agents, number=3, **options):
            writer.write(record)
    done = CliRunner().invoke(command, [str(path), "--json"], standalone_mode=False)
    return json.loads(done.stdout)


def test_a_record_is_reproduced(axl: Any, tmp_path: Path) -> None:
    agents = [axelrod_agent("EvolvedHMM5"), axelrod_agent("Handshake([C, D])")]
    players = [agent.describe() for agent in agents]
    found = replay(tmp_path / "one.trajectory.jsonl", agents, players)
    assert (found["matches"], found["differences"], found["not_asked"]) == (3, [], [])
    found = replay(tmp_path / "other.trajectory.jsonl", agents, [players[0], axelrod_agent("Defector").describe()])
    assert {one["field"] for one in found["differences"]} >= {"action"}


@pytest.mark.slow
def test_every_strategy_of_axelrod_plays_as_in_axelrod(axl: Any) -> None:
    wrong = []
    for cls in axl.strategies:
        for opponent in ("TitForTat", "Random"):
            pair = [axelrod_agent(cls.__name__), axelrod_agent(opponent)]
            (record,) = matches(pair, 20, clock=True)
            if played(record) != in_axelrod(axl, pair, record):
                wrong.append((cls.__name__, opponent))
    assert wrong == []
    assert len(axl.strategies) > 230


def test_a_tournament_agrees_with_axelrod(axl: Any) -> None:
    agents = ("tit_for_tat", "axelrod:Adaptive", "axelrod:Grudger")
    table = play_tournament(Tournament(Settings("prisoners_dilemma", agents, {"rounds": 30}, repetitions=1)))
    theirs = [axl.TitForTat(), axl.Adaptive(), axl.Grudger()]
    for row, one in enumerate(theirs):
        for column, other in enumerate(theirs):
            match = axl.Match((one.clone(), other.clone()), turns=30)
            match.play()
            assert table.payoffs[row, column] == pytest.approx(match.final_score_per_turn()[0])
