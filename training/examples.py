"""Teaching data: the teacher's answers and motivations as question-and-answer pairs, in the JSONL chat format
people know.

Each line holds `messages` (user: the question exactly as the student will be asked it; assistant: the teacher's
label and motivation) and, beside it, the scenario and the action, which fine-tuning libraries pass over.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dilemmas.envs.data_files import write_text
from dilemmas.envs.errors import InputError


class ExampleError(InputError):
    """A data set that cannot be read; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question with the teacher's answer."""

    scenario: str
    """``game/context``."""
    prompt: str
    """The question, as the student will be asked it."""
    label: str
    """The teacher's answer."""
    action: int
    """Index of the action behind the label."""
    motivation: str
    """Why, in the teacher's words; empty if it gave no reason."""

    @property
    def completion(self) -> str:
        """What the student learns to write."""
        return f"{self.label}. {self.motivation}".rstrip()


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write a data set whole: a reader sees the old file or the new one, never half of it."""
    write_text(path, "".join(f"{_line(example)}\n" for example in examples))


def _line(example: Example) -> str:
    messages = [
        {"role": "user", "content": example.prompt},
        {"role": "assistant", "content": example.completion},
    ]
    about = {"scenario": example.scenario, "label": example.label, "action": example.action}
    return json.dumps({"messages": messages, **about, "motivation": example.motivation}, ensure_ascii=False)


def read_examples(path: Path) -> list[Example]:
    """Read a data set; a line that is not one is named with what is wrong with it."""
    if not path.is_file():
        raise ExampleError(
            f"{path}: no such data set; `dilemmas replicate` writes one as examples.jsonl in its run folder"
        )
    examples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line:
            continue
        try:
            record = json.loads(line)
            user, assistant = record["messages"]
            example = Example(
                record["scenario"], user["content"], record["label"], record["action"], record["motivation"]
            )
        except json.JSONDecodeError as error:
            raise ExampleError(f"{path}, line {number}: not JSON ({error.msg} at character {error.pos})") from None
        except (KeyError, TypeError, ValueError) as error:
            raise ExampleError(f"{path}, line {number}: not an example ({type(error).__name__}: {error})") from None
        if assistant["content"] != example.completion:
            raise ExampleError(f"{path}, line {number}: the assistant's message is not the label and the motivation")
        examples.append(example)
    return examples


@dataclass(frozen=True, slots=True)
class Summary:
    """What a data set holds about one scenario."""

    scenario: str
    counts: tuple[tuple[str, int], ...]
    """How often each label was given, most frequent first."""
    motivations: int
    """Number of different motivations."""
    words: float
    """Mean length of a motivation, in words."""


def summarise(examples: Sequence[Example]) -> list[Summary]:
    """Counts per scenario, in the order in which the scenarios come."""
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
