"""Questions to a served model: a prompt as a user's message, or as plain text where there is no chat endpoint."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from dilemmas.agents.models.backend import before_prompt
from dilemmas.agents.models.servers.answers import Listing, ServedReply, first_listings, prompt_tokens, served_replies
from dilemmas.agents.models.servers.client import ServerClient
from dilemmas.agents.models.servers.faults import Complaint, ServerFault, UnfinishedThoughts
from dilemmas.agents.models.servers.neutral import neutralise

PLAIN_REPLY = "\nAnswer:"
"""Stands between prompt and reply in plain text, as in `dilemmas.agents.models.chat`."""
PREFILLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "assistant message": ({}, {}),
    "continue_final_message": ({}, {"continue_final_message": True, "add_generation_prompt": False}),
    "prefix": ({"prefix": True}, {}),
}
"""How a server is asked to go on with a begun reply: keys of the last message, and fields of the request."""

FORCES: dict[str, Callable[[str], dict[str, Any]]] = {
    "structured_outputs": lambda text: {"structured_outputs": {"choice": [text]}},
    "guided_choice": lambda text: {"guided_choice": [text]},
    "regex": lambda text: {"regex": re.escape(text)},
    "grammar": lambda text: {"grammar": f"root ::= {json.dumps(text)}"},
}
"""How a server is made to write a text: fields of the request, of vLLM, vLLM before 0.12, SGLang and llama.cpp."""
FORCED_TOKENS = 12
"""Longest text that is forced, in tokens."""
CUT = 0.6
"""Part of the expected tokens of a prompt below which it was cut: texts differ less in letters per token."""

Read = TypeVar("Read")


@dataclass(slots=True)
class Asker:
    """Puts questions to the model of a client."""

    client: ServerClient
    model: str
    """Name of the model for the server."""
    chat: bool = True
    """Whether the chat endpoint is asked."""
    prefill: str = ""
    """Name in `PREFILLS` of how a begun reply is continued; empty if the chat endpoint does not."""
    force: str = ""
    """Name in `FORCES` of how a text is forced without a change of its log-probabilities; empty if there is no way."""
    system_turn: bool = False
    """Whether the chat endpoint takes a system turn."""
    letters_per_token: float = 0.0
    """Letters per token of plain English; 0 if the server does not report tokens."""
    least_tokens: int = 0
    """Maximum length that every reply has at least, in tokens."""

    async def replies(
        self, prompt: str, begun: str, max_tokens: int, temperature: float, seed: int, count: int = 1, system: str = ""
    ) -> list[ServedReply]:
        """Sample replies, or what follows a begun one: `count` of them, or fewer if the server gives fewer. One that is
        no reply of the model has the fault; `ServerFault` if there is no answer at all."""
        fields: dict[str, Any] = {"begun": begun, "system": system, "temperature": temperature, "seed": seed}
        try:
            found = await self.ask(prompt, max_tokens, served_replies, **fields, count=count)
        except UnfinishedThoughts as fault:  # instead of an answer
            return [ServedReply("", False, fault=fault)]
        return [replace(one, text=one.text.removeprefix(begun)) for one in found]  # some servers repeat it

    async def listing(self, prompt: str, begun: str, listed: int, system: str = "") -> Listing:
        """The most probable tokens after a prompt and a begun reply; `ServerFault` if the server gives none."""
        return (await self.ask(prompt, 1, _required, begun=begun, system=system, listed=listed))[0]

    async def forced(self, prompt: str, text: str, system: str = "") -> list[tuple[str, float]] | None:
        """The tokens, with their log-probabilities, of a beginning of the reply that the server is made to write.

        None if it writes something else; `ServerFault` if it gives no log-probabilities.
        """
        places = await self.ask(
            prompt, FORCED_TOKENS, _required, system=system, listed=1, more=FORCES[self.force](text)
        )
        written = ""
        for number, place in enumerate(places, start=1):
            written += place.chosen[0]
            if written == text:
                return [one.chosen for one in places[:number]]
        return None

    @property
    def continues(self) -> bool:
        """Whether begun replies can be continued."""
        return not self.chat or bool(self.prefill)

    async def ask(
        self,
        prompt: str,
        max_tokens: int,
        read: Callable[[Mapping[str, Any]], Read],
        *,
        begun: str = "",
        system: str = "",
        temperature: float = 0.0,
        seed: int = 0,
        listed: int = 0,
        count: int = 1,
        more: Mapping[str, Any] | None = None,
    ) -> Read:
        """Ask, and read the answer with a function.

        Parameters
        ----------
        prompt
            The question; control tokens in it are broken.
        max_tokens, temperature, seed
            Of the reply.
        read
            Reads the answer.
        begun
            Beginning of the reply.
        system
            Text of the system turn; control tokens in it are broken.
        listed
            Number of tokens listed with log-probabilities.
        count
            Number of replies.
        more
            Further fields of the request.
        """
        question = self.question(prompt, begun, system)
        letters, dialect = len(system.strip() + prompt.strip() + begun), self.client.dialect
        room = max(max_tokens, self.least_tokens)

        def make() -> dict[str, Any]:
            body = {"model": self.model} | question
            body |= dialect.fields(self.chat, room, temperature, seed, listed) | dict(more or {})
            return body | ({"n": count} if count > 1 and "n" not in dialect.refused else {})

        def answer(data: Mapping[str, Any]) -> Read:
            self._check_whole(letters, prompt_tokens(data))
            return read(data)

        path = "/chat/completions" if self.chat else "/completions"
        return await self.client.ask(path, make, letters, room * count, answer)

    def _check_whole(self, letters: int, tokens: int) -> None:
        """`ServerFault` if so few tokens were reported for a prompt that the server must have cut it."""
        if not (tokens and self.letters_per_token):
            return
        expected = letters / self.letters_per_token
        if tokens < CUT * expected:
            cause = (
                f"the prompt is longer than the model's window: the server reports {tokens:,} tokens for about"
                f" {expected:,.0f}, so it has cut the prompt; start the server with a larger window, which Ollama"
                " takes from OLLAMA_CONTEXT_LENGTH"
            )
            raise ServerFault(cause, complaint=Complaint(cause))

    def question(self, prompt: str, begun: str = "", system: str = "") -> dict[str, Any]:
        """The fields of a request that hold a question: ``messages``, or ``prompt`` where there is no chat endpoint.

        Parameters are those of `ask`.
        """
        text, ruled = neutralise(prompt.strip()), neutralise(system.strip())
        if not self.chat:
            return {"prompt": before_prompt(ruled, text) + PLAIN_REPLY + begun}
        messages: list[dict[str, Any]] = [{"role": "user", "content": text}]
        if ruled and self.system_turn:
            messages.insert(0, {"role": "system", "content": ruled})
        elif ruled:
            messages[0]["content"] = before_prompt(ruled, text)
        if not begun:
            return {"messages": messages}
        message, fields = PREFILLS[self.prefill]
        return {"messages": [*messages, {"role": "assistant", "content": begun, **message}], **fields}


def _required(data: Mapping[str, Any]) -> tuple[Listing, ...]:
    found = first_listings(data)
    if not found:
        raise ServerFault("the answer has no log-probabilities", passing=True)
    return found
