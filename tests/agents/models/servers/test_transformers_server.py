"""`transformers serve` with a miniature: no log-probabilities, settings refused by name, and sampled replies."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from real_servers import transformers_server

from dilemmas.agents.models.backend import ModelError, Request
from dilemmas.agents.models.servers.server import ServerBackend

pytestmark = pytest.mark.slow

MINIATURE = Path(str(files("dilemmas.agents.models"))) / "miniatures" / "teacher"
PROMPT = "You are in a chat with a good friend.\nYou both choose C or D at the same time.\nWhich do you choose, C or D?"


@pytest.fixture(scope="module")
def served() -> Iterator[ServerBackend]:
    for package in ("fastapi", "uvicorn", "openai", "torch"):
        pytest.importorskip(package)
    with transformers_server(MINIATURE) as root:
        yield ServerBackend(f"openai:{MINIATURE}@{root}/v1")


def test_what_it_can_do(served: ServerBackend) -> None:
    found = served.capabilities
    assert (found.engine, found.listed, found.replies, found.spread) == ("transformers serve", 0, 1, None)
    with pytest.raises(ModelError, match="gives no log-probabilities"):
        served.loaded()
    with pytest.raises(ModelError, match="gives no log-probabilities"):
        served.respond([Request(PROMPT, labels=("C", "D"))])


def test_replies_are_sampled_and_short(served: ServerBackend) -> None:
    asked = [Request(PROMPT, max_tokens=8, seed=(number,)) for number in range(40)]
    found = served.respond(asked)
    assert all(one.answered for one in found)
    assert len({one.text for one in found}) > 1
    assert all(len(one.text) < 80 for one in found)
