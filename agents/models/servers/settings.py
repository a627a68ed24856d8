"""Where a served model is, and how it is asked."""

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from dilemmas.agents.models.backend import ModelError
from dilemmas.envs.checks import check_numbers
from dilemmas.envs.names import lookup
from dilemmas.envs.validation import Count

SERVED = "openai:"
"""Prefix of the specification of a served model, ``openai:MODEL@URL``."""
ENDPOINTS = ("auto", "chat", "completions")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How models behind a server are asked."""

    in_flight: Count = 8
    """Requests that wait for an answer at the same time, at least 1."""
    exact_in_flight: Count = 0
    """The same for questions about probabilities of labels; 0: one at a time where the engine is known to need it."""
    scores: bool = True
    """Whether log-probabilities are used; without, replies are sampled and read, as where a server gives none."""
    endpoint: str = "auto"
    """``chat``, ``completions``, or ``auto``: chat where the server has it."""
    timeout: float = 300.0
    """Seconds that a request may take, above 0."""
    retries: Count = 5
    """Maximum number of further attempts after a fault that may pass."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable with the key; the key is sent to the server and written nowhere."""
    max_requests: Count = 0
    """Budget of a command in requests; 0 for no limit."""
    max_tokens: Count = 0
    """Budget of a command in tokens of prompts and replies; 0 for no limit."""
    max_cost: float = 0.0
    """Budget of a command in money, in the currency of the prices; 0 for no limit."""
    input_price: float = 0.0
    """Price of a million tokens of prompts."""
    output_price: float = 0.0
    """Price of a million tokens of replies."""

    def __post_init__(self) -> None:
        check_numbers(self, "in_flight", 1)
        check_numbers(self, "exact_in_flight retries max_requests max_tokens max_cost input_price output_price", 0)
        check_numbers(self, "timeout", 0.001)
        lookup("endpoint", self.endpoint, dict.fromkeys(ENDPOINTS))
        if not re.fullmatch(r"\w+", self.key_variable):
            raise ModelError("key_variable: needs the name of an environment variable, not the key itself")
        if self.max_cost and not (self.input_price or self.output_price):
            raise ModelError(f"max_cost = {self.max_cost} needs the prices input_price and output_price")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A model of a server."""

    model: str
    url: str
    """Beginning of the addresses of its endpoints, such as ``http://127.0.0.1:8000/v1``; no slash at its end."""

    def __str__(self) -> str:
        return f"{SERVED}{self.model}@{self.url}"

    @property
    def root(self) -> str:
        """The server itself, without ``/v1``."""
        return self.url.removesuffix("/v1")

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK


def is_served(spec: str) -> bool:
    """Whether a specification names a model of a server."""
    return spec.startswith(SERVED)


def parse_address(spec: str) -> ServerAddress:
    """Parse ``openai:MODEL@URL``; `ModelError` if it cannot be an address, or contains a password."""
    model, at, url = spec.removeprefix(SERVED).partition("@http")
    url = f"http{url}".rstrip("/")
    try:
        parts = urlsplit(url)
        fits = bool(model.strip() and at and parts.hostname and parts.port != 0 and parts.scheme in ("http", "https"))
    except ValueError:  # a port that is no number
        fits = False
    if not fits:
        raise ModelError(
            f"'{spec}': needs openai:MODEL@URL, such as openai:my-model@http://127.0.0.1:8000/v1;"
            " MODEL is the name under which the server lists the model"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ModelError(
            f"openai:{model}@...: the URL must contain no password, question mark or fragment; a key is read from the"
            " environment (OPENAI_API_KEY, or the variable named by key_variable)"
        )
    return ServerAddress(model.strip(), url)


def read_key(address: ServerAddress, settings: ServerSettings) -> str:
    """The key for a server, from the environment; empty if there is none.

    `ModelError` if the key would be sent over a network without encryption, or cannot be sent at all.
    """
    key = os.environ.get(settings.key_variable, "").strip()
    if key and not address.is_loopback and not address.url.startswith("https://"):
        raise ModelError(
            f"{address}: the key in {settings.key_variable} would be sent unencrypted; use https://, or name a variable"
            " that is not set (key_variable)"
        )
    if not re.fullmatch(r"[!-~]*", key):
        raise ModelError(f"the key in {settings.key_variable} contains spaces or other characters that no key has")
    return key
