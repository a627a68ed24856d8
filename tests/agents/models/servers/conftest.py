"""Lets the tests of this folder import the server that they share (`stub_server`), and starts it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")
sys.path.append(str(Path(__file__).parent))

from stub_server import Answer, StubServer


@pytest.fixture
def serve() -> Iterator[Callable[..., StubServer]]:
    """Starts servers that answer with a function; they are stopped after the test."""
    with ExitStack() as running:

        def start(answer: Answer, **options: object) -> StubServer:
            return running.enter_context(StubServer(answer, **options))

        yield start
