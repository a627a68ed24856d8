"""A server that gives a miniature's log-probabilities, against the miniature on this machine."""

from collections.abc import Callable
from typing import Any

import pytest
from stub_server import Payload, StubServer

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from dilemmas.agents.models.answers import read_distribution  # noqa: E402
from dilemmas.agents.models.backend import Request  # noqa: E402
from dilemmas.agents.models.open_model import open_local  # noqa: E402
from dilemmas.agents.models.servers.server import ServerBackend  # noqa: E402
from dilemmas.envs.prompts.prompts import scenario_prompt  # noqa: E402
from dilemmas.envs.prompts.templates import load_template  # noqa: E402
from dilemmas.experiments.study.recipe_files import load_recipe  # noqa: E402


@pytest.fixture(scope="module")
def local() -> Any:
    backend = open_local("miniature-teacher", device="cpu").loaded()
    backend.model.double()  # in float32, probabilities depend on the batch by more than what is compared
    return backend


@pytest.fixture
def served(local: Any, serve: Callable[..., StubServer]) -> ServerBackend:
    """The miniature behind a server that lists as many tokens as asked for, by their texts, and continues replies."""
    tokenizer = local.chat.tokenizer
    numbers = range(local.model.config.vocab_size)  # more than the tokenizer has
    texts = [tokenizer.decode([number]) if number < len(tokenizer) else f"no token {number}" for number in numbers]

    def answer(payload: Payload) -> Payload:
        prompt = payload["messages"][0]["content"]
        begun = payload["messages"][1]["content"] if len(payload["messages"]) > 1 else ""
        tokens = local.chat.prompt(prompt) + (local.chat.reply(prompt, begun) if begun else [])
        places = []
        for _ in range(min(2, payload.get("max_tokens", 1))):
            with torch.inference_mode():
                logprobs = local.model(torch.tensor([tokens])).logits[0, -1].double().log_softmax(-1)
            best = logprobs.topk(min(payload.get("top_logprobs", 1), len(texts)))
            top = [
                {"token": texts[number], "logprob": value}
                for value, number in zip(best.values.tolist(), best.indices.tolist(), strict=True)
            ]
            places.append({**top[0], "top_logprobs": top})
            tokens.append(int(best.indices[0]))
        text = "".join(place["token"] for place in places)
        choice = {"message": {"content": text}, "finish_reason": "stop", "logprobs": {"content": places}}
        return {"model": "stub", "choices": [choice]}

    # as SGLang, which lists as many tokens as it is asked for
    server = serve(answer, models=[{"id": "stub", "owned_by": "sglang"}])
    return ServerBackend(server.spec, first_wait=0.001)


def test_probabilities_are_those_of_the_miniature(local: Any, served: ServerBackend) -> None:
    template, recipe = load_template("study"), load_recipe("miniatures")
    scenarios = [one for group in recipe.sets().values() for one in group][::9]
    asked = [Request(scenario_prompt(template, one.game, one.context), labels=("C", "D")) for one in scenarios]
    for one, other in zip(local.respond(asked), served.respond(asked), strict=True):
        here, there = read_distribution(one), read_distribution(other)
        assert there.probabilities == pytest.approx(here.probabilities, abs=1e-6)
        assert there.mass == pytest.approx(here.mass, abs=1e-5)  # half of what is not listed is added
        assert there.margin == 0
