"""The JSON schemas and the page of run folders agree with what a study and tournaments write."""

import json
import runpy
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dilemmas.envs.errors import InputError
from dilemmas.experiments.study.answers import read_answers
from dilemmas.experiments.tournaments.fixtures import Row
from dilemmas.experiments.tournaments.match_table import COLUMNS
from dilemmas.experiments.tournaments.run_folder import play_tournament
from dilemmas.experiments.tournaments.settings import Settings
from dilemmas.experiments.tournaments.tournament import Tournament

DOCS = Path(__file__).parents[2] / "docs"
TOURNAMENTS = {
    "exact": Settings("prisoners_dilemma", ("tit_for_tat", "random"), {"rounds": 5, "noise": 0.1}),
    "recorded": Settings("stag_hunt", ("grim", "random"), {"rounds": 3}, 2, engine="environment", sample=2),
    "in groups": Settings(
        "public_goods", ("free_rider", "allc", "random"), {"rounds": 3, "n_players": 3}, self_play=False
    ),
    "on a graph": Settings("snowdrift", ("tft", "alld", "allc", "grim", "joss"), {"rounds": 3}, graph="ring"),
    "in pairs": Settings("harmony", ("tft", "alld"), {"rounds": 3}, meetings=(("tit_for_tat", "always_defect"),)),
}


json_schema = runpy.run_path(str(DOCS / "_extensions" / "file_formats.py"))["json_schema"]


@cache
def validator(name: str) -> Draft202012Validator:
    schema = json_schema(name)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def in_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module", params=TOURNAMENTS)
def tournament(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tournament") / "run"
    play_tournament(Tournament(TOURNAMENTS[request.param]), folder)
    return folder


def test_a_tournament_writes_what_the_schemas_say(tournament: Path) -> None:
    validator("tournament_settings").validate(in_json(tournament / "settings.json"))
    validator("tournament_results").validate(in_json(tournament / "results.json"))
    for line in lines_of(tournament / "rows.jsonl"):
        validator("tournament_row").validate(line)


def test_a_study_writes_what_the_schemas_say(small_run: Path) -> None:
    run = small_run / "runs" / "replicate"
    validator("study_results").validate(in_json(run / "results.json"))
    for path in sorted((run / "answers").iterdir()):
        for line in lines_of(path):
            validator("answer").validate(line)
    for path in sorted((run / "questions").iterdir()):
        for line in lines_of(path)[:20]:
            validator("label_probabilities").validate(line)


def required(name: str) -> Iterator[str]:
    yield from validator(name).schema["required"]


@pytest.mark.parametrize("key", [key for key in required("tournament_row") if key != "sha256"])
def test_a_row_without_a_required_key_is_refused(key: str, tmp_path: Path) -> None:
    play_tournament(Tournament(TOURNAMENTS["exact"]), tmp_path / "run")
    row = lines_of(tmp_path / "run" / "rows.jsonl")[0]
    del row["sha256"]
    Row.read(sealed(row))
    with pytest.raises((ValueError, KeyError, TypeError)):
        Row.read(sealed({name: value for name, value in row.items() if name != key}))


def sealed(row: dict[str, Any]) -> str:
    text = json.dumps(row, separators=(",", ":"))
    return f'{text[:-1]},"sha256":"{sha256(text.encode()).hexdigest()[:16]}"}}'


@pytest.mark.parametrize("key", list(required("answer")))
def test_an_answer_without_a_required_key_is_refused(key: str, small_run: Path, tmp_path: Path) -> None:
    line = lines_of(small_run / "runs" / "replicate" / "answers" / "teacher.jsonl")[0]
    path = tmp_path / "teacher.jsonl"
    path.write_text(json.dumps({name: value for name, value in line.items() if name != key}) + "\n", encoding="utf-8")
    with pytest.raises(InputError):
        read_answers(path)


def test_the_page_lists_every_file(small_run: Path, tmp_path: Path) -> None:
    page = (DOCS / "formats" / "run_folder.md").read_text(encoding="utf-8")
    play_tournament(Tournament(TOURNAMENTS["recorded"]), tmp_path / "run")
    for path in [*(small_run / "runs" / "replicate").iterdir(), *(tmp_path / "run").iterdir()]:
        assert f"`{path.name}{'/' * path.is_dir()}`" in page, path.name


def test_the_page_lists_the_columns_of_the_table_of_matches() -> None:
    page = (DOCS / "formats" / "tournament_results.md").read_text(encoding="utf-8")
    table = page.partition("## Table of matches")[2]
    assert [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")] == list(COLUMNS)
