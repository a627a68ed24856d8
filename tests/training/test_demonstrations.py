"""Demonstrations are read as they were written, from chat data of any origin, and damaged lines are refused."""

import json
from pathlib import Path

import pytest

from dilemmas.training.demonstrations import Demonstration, read_demonstrations, write_demonstrations
from dilemmas.training.examples import Example, ExampleError, write_examples

SOFT = Demonstration("C or D?", ("C", "D"), (0.25, 0.75))
WRITTEN = Demonstration("C or D?", ("D", "C"), (0.0, 1.0), "C. It is fair.", "I choose", "You are a nurse.")
CHAT = {"messages": [{"role": "user", "content": "C or D?"}, {"role": "assistant", "content": "D, of course"}]}


def read(folder: Path, *lines: object) -> list[Demonstration]:
    path = folder / "chat.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return list(read_demonstrations(path))


def test_what_is_written_is_read(tmp_path) -> None:
    write_demonstrations(tmp_path / "a.jsonl", [SOFT, WRITTEN])
    assert list(read_demonstrations(tmp_path / "a.jsonl")) == [SOFT, WRITTEN]


def test_chat_data_of_any_origin_teach_the_reply(tmp_path) -> None:
    system = {"role": "system", "content": "Be brief.", "weight": 0}
    found = read(tmp_path, CHAT, {"id": 7, "messages": [system, *CHAT["messages"]]})
    assert found == [
        Demonstration("C or D?", (), (), "D, of course"),
        Demonstration("C or D?", (), (), "D, of course", system="Be brief."),
    ]


def test_the_teaching_data_of_a_study_are_chat_data(tmp_path) -> None:
    write_examples(tmp_path / "examples.jsonl", [Example("g/c", "C or D?", "C", 0, "We are friends.")])
    (found,) = read_demonstrations(tmp_path / "examples.jsonl")
    assert (found.prompt, found.reply) == ("C or D?", "C. We are friends.")


USER, SAID = CHAT["messages"]


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("{", "line 1"),
        ("[]", "line 1"),
        ({}, "messages"),
        ({"messages": []}, "nobody"),
        ({"messages": [SAID]}, "assistant"),
        ({"messages": [USER]}, "needs a reply, or labels"),
        ({"messages": [USER, SAID, USER, SAID]}, "one question"),
        ({"messages": [USER, {"role": "tool", "content": "x"}]}, "role"),
        ({"messages": [{"role": "user"}, SAID]}, "content"),
        ({"messages": [{"role": "user", "content": " "}, SAID]}, "empty"),
        ({"messages": [USER], "labels": ["C", "D"], "probabilities": [0.5, 0.6]}, "sum 1"),
        ({"messages": [USER], "labels": ["C", "D"], "probabilities": [1.5, -0.5]}, "probabilities"),
        ({"messages": [USER], "labels": ["C", "C"], "probabilities": [0.5, 0.5]}, "differ"),
        ({"messages": [USER], "labels": ["C", "D"], "probabilities": [1.0]}, "each of the labels"),
    ],
)
def test_a_line_that_is_no_demonstration_is_refused(tmp_path, line, needs) -> None:
    with pytest.raises(ExampleError, match=needs) as caught:
        read(tmp_path, line)
    assert "chat.jsonl, line 1" in str(caught.value)
