"""A model behind the stub server, with known probabilities, and questions to it."""

from collections.abc import Callable
from typing import Any

from stub_server import Payload, StubServer, chat

from dilemmas.agents.models.backend import Request
from dilemmas.agents.models.servers.server import ServerBackend
from dilemmas.agents.models.servers.settings import ServerSettings

Serve = Callable[..., StubServer]
SHARES = {"C": 0.5, " C": 0.1, "D": 0.25, "maybe": 0.1, "x": 0.05}
ASKED = Request("Which do you choose, C or D?", labels=("C", "D"))
SAID = Request("Which do you choose, C or D?", max_tokens=5)


def whole(payload: Payload) -> Payload:
    return chat(payload, "C", SHARES)


def opened(server: StubServer, **settings: Any) -> ServerBackend:
    return ServerBackend(server.spec, ServerSettings(**settings), first_wait=0.001)
