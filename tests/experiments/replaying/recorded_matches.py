"""Recorded matches to replay: written to a file, and changed before that."""

import json
import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.matches.trajectory import Header, TrajectoryWriter
from dilemmas.agents.models.backend import FakeBackend, Request, Response
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.contexts import Context, context
from dilemmas.envs.prompts.templates import load_template
from dilemmas.experiments.commands.replay import command

REPLIES = ("C. Because [/bold] \x1b[31mit is right.", "D, they will.", "Hm, [C]?", "I choose D")
EVERYTHING = {"rounds": 6, "noise": 0.2, "memory": 2}


def share(*seed: object) -> float:
    """A number in [0, 1) that only its arguments decide."""
    return int(sha256(repr(seed).encode()).hexdigest()[:8], 16) / 2**32


def answer(request: Request, shift: float = 0.0) -> Response:
    if not request.labels:
        return Response(text=REPLIES[int(len(REPLIES) * share(request.prompt, request.seed))])
    first = 0.2 + 0.6 * share(request.prompt) + shift
    rest = (1 - first) / (len(request.labels) - 1)
    return Response(tuple(math.log(0.9 * p) for p in (first, *[rest] * (len(request.labels) - 1))))


MODEL = FakeBackend(answer, "little", "0123")


class Opened(FakeBackend):
    """What `open_model` returns."""

    def loaded(self) -> FakeBackend:
        return self


def model(**settings: Any) -> LanguageModelAgent:
    usual = {
        "backend": MODEL,
        "context": context("friends"),
        "template": load_template("study"),
        "presentation": "fixed",
    }
    return LanguageModelAgent(**usual | settings)


PUB = Context("pub", "A pub", "You meet a stranger in a pub.", "You meet {others} strangers in a pub.")
"""A context of one's own."""


def record(
    folder: Path,
    agents: list[Any],
    game: str = "prisoners_dilemma",
    options: dict[str, Any] = EVERYTHING,
    edit: Callable[[MatchRecord], MatchRecord] = lambda match: match,
) -> Path:
    """Five matches in a file, changed by `edit` before they are written and sealed."""
    header = Header(f"dilemmas/{game}-v0", tuple(agent.describe() for agent in agents), 3, options, "friends")
    path = folder / f"{game}.trajectory.jsonl"
    with TrajectoryWriter(path, header) as writer:
        for match in run_matches(lambda: parallel(game, **options), agents, 5, 3):
            writer.write(edit(match))
    return path


def replay(path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and result."""
    done = CliRunner().invoke(command, [str(path), "--json", *options], standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.return_value, json.loads(done.stdout)
