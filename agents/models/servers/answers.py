"""What a server answered, as data: texts, and tokens with their log-probabilities."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from dilemmas.agents.models.reading.thoughts import split_thoughts, unfinished_thoughts
from dilemmas.agents.models.servers.faults import ServerFault, UnfinishedThoughts

ENDED = frozenset({"stop", "end_turn", "eos", "eos_token", "stop_sequence", "completed"})
CUT = frozenset({"length", "max_tokens", "max_output_tokens"})
BROKEN = frozenset(
    {
        "error",
        "network_error",
        "insufficient_system_resource",
        "content_filter",
        "sensitive",
        "model_context_window_exceeded",
        "abort",
        "cancelled",
    }
)
"""Reasons of an end with which the text is not what the model would have written."""
ROUNDING = 1e-3
"""Largest positive log-probability that is taken for 0; a larger one is no log-probability."""
LEAST = -100.0
"""Log-probability from which on servers mean that they do not know it: they write -100, -9999 or the least float."""
MOST_SUM = 1.01
"""Largest sum of probabilities that rounding explains."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The tokens with known log-probabilities at one place of a reply."""

    chosen: tuple[str, float]
    """Text and log-probability of the token that was written."""
    tokens: tuple[tuple[str, float], ...]
    """Text and log-probability of the most probable tokens; only the chosen one if the server lists none."""

    @property
    def rest(self) -> float:
        """Probability of all tokens outside the list."""
        return max(0.0, 1.0 - math.fsum(math.exp(value) for _, value in self.tokens))

    @property
    def unlisted(self) -> float:
        """Largest probability that one token outside the list can have."""
        return min(self.rest, min(math.exp(value) for _, value in self.tokens))


@dataclass(frozen=True, slots=True)
class ServedReply:
    """One choice of an answer."""

    text: str
    stopped: bool
    """Whether the model ended the reply itself."""
    thoughts: str = ""
    """What it thought before, if the server tells."""
    fault: ServerFault | None = None
    """Why it is no reply of the model, which the same request would not change; None if it is one."""


def served_replies(data: Mapping[str, Any]) -> list[ServedReply]:
    """The choices of an answer, in order; `ServerFault` if one may become a reply when it is asked for again."""
    return [_reply_or_fault(choice) for choice in _choices(data)]


def count_replies(data: Mapping[str, Any]) -> int:
    """Number of choices of an answer, whatever they are."""
    return len(_choices(data))


def first_listings(data: Mapping[str, Any]) -> tuple[Listing, ...]:
    """The tokens listed at every place of the first choice, whatever its text; empty if the server gives none.

    `ServerFault` if the list contradicts itself.
    """
    return listings_of(_choices(data)[0].get("logprobs"))


def prompt_tokens(data: Mapping[str, Any]) -> int:
    """Tokens of the prompt as the server reports them; 0 if it does not."""
    usage = data.get("usage")
    found = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return max(0, found) if isinstance(found, int) else 0


def _choices(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    for choice in data["choices"]:
        if not isinstance(choice, dict):
            raise ServerFault(f"the answer has the choice {choice!r:.60}, which is no object", passing=True)
        if choice.get("error"):
            raise ServerFault(f"error in a choice: {choice['error']!r:.200}", passing=True)
    return list(data["choices"])


def _reply_or_fault(choice: Mapping[str, Any]) -> ServedReply:
    try:
        return _reply(choice)
    except ServerFault as fault:
        if fault.passing:
            raise
        return ServedReply("", False, fault=fault)


def _reply(choice: Mapping[str, Any]) -> ServedReply:
    reason = str(choice.get("finish_reason"))
    if reason in BROKEN:
        raise ServerFault(f"the server ended the reply (finish_reason '{reason}')", passing=reason.endswith("error"))
    thoughts, text = _text(choice, reason)
    return ServedReply(text, reason in ENDED or reason == "None", thoughts)


def _text(choice: Mapping[str, Any], reason: str) -> tuple[str, str]:
    """Thoughts, and the reply without them; a refusal is a reply like others."""
    message, chat = choice.get("message"), True
    if not isinstance(message, dict):
        message, chat = {"content": choice.get("text")}, False
    content = message.get("content")
    if isinstance(content, list):  # parts
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    told = next((message[key] for key in ("reasoning_content", "reasoning") if message.get(key)), None)
    thoughts = told.strip() if isinstance(told, str) else ""
    if isinstance(content, str) and (content or not thoughts or reason in ENDED):
        within, text = split_thoughts(content)
        thoughts = "\n\n".join(filter(None, (thoughts, within)))
        unseen = chat and not content  # a model that thinks hidden from the client
        if (reason in CUT and not text and (thoughts or unseen)) or (reason not in ENDED and unfinished_thoughts(text)):
            raise UnfinishedThoughts(f"finish_reason '{reason}'")
        return thoughts, text
    if isinstance(message.get("refusal"), str):
        return thoughts, str(message["refusal"]).strip()
    if thoughts and reason in ENDED:  # a parser has taken the answer for a thought
        return split_thoughts(thoughts)
    if thoughts:
        raise UnfinishedThoughts(f"finish_reason '{reason}'")
    what = "no text" if content is None else f"{content!r:.40} instead of a text"
    raise ServerFault(f"the answer has {what} (finish_reason '{reason}')", passing=True)


def listings_of(found: Any) -> tuple[Listing, ...]:
    """The listed tokens of a choice, in the form of the chat endpoint or of the older completions endpoint.

    They end before the first place of which the chosen token has no log-probability. `ServerFault` if the numbers of a
    place contradict each other.
    """
    if not isinstance(found, dict):
        return ()
    if isinstance(found.get("content"), list):
        places = [_chat_place(place) for place in found["content"] if isinstance(place, dict)]
    else:
        columns = [found.get(key) or [] for key in ("tokens", "token_logprobs", "top_logprobs")]
        places = [((token, value), list((top or {}).items())) for token, value, top in zip(*columns, strict=False)]
    listings = (_listing(chosen, top) for chosen, top in places)
    return tuple(takewhile(lambda one: one is not None, listings))  # type: ignore[arg-type]


Pair = tuple[Any, Any]


def _chat_place(place: Mapping[str, Any]) -> tuple[Pair, list[Pair]]:
    top = [one for one in place.get("top_logprobs") or [] if isinstance(one, dict)]
    return (place.get("token"), place.get("logprob")), [(one.get("token"), one.get("logprob")) for one in top]


def _listing(chosen: Pair, top: Sequence[Pair]) -> Listing | None:
    """A list without values that are no log-probabilities; None if the chosen token has none."""
    written, listed = _known([chosen]), _known(top)
    if not written:
        return None
    _check_possible(listed, written[0])
    return Listing(written[0], tuple(listed or written))


def _check_possible(listed: Sequence[tuple[str, float]], chosen: tuple[str, float]) -> None:
    """`ServerFault` for a list that cannot be one of different tokens.

    Two tokens may have the same text, with a space before it that the server drops or without.
    """
    unlisted = [] if chosen[0] in dict(listed) else [chosen]
    total = math.fsum(math.exp(value) for _, value in [*listed, *unlisted])
    why = f"the probabilities sum to {total:.2f}" if total > MOST_SUM else ""
    if len(listed) > 1 and min(Counter(listed).values()) > 1:
        why = "every token is listed twice"
    if why:
        raise ServerFault(
            f"the server lists impossible log-probabilities: {why}; use another server, or sampled answers (--server"
            " scores=false)"
        )


def _known(pairs: Sequence[Pair]) -> list[tuple[str, float]]:
    numbers = [(str(token), float(value)) for token, value in pairs if isinstance(value, int | float)]
    return [(token, min(value, 0.0)) for token, value in numbers if LEAST < value <= ROUNDING]
