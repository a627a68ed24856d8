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
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from dilemmas.agents.agent import PlayerRecord
from dilemmas.agents.matches.record import MatchOutcome, MatchRecord, Move, RecordError, json_value
from dilemmas.agents.versions import dilemmas_version
from dilemmas.envs.data_files import content_of, parse_json, wrong_file
from dilemmas.envs.validation import Count, One, Seed, short_repr, written

FORMAT = "dilemmas-trajectory"
VERSION = 1
BEGINNING = f'{{"format":"{FORMAT}"'.encode()
"""The first bytes of every trajectory file."""

Prompts = dict[str, str]
"""Texts of prompts by their hash."""


@written(nulls=False)
@dataclass(frozen=True, slots=True)
class Header:
    """What all matches of a file have in common; sufficient to replay them."""

    environment: str
    """PettingZoo's id, such as ``dilemmas/prisoners_dilemma-v0``; other environments cannot be replayed."""
    agents: tuple[PlayerRecord, ...]
    """The agents, in the order of the environment's players."""
    seed: Seed
    """The seed of the run."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments with which the environment was made; JSON types."""
    context: str | None = None
    """Name of the social context of the prompts, if agents were prompted."""
    template: str | None = None
    """Name or path of the template of the prompts."""
    dilemmas: str = field(default_factory=dilemmas_version)
    """Version of dilemmas that wrote the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderLine(Header):
    """The first line: what all matches of the file have in common."""

    format: Literal["dilemmas-trajectory"]
    """Name of the format."""
    version: One
    """Version of the format."""


@dataclass(frozen=True, slots=True)
class StartLine:
    """The start of a match."""

    match: Count
    """Number of the match in the run."""
    seed: Seed
    """Seed with which the environment was reset."""


@dataclass(frozen=True, slots=True)
class PromptLine:
    """The text of a prompt, before the first step that uses it."""

    prompt: str
    """First 16 hex digits of the SHA-256 of the text."""
    text: str
    """The prompt."""


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step of the environment: one move per player. Decisions have the hash of their prompt."""

    step: Count
    """Number of the step in the match, from 1."""
    moves: tuple[Move, ...]
    """One per player, in the order of the environment."""


@dataclass(frozen=True, slots=True)
class EndLine(MatchOutcome):
    """The end of a match: its outcome."""

    end: Count
    """Number of the match."""
    sha256: str
    """SHA-256 of all bytes of the file before the comma that precedes this key."""


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


def is_prompt_line(line: bytes) -> bool:
    """Whether a line has the text of a prompt."""
    return line.startswith(b'{"prompt":"')


def prompt_key(line: bytes) -> str:
    """The hash of the prompt on a line, without parsing it."""
    return line[11:27].decode("ascii", "replace")


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
    """A line of JSON in ASCII, so that no text of a model contains a line break; floats are read back equal.

    Half a surrogate pair, which is no character, is replaced by U+FFFD.
    """
    try:
        text = json.dumps(value, separators=(",", ":"), default=json_value, allow_nan=False)
    except RecordError:
        raise
    except ValueError as error:
        raise RecordError(f"NaN and infinite numbers cannot be recorded: {error}") from None
    return _SURROGATES.sub(lambda found: found[1] or r"\ufffd", text).encode() + b"\n"


_SURROGATES = re.compile(r"(\\\\|\\ud[89ab]..\\ud[c-f]..)|\\ud[89a-f]..")
"""Escaped backslashes and surrogate pairs, as the group; and halves of surrogate pairs."""


def parse_header(path: Path, line: bytes) -> Header:
    """Parse the first line of a file; `RecordError` if it is no header of this version."""
    if not line.startswith(BEGINNING):
        if content_of(path) == f"a file of the format '{FORMAT}'":
            raise RecordError(f"{path}, line 1: needs the beginning {BEGINNING.decode()}, without other spaces or keys")
        raise RecordError(wrong_file(path, "a trajectory file (*.trajectory.jsonl), the record of matches"))
    found = parse_json(line, HeaderLine, f"{path}, line 1", RecordError)
    return Header(*(getattr(found, item.name) for item in fields(Header)))


def parse_prompt(path: Path, number: int, line: bytes) -> PromptLine:
    """Parse a line with a prompt; `RecordError` if it is none."""
    return parse_json(line, PromptLine, f"{path}, line {number}", RecordError)


def parse_match(path: Path, first: int, block: Sequence[bytes], prompts: Prompts, agents: int) -> MatchRecord:
    """Parse the lines of one match.

    Parameters
    ----------
    path, first
        File and number of the first line, for error messages.
    block
        The lines, from the start line to the end line.
    prompts
        Prompts of earlier matches; those of this match are added.
    agents
        Number of agents in the header.

    Raises
    ------
    RecordError
        If the lines are not a complete match.
    """
    start = parse_json(block[0], StartLine, f"{path}, line {first}", RecordError)
    steps: list[tuple[Move, ...]] = []
    for number, line in enumerate(block[1:-1], first + 1):
        if is_prompt_line(line):
            prompt = parse_prompt(path, number, line)
            prompts[prompt.prompt] = prompt.text
            continue
        place = f"{path}, line {number}"
        step = parse_json(line, StepLine, place, RecordError)
        if step.step != len(steps) + 1:
            raise RecordError(f"{place}: found step {step.step} where step {len(steps) + 1} is expected")
        steps.append(tuple(_with_prompt(move, prompts, place) for move in step.moves))
    place = f"{path}, line {first + len(block) - 1}"
    end = parse_json(block[-1], EndLine, place, RecordError)
    if end.end != start.match:
        raise RecordError(f"{place}: match {start.match} ends as match {end.end}")
    _check_players(steps, end, agents, place)
    outcome = MatchOutcome(end.reason, end.detail, end.rounds, end.totals, end.unreadable)
    return MatchRecord(start.match, start.seed, tuple(steps), outcome)


def _check_players(steps: Sequence[tuple[Move, ...]], end: EndLine, agents: int, place: str) -> None:
    """All players move in the first step, and no others in later steps; each has a total."""
    players = [move.player for move in steps[0]] if steps else []
    if not steps or len(players) != agents or not set(players) == set(end.totals) == set(end.unreadable):
        raise RecordError(f"{place}: the moves of the first step, the totals and the agents of line 1 do not agree")
    for number, moves in enumerate(steps, 1):
        names = [move.player for move in moves]
        if not names or len(set(names)) < len(names) or not set(names) <= set(players):
            raise RecordError(f"{place}: step {number} of the match has other players than the first, or one twice")


def _with_prompt(move: Move, prompts: Prompts, place: str) -> Move:
    """The move with the text of its prompt in place of the hash."""
    key = move.decision.prompt
    if key is None:
        return move
    try:
        return replace(move, decision=replace(move.decision, prompt=prompts[key]))
    except KeyError:
        raise RecordError(f"{place}: there is no prompt {short_repr(key)} before this line") from None
