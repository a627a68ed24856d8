"""The whole study with a teacher behind llama.cpp's server, also where the command or the server is stopped."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")

from real_servers import free_port, llama_server
from small_study import RECIPE, start_study

ASKED = """
[prompting]
min_mass = 0.0
[scenarios]
games = ["harmony"]
contexts = ["friends"]
sets = ["within"]
[servers]
retries = 1
"""


def start(port: int, student: Path, folder: Path) -> "subprocess.Popen[str]":
    (folder / "small.toml").write_text(RECIPE + ASKED, encoding="utf-8")
    teacher = f"openai:SmolLM2-135M-Instruct.Q4_1@http://127.0.0.1:{port}/v1"
    words = ["--recipe", "small.toml", "--teacher", teacher, "--student", f"gguf:{student}", "--out", "run"]
    return start_study(folder, words)


def wait_for_more(process: "subprocess.Popen[str]", answers: Path, known: bytes) -> bytes:
    """What a file has after a command has appended to it."""
    while process.poll() is None:
        if answers.is_file() and len(found := answers.read_bytes()) > len(known):
            return found
        time.sleep(0.1)
    raise AssertionError(process.communicate()[1])


def test_a_study_with_a_served_teacher_is_stopped_and_ends(smollm2: Path, tmp_path: Path) -> None:
    port, questions = free_port(), tmp_path / "run" / "questions" / "teacher.jsonl"
    with llama_server(port):
        process = start(port, smollm2, tmp_path)
        first = wait_for_more(process, questions, b"")
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
        assert process.returncode == 130
        assert "Traceback" not in said
        process = start(port, smollm2, tmp_path)
        second = wait_for_more(process, questions, first)
    said = process.communicate()[1]  # the server is gone
    assert process.returncode not in (0, 130)
    assert f"127.0.0.1:{port}" in said
    assert "Traceback" not in said
    with llama_server(port):
        process = start(port, smollm2, tmp_path)
        said = process.communicate()[1]
        assert process.returncode == 0, said
    assert questions.read_bytes().startswith(second)
    assert second.startswith(first)
    engine = json.loads((tmp_path / "run" / "server.json").read_text(encoding="utf-8"))["teacher"]["engine"]
    report = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert engine.startswith("llama.cpp")
    assert engine in report
