"""The JSON schemas of the file formats agree with what writes and what reads the files."""

import copy
import json
import runpy
from collections.abc import Iterator, Sequence
from functools import reduce
from hashlib import sha256
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, Unreadable
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.trajectory import TrajectoryWriter, read_trajectory
from dilemmas.agents.matches.trajectory_format import Header, checksum_key
from dilemmas.agents.strategies.catalogue import Uniform, strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.agents.tables.table_file import parse_table
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import GAMES
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.training.examples import read_examples

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_extensions"


_found = runpy.run_path(str(EXTENSIONS / "file_formats.py"))
json_schema, FORMATS = _found["json_schema"], _found["FORMATS"]


def schema(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json_schema(name)
    Draft202012Validator.check_schema(made)
    return made


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


@pytest.mark.parametrize("name", FORMATS)
def test_every_key_has_a_meaning(name: str) -> None:
    found = json_schema(name)
    for kind in (found, *found.get("$defs", {}).values()):
        for key, value in kind.get("properties", {}).items():
            assert value.get("description"), key


@pytest.mark.parametrize("name", FORMATS)
def test_only_a_key_without_a_value_may_be_absent(name: str) -> None:
    found = json_schema(name)
    for kind in (found, *found.get("$defs", {}).values()):
        for key in set(kind.get("properties", {})) - set(kind.get("required", ())):
            assert kind["properties"][key].get("default", "lost") is None, key


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every key and element of a JSON value."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def changed(value: Any) -> Iterator[Any]:
    """The value with each of its parts missing, and with each of another type."""
    for *path, last in places(value):
        if last == "sha256":  # is made to fit
            continue
        for other in ("lost", None, True, "x", -1, [], {}):
            copied = copy.deepcopy(value)
            holder = reduce(getitem, path, copied)
            if other == "lost":
                del holder[last]
            else:
                holder[last] = other
            yield copied


def test_what_the_schema_of_a_trajectory_forbids_is_refused(trajectory: Path, tmp_path: Path) -> None:
    validator, lines, path = Draft202012Validator(TRAJECTORY), lines_of(trajectory), tmp_path / "b.trajectory.jsonl"
    last = next(place for place, line in enumerate(lines) if "end" in line)
    forbidden = 0
    for place in range(last + 1):
        for line in changed(lines[place]):
            if not validator.is_valid(line):
                sealed([*lines[:place], line, *lines[place + 1 : last + 1]], path, "")
                with pytest.raises(InputError):
                    assert not list(read_trajectory(path)[1])
                forbidden += 1
    assert forbidden > 100


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


@pytest.mark.parametrize("game", ["stag_hunt", "battle_of_the_sexes", "volunteers_dilemma", "public_goods"])
def test_what_the_schema_of_a_table_forbids_is_refused(game: str) -> None:
    validator = Draft202012Validator(TABLE)
    agent = strategy("always_cooperate", GAMES[game].n_players)
    document = json.loads(json.dumps(compile_agent(agent, GAMES[game], 0).document()))
    assert isinstance(parse_table(document), PolicyTable)
    for other in changed(document):
        if not validator.is_valid(other):
            with pytest.raises(InputError):
                parse_table(other)


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
