"""Prompts and replies as tokens, in the same way for scoring, sampling and training.

The chat template is rendered once per model, with marks in place of the messages. Text of people and models is put
there afterwards, so that nothing in it is read by the template or becomes one of its control tokens.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from unicodedata import category

from dilemmas.agents.models.backend import ModelError, before_prompt
from dilemmas.agents.models.control_tokens import EDGE, SafeTokenizer, control_tokens
from dilemmas.agents.models.reading.thoughts import tag_pair

FIXED = {"enable_thinking": False, "date_string": "01 Jan 2024"}
"""Variables for the chat templates that use them: answer without a chain of thought, and no dependence on the date."""
OPENING = ("(", "[", "{", '"', "“", "'", "‘", "*", "`")
"""Marks after which no space follows."""
ASKED, REPLIED, RULED = f"{EDGE}asked{EDGE}", f"{EDGE}replied{EDGE}", f"{EDGE}ruled{EDGE}"
"""The marks in place of the messages."""
EXAMPLES = {
    ASKED: "You and a friend play a game of two players in round 2. Each of you chooses C or D.\n"
    "- If both of you choose C, you each get 3 points; if you choose C and they choose D, you get 0 points.\n\n"
    "Last round, you chose C and the other chose D.\nWhich do you choose, C or D? Answer with one letter.",
    REPLIED: "C. Because I trust them, and 3 points are enough.\nThat is my choice.",
    RULED: "You are a person who plays a game.\nAnswer as they would.",
}
"""Messages with which a template has to write the same around them as around the marks."""
SECONDS = 10
"""Time after which the rendering of a chat template is stopped."""


class EndlessTemplateError(ModelError):
    """A chat template that takes too long."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a chat template writes around a prompt and a reply."""

    before: str
    """Text before the prompt."""
    after: str
    """Text between the prompt and the reply."""
    lead: str
    """What a model writes before its reply, such as a space."""
    end: str
    """Text after the reply."""
    thoughts: tuple[str, str] | None = None
    """Text between the prompt and the thoughts of a model, and text that ends them; None without a place for them."""


class ChatEncoder:
    """Prompts and replies of a model as tokens."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer`: one of transformers.

        Raises
        ------
        ModelError
            If the tokenizer or its chat template cannot be used.
        """
        self.tokenizer = tokenizer
        self._around = conversation(tokenizer)

    @cached_property
    def system_turn(self) -> tuple[str, str] | None:
        """What the chat template writes before the text of a system turn, and between it and the prompt; None if it has
        no system turn, or refuses one."""
        return _system_turn(self.tokenizer, self._around.after)

    @cached_property
    def _safe(self) -> SafeTokenizer:
        return SafeTokenizer(self.tokenizer)

    def prompt(
        self, prompt: str, prefill: str = "", thought: str = "", system: str = "", thinks: bool = False
    ) -> list[int]:
        """Tokens up to where the model continues; spaces and line ends around the prompt are left out.

        `prefill` is the beginning of the reply; a space at its end is left to the model. `thought` is what it has
        thought before, `system` the text of the system turn, and `thinks` says whether it thinks on; see `Request`.

        Raises
        ------
        ModelError
            If the chat template and the tokenizer both add a token for the beginning of the sequence.
        """
        tokens = self._safe.encode(self._head(prompt, prefill, thought, system, thinks))
        bos = self.tokenizer.bos_token_id
        if bos is not None and tokens[:2] == [bos] * 2:
            name = self.tokenizer.bos_token
            raise ModelError(f"the chat template begins the prompt with '{name}' twice; fix the template")
        return tokens

    def reply(self, prompt: str, reply: str, prefill: str = "", thought: str = "", system: str = "") -> list[int]:
        """Tokens with which a model writes `reply` after all that is before, without the stop token.

        All are joined before they are tokenized, so a space before a reply belongs to it: the one that the template
        puts there, or the one after `prefill`, which gets one unless it ends with an opening bracket or quotation mark.
        """
        head = self._head(prompt, prefill, thought, system)
        lead = ("" if prefill.endswith(OPENING) else " ") if prefill else self._safe.control(self._around.lead)
        body = lead + self._safe.plain(reply)
        start, whole = self._safe.encode(head), self._safe.encode(head + body)
        if whole[: len(start)] == start:
            return whole[len(start) :]
        return self._safe.encode(body)  # a token would span the boundary

    @cached_property
    def word_ends(self) -> list[bool]:
        """Whether each token of the vocabulary, after a letter, ends the word: it begins with a space or a mark.

        Half a character counts as a letter, because most are.
        """
        decoder = self.tokenizer.backend_tokenizer
        letter = self._safe.encode("a")[-1:]
        before = decoder.decode(letter, skip_special_tokens=False)
        texts = decoder.decode_batch([[*letter, i] for i in range(len(self.tokenizer))], skip_special_tokens=False)
        return [not _in_word(text[len(before) : len(before) + 1]) for text in texts]

    @cached_property
    def stop(self) -> int | None:
        """The token that ends a reply: the template's after it, else the tokenizer's end of sequence, if it has one."""
        after = self._safe.encode(self._safe.control(self._around.end))
        if after and after[0] in control_tokens(self.tokenizer).values():
            return after[0]
        end: int | None = self.tokenizer.eos_token_id
        return end

    @property
    def end_of_thoughts(self) -> str:
        """The tag that ends the thoughts of the model; empty without a place for them."""
        return self._around.thoughts[1].strip() if self._around.thoughts else ""

    @property
    def last_thoughts(self) -> frozenset[int]:
        """The token that ends the thoughts of the model, if there is one."""
        found = control_tokens(self.tokenizer).get(self.end_of_thoughts)
        return frozenset() if found is None else frozenset((found,))

    def _head(self, prompt: str, prefill: str, thought: str, system: str, thinks: bool = False) -> str:
        around, safe = self._around, self._safe
        asked = self._opening(prompt.strip(), system.strip())
        after = safe.control(around.after)
        if around.thoughts and (thought or thinks):
            opened, closed = map(safe.control, around.thoughts)
            after = opened + safe.plain(thought.strip()) + ("" if thinks else closed)
        elif thought:
            prefill = f"{thought}\n\n{prefill}"
        begun = safe.control(around.lead) + safe.plain(prefill.rstrip()) if prefill else ""
        return asked + after + begun

    def _opening(self, prompt: str, system: str) -> str:
        """What is before the reply up to the end of the prompt."""
        safe = self._safe
        if system and self.system_turn:
            before, between = map(safe.control, self.system_turn)
            return before + safe.plain(system) + between + safe.plain(prompt)
        return safe.control(self._around.before) + safe.plain(before_prompt(system, prompt))


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter in "_\ufffd" or category(letter).startswith("M")


def conversation(tokenizer: Any) -> Conversation:
    """What the chat template of a tokenizer writes around messages, or plain text if there is none.

    Raises
    ------
    ModelError
        If the tokenizer or its chat template cannot be used.
    """
    if not tokenizer.is_fast:
        raise ModelError(
            f"the tokenizer {type(tokenizer).__name__} has no tokenizer.json, so control tokens in the texts of"
            " players could not be told from those of the template; use a model with a fast tokenizer"
        )
    if tokenizer.chat_template is None:
        return Conversation(tokenizer.bos_token or "", "\nAnswer:", " ", "")
    template = tokenizer.get_chat_template()
    head, whole = _in_one_form(template, _variables(tokenizer))
    before, after = head.split(ASKED)
    thoughts = _thoughts(template, _variables(tokenizer, enable_thinking=True))
    _, written, end = whole.partition(REPLIED)
    if not written or not whole.startswith(head):  # a template that changes earlier messages or opens thoughts
        return Conversation(before, after + _closing(after), "", end, thoughts)
    return Conversation(before, after, whole[len(head) : whole.index(REPLIED)], end, thoughts)


def _variables(tokenizer: Any, **others: bool) -> str:
    """The variables of a chat template as JSON."""
    return json.dumps(FIXED | tokenizer.special_tokens_map | others, default=str, sort_keys=True)


def _in_one_form(template: str, variables: str, system: bool = False) -> tuple[str, str]:
    """As `_written`, with messages as texts, or as lists of parts if the template takes no texts."""
    try:
        return _written(template, variables, system, parts=False)
    except EndlessTemplateError:
        raise
    except ModelError as error:
        try:
            return _written(template, variables, system, parts=True)
        except ModelError:
            raise error from None


def _system_turn(tokenizer: Any, after: str) -> tuple[str, str] | None:
    """As `ChatEncoder.system_turn`; `after`: what the template writes after a prompt without a system turn."""
    if tokenizer.chat_template is None:
        return None
    try:
        head, _ = _in_one_form(tokenizer.get_chat_template(), _variables(tokenizer), system=True)
    except ModelError:  # it refuses one
        return None
    before, found, rest = head.partition(RULED)
    between, _, end = rest.partition(ASKED)
    return (before, between) if found and RULED not in rest and after.startswith(end) else None


def _thoughts(template: str, variables: str) -> tuple[str, str] | None:
    """Text between the prompt and the thoughts of a model, and text that ends them; None without a place for them.

    A model whose template has tags of thoughts, and does not open them, opens them itself.
    """
    tags = tag_pair(template)
    if tags is None:
        return None
    _, after = _in_one_form(template, variables)[0].split(ASKED)
    closing = _closing(after)
    return (after, closing) if closing else (f"{after}{tags[0]}\n", f"\n{tags[1]}\n\n")


def _closing(after: str) -> str:
    """What closes the thoughts that a template opens before a reply."""
    tags = tag_pair(after)
    if tags is None or tags[1] in after:
        return ""
    line_end = "" if after.endswith("\n") else "\n"
    return f"{line_end}\n{tags[1]}\n\n"


def _written(template: str, variables: str, system: bool, parts: bool) -> tuple[str, str]:
    """As `_rendered`; `ModelError` also if messages are not there as they are, or change what is around them."""
    head, whole, *examples = _rendered(template, variables, system, parts)
    if head.count(ASKED) != 1:
        raise ModelError("the chat template does not write a message of the user as it is; fix the template")
    for text, example in zip((head, whole), examples, strict=True):
        for mark, message in EXAMPLES.items():
            text = text.replace(mark, message)
        if text != example:
            raise ModelError("the chat template writes something else if a message has other words; fix the template")
    return head, whole


@cache
def _rendered(template: str, variables: str, system: bool, parts: bool) -> tuple[str, ...]:
    """A prompt with the beginning of the reply, and a prompt with a reply, as the template writes them; with marks in
    place of the messages, then with `EXAMPLES`.

    `system`: whether a system turn is before them. `parts`: whether the messages are lists of parts, as for models that
    also see pictures.

    Raises
    ------
    ModelError
        If the template fails, or takes more time or memory than it may.
    """
    roles = ({"system": RULED} if system else {}) | {"user": ASKED, "assistant": REPLIED}
    conversations: list[tuple[list[dict[str, Any]], bool]] = []
    for texts in (roles, {role: EXAMPLES[mark] for role, mark in roles.items()}):
        both = [
            {"role": role, "content": [{"type": "text", "text": text}] if parts else text}
            for role, text in texts.items()
        ]
        conversations += [(both[:-1], True), (both, False)]
    asked = {"template": template, "variables": json.loads(variables), "seconds": SECONDS}
    asked["conversations"] = conversations
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(Path(__file__).with_name("template_process.py"))],
            input=json.dumps(asked),
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            env=os.environ | {"PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"},
        )
    except subprocess.TimeoutExpired:
        raise EndlessTemplateError(
            f"the chat template does not end within {SECONDS} seconds; fix the template"
        ) from None
    answer: dict[str, Any] = (
        json.loads(done.stdout) if done.returncode == 0 else {"error": f"exit code {done.returncode}"}
    )
    if "error" in answer:
        raise ModelError(f"the chat template cannot be used ({answer['error']}); fix the template")
    return tuple(answer["texts"])
