"""A file of the wrong kind is named as what it is."""

from pathlib import Path

import pytest

from dilemmas.envs.data_files import content_of, read_json
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
