"""The hub is only asked for what the user named, once, for a limited time; what the cache has is used as it is."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from dilemmas.agents.models import hub
from dilemmas.agents.models.backend import ModelError
from dilemmas.agents.models.model_files import find_model

COMMIT = "0123456789abcdef" * 2 + "01234567"
NO_SOCKETS = """
import sys

def hook(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__" or event == "socket.__new__" and arguments[1] != 1:
        raise SystemExit(f"a socket was used: {event} {arguments}")

sys.addaudithook(hook)
from dilemmas.agents.models.backend import Request
from dilemmas.agents.models.open_model import open_model
for model in sys.argv[1:]:
    print(open_model(model).respond([Request("C or D?", ("C", "D"), max_tokens=1)])[0].refused or "answered")
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return tmp_path / "hub"


def put(model: Path, cache: Path, name: str) -> Path:
    """Put a model into the cache."""
    (cache / f"models--org--{name}" / "refs").mkdir(parents=True)
    (cache / f"models--org--{name}" / "refs" / "main").write_text(COMMIT)
    return Path(shutil.copytree(model, cache / f"models--org--{name}" / "snapshots" / COMMIT))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the hub was asked for; it has nothing."""
    names: list[str] = []

    def answer(name: str, **_: object) -> None:
        names.append(name)
        raise LookupError("the hub does not have it")

    monkeypatch.setattr("huggingface_hub.model_info", answer)
    return names


@pytest.fixture
def silent_proxy() -> Iterator[int]:
    """The port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as server:
        yield server.getsockname()[1]


def test_a_complete_model_of_the_cache_is_used_without_a_request(tiny_model, cache, asked) -> None:
    place = put(tiny_model, cache, "tiny")
    assert find_model("org/tiny").folder == place
    assert asked == []


def test_the_hub_is_asked_for_a_model_of_which_the_cache_has_a_part(tiny_model, cache, asked) -> None:
    place = put(tiny_model, cache, "tiny")
    index = {"weight_map": {"a": "model-00001.safetensors", "b": "model-00002.safetensors"}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="the hub does not have it"):
        find_model("org/tiny")
    assert asked == ["org/tiny"]


def test_the_base_that_an_adapter_names_is_not_fetched(tiny_model, adapter, cache, asked, tmp_path) -> None:
    tuned = Path(shutil.copytree(adapter, tmp_path / "tuned"))
    settings = json.loads((tuned / "adapter_config.json").read_text())
    named = settings | {"base_model_name_or_path": "org/tiny", "revision": COMMIT}
    (tuned / "adapter_config.json").write_text(json.dumps(named))
    with pytest.raises(ModelError, match=r"not in the cache of the hub.*give its base as the model"):
        find_model(str(tuned))
    place = put(tiny_model, cache, "tiny")
    assert find_model(str(tuned)).folder == place
    (tuned / "adapter_config.json").write_text(json.dumps(named | {"revision": COMMIT[::-1]}))
    with pytest.raises(ModelError, match="not in the cache of the hub"):
        find_model(str(tuned))
    assert asked == []


def test_nothing_is_fetched_for_a_name_that_a_file_gives(cache, asked) -> None:
    with pytest.raises(ModelError, match="not in the cache of the hub"):
        find_model("org/tiny", "org/adapter", ask_hub=False)
    assert asked == []


def test_a_proxy_that_never_answers_is_given_up(cache, silent_proxy: int, monkeypatch, caplog) -> None:
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 1)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{silent_proxy}")
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"not found on the hub \(TimeoutError: no answer within 1 seconds\)"):
        find_model("org/tiny")
    assert time.monotonic() - start < 5
    assert caplog.messages == ["asking the Hugging Face hub for org/tiny"]


class StallingHub(BaseHTTPRequestHandler):
    """A hub that has one model, and stops in the middle of each of its files."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.begin(1000)

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            model = {"id": "org/tiny", "sha": COMMIT, "siblings": [{"rfilename": "config.json"}]}
            tree = [{"type": "file", "path": "config.json", "size": 1000, "oid": COMMIT}]
            answer = json.dumps(tree if "/tree/" in self.path else model).encode()
            self.begin(len(answer))
            self.wfile.write(answer)
        else:
            self.begin(1000)
            self.wfile.write(b"{")
            self.wfile.flush()
            self.server.stalled.wait()  # type: ignore[attr-defined]

    def begin(self, size: int) -> None:
        self.send_response(200)
        headers = {"Content-Type": "application/json", "Content-Length": size, "X-Repo-Commit": COMMIT, "ETag": '"1"'}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def stalling_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a hub whose downloads stall."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), StallingHub)
    server.stalled = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield f"http://127.0.0.1:{server.server_port}"
    server.stalled.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_a_download_that_stalls_is_given_up(cache, stalling_hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", stalling_hub)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    monkeypatch.setattr("huggingface_hub.model_info", lambda *_, **__: None)
    with pytest.raises(ModelError, match=r"'org/tiny' is on the hub, but its download stopped \(.*repeat the command"):
        find_model("org/tiny")


def test_models_on_this_machine_need_no_socket(tiny_model: Path, adapter: Path) -> None:
    specs = ["miniature-student", str(tiny_model), f"{tiny_model}+{adapter}", str(adapter)]
    done = subprocess.run([sys.executable, "-c", NO_SOCKETS, *specs], capture_output=True, text=True)
    assert done.stdout.split() == ["answered"] * 4, done.stderr
