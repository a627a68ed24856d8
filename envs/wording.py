"""Scenarios in words. Templates are data files (templates/*.toml); every number comes from the game."""

import string
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np

from understudy.envs.catalogue import nearest
from understudy.envs.contexts import Context
from understudy.envs.data_files import read_toml
from understudy.envs.errors import InputError
from understudy.envs.public_goods import PublicGoods
from understudy.envs.rules import Joint, StageGame


class TemplateError(InputError):
    """A template file that cannot be used; the message names the file and the key."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """How actions are shown in one prompt: their labels and the order in which they are named."""

    labels: tuple[str, ...]
    """Label of each action, by action index."""
    order: tuple[int, ...]
    """Action indices in the order in which the prompt names them."""

    def listed(self) -> str:
        """The labels as a choice: ``C or D``."""
        return _either([self.labels[action] for action in self.order])


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

    @property
    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of all sentences: changes whenever a word does."""
        return sha256(repr(asdict(self)).encode()).hexdigest()[:12]

    def presentations(self, game: StageGame) -> list[Presentation]:
        """All ways to show a game's actions, the template's own first.

        Two actions have four: both assignments of the labels (outer loop) in both orders (inner loop). More actions
        are labelled by what they contribute, which leaves two: the most cooperative one named first, or last.
        """
        order = tuple(range(game.n_actions))
        if game.n_actions == len(self.labels):
            assignments = [self.labels, self.labels[::-1]]
        else:
            assignments = [tuple(_amounts(game))]
        return [Presentation(*way) for way in product(assignments, (order, order[::-1]))]

    def presentation(self, game: StageGame, rng: np.random.Generator | None = None) -> Presentation:
        """The template's own way to show a game's actions, or one of `presentations` drawn by `rng`, each as likely."""
        ways = self.presentations(game)
        return ways[0 if rng is None else int(rng.integers(len(ways)))]

    def scenario(
        self, game: StageGame, context: Context, history: Sequence[Joint] = (), shown: Presentation | None = None
    ) -> str:
        """Everything but the question: opening, rules, payoffs and what happened so far.

        `history`: joint actions as the player sees them (own action first), oldest round first.
        """
        shown = shown or self.presentation(game)
        lines = [context.opening(game.n_players), *self._payoffs(game, shown)]
        lines += [self._past(game, joint, len(history) - i, shown) for i, joint in enumerate(history)]
        return "\n".join(lines)

    def ask(self, shown: Presentation, motivation: bool = False) -> str:
        """The question, and on request the wish for a motivation."""
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
        """The whole text put to a model."""
        shown = shown or self.presentation(game)
        return f"{self.scenario(game, context, history, shown)}\n{self.ask(shown, motivation)}"

    def _payoffs(self, game: StageGame, shown: Presentation) -> list[str]:
        if game.n_players == 2 and not isinstance(game, PublicGoods):
            lines = [self.pair_rule.format(labels=shown.listed())]
            for mine, theirs in product(shown.order, repeat=2):
                mine_points, their_points = game.payoffs((mine, theirs))
                lines.append(
                    self.pair_line.format(
                        mine=shown.labels[mine],
                        theirs=shown.labels[theirs],
                        my_payoff=number(mine_points),
                        their_payoff=number(their_points),
                    )
                )
            return lines
        if game.n_actions == 2:
            lines = [self.group_rule.format(labels=shown.listed(), players=game.n_players)]
            return lines + [self._group_line(game, mine, shown) for mine in shown.order]
        if not isinstance(game, PublicGoods):
            raise TemplateError(f"template '{self.name}' has no words for a game like '{game.name}'")
        return [
            self.levels_rule.format(
                endowment=number(game.endowment),
                labels=shown.listed(),
                multiplier=number(game.multiplier),
                players=game.n_players,
            )
        ]

    def _group_line(self, game: StageGame, mine: int, shown: Presentation) -> str:
        others = game.n_players - 1
        counts = range(others + 1)
        points = [game.payoffs((mine, *[0] * k, *[1] * (others - k)))[0] for k in counts]
        return self.group_line.format(
            mine=shown.labels[mine],
            counts=_either([str(k) for k in counts]),
            cooperate=shown.labels[0],
            payoffs=_either([number(value) for value in points]),
        )

    def _past(self, game: StageGame, joint: Joint, ago: int, shown: Presentation) -> str:
        mine, *theirs = joint
        when = self.last_round if ago == 1 else self.rounds_ago.format(number=ago)
        if game.n_players == 2:
            return self.pair_history.format(ago=when, mine=shown.labels[mine], theirs=shown.labels[theirs[0]])
        if game.n_actions == 2:
            return self.group_history.format(
                ago=when, mine=shown.labels[mine], count=theirs.count(0), cooperate=shown.labels[0]
            )
        named = ", ".join(shown.labels[action] for action in theirs)
        return self.levels_history.format(ago=when, mine=shown.labels[mine], theirs=named)


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
}
"""The placeholders that each sentence of a template may use."""


@cache
def load_template(name_or_path: str) -> Template:
    """A built-in template by name, or one of your own by path to a TOML file."""
    folder = Path(__file__).with_name("templates")
    path = Path(name_or_path) if name_or_path.endswith(".toml") else folder / f"{name_or_path}.toml"
    if not path.is_file():
        known = {file.stem: file for file in sorted(folder.glob("*.toml"))}
        raise TemplateError(
            f"unknown template '{name_or_path}'{nearest(name_or_path, known)} (or the path of a .toml file)"
        )
    table = read_toml(path)
    known_keys = {field.name: field for field in fields(Template)}
    for key in table:
        if key not in known_keys:
            raise TemplateError(f"{path}: unknown key '{key}'{nearest(key, known_keys)}")
    for key in known_keys:
        if key not in table:
            raise TemplateError(f"{path}: the key '{key}' is missing")
    labels = table.pop("labels")
    if (
        not isinstance(labels, list)
        or len(labels) != 2
        or not all(isinstance(label, str) and label.strip() for label in labels)
        or len(set(labels)) != 2
    ):
        raise TemplateError(f"{path}: labels = {labels!r}; needs a list of two different words")
    for key, sentence in table.items():
        if not isinstance(sentence, str):
            raise TemplateError(f"{path}: {key} = {sentence!r}; needs a text in quotes")
        _check_placeholders(path, key, sentence)
    return Template(labels=tuple(labels), **table)


def _check_placeholders(path: Path, key: str, sentence: str) -> None:
    allowed = PLACEHOLDERS.get(key, set())
    try:
        used = [field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None]
    except ValueError as error:
        raise TemplateError(f"{path}: {key}: {error}; a brace that is meant is written twice") from None
    for field in used:
        if field not in allowed:
            raise TemplateError(
                f"{path}: {key} uses {{{field}}}; its placeholders are: {', '.join(sorted(allowed)) or 'none'}"
            )


def number(value: float) -> str:
    """A payoff as people write it: at most two decimals, none where there are none."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _amounts(game: StageGame) -> list[str]:
    if not isinstance(game, PublicGoods):
        return [str(action) for action in range(game.n_actions)]
    return [number(game.contribution(action)) for action in range(game.n_actions)]
