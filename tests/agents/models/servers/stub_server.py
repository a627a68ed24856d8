"""A model server on loopback that answers as a test says: any body, status, header or delay, or none at all."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

Payload = dict[str, Any]


@dataclass(frozen=True)
class Raw:
    """A response as bytes."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the headers."""
    closes: bool = False
    """Whether the connection is closed instead of an answer."""
    missing: int = 0
    """Bytes by which the body is shorter than its header says."""


Answer = Callable[[Payload], "Payload | Raw"]


def failing(status: int, error: Any = "try later", headers: Mapping[str, str] | None = None) -> Raw:
    """An error as servers write it."""
    return Raw(json.dumps({"error": error}).encode(), status, headers or {})


class StubServer:
    """The server; a context manager."""

    def __init__(
        self,
        answer: Answer,
        models: Sequence[Mapping[str, Any]] = ({"id": "stub", "owned_by": "tests"},),
        bare: bool = False,
        **pages: Any,
    ) -> None:
        """`bare`: whether the list of models is no part of an object; `pages`: answers to GET by the last part of the
        path, 404 for others."""
        self.answer, self.requests, self.headers, self.paths = answer, [], [], []
        self.busiest = self._busy = 0
        self._stopped = False
        self._lock = Lock()
        stub, listed = self, list(models)
        found = {"models": listed if bare else {"object": "list", "data": listed}, **pages}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # headers and body are written apart: the second would wait for 40 ms

            def log_message(self, *_: Any) -> None: ...

            def do_GET(self) -> None:
                page = found.get(self.path.rpartition("/")[2], failing(404))
                stub._write(self, page(self) if callable(page) else page)

            def do_POST(self) -> None:
                payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub._answer(self, payload)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.spec = f"openai:stub@http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "StubServer":
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, payload: Payload) -> None:
        with self._lock:
            self.requests.append(payload)
            self.headers.append(dict(handler.headers))
            self.paths.append(handler.path)
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        try:
            self._write(handler, self.answer(payload))
        finally:
            with self._lock:
                self._busy -= 1

    def _write(self, handler: BaseHTTPRequestHandler, answer: Any) -> None:
        raw = answer if isinstance(answer, Raw) else Raw(json.dumps(answer).encode())
        time.sleep(raw.delay)
        if raw.closes or self._stopped:
            handler.close_connection = True
            return
        handler.send_response(raw.status)
        for name, value in {"Content-Type": "application/json", **raw.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(raw.body) + raw.missing))
        handler.close_connection = handler.close_connection or bool(raw.missing)
        handler.end_headers()
        handler.wfile.write(raw.body)


def listing(shares: Mapping[str, float], count: int = 20) -> list[dict[str, Any]]:
    """The most probable tokens as servers list them."""
    best = sorted(shares.items(), key=lambda item: -item[1])[:count]
    return [{"token": token, "logprob": math.log(share)} for token, share in best]


def chat(payload: Payload, text: str | None = "C", shares: Mapping[str, float] | None = None, **more: Any) -> Payload:
    """An answer of the chat endpoint, with log-probabilities if they are asked for and `shares` are given."""
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | more
    if shares and payload.get("logprobs"):
        top = listing(shares, int(payload["top_logprobs"]))
        choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    return {
        "model": payload["model"],
        "choices": [choice] * payload.get("n", 1),
        "usage": {"prompt_tokens": 50, "completion_tokens": 1},
    }
