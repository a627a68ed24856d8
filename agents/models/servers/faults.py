"""What goes wrong between a client and a server, and what the server says about it."""

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from textwrap import shorten
from typing import Any

from dilemmas.agents.models.reading.thoughts import MORE_ROOM

PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
"""Status codes after which the same request may succeed."""
FINAL = {401: "the key is missing or wrong", 402: "the account has no credit", 403: "the key has no access"}
"""Status codes after which no request will succeed."""
LONGEST_WAIT = 600.0
"""Seconds that are waited at most because a server asks for it."""
KINDS = {list: "a list", str: "a text", type(None): "null", bool: "true or false"}
"""What an answer in JSON may be instead of an object, in words."""
UNIX_TIME = 1e9
"""Seconds to wait from which a number must be a point in time."""
TOO_LONG = re.compile(
    r"context[_ ](?:length|size|window)|maximum context|too many tokens|exceed_context|max_model_len"
    r"|(?:input|prompt).{0,40}too long|longer than the (?:model|maximum)",
    re.IGNORECASE,
)
CUT_SHORT = re.compile(r"could not finish the message|output limit was reached", re.IGNORECASE)
"""What OpenAI says instead of a reply that was cut within hidden thoughts."""
DURATION = r"(?:(\d+) ?h\w* ?)?(?:(\d+) ?m(?:in\w*)?(?![a-z]) ?)?(?:(\d+(?:\.\d+)?) ?(ms|milli|s|sec))?"
IN_WORDS = re.compile(
    rf"(?:try again|retry.?delay|retry|wait|again)\W{{0,4}}(?:in|after|for)?\W{{0,4}}{DURATION}", re.I
)
"""Waits in the words of a server, such as "try again in 1m2.5s" or ``"retryDelay": "37s"``."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server says about a request that it did not answer."""

    message: str = ""
    code: str = ""
    """Code and type of the error."""
    param: str = ""
    """The setting that the server names as the cause."""

    def names(self, settings: Collection[str]) -> list[str]:
        """Those of the settings that it names: as the parameter, or else in its words, the first one first."""
        if self.param in settings:
            return [self.param]
        places = {name: re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self.message) for name in settings}
        return sorted((name for name, found in places.items() if found), key=lambda name: places[name].start())  # type: ignore[union-attr]


class ServerFault(Exception):
    """A request without an answer."""

    def __init__(
        self,
        cause: str,
        *,
        passing: bool = False,
        final: bool = False,
        wait: float | None = None,
        complaint: Complaint | None = None,
        status: int = 0,
        elsewhere: bool = False,
    ) -> None:
        """
        Parameters
        ----------
        cause
            One line for people.
        passing
            Whether the same request may succeed later.
        final
            Whether no further request to this server will succeed.
        wait
            Seconds that the server asks to wait before the next attempt; None if it says nothing.
        complaint
            What the server says.
        status
            Status code of a refusal; 0 if no complete answer came, or one with status 200.
        elsewhere
            Whether the URL may be wrong: nobody answered, or something that is no model server.
        """
        super().__init__(cause)
        self.status, self.elsewhere = status, elsewhere
        self.cause, self.passing, self.final, self.wait = cause, passing, final, wait
        self.complaint = complaint or Complaint()

    @property
    def too_long(self) -> bool:
        """Whether the prompt is too long for the model."""
        return bool(TOO_LONG.search(f"{self.complaint.code} {self.complaint.message}")) and not self.passing


class UnfinishedThoughts(ServerFault):
    """A reply that was cut within the model's thoughts, before an answer."""

    def __init__(self, how: str, status: int = 0) -> None:
        """`how`: what the server says about the end of the reply."""
        super().__init__(f"the reply was cut within the model's thoughts ({how}); {MORE_ROOM}", status=status)


def read_body(status: int, headers: Mapping[str, str], body: bytes, now: float, choices: bool = True) -> Any:
    """The answer in the body of an HTTP response: an object, or any JSON where no replies are needed.

    Parameters
    ----------
    status, headers, body
        The response.
    now
        Unix time, for waits that are given as a date.
    choices
        Whether an answer must be an object with replies of a model.

    Raises
    ------
    ServerFault
        If it is none: an error, also with status 200, a page, something cut off, or no choices.
    """
    try:
        data, is_json = json.loads(body), True
    except (ValueError, RecursionError):
        data, is_json = None, False
    complaint = _complaint(data)
    if status != HTTPStatus.OK:
        raise _refusal(status, headers, complaint or Complaint(body_start(body)), now)
    if complaint is not None:
        raise ServerFault(f"error in an answer with status 200: {complaint.message}", passing=True, complaint=complaint)
    if not is_json:
        raise _no_json(body)
    if not choices:
        return data
    if not isinstance(data, dict):
        kind = KINDS.get(type(data), "a number")
        raise ServerFault(f"the answer is {kind} instead of an object: '{body_start(body)}'", passing=True)
    if not (isinstance(data.get("choices"), list) and data["choices"]):
        raise ServerFault("the answer has no choices", passing=True)
    return data


def _no_json(body: bytes) -> ServerFault:
    """The fault of an answer that is something else than JSON."""
    start, shown = body.lstrip()[:9].lower(), f"'{body_start(body)}'"
    if start.startswith((b"data:", b"event:")):
        return ServerFault(f"the answer is an event stream, which was not asked for: {shown}", passing=True)
    if start.startswith(b"<"):
        return ServerFault(f"the answer is a page, not JSON: {shown}", passing=True, elsewhere=True)
    return ServerFault(f"the answer is not JSON: {shown}", passing=True)


def _refusal(status: int, headers: Mapping[str, str], said: Complaint, now: float) -> ServerFault:
    if status == HTTPStatus.BAD_REQUEST and CUT_SHORT.search(said.message):
        return UnfinishedThoughts(said.message.rstrip("."), status)
    if 300 <= status < 400:
        return ServerFault(
            f"the server redirects to {headers.get('location', '?')}; give that URL", final=True, status=status
        )
    why = FINAL.get(status)
    if "insufficient_quota" in said.code:
        why = FINAL[402]
    if status == HTTPStatus.NOT_FOUND:
        why = "no such model or endpoint"
    cause = f"{why}: " if why else ""
    return ServerFault(
        f"{cause}HTTP status {status}: {said.message}",
        passing=status in PASSING and not why,
        final=bool(why),
        wait=wait_asked(headers, said.message, now),
        complaint=said,
        status=status,
    )


def _complaint(data: Any) -> Complaint | None:
    """The error in a body: as OpenAI writes it, as FastAPI does, or as a text."""
    if not isinstance(data, dict):
        return None
    error = data.get("error") or data.get("detail") or (data.get("message") if "choices" not in data else None)
    if not error:
        return None
    if isinstance(error, list):  # FastAPI: one entry per field
        places = [".".join(map(str, one.get("loc", ()))) for one in error if isinstance(one, dict)]
        named = places[0].rpartition(".")[2] if places else ""
        return Complaint(shorten(json.dumps(error, default=str), 300, placeholder=" ..."), "", named)
    if not isinstance(error, dict):
        return Complaint(shorten(str(error), 300, placeholder=" ..."))
    words = str(error.get("message") or json.dumps(error, default=str))
    details = json.dumps(error.get("details", ""), default=str) if error.get("details") else ""
    code = " ".join(str(error[key]) for key in ("code", "type", "status") if error.get(key) is not None)
    message = shorten(f"{words} {details}".strip(), 300, placeholder=" ...")
    return Complaint(message, code, str(error.get("param") or ""))


def wait_asked(headers: Mapping[str, str], message: str, now: float) -> float | None:
    """Seconds that a server asks to wait: in a header, as seconds, milliseconds, a date or a Unix time, or in words.

    None if it says nothing; at most `LONGEST_WAIT`, rounded up to milliseconds.
    """
    found = _in_headers({name.lower(): value.strip() for name, value in headers.items()}, now)
    if found is None:
        found = _in_words(message)
    return None if found is None else min(max(math.ceil(found * 1000) / 1000, 0.0), LONGEST_WAIT)


def _in_headers(headers: Mapping[str, str], now: float) -> float | None:
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            number = float(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number - now if number > UNIX_TIME else number * unit
    try:
        return parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _in_words(message: str) -> float | None:
    for found in IN_WORDS.finditer(message):
        hours, minutes, seconds, unit = found.groups()
        if hours or minutes or seconds:
            scale = 0.001 if unit and unit.startswith("m") else 1.0
            return 3600 * float(hours or 0) + 60 * float(minutes or 0) + scale * float(seconds or 0)
    return None


def body_start(body: bytes) -> str:
    """The beginning of a body in one printable line."""
    text = body[:400].decode("utf-8", "replace")
    return shorten("".join(one if one.isprintable() else " " for one in text), 120, placeholder=" ...")
