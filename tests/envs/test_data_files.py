"""A file of the wrong kind is named as what it is."""

import re
from pathlib import Path
from typing import Any

import pytest

from dilemmas.envs.data_files import content_of, read_json, read_toml
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
