"""What a prompt calls the things that a player may do: actions, amounts, signals, and points for others."""

from collections.abc import Sequence
from dataclasses import dataclass

from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.numbers import format_number, join_choices
from dilemmas.envs.prompts.templates import Template, TemplateError
from dilemmas.envs.rules.choices import options_now, rules_of_match, sanction_now
from dilemmas.envs.rules.protocol import View

MOST_LABELS = 256
"""More ways to give points than this are no question that anybody reads."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """How actions are shown in one prompt: their labels and the order in which they are named."""

    labels: tuple[str, ...]
    """Label of each action, by action index."""
    order: tuple[int, ...]
    """Action indices in the order in which the prompt names them."""

    def listed(self, options: int | None = None) -> str:
        """The labels as a choice, ``C or D``; those of the first `options` actions alone, if that is given."""
        most = len(self.labels) if options is None else options
        return join_choices([self.labels[action] for action in self.order if action < most])


def action_labels(template: Template, game: StageGame, player: int) -> list[tuple[str, ...]]:
    """All assignments of labels to the actions of a game: the template's own, and where it does not matter its reverse.

    Two actions have the template's two labels, more of them letters; amounts that a player may give are themselves,
    and an amount that is free has none.
    """
    if isinstance(game, PublicGoods) and (game.n_actions != len(template.labels) or isinstance(game.endowment, tuple)):
        return [_distinct(game, amounts(game, player))]
    labels = template.labels
    if game.n_actions != len(labels):
        labels = tuple(template.words("letters", game)[: game.n_actions])
        if len(labels) < game.n_actions:
            raise TemplateError(
                f"'{game.name}': {game.n_actions} actions, and template '{template.name}' has {len(labels)} letters to"
                " call them by; take a game of fewer actions, or a template of your own with more `letters`"
            )
    return [labels, labels[::-1]]


def signal_labels(template: Template, view: View) -> tuple[str, ...]:
    """What signals are called: silence, and numbers."""
    return template.words("silence", view.game), *map(str, range(1, options_now(view)))


def sanction_labels(template: Template, view: View) -> tuple[str, ...]:
    """Whom an action punishes or rewards: points for the other one, or the numbers of the others, from 1."""
    options, others = options_now(view), view.game.n_players - 1
    if options > MOST_LABELS:
        raise TemplateError(
            f"'{view.game.name}': {options} ways to give points to {others} others are too many for a question; take"
            f" fewer points or players, so that there are at most {MOST_LABELS}"
        )
    if others == 1:
        return tuple(map(str, range(options)))
    rules, most = rules_of_match(view), sanction_now(view).points
    each = [rules.sanctions(action, 0, most)[1:] for action in range(options)]
    named = [[_points(k, given, most) for k, given in enumerate(row, 1) if given] for row in each]
    return tuple(" and ".join(whom) or template.words("nobody", view.game) for whom in named)


def _points(other: int, given: int, most: int) -> str:
    return str(other) if most == 1 else f"{given} to {other}"


def _distinct(game: StageGame, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels, if no two are the same."""
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise TemplateError(f"'{game.name}': two actions would both be called '{twice}'; take fewer levels")
    return tuple(labels)


def amounts(game: PublicGoods, player: int) -> list[str]:
    """What each action of a player gives, as it is written."""
    return [format_number(game.contribution(action, player)) for action in range(game.n_actions)]
