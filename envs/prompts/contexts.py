"""Contexts: the social framing of a game. Their texts are in contexts.toml, as paragraphs in vignettes.toml.

A stock of further contexts, in stock.toml, is for training: none is in a set on which students are tested.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from dilemmas.envs.data_files import check_value, read_toml
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.wording import PLACEHOLDERS, TemplateError


@dataclass(frozen=True, slots=True)
class Context:
    """A social framing: the situation of the player and its relation to the other players."""

    name: str
    """Identifier, such as ``friends``."""
    title: str
    """Title for tables, a few words."""
    pair: str
    """Text that opens the prompt of a two-player game, such as its first sentence."""
    group: str
    """Text that opens the prompt of a game with more players; ``{others}`` is the number of other players."""
    known: bool = False
    """Whether it is one of the five contexts of the study, in which students are trained."""

    def opening(self, n_players: int) -> str:
        """Beginning of a prompt for `n_players` players, 2 or more."""
        return self.pair if n_players == 2 else self.group.replace("{others}", str(n_players - 1))


def load_contexts(path: Path) -> dict[str, Context]:
    """Read contexts from a TOML file with one table per context.

    Parameters
    ----------
    path
        Path of the file.

    Returns
    -------
    Contexts by name.

    Raises
    ------
    InputError
        If the file is not TOML, or a table has an unknown key or lacks one; the message has the file and the table.
    """
    contexts = {}
    for name, table in read_toml(path, dict[str, dict[str, Any]]).items():
        contexts[name] = check_value({**table, "name": name}, Context, f"{path}: {name}")
        check_openings(contexts[name].pair, contexts[name].group, f"{path}: {name}.")
    return contexts


KNOWN = frozenset({"unit", *(name for pair in PLACEHOLDERS.values() for names in pair for name in names.split())})
"""The placeholders of templates."""


def check_openings(pair: str, group: str, place: str = "") -> None:
    """`InputError` if the texts of a context have a placeholder of templates, other than ``{others}`` in `group`; other
    words in braces are text. `place` begins the message."""
    for key, text, allowed in (("pair", pair, ()), ("group", group, ("others",))):
        for name in KNOWN.difference(allowed):
            if f"{{{name}}}" in text:
                raise TemplateError(f"{place}{key} uses {{{name}}}, but the text is used as it is")


ContextTexts = Literal["contexts", "vignettes"]
"""The files of built-in contexts: one sentence each, or one paragraph each."""


@cache
def built_in_contexts(texts: ContextTexts = "contexts") -> Mapping[str, Context]:
    """The built-in contexts by name; both files have the same names and titles."""
    return load_contexts(Path(__file__).with_name(f"{texts}.toml"))


STOCK = "@stock"
"""Stands for all contexts of the stock in a list of contexts."""


@cache
def stock_contexts() -> Mapping[str, Context]:
    """Further contexts for the training of students, as paragraphs, by name."""
    return load_contexts(Path(__file__).with_name("stock.toml"))


def context(name: str, texts: ContextTexts = "contexts") -> Context:
    """Return a built-in context by name. `texts`: the file with its text, which a template names as `contexts`.

    Raises
    ------
    UnknownNameError
        If there is no such context; the message suggests the most similar name.
    """
    return lookup("context", name, built_in_contexts(texts))
