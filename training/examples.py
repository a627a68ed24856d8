"""Teaching data: answers and motivations of the teacher in the usual JSONL chat format.

Each line has `messages` (user: the question exactly as the student will be asked; assistant: label and motivation of
the teacher), the same two messages as the columns `prompt` and `completion`, which trainers read that learn from the
completion only, and the scenario, label, action and motivation, which they ignore.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dilemmas.envs.data_files import json_text, numbered_lines, parse_json, write_text
from dilemmas.envs.errors import InputError
from dilemmas.envs.seals import check_sealed
from dilemmas.envs.validation import Count


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
    """Reason that the teacher gave, or what it wrote before its answer; may be empty."""
    reply: str = ""
    """The whole reply of a teacher that wrote something before its answer; empty if the answer comes first."""

    @property
    def completion(self) -> str:
        """Text that the student learns to generate."""
        return self.reply or f"{self.label}. {self.motivation}".rstrip()


@dataclass(frozen=True, slots=True)
class UserMessage:
    """The message of the user."""

    role: Literal["user"]
    """Who speaks."""
    content: str
    """The question, exactly as the student will be asked."""


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """The message of the assistant."""

    role: Literal["assistant"]
    """Who speaks."""
    content: str
    """The label, a full stop and the motivation; or the whole reply, if the teacher wrote something before."""


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """A line of teaching data."""

    messages: tuple[UserMessage, AssistantMessage]
    """The question, and the answer that the student learns to write."""
    scenario: str
    """``game/context``."""
    label: str
    """The answer of the teacher."""
    action: Count
    """Index of the action that the label stands for."""
    motivation: str
    """Reason that the teacher gave, or what it wrote before its answer; may be empty."""
    reply: str
    """The whole reply of a teacher that wrote something before its answer; empty if the answer comes first."""
    prompt: tuple[UserMessage]
    """The question again, as trainers on completions read it."""
    completion: tuple[AssistantMessage]
    """The answer again, as trainers on completions read it."""


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
    return json_text({**columns, **about, "motivation": example.motivation, "reply": example.reply})


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
    remedy = "needs teaching data, such as the examples.jsonl of a run folder"
    check_sealed(path)
    lines = numbered_lines(path, ExampleError)
    return [_parse_example(line, f"{path}, line {number}", remedy) for number, line in lines if line.strip()]


def _parse_example(line: bytes, place: str, remedy: str) -> Example:
    record = parse_json(line, ExampleLine, place, ExampleError, remedy)
    question, answer = record.messages
    example = Example(record.scenario, question.content, record.label, record.action, record.motivation, record.reply)
    if answer.content != example.completion:
        raise ExampleError(f"{place}: the message of the assistant is not the label and the motivation, or the reply")
    for column, message in (("prompt", question), ("completion", answer)):
        if getattr(record, column) != (message,):
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
