"""The JSON schemas of the file formats agree with what writes and what reads the files."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, Unreadable
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import MatchOutcome, Move
from dilemmas.agents.matches.trajectory import TrajectoryWriter, read_trajectory
from dilemmas.agents.matches.trajectory_format import Header, checksum_key
from dilemmas.agents.strategies.catalogue import Uniform, strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import Origin, PolicyTable
from dilemmas.agents.tables.table_file import parse_table
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import GAMES
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.training.examples import read_examples

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(loaded)
    return loaded


TRAJECTORY, TABLE, EXAMPLE = schema("trajectory"), schema("policy_table"), schema("teaching_example")


class Thorough:
    """An agent whose decisions have a value in every field, and that aborts its third match."""

    name = "thorough"

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:

        return PlayerRecord(self.name, "scripted")

    def _decide(self, turn: Turn) -> Decision:
        action = None if turn.info["view"].round == 2 else 0
        policy = Unreadable.UNIFORM if action == 0 else Unreadable.ABORT
        return Decision(action, (1.0, 0.0), Source.SAMPLED, 0.5, "Why?", ("C", "D"), "t@1", "C.", "so", policy, 2)


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / "a.trajectory.jsonl"
    agents = [Thorough(), strategy("tit_for_tat")]
    described = (PlayerRecord("thorough", "thorough"), strategy("tit_for_tat").describe())
    header = Header("dilemmas/stag_hunt-v0", described, 0, {"rounds": 3}, "friends", "study")
    with TrajectoryWriter(path, header) as writer:
        for rounds, number in ((2, 0), (3, 1)):
            make = lambda rounds=rounds: parallel("stag_hunt", rounds=rounds)  # noqa: E731
            for record in run_matches(make, agents, 1, 0, first_match=number):
                writer.write(record)
    return path


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_line_of_a_trajectory_matches_the_schema(trajectory: Path, small_run: Path) -> None:
    validator = Draft202012Validator(TRAJECTORY)
    recorded = sorted((small_run / "runs" / "replicate" / "matches").glob("*.jsonl"))
    for path in (trajectory, recorded[0], recorded[-1]):
        for line in lines_of(path):
            validator.validate(line)


KINDS = {"header": Header, "player": PlayerRecord, "move": Move, "decision": Decision, "end": MatchOutcome}


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_has_every_key_that_is_written(kind: str) -> None:
    extra = {"header": {"format", "version"}, "end": {"end", "sha256"}}.get(kind, set())
    assert set(TRAJECTORY["$defs"][kind]["properties"]) == {field.name for field in fields(KINDS[kind])} | extra


def places(kind: str) -> Iterator[tuple[str, str]]:
    """Every required key of the objects of a schema."""
    for name, value in {"": TRAJECTORY, **TRAJECTORY["$defs"]}.items():
        yield from ((name, key) for key in value.get("required", ()) if kind in ("", name))


def without(line: dict[str, Any], kind: str, key: str) -> bool:
    """Take a required key out of a line, if it is of this kind or holds an object of it."""
    marks = {"header": "format", "start": "match", "prompt": "text", "step": "step", "end": "end"}
    if kind in marks:
        return marks[kind] in line and line.pop(key, None) is not None
    inner = {"player": line.get("agents"), "move": line.get("moves"), "decision": line.get("moves")}[kind]
    if not inner:
        return False
    found = inner[0]["decision"] if kind == "decision" else inner[0]
    return found.pop(key, None) is not None


def sealed(lines: Sequence[dict[str, Any]], path: Path, kept: str) -> None:
    """Write lines with the checksums that belong to them, but for one whose checksum was taken out."""
    whole = b""
    for line in lines:
        text = json.dumps(
            {key: value for key, value in line.items() if key != "sha256"}, separators=(",", ":")
        ).encode()
        if "end" in line or "reason" in line:
            cut = text.removesuffix(b"}")
            text = cut + (b"}\n" if kept == "sha256" else checksum_key(sha256(whole + cut).hexdigest()))
        else:
            text += b"\n"
        whole += text
    path.write_bytes(whole)


@pytest.mark.parametrize(("kind", "key"), list(places("")))
def test_a_trajectory_without_a_required_key_is_refused(kind: str, key: str, trajectory: Path, tmp_path: Path) -> None:
    lines = lines_of(trajectory)
    assert any([without(line, kind, key) for line in lines])
    path = tmp_path / "b.trajectory.jsonl"
    sealed(lines, path, key)
    with pytest.raises(InputError):
        list(read_trajectory(path)[1])


def tables() -> Iterator[dict[str, Any]]:
    """A table of every game of the catalogue that is not too large, by memory 1."""
    for game in (game for name, game in GAMES.items() if name != "travelers_dilemma"):
        player = game.n_players - 1 if game.n_players == 2 else 0
        yield json.loads(json.dumps(compile_agent(Uniform(), game, 1, player=player).document()))


def test_tables_match_the_schema(small_run: Path) -> None:
    validator = Draft202012Validator(TABLE)
    for document in tables():
        validator.validate(document)
    for path in (small_run / "runs" / "replicate" / "tables").glob("*.json"):
        validator.validate(json.loads(path.read_text(encoding="utf-8")))
    assert set(TABLE["$defs"]["origin"]["properties"]) == {field.name for field in fields(Origin)}
    assert set(TABLE["$defs"]["row"]["properties"]) == {"history", "probabilities", "mass"}


def required_of_tables() -> list[tuple[str, str]]:
    kinds = {"": TABLE, **{name: kind for name, kind in TABLE["$defs"].items() if "required" in kind}}
    return [(name, key) for name, kind in kinds.items() for key in kind["required"] if name != "public_goods"]


@pytest.mark.parametrize(("kind", "key"), required_of_tables())
def test_a_table_without_a_required_key_is_refused(kind: str, key: str) -> None:
    games = {"bimatrix_game": "matching_pennies", "count_game": "volunteers_dilemma"}
    game = GAMES[games.get(kind, "stag_hunt")]
    document = json.loads(json.dumps(compile_agent(Uniform(), game, 1).document()))
    assert isinstance(parse_table(copy.deepcopy(document)), PolicyTable)
    place = {"": document, "origin": document["origin"], "row": document["rows"][0]}.get(kind, document["game"])
    del place[key]
    with pytest.raises(InputError):
        parse_table(document)


def test_teaching_data_matches_the_schema(small_run: Path, tmp_path: Path) -> None:
    path = small_run / "runs" / "replicate" / "examples.jsonl"
    lines = lines_of(path)
    validator = Draft202012Validator(EXAMPLE)
    for line in lines:
        validator.validate(line)
    for key in EXAMPLE["required"]:
        cut = tmp_path / f"{key}.jsonl"
        cut.write_text(json.dumps({name: value for name, value in lines[0].items() if name != key}), encoding="utf-8")
        with pytest.raises(InputError):
            read_examples(cut)
