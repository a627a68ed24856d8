"""A process of its own that renders a chat template, so that a template can neither run for ever nor fill the memory.

It reads a JSON object with `template`, `variables`, `conversations` and `seconds` from standard input and writes one
with `texts` or `error`. Chat templates come from model repositories: they run in the sandbox of jinja2 with what
transformers offers them, except that they see a fixed date and fixed random numbers, so that a model is asked the same
every day. Imports nothing of dilemmas, because it is run as a file.
"""

import json
import random
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MEMORY = 1 << 30
"""Address space of the process, in bytes."""
LONGEST = 1_000_000
"""Largest number of characters of a rendered conversation."""
TODAY = datetime(2024, 1, 1)
"""The date that templates see."""


class Generation(Extension):
    """The tag ``generation``, which marks what the model writes for trainers; it renders its content."""

    tags = {"generation"}  # noqa: RUF012  # an instance variable of the base class

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def refuse(message: object) -> None:
    """`raise_exception` of templates."""
    raise TemplateError(str(message))


def to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    """The filter `tojson` of chat templates, which unlike that of jinja2 does not escape HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


def render(asked: dict[str, Any]) -> list[str]:
    """The texts of the conversations, each given as its messages and whether the beginning of a reply is added."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = TODAY.strftime
    template = environment.from_string(asked["template"])
    texts = []
    for messages, prompted in asked["conversations"]:
        random.seed(0)
        pieces, size = [], 0
        for piece in template.generate(messages=messages, add_generation_prompt=prompted, **asked["variables"]):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST:
                raise TemplateError(f"it writes more than {LONGEST:,} characters")
        texts.append("".join(pieces))
    return texts


def limit(seconds: int) -> None:
    """Limit the memory and the time of this process, where the system can."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, seconds)):
        with suppress(ValueError, OSError):  # a system without this limit, or with a lower one
            resource.setrlimit(kind, (most, most))


def answer_request() -> None:
    asked = json.load(sys.stdin)
    limit(asked["seconds"])
    try:
        answer: dict[str, Any] = {"texts": render(asked)}
    except Exception as error:  # a template can raise anything
        answer = {"error": f"{type(error).__name__}: {error}"[:300]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    answer_request()
