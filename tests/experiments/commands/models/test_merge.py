"""`dilemmas merge` writes a model that plays as the student does, with what its study measured, or says why not."""

import json
import math
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")

from dilemmas.agents.models.backend import Request
from dilemmas.agents.models.open_model import open_model
from dilemmas.experiments.commands.main import main

QUESTION = Request("You both choose C or D at the same time.\nWhich do you choose, C or D?", ("C", "D"))


def merge(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["merge", *words])
    out, err = capsys.readouterr()
    assert (ended.value.code or 0) == code, err
    return err if code else out


def shares(spec: str) -> list[float]:
    return [math.exp(value) for value in open_model(spec, device="cpu").respond([QUESTION])[0].logprobs]


@pytest.mark.slow
def test_a_student_of_a_study_is_merged_with_what_was_measured(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = small_run / "runs" / "replicate", tmp_path / "merged"
    found = json.loads(merge(capsys, str(run), "--out", str(out), "--json"))
    assert (found["model"], found["written"]) == ("miniature-student+adapter", True)
    assert "miniature-student+adapter in float32" in merge(capsys, str(run / "adapter"), "--out", str(out))
    student = open_model(f"miniature:student+{run / 'adapter'}")
    assert shares(str(out)) == pytest.approx(shares(f"miniature:student+{run / 'adapter'}"), abs=1e-5)
    assert open_model(str(out)).miniature == student.miniature is True
    rows = [line for line in (run / "report.md").read_text(encoding="utf-8").splitlines() if "| exact |" in line]
    for card in (run / "adapter" / "README.md", out / "README.md"):
        text = card.read_text(encoding="utf-8")
        assert all(row in text for row in rows[:4])
        assert '"name": "miniature-teacher"' in text
        assert "say nothing about large language models" in text
        assert str(small_run) not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["miniature:student"], "has no adapter, so there is nothing to merge; give MODEL+ADAPTER"),
        (["miniature:student+nosuch"], "'nosuch'"),
        (["openai:m@http://127.0.0.1:1/v1"], "is behind a server"),
        (["miniature:student+{run}", "--dtype", "int8"], "'int8' is not one of"),
        (["miniature:student+{run}", "--gguf"], "this tokenizer is not known here"),
        (["miniature:teacher+{run}"], "was tuned over miniature-student (fingerprint"),
    ],
)
def test_what_cannot_be_merged_is_refused_in_one_line(
    words: list[str], message: str, small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(run=small_run / "runs" / "replicate") for word in words]
    said = merge(capsys, *given, "--out", str(tmp_path / "out"), code=2)
    assert message in said
    assert "Traceback" not in said
    assert said.strip().count("\n") == said.count("warning:")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_others_is_left_as_it_is(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = shutil.copytree(small_run / "runs" / "replicate" / "adapter", tmp_path / "adapter")
    said = merge(capsys, f"miniature:student+{adapter}", "--out", str(adapter), code=2)
    assert "is not empty and holds no merged model" in said
    merge(capsys, f"miniature:student+{adapter}", "--out", str(tmp_path / "merged"))
    assert "dilemmas evaluate" in (tmp_path / "merged" / "README.md").read_text(encoding="utf-8")
