"""Recorded matches of agents that see the whole history, as those of Axelrod-Python do."""

from collections.abc import Sequence
from typing import Any

from dilemmas.agents.agent import Agent
from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.envs.pettingzoo_api.parallel_env import parallel


def matches(
    agents: Sequence[Agent], rounds: int, number: int = 1, game: str = "prisoners_dilemma", **options: Any
) -> Any:
    made = {"memory": None, **options}
    return list(finished(run_matches(lambda: parallel(game, rounds=rounds, **made), list(agents), number, seed=5)))


def played(record: MatchRecord) -> list[tuple[int, ...]]:
    return [tuple(move.played for move in moves) for moves in record.steps]
