"""Scenarios in words. Templates are data files (templates/*.toml); every number comes from the game."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from dilemmas.envs.data_files import read_toml
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.names import nearest
from dilemmas.envs.numbers import number
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import Presentation, TemplateError, action_labels, sanction_labels, signal_labels
from dilemmas.envs.prompts.phrases import match_lines, past_lines, payoff_lines, question
from dilemmas.envs.rules.choices import words_allowed
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.protocol import View

__all__ = ["Presentation", "Template", "TemplateError", "load_template", "number"]


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

    def presentations(self, game: StageGame, player: int = 0) -> list[Presentation]:
        """All ways to show a game's actions to a player, the template's own first.

        Two actions have four: both assignments of the labels (outer loop) in both orders (inner loop); so have more,
        which are labelled by letters. Amounts are their own labels, which leaves two: the most cooperative one named
        first, or last. An amount that is free has no labels and one way.
        """
        if 0 in game.options:
            return [Presentation((), ())]
        order = tuple(range(game.n_actions))
        return [Presentation(*way) for way in product(action_labels(self, game, player), (order, order[::-1]))]

    def presentation(self, game: StageGame, rng: np.random.Generator | None = None, player: int = 0) -> Presentation:
        """The template's own way to show a game's actions, or one of `presentations` drawn by `rng`, each as likely."""
        ways = self.presentations(game, player)
        return ways[0 if rng is None else int(rng.integers(len(ways)))]

    def choices(self, view: View) -> list[Presentation]:
        """All ways to show what a player may do in the phase that a match is in, the template's own first.

        The actions are shown as by `presentations`; signals and sanctions in either order.
        """
        if view.phase == "act":
            return self.presentations(view.game, view.player)
        labels = signal_labels(self, view) if view.phase == "talk" else sanction_labels(self, view)
        order = tuple(range(len(labels)))
        return [Presentation(labels, order), Presentation(labels, order[::-1])]

    def scenario(
        self, game: StageGame, context: Context, history: Sequence[Joint] = (), shown: Presentation | None = None
    ) -> str:
        """Everything but the question: opening, rules, payoffs and what happened so far.

        The game is told to its first player. `history`: joint actions as the player sees them (own action first),
        oldest round first.
        """
        return self.situation(View(game, 0, len(history), tuple(history)), context, shown)

    def situation(self, view: View, context: Context, shown: Presentation | None = None) -> str:
        """The same of any match, from the player's own seat. `shown`: the way to show the actions of the game.

        Raises `TemplateError` where the template has no words for it.
        """
        shown = shown or self.presentation(view.game, player=view.player)
        opening = context.opening(_company(view))
        rules = [*payoff_lines(self, view, shown), *match_lines(self, view)]
        return "\n".join([opening, *rules, *past_lines(self, view, shown)])

    def ask(self, shown: Presentation, motivation: bool = False) -> str:
        """The question for an action, and on request the wish for a motivation."""
        question = self.question.format(labels=shown.listed())
        return f"{question} {self.motivation}" if motivation else question

    def prompt(
        self,
        game: StageGame,
        context: Context,
        history: Sequence[Joint] = (),
        shown: Presentation | None = None,
        motivation: bool = False,
    ) -> str:
        """The whole text put to a model: `prompt_for` the first player of a game after a history."""
        return self.prompt_for(View(game, 0, len(history), tuple(history)), context, shown, motivation)

    def prompt_for(
        self,
        view: View,
        context: Context,
        shown: Presentation | None = None,
        motivation: bool = False,
        words: bool = False,
    ) -> str:
        """The whole text put to a model in any phase of a match.

        `shown`: one of `choices`; in a phase other than "act" the actions are then called by the template's own labels.
        `words`: whether a message is asked for where one may be said, rather than a signal. Raises `TemplateError`
        where the template has no words for it.
        """
        shown = shown or self.choices(view)[0]
        told = self.situation(view, context, shown if view.phase == "act" else None)
        asked = question(self, view, shown, words)
        wish = f" {self.motivation}" if motivation and not (words and words_allowed(view)) else ""
        return f"{told}\n{asked}{wish}"


LATER = tuple(field.name for field in fields(Template) if field.default == "")
"""Keys that a template may lack."""

FIRST_LATER = "5f06418c260d"
"""What they hashed to in the study's template when they were added."""


def _hash(sentences: Mapping[str, Any]) -> str:
    return sha256(repr(dict(sentences)).encode()).hexdigest()[:12]


def _company(view: View) -> int:
    """How many players there are, as a context opens: in a population, those who meet."""
    rules = view.rules
    if not isinstance(rules, Population):
        return view.game.n_players
    return 2 if rules.edges is None else 1 + len(rules.neighbours[view.player])


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
            f"unknown template '{name_or_path}'{nearest(name_or_path, known)} (or the path of a .toml file)"
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
    known = {field.name: field for field in fields(Template)}
    for key in table:
        if key not in known:
            raise TemplateError(f"{place}: unknown key '{key}'{nearest(key, known)}")
    for key in known:
        if key not in table and key not in LATER:
            raise TemplateError(f"{place}: the key '{key}' is missing")
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
