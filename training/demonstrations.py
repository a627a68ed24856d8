"""Demonstrations: questions as the student will be asked, with what the teacher does there.

A file of them has one per line, in the usual JSONL chat format: `messages` with the system turn, if there is one, the
question, and the reply, if there is one; beside them `labels` and `probabilities`, which trainers on chats ignore. Such
a file of any other origin is read too: a line that has messages alone teaches the reply.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

from dilemmas.agents.models.chat import ChatEncoder
from dilemmas.envs.data_files import check_value, json_text, numbered_lines, parse_json, write_text
from dilemmas.envs.seals import check_sealed
from dilemmas.envs.validation import Share
from dilemmas.training.examples import Example, ExampleError
from dilemmas.training.packing.lessons import Tokens

ABOUT = ("labels", "probabilities", "prefill", "situation", "teacher_prompt")
"""Keys of a line beside its messages."""
SUM = 1e-6
"""How far the sum of probabilities may be from 1."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One question with what the teacher does there."""

    prompt: str
    """The question, as the student will be asked."""
    labels: tuple[str, ...]
    """Labels of the actions that are taught."""
    probabilities: tuple[float, ...]
    """Probability of each of these actions, in [0, 1]; they sum to 1."""
    reply: str = ""
    """What the teacher wrote, the label of its action first; empty if it wrote nothing."""
    prefill: str = ""
    """Beginning of the replies, with which the student will be asked too."""
    system: str = ""
    """Text of the system turn, with which the student will be asked too."""
    situation: str = ""
    """Name that all presentations of one situation have, the actions in the same order; empty without others."""
    teacher_prompt: str = ""
    """The question as the teacher was asked it; empty if it was asked as the student."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A turn of a chat."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: str
    """What is said."""


@dataclass(frozen=True, slots=True)
class DemonstrationLine:
    """A line of a file of demonstrations."""

    messages: tuple[ChatMessage, ...]
    """A system turn or none, the question, and a reply or none."""
    labels: tuple[str, ...]
    """Labels of the actions; none where only the reply is taught."""
    probabilities: tuple[Share, ...]
    """Probability of each of these actions; they sum to 1."""
    prefill: str
    """Beginning of the reply, with which the student will be asked too."""
    situation: str
    """Name that all presentations of one situation have, the actions in the same order; may be empty."""
    teacher_prompt: str
    """The question as the teacher was asked it; empty if it was asked as the student."""


def from_example(
    example: Example, prefill: str = "", system: str = "", labels: Sequence[str] | None = None
) -> Demonstration:
    """An answer of the teacher as a demonstration. `labels`: of all actions; by default of the one that it chose."""
    labels = tuple(labels or (example.label,))
    shares = tuple(float(label == example.label) for label in labels)
    return Demonstration(example.prompt, labels, shares, example.completion, prefill, system, example.scenario)


def write_demonstrations(path: Path, shown: Iterable[Demonstration]) -> None:
    """Write a file of demonstrations atomically."""
    write_text(path, "".join(f"{_line(one)}\n" for one in shown))


def _line(one: Demonstration) -> str:
    turns = (("system", one.system), ("user", one.prompt), ("assistant", one.reply))
    messages = [{"role": role, "content": text} for role, text in turns if text or role == "user"]
    about = {name: getattr(one, name) for name in ABOUT}
    return json_text({"messages": messages} | about)


def read_demonstrations(path: Path) -> Iterator[Demonstration]:
    """Read a file of demonstrations, or any chat file with one question and one reply a line.

    Raises
    ------
    ExampleError
        If the file does not exist, or a line is no demonstration; the message names the line and what is wrong.
    """
    if not path.is_file():
        raise ExampleError(f"{path} does not exist")
    check_sealed(path)
    for number, line in numbered_lines(path, ExampleError):
        if line.strip():
            yield _parsed(line, f"{path}, line {number}")


def _parsed(line: bytes, place: str) -> Demonstration:
    needs = 'needs chat data with "messages": a system turn or none, one question, and its reply'
    given = parse_json(line, dict[str, Any], place, ExampleError, needs)
    known: dict[str, Any] = {name: [] if name in ("labels", "probabilities") else "" for name in ABOUT}
    known |= {item.name: given[item.name] for item in fields(DemonstrationLine) if item.name in given}
    if isinstance(turns := known.get("messages"), tuple | list):
        known["messages"] = [_known_keys(turn) for turn in turns]
    found = check_value(known, DemonstrationLine, place, ExampleError)
    system, turns = "", list(found.messages)
    if turns and turns[0].role == "system":
        system = turns.pop(0).content
    roles = [turn.role for turn in turns]
    if roles not in (["user"], ["user", "assistant"]):
        raise ExampleError(f"{place}: messages of {', '.join(roles) or 'nobody'}; {needs}")
    reply = turns[1].content if len(turns) > 1 else ""
    labels, shares = found.labels, found.probabilities
    if len(labels) != len(set(labels)) or len(labels) != len(shares):
        raise ExampleError(f"{place}: needs a probability for each of the labels, which differ")
    if labels and abs(sum(shares) - 1) > SUM:
        raise ExampleError(f"{place}: probabilities: needs numbers with sum 1; got {list(shares)}")
    if not labels and not reply.strip():
        raise ExampleError(f"{place}: needs a reply, or labels with probabilities")
    if not turns[0].content.strip():
        raise ExampleError(f"{place}: the question is empty")
    begun, others = found.prefill, (found.situation, found.teacher_prompt)
    return Demonstration(turns[0].content, labels, shares, reply, begun, system, *others)


def _known_keys(turn: Any) -> Any:
    """A turn without the keys that only other programs read."""
    keys = [item.name for item in fields(ChatMessage)]
    return {key: turn[key] for key in keys if key in turn} if isinstance(turn, dict) else turn


class Speller:
    """Demonstrations as tokens of one model."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer`: one of transformers; `ModelError` if it cannot be used."""
        chat = ChatEncoder(tokenizer)
        self.stop: Tokens = () if chat.stop is None else (chat.stop,)
        """The token that ends a reply, if there is one."""
        self._asked = cache(lambda *words: tuple(chat.prompt(words[0], words[1], system=words[2])))
        self._said = cache(lambda *words: tuple(chat.reply(words[0], words[3], words[1], system=words[2])))

    def asked(self, shown: Demonstration) -> Tokens:
        """The question, up to where the student goes on."""
        return self._asked(shown.prompt, shown.prefill, shown.system)

    def said(self, shown: Demonstration, text: str) -> Tokens:
        """A reply to the question, without the token that ends it."""
        return self._said(shown.prompt, shown.prefill, shown.system, text)
