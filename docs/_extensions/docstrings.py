"""How docstrings are read: prose with names in backticks and indented code, in which `*` and `|` are plain characters.

A name in single backticks that begins with `dilemmas.` is a link, and a warning if there is no such object; any other
is shown as code.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, TypeVar

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry, PythonDomain
from sphinx.environment import BuildEnvironment
from sphinx.roles import XRefRole

OWN = re.compile(r"dilemmas(\.\w+)+")
LITERAL = re.compile(r"(``.*?``|`.*?`)")
PLAIN = re.compile(r"(?<!\\)([*|])")


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx's entry point."""
    app.add_domain(RememberingDomain, override=True)
    app.add_role("name", name_role)
    app.connect("autodoc-process-docstring", prepare, priority=400)  # before napoleon, at 500
    app.connect("missing-reference", type_variable)
    app.connect("sphinx-click-process-description", prepare_help)
    app.connect("sphinx-click-process-epilog", leave_out)
    return {"parallel_read_safe": True}


class RememberingDomain(PythonDomain):
    """The Python domain, which goes through all objects once for each name, not for each place where it stands."""

    def find_obj(self, env: BuildEnvironment, *words: Any) -> list[tuple[str, ObjectEntry]]:
        found: dict[tuple[Any, ...], list[tuple[str, ObjectEntry]]] = self.__dict__.setdefault("found", {})
        if words not in found:
            found[words] = super().find_obj(env, *words)
        return found[words]


def name_role(
    role: str, raw: str, text: str, number: int, inliner: Inliner, options: Any = None, content: Any = ()
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """The default role: a link to an object of this project, or code."""
    if OWN.fullmatch(text):
        link = XRefRole(lowercase=False, nodeclass=pending_xref, innernodeclass=nodes.literal)
        return link("py:obj", raw, f"~{text}", number, inliner)
    return [nodes.literal(raw, text.replace("\x00", ""))], []


def prepare(app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """Rewrite the lines of a docstring in place."""
    value = what in ("attribute", "data", "property")
    lines[:] = [*(["\\"] if value else []), *marked(lines)]  # napoleon takes a first line before a colon for a type


def prepare_help(app: Sphinx, context: Any, lines: list[str]) -> None:
    """Rewrite the description of a command in place."""
    lines[:] = map(escaped, lines)


def leave_out(app: Sphinx, context: Any, lines: list[str]) -> None:
    """Remove what stands below the options of a command; the pages say it in their own place."""
    lines.clear()


def marked(lines: list[str]) -> Iterator[str]:
    """The lines with `::` before indented code, and with plain asterisks and bars."""
    code, last = False, ""
    for number, line in enumerate(lines):
        indented = line.startswith("    ")
        if line and not indented:
            code = False
        elif indented and number and not lines[number - 1] and last and not last.startswith((" ", "- ", "* ", ".. ")):
            code = True
            if not last.endswith("::"):
                yield from ("::", "")
        yield line if code else escaped(line)
        last = line or last


def escaped(line: str) -> str:
    """A line of prose in which nothing outside backticks is markup."""
    if line.startswith((".. ", "| ", "* ", "---")):
        return line
    parts = LITERAL.split(line)  # prose, literal, prose ...
    prose = [PLAIN.sub(r"\\\1", part) for part in parts[::2]]
    after = [("\\ " if part[:1].isalnum() else "") + part for part in prose[1:]]  # `name`s
    return prose[0] + "".join(literal + part for literal, part in zip(parts[1::2], after, strict=True))


def type_variable(app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.Element) -> nodes.Element | None:
    """Type variables of a module have no entry of their own: their names are shown without a link."""
    module, _, name = node.get("reftarget", "").rpartition(".")
    if not module.startswith("dilemmas"):
        return None
    try:
        return shown if isinstance(getattr(import_module(module), name, None), TypeVar) else None
    except ImportError:
        return None
