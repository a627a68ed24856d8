"""Teaching data: answers and motivations of the teacher in the usual JSONL chat format.

Each line has `messages` (user: the question exactly as the student will be asked; assistant: label and motivation of
the teacher), the same two messages as the columns `prompt` and `completion`, which trainers read that learn from the
completion only, and the scenario, label, action and motivation, which they ignore.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dilemmas.envs.data_files import check_keys, json_object, write_text, wrong_file
from dilemmas.envs.errors import InputError
from dilemmas.envs.seals import check_sealed


class ExampleError(InputError):
    """A data set that cannot be read; the message names the file, the line and the key."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question with the answer of the teacher."""

    scenario: str
    """``game/context``."""
    prompt: str
    """The question, as the student will be asked."""
    label: str
    """The answer of the teacher."""
    action: int
    """Index of the action that the label stands for."""
    motivation: str
    """Reason that the teacher gave; may be empty."""

    @property
    def completion(self) -> str:
        """Text that the student learns to generate."""
        return f"{self.label}. {self.motivation}".rstrip()


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write a data set atomically."""
    write_text(path, "".join(f"{_line(example)}\n" for example in examples))


def _line(example: Example) -> str:
    messages = [
        {"role": "user", "content": example.prompt},
        {"role": "assistant", "content": example.completion},
    ]
    columns = {"messages": messages, "prompt": messages[:1], "completion": messages[1:]}
    about = {"scenario": example.scenario, "label": example.label, "action": example.action}
    return json.dumps({**columns, **about, "motivation": example.motivation}, ensure_ascii=False)


def read_examples(path: Path) -> list[Example]:
    """Read a data set.

    Raises
    ------
    ExampleError
        If the file does not exist or a line is not an example; the message names the line and what is wrong.
    """
    if not path.is_file():
        raise ExampleError(
            f"{path} does not exist; `dilemmas replicate` writes a data set as examples.jsonl in its run folder"
        )
    check_sealed(path)
    lines = path.read_bytes().split(b"\n")
    if lines[0] and not _has_messages(lines[0]):
        raise ExampleError(wrong_file(path, "teaching data, such as the examples.jsonl of a run folder"))
    return [_parse_example(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line]


def _has_messages(line: bytes) -> bool:
    try:
        return "messages" in json_object(line, "")
    except InputError:
        return False


def _parse_example(line: bytes, place: str) -> Example:
    record = json_object(line, place, ExampleError)
    keys = ("messages", "scenario", "label", "action", "motivation")
    check_keys(record, keys, place, optional=("prompt", "completion"), error=ExampleError)
    try:
        user, assistant = record["messages"]
        question, answer = user["content"], assistant["content"]
    except (KeyError, TypeError, ValueError) as error:
        raise ExampleError(
            f"{place}: messages: needs a user and an assistant message, each with content ({error!r})"
        ) from None
    example = Example(record["scenario"], question, record["label"], record["action"], record["motivation"])
    if answer != example.completion:
        raise ExampleError(f"{place}: the message of the assistant is not the label and the motivation")
    for column, message in (("prompt", user), ("completion", assistant)):
        if record.get(column, [message]) != [message]:  # files of earlier versions do not have the columns
            raise ExampleError(f"{place}: {column} is not the message of the same role")
    return example


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of a data set for one scenario."""

    scenario: str
    """``game/context``."""
    counts: tuple[tuple[str, int], ...]
    """Frequency of each label, the most frequent first."""
    motivations: int
    """Number of distinct motivations."""
    words: float
    """Mean length of a motivation, in words."""


def summarise(examples: Sequence[Example]) -> list[Summary]:
    """Statistics per scenario, in the order of first occurrence."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.scenario, []).append(example)
    return [
        Summary(
            scenario,
            tuple(Counter(example.label for example in group).most_common()),
            len({example.motivation for example in group}),
            sum(len(example.motivation.split()) for example in group) / len(group),
        )
        for scenario, group in groups.items()
    ]
