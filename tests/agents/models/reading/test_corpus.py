"""Replies are read as a careful human reader reads them: the corpus in the TOML files beside this module."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from dilemmas.agents.models.replies import read_action, read_amount

UNREADABLE = "unreadable"
GROUPS = [
    pytest.param(group, id=f"{path.stem}: {group['kind']}")
    for path in sorted(Path(__file__).parent.glob("replies_*.toml"))
    for group in tomllib.loads(path.read_text(encoding="utf-8"))["group"]
]


def reading(group: dict[str, Any], text: str) -> str | float:
    """The label or amount that is read in a reply, or "unreadable"."""
    if "most" in group:
        amount = read_amount(text, group["most"])
        return UNREADABLE if amount is None else amount
    action = read_action(text, group["labels"])
    return UNREADABLE if action is None else str(group["labels"][action])


@pytest.mark.parametrize("group", GROUPS)
def test_every_reply_of_the_corpus_is_read_as_expected(group: dict[str, Any]) -> None:
    expected = {text: said for text, said in group["replies"]}
    assert {text: reading(group, text) for text in expected} == expected


LETTER = re.compile(r"(?<![^\W_])[CD](?![^\W_])")


@pytest.mark.parametrize("letters", ["DC", "KM"])
def test_other_letters_in_the_same_words_are_read_alike(letters: str) -> None:
    said = [
        (text, label)
        for group in (param.values[0] for param in GROUPS)
        for text, label in group["replies"]
        if group.get("labels") == ["C", "D"] and not re.search(r"\b[cdKM]\b|[ＣＤ]", text)
    ]
    other = dict(zip("CD", letters, strict=True))
    expected = {LETTER.sub(lambda letter: other[letter[0]], text): other.get(label, UNREADABLE) for text, label in said}
    assert len(expected) > 1000
    assert {text: reading({"labels": list(letters)}, text) for text in expected} == expected


def test_the_corpus_is_large_and_names_every_reply_once() -> None:
    asked = [
        (tuple(group.get("labels", (str(group.get("most")),))), text)
        for group in (param.values[0] for param in GROUPS)
        for text, _ in group["replies"]
    ]
    assert len(asked) == len(set(asked)) >= 400
