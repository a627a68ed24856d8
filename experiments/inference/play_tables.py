"""Tables of human play: their columns, and the words for cooperation and defection in them."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path

from dilemmas.envs.data_files import read_bytes
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import did_you_mean

COLUMNS = {
    "subject": ("id", "player", "participant", "subject_id"),
    "match": ("game", "supergame", "interaction", "match_id"),
    "round": ("period",),
    "own": ("choice", "action", "own_choice", "own_action", "coop"),
    "other": ("partner", "opponent", "other_choice", "other_action", "ocoop"),
}
"""Columns of a table of human play, with accepted alternative names."""
MORE_COLUMNS = {
    "session": ("session_id",),  # subjects with the same id in two sessions are two people
    "treatment": ("treatment_id", "condition"),
    "intended": ("intended_choice", "intended_action", "own_intended"),  # before the trembling hand, beside `own`
}
"""Columns that a table may have."""
TRUTH = {"true": "1", "false": "0", "yes": "1", "no": "0"}
"""Words for the numbers 1 and 0, in lower case."""
TABLE_SIZE = 1 << 28
"""Largest size of a table, in bytes."""
TABLES = (".csv", ".tsv")
"""Ends of the names of tables of human play."""
WORDS = {"c": 0, "cooperate": 0, "cooperation": 0, "d": 1, "defect": 1, "defection": 1}
"""Accepted words for actions, in lower case."""


class PlayError(InputError):
    """Recorded play that cannot be used; the message names the file, the line and the remedy."""


class ActionWords:
    """Reads the actions of a table: 0 = C, 1 = D."""

    def __init__(self, one: str | None, cooperate: str | None) -> None:
        self.one, self.cooperate = one, cooperate
        self.other: str | None = None
        """The word for defection beside `cooperate`, once it has occurred."""

    def read(self, text: str, place: str) -> int:
        """The action that a word or a number means; `PlayError` if that is not known."""
        word = text.lower()
        if self.cooperate is not None:
            return self._of_two(word, place)
        if word in WORDS:
            return WORDS[word]
        number = TRUTH.get(word, word)
        if not re.fullmatch(r"[01](\.0*)?", number):
            raise PlayError(
                f"{place}: action '{text}' is not C, D, 0 or 1; if the table has words of its own, give the one for"
                " cooperation with --cooperate WORD"
            )
        if self.one is None:
            meant = "a number" if number == word else f"the same as {number}"
            raise PlayError(f"{place}: action '{text}' is {meant}; specify the meaning of 1 with --one C or --one D")
        return int((number[0] == "1") == (self.one == "D"))

    def _of_two(self, word: str, place: str) -> int:
        if word == str(self.cooperate).lower():
            return 0
        self.other = self.other or word
        if word != self.other:
            raise PlayError(
                f"{place}: action '{word}' is a third word, beside '{self.cooperate}' (cooperation) and '{self.other}'"
            )
        return 1


def unused_columns(path: Path) -> list[str]:
    """Columns of a table of human play that are not read, so what they distinguish is pooled."""
    heads = next(_lines(path))[1]
    used = _columns(heads, path).values()
    return [head for place, head in enumerate(heads) if place not in used]


def table_rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line numbers, and fields by the names of `COLUMNS`."""
    lines = _lines(path)
    _, heads = next(lines)
    where = _columns(heads, path)
    for line, row in lines:
        if not row:
            continue
        if len(row) != len(heads):
            raise PlayError(f"{path}, line {line}: {len(row)} fields under {len(heads)} columns")
        fields = {name: row[place].strip() for name, place in where.items()}
        for name, field in fields.items():
            if not field:
                raise PlayError(f"{path}, line {line}: '{heads[where[name]]}' is empty")
        yield line, fields


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and fields of all lines, with the most frequent separator of the first."""
    try:
        text = read_bytes(path, TABLE_SIZE, PlayError).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlayError(f"{path} is not a text file in UTF-8: {error}") from None
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    if not first:
        raise PlayError(f"{path}: the first line is empty; it must name the columns {', '.join(COLUMNS)}")
    reader = csv.reader(StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:  # a field that is too long, or not closed
        raise PlayError(f"{path}, line {reader.line_num}: {error}") from None


def _columns(heads: Sequence[str], path: Path) -> dict[str, int]:
    """Index of each column; `PlayError` if one that has a name is there twice."""
    titles = [re.sub(r"[\W_]+", "_", head.strip().lower()).strip("_") for head in heads]
    where: dict[str, int] = {}
    for title, count in Counter(filter(None, titles)).items():
        if count > 1:
            raise PlayError(f"{path}, line 1: column '{title}' is there {count} times; keep one")
    for name, aliases in {**COLUMNS, **MORE_COLUMNS}.items():
        places = [titles.index(known) for known in (name, *aliases) if known in titles]
        if not places and name in MORE_COLUMNS:
            continue
        if not places:
            known = f"also known as {', '.join(aliases)}"
            raise PlayError(f"{path}, line 1: no column '{name}' ({known}){did_you_mean(name, dict.fromkeys(titles))}")
        where[name] = places[0]
    return where


def round_number(text: str, place: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d{0,8}(\.0*)?", text):
        raise PlayError(f"{place}: round '{text}' is not a whole number from 1 to 999999999")
    return int(float(text))
