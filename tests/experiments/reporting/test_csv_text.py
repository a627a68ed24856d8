"""CSV is read back as it was written, and no spreadsheet finds a formula in it."""

import csv
import io

import pytest

from dilemmas.experiments.reporting.csv_text import csv_text


def test_written_values_are_read_back() -> None:
    text = csv_text(["name", "share"], [["a, b", 0.5], ['"quoted"\nname', None], ["c", -1.5]])
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "share"],
        ["a, b", "0.5"],
        ['"quoted"\nname', ""],
        ["c", "-1.5"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "\n=1"])
def test_text_that_looks_like_a_formula_is_quoted(text: str) -> None:
    head, row = csv.reader(io.StringIO(csv_text([text], [[text]]), newline=""))
    assert head == row == [f"'{text}"]


@pytest.mark.parametrize("char", ["\r", "\t", "\x1b", "\x9b", "\u202e", "\u2028", "\x85", "\udcff"])
def test_characters_that_cannot_be_printed_are_visible(char: str) -> None:
    text = csv_text([f"{char}=1"], [[f"a{char}b"]])
    head, row = csv.reader(io.StringIO(text, newline=""))
    assert head[0].isprintable()
    assert row[0][1:-1] in "␍␉␛␡�"
    assert text.encode()
