"""Matches are read back as they were played; every edit is detected; a killed run is resumed to the same bytes."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dilemmas.agents.agent import Decision, PlayerRecord, Source, Traits, Turn, Unreadable
from dilemmas.agents.matches import trajectory
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.matches.record import MatchRecord, Move, RecordError, match_outcome
from dilemmas.agents.matches.trajectory import CutError, Header, TrajectoryIndex, TrajectoryWriter, read_trajectory
from dilemmas.agents.matches.trajectory_format import checksum_key
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.pettingzoo_api.parallel_env import parallel

OPTIONS = {"rounds": 3, "noise": 0.1}
NASTY = 'I choose [C]"\n\r{"end":0}\u2028\x00\\ud800 {"match":1} [/bold] ж\x1b[31m\U0001f600'
"""Possible text of a model: markup, line breaks, a line of the format itself, what looks like half a surrogate pair."""


@dataclass(frozen=True)
class Writer:
    """An agent whose decisions have a value in every field."""

    name: str = "writer"

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [self._decide(turn) for turn in turns]

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:

        return PlayerRecord(self.name, "scripted")

    def _decide(self, turn: Turn) -> Decision:
        p = turn.rng.random()
        prompt = f"Round {turn.info['view'].round}? {NASTY}"
        unreadable = Unreadable.UNIFORM if p < 0.3 else None
        return Decision(
            action=int(p > 0.5),
            probabilities=(1 - p, p),
            source=Source.SAMPLED,
            mass=p,
            prompt=prompt,
            labels=("C", NASTY),
            template="study@1",
            reply=f"{p} {NASTY}",
            motivation=NASTY,
            unreadable=unreadable,
            attempts=2,
        )


AGENTS = (strategy("gtft").describe(), strategy("tft").describe())
HEADER = Header("dilemmas/prisoners_dilemma-v0", AGENTS, 7, OPTIONS, "friends", "study")
ALONE = replace(HEADER, agents=AGENTS[:1])


def matches(number: int, first_match: int = 0) -> list[MatchRecord]:
    make = lambda: parallel("prisoners_dilemma", **OPTIONS)  # noqa: E731
    return list(run_matches(make, [Writer(), strategy("tft")], number, 7, first_match))


def write(path: Path, records: Sequence[MatchRecord], header: Header = HEADER) -> bytes:
    with TrajectoryWriter(path, header) as writer:
        for record in records:
            writer.write(record)
    return path.read_bytes()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("run") / "a.trajectory.jsonl", matches(4))


def test_records_are_read_back_unchanged(tmp_path: Path) -> None:
    played = matches(4)
    write(tmp_path / "a", played)
    header, read = read_trajectory(tmp_path / "a")
    assert header == HEADER
    assert list(read) == played


@given(value=st.floats(allow_nan=False, allow_infinity=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_floats_are_read_back_exactly(tmp_path: Path, value: float) -> None:
    move = Move("p", [value], decision=Decision(0), reward=value, terminated=True)
    path = tmp_path / "floats"
    path.unlink(missing_ok=True)
    write(path, [MatchRecord(0, 1, ((move,),), replace(match_outcome(((move,),)), totals={"p": value}))], ALONE)
    (match,) = read_trajectory(path)[1]
    assert match.steps == ((move,),)
    assert match.outcome.totals == {"p": value}


def test_every_distinct_prompt_is_written_once(written: bytes) -> None:
    lines = [json.loads(line) for line in written.decode("ascii").splitlines()]
    texts = [line["text"] for line in lines if "prompt" in line]
    assert texts == [f"Round {number}? {NASTY}" for number in range(3)]
    prompts = [move["decision"]["prompt"] for line in lines for move in line.get("moves", ())[:1]]
    assert len(prompts) == 4 * 3
    assert len(set(prompts)) == 3


def test_a_killed_run_is_resumed_to_the_same_bytes(tmp_path: Path, written: bytes) -> None:
    """Killed after any number of bytes: the writer removes an incomplete match and lists the complete ones."""
    path = tmp_path / "a"
    ends = [match.end() for match in re.finditer(rb'"sha256":"[0-9a-f]+"}\n', written)]
    whole = [written[:end] for end in (written.index(b"\n") + 1, *ends)]
    for length in range(0, len(written), 97):
        path.write_bytes(written[:length])
        TrajectoryWriter(path, HEADER).close()
        assert path.read_bytes() in whole
        with TrajectoryWriter(path, HEADER) as writer:
            held = len(writer.matches)
            assert writer.matches == set(range(held))
            assert held == sum(end <= length for end in ends)
            for record in matches(4 - held, first_match=held):
                writer.write(record)
        assert path.read_bytes() == written


def test_a_cut_file_yields_its_complete_matches_and_then_an_error(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(written[:-30])
    _, read = read_trajectory(path)
    assert [next(read).match for _ in range(3)] == [0, 1, 2]
    with pytest.raises(CutError, match=r"a, line \d+: the match that begins on line \d+ is incomplete"):
        next(read)
    index = TrajectoryIndex(path)
    assert len(index) == 3
    assert "the match that begins on line" in str(index.cut)


def test_a_match_that_does_not_fit_into_memory_is_refused(
    tmp_path: Path, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(written)
    monkeypatch.setattr(trajectory, "MOST_BYTES", 100)
    for read in (lambda: list(read_trajectory(path)[1]), lambda: TrajectoryIndex(path)):
        with pytest.raises(RecordError, match="a, line 2: the match that begins here has over 100 bytes"):
            read()


@pytest.mark.parametrize("step", range(1, 40))
def test_any_edit_is_detected(tmp_path: Path, written: bytes, step: int) -> None:
    """One digit changed in any line, which is still valid JSON."""
    path = tmp_path / "a"
    place = len(written) * step // 40
    while not written[place : place + 1].isdigit():
        place += 1
    digit = b"7" if written[place : place + 1] != b"7" else b"3"
    path.write_bytes(written[:place] + digit + written[place + 1 :])
    line = written[:place].count(b"\n") + 1
    with pytest.raises(RecordError) as error:
        list(read_trajectory(path)[1])
    first, last = map(int, str(error.value).split("lines ")[1].split(":")[0].split(" to "))
    assert first <= line <= last
    before = path.read_bytes()
    with pytest.raises(RecordError):
        TrajectoryWriter(path, HEADER)
    with pytest.raises(RecordError):
        TrajectoryIndex(path)
    assert path.read_bytes() == before


def test_a_lost_or_moved_match_is_detected(tmp_path: Path, written: bytes) -> None:
    head, *blocks = written.split(b'{"match":')
    for order in ((0, 2, 3), (1, 0, 2, 3), (1, 2, 3)):
        path = tmp_path / "a"
        path.write_bytes(b'{"match":'.join([head, *(blocks[i] for i in order)]))
        with pytest.raises(RecordError, match="checksum"):
            list(read_trajectory(path)[1])


def test_the_index_opens_any_match(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(written)
    index, played = TrajectoryIndex(path), matches(4)
    assert index.header == HEADER
    assert [index[place] for place in (3, 0, 2)] == [played[3], played[0], played[2]]
    lines = written.splitlines()
    assert all(lines[first - 1].startswith(b'{"match":') for _, _, first in index.blocks)


def sealed(path: Path, data: bytes) -> Path:
    """Write a file with the checksums that belong to its lines."""
    whole = b""
    for line in data.splitlines(keepends=True):
        whole += line
        if b',"sha256":"' in line:
            whole = whole.rpartition(b',"sha256":"')[0]
            whole += checksum_key(sha256(whole).hexdigest())
    path.write_bytes(whole)
    return path


def test_a_damaged_prompt_is_named_by_its_own_line(tmp_path: Path, written: bytes) -> None:
    lines = written.splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if line.startswith(b'{"prompt"'))
    lines[number] = lines[number].replace(b"text", b"\xff\xff\xff\xff")
    index = TrajectoryIndex(sealed(tmp_path / "a", b"".join(lines)))
    with pytest.raises(RecordError) as error:
        index[1]
    assert str(error.value).startswith(f"{index.path}, line {number + 1}: not JSON")


@pytest.mark.parametrize(
    ("there", "damaged", "message"),
    [
        (b'"reward":3.0', b'"reward":"3"', r"moves\[\d\]\.reward: needs a number; got '3'"),
        (b'"terminated":false', b'"terminated":0', r"moves\[0\]\.terminated: needs true or false; got 0"),
        (
            b'"source":"rule"',
            b'"source":"ruler"',
            "moves\\[1\\].decision.source: needs 'exact', 'within', 'sampled', 'reasoned', 'stated' or 'rule'",
        ),
        (b'"attempts":2', b'"attempts":-1', r"decision.attempts: needs a number of at least 0; got -1"),
        (b'"attempts":2', b'"atempts":2', r"decision: unknown key 'atempts'; did you mean 'attempts'\?"),
        (b'"player":"player_0",', b"", r"moves\[0\]: the key 'player' is missing"),
        (b'"probabilities":[', b'"probabilities":[NaN,', r"probabilities\[0\]: needs a finite number; got nan"),
        (b'"match":1', b'"match":-1', r"match: needs a number of at least 0; got -1"),
        (b'"rounds":3,"totals"', b'"rounds":1e3,"totals"', r"rounds: needs a whole number; got 1000.0"),
        (b'"step":2', b'"step":3', "found step 3 where step 2 is expected"),
        (
            b'"reason":"t',
            b'"reason":"x',
            "reason: needs 'terminated', 'truncated', 'aborted' or 'failed'; got 'xerminated'",
        ),
    ],
)
def test_values_of_a_wrong_type_are_refused_under_any_checksum(
    tmp_path: Path, written: bytes, there: bytes, damaged: bytes, message: str
) -> None:
    assert there in written
    path = sealed(tmp_path / "a", written.replace(there, damaged, 1))
    with pytest.raises(RecordError, match=rf"a, line \d+: .*{message}"):
        list(read_trajectory(path)[1])
    with pytest.raises(RecordError, match=rf"a, line \d+: .*{message}"):
        [TrajectoryIndex(path)[place] for place in range(4)]


@pytest.mark.parametrize(
    ("there", "damaged", "message"),
    [
        (b'"totals":{"player_0"', b'"totals":{"player_9"', "do not agree"),
        (b'{"player":"player_1","observation":[', b'{"player":"player_0","observation":[', "do not agree"),
    ],
)
def test_a_match_of_other_players_than_the_header_says_is_refused(
    tmp_path: Path, written: bytes, there: bytes, damaged: bytes, message: str
) -> None:
    assert there in written
    path = sealed(tmp_path / "a", written.replace(there, damaged, 1))
    with pytest.raises(RecordError, match=rf"a, line \d+: .*{message}"):
        list(read_trajectory(path)[1])


def test_half_a_surrogate_pair_is_recorded_as_a_replacement_character(tmp_path: Path) -> None:
    said = Decision(0, reply="a\ud800\\ud800\udc00", motivation="\U0001f600")
    move = Move("p", decision=said)
    write(tmp_path / "a", [MatchRecord(0, 1, ((move,),), match_outcome(((move,),)))], ALONE)
    (match,) = read_trajectory(tmp_path / "a")[1]
    assert match.steps[0][0].decision == replace(said, reply="a\ufffd\\ud800\ufffd")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_have_are_not_recorded(tmp_path: Path, value: float) -> None:
    move = Move("p", [value], decision=Decision(0), reward=1.0)
    with pytest.raises(RecordError, match="NaN and infinite numbers cannot be recorded"):
        write(tmp_path / "a", [MatchRecord(0, 1, ((move,),), match_outcome(((move,),)))])


def test_a_match_is_written_once(tmp_path: Path) -> None:
    with TrajectoryWriter(tmp_path / "a", HEADER) as writer:
        writer.write(matches(1)[0])
        with pytest.raises(RecordError, match="already contains match 0"):
            writer.write(matches(1)[0])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(HEADER, seed=8), r"\(seed: 7 recorded, 8 now\)"),
        (replace(HEADER, options={"rounds": 4}), r"\(options.rounds: 3 recorded, 4 now\)"),
        (replace(HEADER, context=None), r"\(context: 'friends' recorded, None now\)"),
        (replace(HEADER, agents=HEADER.agents[::-1]), r"\(agents\.0\.name: "),
    ],
)
def test_another_run_is_not_written_into_the_file(tmp_path: Path, other: Header, message: str) -> None:
    before = write(tmp_path / "a", matches(1))
    with pytest.raises(RecordError, match="the record of another run " + message):
        TrajectoryWriter(tmp_path / "a", other)
    assert (tmp_path / "a").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello\n", r"needs a trajectory file \(\*\.trajectory\.jsonl\).*; it is text that begins with 'hello'"),
        (b"[1]\n", "needs a trajectory file .*; it is JSON, but not an object"),
        (b'{"format":"dilemmas-policy-table"}\n', "; it is a file of the format 'dilemmas-policy-table'"),
        (b'{"format":"dilemmas-trajectory"\n', "line 1: not JSON"),
        (
            b'{"format": "dilemmas-trajectory", "version": 1}\n',
            r'line 1: needs the beginning {"format":"dilemmas-trajectory", without other spaces or keys',
        ),
        (
            b'{"format":"dilemmas-trajectory","version":9,"dilemmas":"4.2"}\n',
            "line 1: version: needs a number of at most 1; got 9; another version of dilemmas wrote it",
        ),
        (b'{"format":"dilemmas-trajectory","version":1}\n', "line 1: the key 'environment' is missing"),
    ],
)
def test_a_file_that_is_no_trajectory_is_refused_and_not_changed(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=message):
        read_trajectory(path)
    with pytest.raises(RecordError):
        TrajectoryWriter(path, HEADER)
    assert path.read_bytes() == content


@pytest.mark.parametrize("length", [0, 20, 60])
def test_a_file_cut_within_its_first_line_is_resumed(tmp_path: Path, length: int) -> None:
    whole = write(tmp_path / "a", matches(1))
    (tmp_path / "a").write_bytes(whole[:length])
    for reader in (read_trajectory, TrajectoryIndex):
        what = "first line is incomplete" if length else "file is empty"
        with pytest.raises(CutError, match=f"a: the {what}; repeat the command"):
            reader(tmp_path / "a")
    assert write(tmp_path / "a", matches(1)) == whole


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="gone: No such file"):
        read_trajectory(tmp_path / "gone")
