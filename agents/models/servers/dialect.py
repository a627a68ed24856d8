"""How one server wants to be asked: learned from what it refuses, once per model."""

from dataclasses import dataclass, field
from typing import Any

from dilemmas.agents.models.servers.faults import Complaint

CORE = frozenset({"model", "messages", "prompt"})
"""Fields without which there is no question."""
LADDER = (200_000, 2000, 200, 20, 5, 1)
"""Numbers of tokens that may be listed with their log-probabilities; a refused one is replaced by the next."""
LIST_FIELDS = ("logprobs", "top_logprobs")
SETTINGS: dict[str, dict[str, Any]] = {
    "llama.cpp": {
        "top_k": 0,
        "min_p": 0.0,
        "typical_p": 1.0,
        "repeat_penalty": 1.0,
        "top_n_sigma": -1.0,
        "xtc_probability": 0.0,
        "dry_multiplier": 0.0,
        "dynatemp_range": 0.0,
        "mirostat": 0,
        "cache_prompt": False,
    },
    "transformers serve": {"generation_config": '{"do_sample": true, "top_k": 0}'},
    "Ollama": {},  # it ignores them
}
"""Sampling settings beyond OpenAI's that an engine takes, with the values that leave the model's distribution as it is.
For llama.cpp also the switch of the prompt cache, which would move probabilities."""
OTHERS: dict[str, Any] = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""The same for vLLM, SGLang and all others, who may refuse them."""
THINKING = {"chat_template_kwargs": {"enable_thinking": False}}
"""Asks a model that can think to answer without; for servers that pass it to the chat template."""


@dataclass(slots=True)
class Dialect:
    """The settings that a server takes."""

    engine: str
    refused: set[str] = field(default_factory=set)
    """Fields that the server refused; they are not sent any more."""
    length_field: str = "max_tokens"
    """Name of the maximum length of a reply."""
    most_listed: int = 20
    """Largest number of tokens that may be listed; 0 if log-probabilities are refused."""

    def fields(self, chat: bool, max_tokens: int, temperature: float, seed: int, listed: int = 0) -> dict[str, Any]:
        """All settings of a request.

        Parameters
        ----------
        chat
            Whether it goes to the chat endpoint.
        max_tokens
            Maximum length of the reply.
        temperature, seed
            Of the sampled reply.
        listed
            Number of tokens that are listed with their log-probabilities at every place.
        """
        found: dict[str, Any] = {
            self.length_field: max_tokens,
            "temperature": temperature,
            "top_p": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "seed": seed,
            "stream": False,
            **SETTINGS.get(self.engine, OTHERS),
        }
        if chat and self.engine not in ("transformers serve", "Ollama"):
            found |= THINKING
        listed = min(listed, self.most_listed)
        if listed:
            found |= {"logprobs": True, "top_logprobs": listed} if chat else {"logprobs": listed}
        return {name: value for name, value in found.items() if name not in self.refused}

    def learn(self, said: Complaint, payload: dict[str, Any]) -> bool:
        """Change what is sent after a complaint; whether the next payload will differ from `payload`."""
        named = said.names(payload.keys() - CORE)
        if not named:
            return False
        first = named[0]
        if first in LIST_FIELDS:
            return self._list_fewer(payload)
        if first in ("max_tokens", "max_completion_tokens"):
            other = "max_completion_tokens" if first == "max_tokens" else "max_tokens"
            if first != self.length_field:
                return True  # another request has learned it meanwhile
            if other in self.refused:
                return False
            self.refused.add(first)
            self.length_field = other
            return True
        self.refused.add(first)
        return True

    def _list_fewer(self, payload: dict[str, Any]) -> bool:
        asked = payload.get("top_logprobs", payload["logprobs"])
        if self.most_listed >= asked:
            self.most_listed = next((step for step in LADDER if step < asked), 0)
        return True
