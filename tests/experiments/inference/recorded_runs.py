"""Play matches and record them, for the tests of inference."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.envs.pettingzoo_api.parallel_env import parallel


def record(
    path: Path, agents: Sequence[Any], game: str = "prisoners_dilemma", matches: int = 1, **options: Any
) -> list[MatchRecord]:
    """Play matches of a game and record them in a trajectory file."""
    played = list(run_matches(partial(parallel, game, **options), agents, matches, seed=5))
    header = Header(f"dilemmas/{game}-v0", tuple(agent.describe() for agent in agents), 5, options)
    with TrajectoryWriter(path, header) as writer:
        for one in played:
            writer.write(one)
    return played
