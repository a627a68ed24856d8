"""What a server was asked and answered, counted, and the limits of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from dilemmas.agents.models.servers.faults import ServerFault
from dilemmas.agents.models.servers.settings import ServerSettings

LETTERS = 3
"""Letters of a prompt per token at least, to estimate tokens that are not yet, or never, reported."""


@dataclass(slots=True)
class Usage:
    """What was asked and answered."""

    requests: int = 0
    """Requests that were sent, repeated ones included."""
    input_tokens: int = 0
    """Tokens of prompts."""
    output_tokens: int = 0
    """Tokens of replies."""
    estimated: int = 0
    """Answers whose tokens the server did not report; they are counted by an upper estimate."""

    def __str__(self) -> str:
        note = f"; {self.estimated} answers without usage, estimated" if self.estimated else ""
        return f"{self.requests} requests, {self.input_tokens} + {self.output_tokens} tokens{note}"


class Budget:
    """Counts the usage of a server and refuses a request that could exceed a limit."""

    def __init__(self, settings: ServerSettings) -> None:
        """`settings`: limits and prices."""
        self._limits = settings
        self.used = Usage()
        self._reserved = Usage()

    def cost(self, tokens: Usage) -> float:
        """Price of tokens, in the currency of the prices."""
        return (tokens.input_tokens * self._limits.input_price + tokens.output_tokens * self._limits.output_price) / 1e6

    @contextmanager
    def request(self, letters: int, longest: int) -> Iterator["Receipt"]:
        """Context manager around one request; the caller puts the reported usage into the receipt.

        Parameters
        ----------
        letters
            Length of the prompt.
        longest
            Maximum number of tokens of the reply.

        Raises
        ------
        ServerFault
            If a limit could be exceeded; nothing is sent then.
        """
        expected = Usage(1, letters // LETTERS + 1, longest)
        self._check(expected)
        _add(self._reserved, expected, 1)
        self.used.requests += 1
        receipt = Receipt(expected)
        try:
            yield receipt
        finally:
            _add(self._reserved, expected, -1)
            _add(self.used, receipt.counted, 1)

    def _check(self, expected: Usage) -> None:
        limits, coming = self._limits, Usage(**asdict(self.used))
        _add(coming, self._reserved, 1)
        _add(coming, expected, 1)
        tokens = coming.input_tokens + coming.output_tokens
        for what, needed, limit in (
            ("requests", self.used.requests + 1, limits.max_requests),
            ("tokens", tokens, limits.max_tokens),
            ("cost", self.cost(coming), limits.max_cost),
        ):
            if limit and needed > limit:
                raise ServerFault(f"the budget max_{what} = {limit} is used up ({self.used})", final=True)


@dataclass(slots=True)
class Receipt:
    """The tokens of one request."""

    expected: Usage
    reported: Mapping[str, Any] | None = None
    """What the server reported; None without an answer."""

    @property
    def counted(self) -> Usage:
        """The tokens to count: those reported, none without an answer, else the upper estimate."""
        if self.reported is None:
            return Usage()
        numbers = [self.reported.get(key) for key in ("prompt_tokens", "completion_tokens")]
        if all(isinstance(number, int) and number >= 0 for number in numbers):
            return Usage(0, int(numbers[0] or 0), int(numbers[1] or 0))
        return Usage(0, self.expected.input_tokens, self.expected.output_tokens, 1)


def _add(total: Usage, more: Usage, sign: int) -> None:
    """Add tokens and estimates; requests are counted when they are sent."""
    total.input_tokens += sign * more.input_tokens
    total.output_tokens += sign * more.output_tokens
    total.estimated += sign * more.estimated
