"""The lines of a trajectory file: values to JSON and back.

A file consists of a header line and, for each match, a start line, a line per step (preceded by the text of each
prompt that the file does not contain yet) and an end line:

    {"format":"dilemmas-trajectory","version":1,"environment":"dilemmas/stag_hunt-v0","agents":[...],...}
    {"match":0,"seed":2754037543}
    {"prompt":"b1946ac92492d234","text":"You lead a firm ..."}
    {"step":1,"moves":[{"player":"player_0","decision":{"action":0,...},"reward":3.0,...},...]}
    {"end":0,"reason":"terminated","detail":"by the rules of the game",...,"sha256":"..."}

Keys without a value are omitted. ``sha256`` is the hash of all bytes of the file up to the comma before it, so that
every edit, lost line and exchanged match is detected.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from dilemmas.agents.agent import Decision, PlayerRecord, Source
from dilemmas.agents.matches.record import MatchOutcome, MatchRecord, Move, Reason, RecordError, json_value
from dilemmas.agents.versions import dilemmas_version
from dilemmas.envs.data_files import json_object, wrong_file

FORMAT = "dilemmas-trajectory"
VERSION = 1
BEGINNING = f'{{"format":"{FORMAT}"'.encode()
"""The first bytes of every trajectory file."""

Prompts = dict[str, str]
"""Texts of prompts by their hash."""


@dataclass(frozen=True, slots=True)
class Header:
    """What all matches of a file have in common; sufficient to replay them."""

    environment: str
    """PettingZoo's id, such as ``dilemmas/prisoners_dilemma-v0``; other environments cannot be replayed."""
    agents: tuple[PlayerRecord, ...]
    """The agents, in the order of the environment's players."""
    seed: int
    """The seed of the run, 0 or more."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments with which the environment was made; JSON types."""
    context: str | None = None
    """Name of the social context of the prompts, if agents were prompted."""
    template: str | None = None
    """Name or path of the template of the prompts."""
    dilemmas: str = field(default_factory=dilemmas_version)
    """Version of dilemmas that wrote the file."""


def encode_header(header: Header) -> bytes:
    """The first line of a file."""
    agents = [_fields(player) for player in header.agents]
    return _line({"format": FORMAT, "version": VERSION, **_fields(header), "agents": agents})


def encode_match(record: MatchRecord, known: set[str]) -> Iterator[bytes]:
    """The lines of a match without the checksum of the last.

    Parameters
    ----------
    record
        The match.
    known
        Hashes of the prompts that the file contains; those of this match are added.
    """
    yield _line({"match": record.match, "seed": record.seed})
    for number, moves in enumerate(record.steps, 1):
        for text in (move.decision.prompt for move in moves):
            if text is not None and (key := prompt_hash(text)) not in known:
                known.add(key)
                yield _line({"prompt": key, "text": text})
        yield _line({"step": number, "moves": [_move(move) for move in moves]})
    yield _line({"end": record.match, **_fields(record.outcome)}).removesuffix(b"}\n")


def checksum_key(digest: str) -> bytes:
    """The last key of an end line, given the SHA-256 of all bytes of the file before it."""
    return f',"sha256":"{digest}"}}\n'.encode()


def split_checksum(end: bytes) -> tuple[bytes, bytes]:
    """Split an end line before its checksum."""
    before, comma, rest = end.rpartition(b',"sha256":')
    return before, comma + rest


def is_end_line(line: bytes) -> bool:
    """Whether a line is a complete end line."""
    return line.startswith(b'{"end":') and line.endswith(b"}\n")


def prompt_hash(text: str) -> str:
    """The first 16 hex digits of the SHA-256 of a prompt's UTF-8 bytes."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _move(move: Move) -> dict[str, Any]:
    value = _fields(move)
    value["decision"] = _fields(move.decision)
    if move.decision.prompt is not None:
        value["decision"]["prompt"] = prompt_hash(move.decision.prompt)
    return value


def _fields(value: Any) -> dict[str, Any]:
    """A dataclass as a mapping, without the fields that are None."""
    pairs = ((item.name, getattr(value, item.name)) for item in fields(value))
    return {name: held for name, held in pairs if held is not None}


def _line(value: Mapping[str, Any]) -> bytes:
    """A line of JSON in ASCII, so that no text of a model contains a line break; floats are read back equal."""
    return json.dumps(value, separators=(",", ":"), default=json_value).encode() + b"\n"


def line_object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """Parse one line of a trajectory file; `RecordError` if it is not a JSON object."""
    return json_object(line, f"{path}, line {number}", RecordError)


def parse_header(path: Path, line: bytes) -> Header:
    """Parse the first line of a file; `RecordError` if it is no header of this version."""
    if not line.startswith(BEGINNING):
        raise RecordError(wrong_file(path, "a trajectory file (*.trajectory.jsonl), the record of matches"))
    value = line_object(path, 1, line)
    value.pop("format")
    number = value.pop("version", None)
    if number != VERSION:
        raise RecordError(
            f"{path}, line 1: version {number} of the format; dilemmas {dilemmas_version()} reads version {VERSION};"
            f" install the version of dilemmas that wrote the file ({value.get('dilemmas')})"
        )
    try:
        agents = tuple(PlayerRecord(**player) for player in value.pop("agents"))
        return Header(agents=agents, **value)
    except KeyError as error:
        raise RecordError(f"{path}, line 1: the key {error} is missing") from None
    except TypeError as error:
        raise RecordError(f"{path}, line 1: {error}") from None


def parse_match(path: Path, first: int, block: Sequence[bytes], prompts: Prompts) -> MatchRecord:
    """Parse the lines of one match.

    Parameters
    ----------
    path, first
        File and number of the first line, for error messages.
    block
        The lines, from the start line to the end line.
    prompts
        Prompts of earlier matches; those of this match are added.

    Raises
    ------
    RecordError
        If the lines are not a complete match.
    """
    start, *middle, end = [line_object(path, number, line) for number, line in enumerate(block, first)]
    steps: list[tuple[Move, ...]] = []
    try:
        for value in middle:
            if "prompt" in value:
                prompts[value["prompt"]] = value["text"]
            elif value["step"] != len(steps) + 1:
                raise ValueError(f"found step {value['step']} where step {len(steps) + 1} is expected")
            else:
                steps.append(tuple(_parse_move(move, prompts) for move in value["moves"]))
        if end["end"] != start["match"]:
            raise ValueError(f"match {start['match']} ends as match {end['end']}")
        return MatchRecord(start["match"], start["seed"], tuple(steps), _parse_outcome(end))
    except RecordError:  # about another line, where a prompt is
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(
            f"{path}, lines {first} to {first + len(block) - 1}: not a match: {type(error).__name__}: {error}"
        ) from None


def _parse_move(value: dict[str, Any], prompts: Prompts) -> Move:
    decision = {"action": None, **value.pop("decision")}
    if "prompt" in decision:
        decision["prompt"] = prompts[decision["prompt"]]
    decision |= {key: tuple(decision[key]) for key in ("probabilities", "labels") if key in decision}
    decision["source"] = Source(decision["source"])
    return Move(**{"observation": None, **value}, decision=Decision(**decision))


def _parse_outcome(value: dict[str, Any]) -> MatchOutcome:
    words = {key: value[key] for key in ("detail", "rounds", "totals", "unreadable")}
    return MatchOutcome(reason=Reason(value["reason"]), **words)
