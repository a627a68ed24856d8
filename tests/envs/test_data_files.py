"""A file of the wrong kind is named as what it is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dilemmas.envs.data_files import content_of, parse_json, read_json, read_toml
from dilemmas.envs.errors import InputError


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\x00\xff", "a binary file"),
        (b" \n", "an empty file"),
        (b'{"format": "dilemmas-policy-table",\n"version": 1}', "a file of the format 'dilemmas-policy-table'"),
        (b'{"format":"dilemmas-trajectory"}\n{"match":0}\n', "a file of the format 'dilemmas-trajectory'"),
        (b'{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}', "JSON with the keys 'a', 'b', 'c', 'd', ..."),
        (b"[1, 2]", "JSON, but not an object"),
        (b'{"a": 1', "damaged JSON"),
        (b'name = "x"\n[models]\n', "a TOML file with the keys 'name', 'models'"),
        (b"subject,match\n1,2\n", "text that begins with 'subject,match'"),
        (b"\x1b[31mred", r"text that begins with '\x1b[31mred'"),
    ],
)
def test_what_a_file_contains(content: bytes, found: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert content_of(tmp_path / "file") == found


def test_a_file_that_is_not_json_is_named_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "recipe").write_text("observations = 5\n")
    with pytest.raises(InputError, match=r"recipe: not JSON: .*; it is a TOML file with the keys 'observations'; copy"):
        read_json(tmp_path / "recipe", dict[str, int], remedy="copy it")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 1\n" + b"a." * 50_000 + b"b = 1", "not TOML: line 2: a key of 50001 parts; needs 16 at most"),
        (b"[" + b"a . " * 16 + b"'b.c']", "a key of 17 parts; needs 16 at most"),
        (b"x = {" + b'"a".' * 16 + b"b = 1}", "a key of 17 parts; needs 16 at most"),
        (b"x = " + b"[" * 100_000, "not TOML: nested too deeply"),
        (b"x = " + b"[" * 300 + b"]" * 300, "nested too deeply"),
        (b"x = '\xff'", "not TOML: 'utf-8' codec can't decode"),
        (b"x = " + b"1" * 5000, "not TOML: "),
        (b"x = 2024-01-01", "got 2024-01-01"),
        (b"# " + b"." * (1 << 20), "larger than 1 MiB"),
    ],
)
def test_toml_that_costs_too_much_or_has_other_types_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    """Python's tomllib needs 6.5 GB for 100 kB of dotted key."""
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(message)):
        read_toml(path, dict[str, Any])


def test_dots_in_texts_and_comments_are_no_keys(tmp_path: Path) -> None:
    text = ". ".join("abcdefghijklmnopqrstuvwxyz")
    (tmp_path / "a.toml").write_text(f"# {text}\na = \"{text}\"\nb = '''{text}'''\nc.d = 1.5\n")
    assert read_toml(tmp_path / "a.toml", dict[str, Any]) == {"a": text, "b": text, "c": {"d": 1.5}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1, "a": 1}', "file: the key 'a' is there 2 times; keep one"),
        ('{"rows": [{}, {"a": {"b": 1, "c": 2, "b": 3}}]}', "file: rows[1].a: the key 'b' is there 2 times; keep one"),
        ('{"rows": [{"a": 1}, [{"a" : 1, \n "b": [], "a":1, "a": 1}]]}', "rows[1][0]: the key 'a' is there 3 times"),
        (r'{"\u0061": 1, "a": 1}', "the key 'a' is there 2 times"),
        (r'{"\n": 1, "b": {"c\"": 1, "c\"": 2}}', "b: the key 'c\"' is there 2 times"),
        ('{"a": 1, "' + "é" * 9000 + '": 2, "a": 3}', "the key 'a' is there 2 times"),
    ],
)
def test_a_key_that_is_there_twice_is_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)):
        read_json(tmp_path / "file", dict[str, Any])


@pytest.mark.parametrize(
    ("known", "other"),
    [
        ('{"a1": 1, "a2": 2}', '{"a1": 1, "a1": 2}'),
        ('{"a1": 1, "x": {"a1": 2}}', '{"a1": 1, "a1": {"x": 2}}'),
        ('{"x": "a", "a": 2}', '{"a": "x", "a": 2}'),
        ('{"x1": "{", "x": "}"}', '{"x": "{", "x": "}"}'),
        (r'{"x\b": 1, "x": 2}', r'{"x\b": 1, "x\b": 2}'),
        (r'{"x": "\"", "y": 2}', r'{"x": "\"", "x": 2}'),
        ('{"x": 1}, ', '{"x": 1, "x": 1}'),
    ],
)
def test_a_line_like_one_that_was_read_is_refused_if_it_repeats_a_key(known: str, other: str) -> None:
    """What was found of a line is used for others that differ in their numbers, which may be part of keys."""
    for line in (known.removesuffix(", "), known.removesuffix(", ").encode()):
        assert parse_json(line, dict[str, Any], "known") == json.loads(line)
    with pytest.raises(InputError, match=r"other: the key '.*' is there 2 times"):
        parse_json(other, dict[str, Any], "other")


def test_the_same_key_of_different_objects_is_read() -> None:
    lines = [f'{{"a": {{"a": [{{"a": {number}}}, {{"a": "a"}}]}}, "b{number}": "\\"a\\":"}}' for number in range(2000)]
    for line in lines:
        assert parse_json(line, dict[str, Any], "line") == json.loads(line)
