"""Contenders of `dilemmas bench servers`: decisions by a model server that answers at once, and a bare client.

The server is a process of its own, so that only the client's time counts. The bare client sends as many requests of the
same size over as many connections, and reads the answers as JSON.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dilemmas.agents.models.backend import Request
from dilemmas.agents.models.open_model import open_model
from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.envs.prompts.prompts import presentations, scenario_prompt
from dilemmas.experiments.benchmarks.race import Bar, Contender, Play
from dilemmas.experiments.study.recipe_files import load_recipe

SERVED, BARE_CLIENT = "served decisions", "bare aiohttp client"
BARS = (Bar(SERVED, 500), Bar(SERVED, 1 / 4, BARE_CLIENT))
"""So that a client on one core keeps a server of 32 slots busy that takes 60 ms per decision; and not more than four
times the time of the bare client, for control tokens, settings, budget, bounds and order."""


@contextmanager
def stub_server() -> Iterator[str]:
    """Context manager: the URL of a model server that answers at once."""
    program = Path(__file__).with_name("stub_server.py")
    server = subprocess.Popen([sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()


def served_questions() -> list[Request]:
    """The questions of the study: every scenario in every presentation."""
    recipe = load_recipe("study")
    template = recipe.prompting.template
    return [
        Request(scenario_prompt(template, one.game, one.context, shown=shown), ("C", "D"))
        for group in recipe.sets().values()
        for one in group
        for shown in presentations(template, one.game)
        if one.game.n_actions == 2
    ]


def server_contenders(url: str, in_flight: int) -> tuple[Contender, ...]:
    """The contenders that ask the server at a URL, with so many requests in flight; rates are in decisions."""
    asked = served_questions()
    return (
        Contender(SERVED, "decisions", lambda: served(url, asked, in_flight)),
        Contender(BARE_CLIENT, "decisions", lambda: bare_client(url, asked, in_flight)),
    )


def served(url: str, asked: list[Request], in_flight: int) -> Play:
    """Ask all questions per call, from the prompts to the probabilities."""
    model = open_model(f"openai:stub@{url}", servers=ServerSettings(in_flight=in_flight))
    assert model.fingerprint

    def play() -> int:
        return sum(one.answered for one in model.respond(asked))

    return play


def bare_client(url: str, asked: list[Request], in_flight: int) -> Play:
    """Send all questions per call, without any of what makes an answer safe to use."""
    import aiohttp

    settings = {"model": "stub", "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 20}

    async def work(session: aiohttp.ClientSession, waiting: Iterator[Request]) -> None:
        for one in waiting:
            body = settings | {"messages": [{"role": "user", "content": one.prompt}]}
            async with session.post(f"{url}/chat/completions", json=body) as answer:
                found: dict[str, Any] = json.loads(await answer.read())
                assert found["choices"]

    async def ask_all() -> int:
        waiting = iter(asked)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await asyncio.gather(*(work(session, waiting) for _ in range(in_flight)))
        return len(asked)

    return lambda: asyncio.run(ask_all())
