"""llama.cpp's own server with SmolLM2: probabilities, begun replies, restarts, and many requests at once."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from real_servers import llama_server, smollm2

from dilemmas.agents.models.answers import read_distribution
from dilemmas.agents.models.backend import ModelError, Request
from dilemmas.agents.models.servers.neutral import neutralise
from dilemmas.agents.models.servers.server import ServerBackend
from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import scenario_prompt
from dilemmas.envs.prompts.templates import load_template

pytestmark = [pytest.mark.slow, pytest.mark.models]

MODEL = "SmolLM2-135M-Instruct.Q4_1"
PROMPTS = [
    scenario_prompt(load_template("study"), DEFAULTS[game], context(name))
    for game in ("prisoners_dilemma", "harmony")
    for name in ("friends", "business")
]
ASKED = [Request(prompt, labels=("C", "D")) for prompt in PROMPTS]
WORDS = [Request(f"{prompt} Say Cooperate for C and Defect for D.", ("Cooperate", "Defect")) for prompt in PROMPTS[:2]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with llama_server() as root:
        yield root


@pytest.fixture(scope="module")
def served(url: str) -> ServerBackend:
    return ServerBackend(f"openai:{MODEL}@{url}/v1").loaded()


@pytest.fixture(scope="module")
def local() -> Any:
    """The same file, dequantised by transformers, in float32."""
    pytest.importorskip("torch")
    pytest.importorskip("gguf")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from dilemmas.agents.models.chat import ChatEncoder
    from dilemmas.agents.models.local import LocalBackend

    place = {"pretrained_model_name_or_path": smollm2().parent, "gguf_file": smollm2().name}
    model = AutoModelForCausalLM.from_pretrained(**place, dtype="float32").eval()
    return LocalBackend(MODEL, MODEL, model, ChatEncoder(AutoTokenizer.from_pretrained(**place)), 4096)


def post(url: str, data: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(data).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def test_what_it_can_do(served: ServerBackend) -> None:
    found = served.capabilities
    assert found.engine.startswith("llama.cpp")
    assert (found.endpoint, found.listed, found.exact_in_flight) == ("chat", 200_000, 1)
    assert (found.exact, found.cache_off, found.prefill, found.replies) == (True, True, "assistant message", 2)
    assert found.samples
    assert MODEL in served.fingerprint


def test_the_probabilities_are_those_of_transformers_up_to_rounding(served: ServerBackend, local: Any) -> None:
    """llama.cpp rounds activations: .013 on average, .032 at most of 40 prompts."""
    for one, other in zip(served.respond(ASKED), local.respond(ASKED), strict=True):
        assert one.margin == 0
        ours, theirs = read_distribution(one), read_distribution(other)
        assert ours.probabilities == pytest.approx(theirs.probabilities, abs=0.05)
        assert ours.mass == pytest.approx(theirs.mass, abs=0.05)


def test_labels_of_several_tokens_are_continued(served: ServerBackend, local: Any) -> None:
    for one, other in zip(served.respond(WORDS), local.respond(WORDS), strict=True):
        ours, theirs = read_distribution(one), read_distribution(other)
        assert ours.margin <= 0.01
        assert ours.mass == pytest.approx(theirs.mass, abs=0.05)


def test_probabilities_come_again_bit_for_bit_after_a_restart(served: ServerBackend) -> None:
    first = [one.logprobs for one in served.respond(ASKED)]
    with llama_server() as again:
        other = ServerBackend(f"openai:{MODEL}@{again}/v1")
        assert other.fingerprint == served.fingerprint
        assert [one.logprobs for one in other.respond(ASKED[::-1])][::-1] == first


def test_with_eight_in_flight_the_spread_is_measured_and_stated(url: str, served: ServerBackend) -> None:
    many = ServerBackend(f"openai:{MODEL}@{url}/v1", ServerSettings(exact_in_flight=8))
    assert not many.capabilities.exact
    assert 0 < (many.capabilities.spread or 0) < 0.1
    assert "not exact" in "\n".join(many.capabilities.lines())
    alone = [read_distribution(one).probabilities[0] for one in served.respond(ASKED)]
    for one, exact in zip(many.respond(ASKED), alone, strict=True):
        assert one.margin >= (many.capabilities.spread or 0)
        assert read_distribution(one).probabilities[0] == pytest.approx(exact, abs=0.1)


def test_plain_completions(url: str, served: ServerBackend) -> None:
    plain = ServerBackend(f"openai:{MODEL}@{url}/v1", ServerSettings(endpoint="completions"))
    (response,) = plain.respond(ASKED[:1])
    assert plain.capabilities.endpoint == "completions"
    assert response.margin == 0
    assert response.logprobs != served.respond(ASKED[:1])[0].logprobs


def test_eight_replies_at_once_differ(served: ServerBackend) -> None:
    asked = [Request(PROMPTS[0], max_tokens=8, seed=(number,)) for number in range(8)]
    texts = {one.text for one in served.respond(asked)}
    assert len(texts) > 4


def test_a_prompt_longer_than_a_slot_is_refused(served: ServerBackend) -> None:
    (response,) = served.respond([Request("C or D? " * 600, labels=("C", "D"))])
    assert "context size" in response.refused


def test_an_unknown_model(url: str) -> None:
    with pytest.raises(ModelError, match=f"has no model 'other'; it has '{MODEL}'"):
        ServerBackend(f"openai:other@{url}/v1").loaded()


@pytest.mark.parametrize("token", ["<|im_end|>", "<|im_start|>", "<|endoftext|>"])
def test_a_control_token_in_a_message_acts_and_is_neutralised(url: str, token: str) -> None:
    """A partner's words become tokens of the template, unless they are broken."""

    def controls(text: str) -> int:
        messages = [{"role": "user", "content": f"They say: C.{text} Which do you choose?"}]
        prompt = post(f"{url}/apply-template", {"messages": messages})["prompt"]
        tokens = post(f"{url}/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
        return sum(number < 17 for number in tokens)  # the control tokens of SmolLM2

    assert controls(token) == controls("") + 1
    assert controls(neutralise(token)) == controls("")
