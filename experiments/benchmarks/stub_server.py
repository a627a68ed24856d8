"""A model server that answers every question at once with the same log-probabilities, for `dilemmas bench servers`.

Run as a program, so that its time is not that of the client: it prints its port and serves until its input ends.
"""

import asyncio
import json
import sys

LABELS = ("C", "D")
SHARES = {"C": 0.55, "D": 0.3, **{f" word{number}": 0.1 / 18 for number in range(18)}}
"""Probabilities of the listed tokens, 20 as of most servers."""
MODELS = {"object": "list", "data": [{"id": "stub", "object": "model", "owned_by": "benchmark"}]}


def fixed_answer() -> dict[str, object]:
    """The answer to every question."""
    from math import log

    top = [{"token": token, "logprob": log(share), "bytes": list(token.encode())} for token, share in SHARES.items()]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "C"},
        "logprobs": {"content": [{**top[0], "top_logprobs": top}]},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 150, "completion_tokens": 1, "total_tokens": 151}
    return {"id": "1", "object": "chat.completion", "model": "stub", "choices": [choice], "usage": usage}


def http_response(data: object, status: str = "200 OK") -> bytes:
    """A whole response with JSON."""
    body = json.dumps(data).encode()
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status.encode(),
        len(body),
        body,
    )


class _Connection(asyncio.Protocol):
    """Answers every complete request on a connection."""

    def __init__(self) -> None:
        self._pages = {b"POST": http_response(fixed_answer()), b"GET /v1/models": http_response(MODELS)}
        self._missing = http_response({"error": {"message": "not found"}}, "404 Not Found")
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            _, found, rest = self._waiting[:end].lower().partition(b"content-length:")
            size = end + 4 + (int(rest.split(b"\r\n")[0]) if found else 0)
            if len(self._waiting) < size:
                return
            start, self._waiting = self._waiting[:end], self._waiting[size:]
            page = next((page for way, page in self._pages.items() if start.startswith(way)), self._missing)
            self._transport.write(page)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
