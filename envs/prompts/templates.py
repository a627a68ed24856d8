"""Scenarios in words. Templates are data files (templates/*.toml); every number comes from the game."""

import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from dilemmas.envs.data_files import check_keys, read_toml
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import did_you_mean


class TemplateError(InputError):
    """A template that cannot be used, or has no words for a game; the message names file and key, or the game."""


@dataclass(frozen=True, slots=True)
class Template:
    """The sentences a prompt is made of. Placeholders in braces; see templates/study.toml."""

    name: str
    labels: tuple[str, ...]
    pair_rule: str
    pair_line: str
    group_rule: str
    group_line: str
    levels_rule: str
    pair_history: str
    group_history: str
    levels_history: str
    last_round: str
    rounds_ago: str
    question: str
    motivation: str

    letters: str = ""
    unlike_rule: str = ""
    any_amount: str = ""
    unequal_own: str = ""
    unequal_other: str = ""
    unequal_pot: str = ""
    threshold_lost: str = ""
    threshold_refund: str = ""
    amount_question: str = ""
    neighbours_rule: str = ""
    neighbours_mean: str = ""
    neighbours_sum: str = ""
    partner_rule: str = ""
    partner_or_none: str = ""
    alone_history: str = ""
    clock: str = ""
    talk_rule: str = ""
    punish_rule: str = ""
    reward_rule: str = ""
    this_round: str = ""
    said_pair: str = ""
    said_group: str = ""
    sanctions_pair: str = ""
    sanctions_group: str = ""
    silence: str = ""
    nobody: str = ""
    signal_question: str = ""
    words_question: str = ""
    punish_pair_question: str = ""
    punish_group_question: str = ""
    reward_pair_question: str = ""
    reward_group_question: str = ""

    @property
    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of all sentences: changes whenever a word does.

        The later sentences, which a template may lack, count only where they are others than the first ones of the
        study's template: what was asked before they came is asked with the same digest.
        """
        sentences = asdict(self)
        later = {key: sentences.pop(key) for key in LATER}
        if any(later.values()) and _hash(later) != FIRST_LATER:
            sentences |= later
        return _hash(sentences)

    def words(self, key: str, game: StageGame) -> str:
        """A sentence as it is written; `TemplateError` with the game that needs it where there is none."""
        sentence: str = getattr(self, key)
        if not sentence:
            raise TemplateError(
                f"template '{self.name}' has no words for '{game.name}' as it is played here: the key '{key}' is"
                " missing; take it from templates/study.toml, or change the game"
            )
        return sentence

    def say(self, key: str, game: StageGame, **values: object) -> str:
        """A sentence with its placeholders filled."""
        return self.words(key, game).format(**values)


LATER = tuple(field.name for field in fields(Template) if field.default == "")
"""Keys that a template may lack."""

FIRST_LATER = "5f06418c260d"
"""What they hashed to in the study's template when they were added."""


def _hash(sentences: Mapping[str, Any]) -> str:
    return sha256(repr(dict(sentences)).encode()).hexdigest()[:12]


PLACEHOLDERS = {
    "pair_rule": {"labels"},
    "pair_line": {"mine", "theirs", "my_payoff", "their_payoff"},
    "group_rule": {"labels", "players"},
    "group_line": {"mine", "counts", "cooperate", "payoffs"},
    "levels_rule": {"endowment", "labels", "multiplier", "players"},
    "pair_history": {"ago", "mine", "theirs"},
    "group_history": {"ago", "mine", "count", "cooperate"},
    "levels_history": {"ago", "mine", "theirs"},
    "rounds_ago": {"number"},
    "question": {"labels"},
    "unlike_rule": {"labels", "their_labels"},
    "any_amount": {"endowment"},
    "unequal_own": {"endowment", "labels"},
    "unequal_other": {"endowment", "labels"},
    "unequal_pot": {"multiplier", "players"},
    "threshold_lost": {"threshold"},
    "threshold_refund": {"threshold"},
    "amount_question": {"endowment"},
    "neighbours_rule": {"count", "labels"},
    "partner_rule": {"others"},
    "partner_or_none": {"others"},
    "alone_history": {"ago", "mine"},
    "clock": {"round", "rounds"},
    "punish_rule": {"points", "cost", "effect"},
    "reward_rule": {"points", "cost", "effect"},
    "said_pair": {"ago", "mine", "theirs"},
    "said_group": {"ago", "mine", "theirs"},
    "sanctions_pair": {"ago", "mine", "theirs"},
    "sanctions_group": {"ago", "mine", "theirs"},
    "signal_question": {"labels"},
    "punish_pair_question": {"labels"},
    "punish_group_question": {"labels"},
    "reward_pair_question": {"labels"},
    "reward_group_question": {"labels"},
}
"""The placeholders that each sentence of a template may use."""


TEMPLATE_FILES = Path(__file__).with_name("template_files")
"""Folder of the built-in templates."""


def template_files() -> dict[str, Path]:
    """The files of the built-in templates, by name."""
    return {file.stem: file for file in sorted(TEMPLATE_FILES.glob("*.toml"))}


@cache
def load_template(name_or_path: str) -> Template:
    """A built-in template by name, or one of your own by path to a TOML file."""
    known = template_files()
    path = Path(name_or_path) if name_or_path.endswith(".toml") else known.get(name_or_path, TEMPLATE_FILES)
    if not path.is_file():
        raise TemplateError(
            f"unknown template '{name_or_path}'{did_you_mean(name_or_path, known)} (or the path of a .toml file)"
        )
    return build_template(read_toml(path), str(path))


def build_template(table: Mapping[str, Any], place: str) -> Template:
    """A template from its keys and sentences.

    Parameters
    ----------
    table : mapping
        The keys of the file format; see template_files/study.toml.
    place : str
        Where the table is from, for messages.

    Raises
    ------
    TemplateError
        For an unknown or missing key, or a value that cannot be used.
    """
    required = [field.name for field in fields(Template) if field.name not in LATER]
    check_keys(table, required, place, LATER, TemplateError)
    sentences = {key: value for key, value in table.items() if key != "labels"}
    for key, sentence in sentences.items():
        if not isinstance(sentence, str):
            raise TemplateError(f"{place}: {key} = {sentence!r}; needs a text in quotes")
        _check_placeholders(place, key, sentence)
    letters = sentences.get("letters", "")
    if len(set(letters)) < len(letters):
        raise TemplateError(f"{place}: letters = '{letters}'; needs letters that are all different")
    return Template(labels=_two_labels(table["labels"], place), **sentences)


def _two_labels(labels: Any, place: str) -> tuple[str, str]:
    words = isinstance(labels, list) and all(isinstance(label, str) and label.strip() for label in labels)
    if not words or len(labels) != 2 or labels[0] == labels[1]:
        raise TemplateError(f"{place}: labels = {labels!r}; needs a list of two different words")
    return labels[0], labels[1]


def _check_placeholders(place: str, key: str, sentence: str) -> None:
    allowed = PLACEHOLDERS.get(key, set())
    try:
        used = [field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None]
    except ValueError as error:
        raise TemplateError(f"{place}: {key}: {error}; a brace that is meant is written twice") from None
    for field in used:
        if field not in allowed:
            raise TemplateError(
                f"{place}: {key} uses {{{field}}}; its placeholders are: {', '.join(sorted(allowed)) or 'none'}"
            )
