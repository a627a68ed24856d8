"""Matches are the same in any batch; errors name the match, round and player; endings have a reason."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box
from hypothesis import given, settings
from hypothesis import strategies as st
from pettingzoo import ParallelEnv

from dilemmas.agents.agent import Agent, Decision, PlayerRecord, Source, Traits, Turn, Unreadable
from dilemmas.agents.matches.match import (
    AgentError,
    MatchError,
    decision_stream,
    environment_seed,
    finished,
    run_matches,
)
from dilemmas.agents.matches.record import MatchRecord, Reason, RecordError, json_value
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.games.matrix_games import DEFAULTS, Action
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma, parallel

C, D = Action.C, Action.D


def noisy() -> SocialDilemma:
    """An environment with noise and a random number of rounds."""
    return parallel("prisoners_dilemma", continuation=0.8, noise=0.2)


def noisy_matches(matches: int, first_match: int = 0, seed: int = 5) -> list[MatchRecord]:
    return list(run_matches(noisy, [strategy("gtft"), strategy("random")], matches, seed, first_match))


@dataclass
class Scripted:
    """An agent that decides by a function of the turn and records its calls."""

    answer: Any
    name: str = "scripted"
    batches: list[int] = field(default_factory=list)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        self.batches.append(len(turns))
        return [self.answer(turn) for turn in turns]

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:

        return PlayerRecord(self.name, "scripted")


def always(action: Any) -> Scripted:
    return Scripted(lambda turn: Decision(action))


def test_payoffs_and_totals_are_those_of_the_game() -> None:
    make = lambda: parallel("prisoners_dilemma", rounds=3)  # noqa: E731
    (match,) = run_matches(make, {"player_0": strategy("tft"), "player_1": strategy("alld")}, 1, seed=0)
    game = DEFAULTS["prisoners_dilemma"]
    rewards = [tuple(move.reward for move in step) for step in match.steps]
    assert rewards == [(game.S, game.T), (game.P, game.P), (game.P, game.P)]
    assert match.outcome.totals == {"player_0": game.S + 2 * game.P, "player_1": game.T + 2 * game.P}
    assert match.outcome.rounds == 3


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 2**40))
def test_a_match_is_the_same_in_any_batch(batches: list[int], seed: int) -> None:
    together = noisy_matches(sum(batches), seed=seed)
    apart = [match for i, n in enumerate(batches) for match in noisy_matches(n, sum(batches[:i]), seed)]
    assert apart == together
    assert len({match.outcome.rounds for match in noisy_matches(30, seed=seed)}) > 1  # lengths differ


def test_matches_and_seeds_differ() -> None:
    actions = {str([[m.played for m in step] for step in match.steps]) for match in noisy_matches(30)}
    assert len(actions) > 15
    assert noisy_matches(3, seed=1) != noisy_matches(3, seed=2)


def test_every_stream_is_different() -> None:
    keys = [(match, step, player) for match in range(5) for step in range(1, 6) for player in range(3)]
    first = {decision_stream(0, *key).random() for key in keys} | {decision_stream(1, *k).random() for k in keys}
    assert len(first) == 2 * len(keys)
    assert len({environment_seed(seed, match) for seed in range(20) for match in range(20)}) == 400


def test_each_agent_is_asked_once_per_step_for_all_matches() -> None:
    both, make = always(C), lambda: parallel("prisoners_dilemma", rounds=3)
    list(run_matches(make, [both, both], 7, seed=0))
    assert both.batches == [14, 14, 14]
    left, right = always(C), always(D)
    list(run_matches(make, [left, right], 7, seed=0))
    assert left.batches == right.batches == [7, 7, 7]


def test_finished_matches_are_yielded_in_order_of_their_numbers() -> None:
    assert [match.match for match in noisy_matches(20, first_match=7)] == list(range(7, 27))


def test_noise_is_recorded_in_the_action_played() -> None:
    moves = [move for match in noisy_matches(200) for step in match.steps for move in step]
    trembled = sum(move.played != move.decision.action for move in moves) / len(moves)
    assert trembled == pytest.approx(0.2, abs=4 * (0.2 * 0.8 / len(moves)) ** 0.5)


@pytest.mark.parametrize(
    ("options", "reason"), [({"rounds": 4}, Reason.TERMINATED), ({"max_cycles": 4}, Reason.TRUNCATED)]
)
def test_rules_terminate_and_clocks_truncate(options: dict[str, int], reason: Reason) -> None:
    (match,) = run_matches(lambda: parallel("stag_hunt", **options), [always(C), always(C)], 1, seed=0)
    assert (match.outcome.reason, match.outcome.rounds) == (reason, 4)
    ends = [(move.terminated, move.truncated) for step in match.steps for move in step]
    last = (reason is Reason.TERMINATED, reason is Reason.TRUNCATED)
    assert ends == [(False, False)] * 6 + [last] * 2


def test_an_unreadable_reply_aborts_its_match_and_no_other() -> None:
    def answer(turn: Turn) -> Decision:
        if turn.info["view"].round == 2 and turn.rng.random() < 0.5:
            return Decision(None, (0.5, 0.5), Source.SAMPLED, reply="[C]?", unreadable=Unreadable.ABORT, attempts=3)
        return Decision(0)

    make = lambda: parallel("prisoners_dilemma", rounds=5)  # noqa: E731
    matches = list(run_matches(make, [Scripted(answer), always(D)], 40, seed=0))
    aborted = [match for match in matches if match.outcome.reason is Reason.ABORTED]
    assert 5 < len(aborted) < 35
    for match in aborted:
        assert (match.outcome.rounds, match.outcome.unreadable) == (2, {"player_0": 1, "player_1": 0})
        assert match.outcome.detail == "no action could be read in 3 replies of player_0"
        last, other = match.steps[2]
        assert (last.decision.reply, last.reward, other.decision.action) == ("[C]?", None, D)
        assert match.outcome.totals["player_1"] == 2 * DEFAULTS["prisoners_dilemma"].T
    assert {m.outcome.rounds for m in matches if m not in aborted} == {5}


def at_round_2_of_match_11(turn: Turn) -> bool:
    """Identifies the turn by its random numbers: only its stream begins with this number."""
    return turn.info["view"].round == 1 and turn.rng.random() == decision_stream(0, 11, 2, 1).random()


def crash(turn: Turn) -> Decision:
    if at_round_2_of_match_11(turn):
        raise ZeroDivisionError("no hope")
    return Decision(0)


def leave(turn: Turn) -> Decision:
    if at_round_2_of_match_11(turn):
        sys.exit("no licence")
    return Decision(0)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def crash_without_words(turn: Turn) -> Decision:
    if at_round_2_of_match_11(turn):
        raise Unspeakable
    return Decision(0)


WRONG_DECISIONS: list[tuple[Any, str]] = [
    (Decision(True), "ValueError: the action True is not in Discrete(2)"),
    (
        Decision(0, probabilities=(0.9, 0.9)),
        "ValueError: the probabilities (0.9, 0.9) are no distribution over 2 actions",
    ),
    (Decision(0, probabilities=(1.0,)), "ValueError: the probabilities (1.0,) are no distribution over 2 actions"),
    (Decision(0, probabilities=3), "TypeError: probabilities = 3 of type int cannot be recorded"),  # type: ignore[arg-type]
    (Decision(0, reply=b"C"), "TypeError: reply = b'C' of type bytes cannot be recorded"),  # type: ignore[arg-type]
    (Decision(0, motivation=5), "TypeError: motivation = 5 of type int cannot be recorded"),  # type: ignore[arg-type]
    (
        Decision(0, attempts=-3),
        "ValueError: source = <Source.RULE: 'rule'>, attempts = -3: needs a Source and a number of at least 0",
    ),
]


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (crash_without_words, "Unspeakable: an error that cannot be printed"),
        (crash, "ZeroDivisionError: no hope"),
        (leave, "SystemExit: no licence"),
        (
            lambda turn: Decision(2 if at_round_2_of_match_11(turn) else 0),
            "ValueError: the action 2 is not in Discrete(2)",
        ),
        (lambda turn: None if at_round_2_of_match_11(turn) else Decision(0), "TypeError: None is not a Decision"),
        (
            lambda turn: Decision(0, probabilities=(math.nan, 1.0) if at_round_2_of_match_11(turn) else None),
            "ValueError: probabilities, prediction, mass and margin (nan, 1.0, 0, 0) need numbers from 0 to 1",
        ),
        *(
            (lambda turn, bad=bad: bad if at_round_2_of_match_11(turn) else Decision(0), what)
            for bad, what in WRONG_DECISIONS
        ),
    ],
)
def test_a_failing_agent_ends_its_match_alone_and_is_recorded_with_its_cause(answer: Any, what: str) -> None:
    make = lambda: parallel("prisoners_dilemma", rounds=3)  # noqa: E731
    records = list(run_matches(make, [always(C), Scripted(answer)], 20, seed=0))
    assert [record.match for record in records] == list(range(20))
    (failed,) = (record for record in records if record.outcome.reason is Reason.FAILED)
    cause = f"agent scripted failed: {what}"
    assert (failed.match, failed.outcome.detail) == (11, f"player_1: {cause}")
    assert [move.decision.error for move in failed.steps[-1]] == [None, cause]
    assert [[move.reward for move in moves] for moves in failed.steps] == [[3, 3], [None, None]]
    assert failed.outcome.totals == {"player_0": 3, "player_1": 3}
    unharmed = list(run_matches(make, [always(C), always(C)], 20, seed=0))
    for record, twin in zip(records, unharmed, strict=True):
        if record is not failed:
            assert [[move.reward for move in moves] for moves in record.steps] == [[3, 3]] * 3
            assert record.seed == twin.seed
    rest = finished(records)
    assert [record.match for record in islice(rest, 19)] == [match for match in range(20) if match != 11]
    with pytest.raises(AgentError) as error:
        next(rest)
    assert str(error.value) == f"match 11, round 2, player_1: {cause}"


@dataclass
class Short:
    """Fails with more than `most` turns at once; answers `given` times, or once per turn."""

    most: int = 10**9
    given: int | None = None
    name: str = "short"
    asked: list[int] = field(default_factory=list)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        self.asked.append(len(turns))
        if len(turns) > self.most:
            raise MemoryError("too much")
        return [Decision(0)] * (len(turns) if self.given is None else self.given)

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:
        return PlayerRecord(self.name, "scripted")


def test_an_agent_that_fails_with_large_batches_is_asked_in_smaller_ones() -> None:
    agent = Short(most=3)
    make = lambda: parallel("stag_hunt", rounds=1)  # noqa: E731
    records = list(run_matches(make, [agent, always(C)], 10, seed=0))
    assert {record.outcome.reason for record in records} == {Reason.TERMINATED}
    assert agent.asked == [10, 5, 2, 3, 5, 2, 3]


def test_an_agent_that_returns_too_few_decisions_is_refused() -> None:
    records = list(run_matches(lambda: parallel("stag_hunt"), [Short(given=1), always(C)], 2, seed=0))
    assert [record.outcome.detail for record in records] == [
        "player_0: agent short failed: ValueError: 1 decisions for 2 turns"
    ] * 2
    with pytest.raises(AgentError, match=r"1 decisions for 2 turns \(1 more match of this batch failed\)"):
        list(finished(records))


def test_matches_may_be_given_by_their_numbers() -> None:
    records = list(run_matches(noisy, [always(C), always(C)], 6, seed=3))
    some = list(run_matches(noisy, [always(C), always(C)], [1, 4], seed=3))
    assert some == [records[1], records[4]]


@pytest.mark.parametrize("agents", [[always(C)], {"player_0": always(C), "alice": always(C)}, []])
def test_as_many_agents_as_players(agents: Sequence[Agent] | dict[str, Agent]) -> None:
    with pytest.raises(MatchError, match="the environment has 2 players, player_0, player_1"):
        run_matches(lambda: parallel("stag_hunt"), agents, 1, seed=0)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(MatchError, match="seed = -1"):
        run_matches(noisy, [always(C), always(C)], 1, seed=-1)


class Auction(ParallelEnv):  # type: ignore[type-arg, misc]
    """Not a social dilemma: continuous bids, and the lowest bidder leaves before the others."""

    def __init__(self) -> None:
        self.possible_agents = ["ann", "bob", "cy"]
        self.agents: list[str] = []

    def action_space(self, agent: str) -> Box:
        return Box(0, 1, (2,), np.float64)

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.agents = self.possible_agents[:]
        return self._all({"lot": np.float32(0.1)}), self._all({})

    def step(self, actions: dict[str, Any]) -> Any:
        lowest = min(actions, key=lambda agent: float(actions[agent].sum()))
        out = {agent: agent == lowest for agent in self.agents}
        results = self._all({"lot": np.float32(0.1)}), self._all(1.5), out, self._all(False), self._all({})
        self.agents = [agent for agent in self.agents if agent != lowest]
        return results

    def _all(self, value: Any) -> dict[str, Any]:
        return {agent: value for agent in self.agents}


def test_any_parallel_environment_is_played() -> None:
    bidder = Scripted(lambda turn: Decision(turn.rng.random(2)))
    (match,) = run_matches(Auction, [bidder, bidder, bidder], 1, seed=3)
    assert [len(step) for step in match.steps] == [3, 2, 1]
    assert sorted(match.outcome.totals.values()) == [1.5, 3.0, 4.5]
    move = match.steps[0][0]
    assert move.observation == {"lot": float(np.float32(0.1))}
    assert move.decision.action == decision_stream(3, 0, 1, 0).random(2).tolist()


def test_json_values_keep_every_number() -> None:
    value = {"a": np.array([0.1, np.pi]), "b": (np.int8(3), np.True_, None), 3: Reason.ABORTED}
    assert json_value(value) == {"a": [0.1, np.pi], "b": [3, True, None], "3": "aborted"}
    with pytest.raises(RecordError, match="of type object cannot be recorded"):
        json_value({"a": object()})
