"""Labels of the options of a player in a prompt: actions, amounts, signals, and sanctions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.numbers import join_choices, tell_number
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.prompts.wording import TemplateError, all_different
from dilemmas.envs.rules.choices import options_now, rules_of_match, sanction_now
from dilemmas.envs.rules.protocol import View

Showing = Literal["auto", "counterbalanced", "fixed"]
"""How the actions are presented in prompts: with all assignments and orders of the labels equally often, or always as
in the template; ``auto``: fixed for the built-in miniatures, which were pretrained on that presentation alone."""
MAX_LABELS = 256
"""Largest number of options of sanctions that a question lists."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """Labels of the actions in a prompt, and the order in which the prompt lists them."""

    labels: tuple[str, ...]
    """Label of each action, by index of the action; empty if the action is a free amount."""
    order: tuple[int, ...]
    """Indices of the actions in the order of the prompt."""

    def listed(self, options: int | None = None) -> str:
        """The labels as alternatives, ``C or D``; only those of the first `options` actions if it is given."""
        most = len(self.labels) if options is None else options
        return join_choices([self.labels[action] for action in self.order if action < most])


def with_opposite(place: int, count: int) -> list[int]:
    """Places of a presentation and of the one with the labels for the actions, and the order, reversed; the same if
    there is one only. `count`: number of presentations, which may come once for every wording; each list of them is
    the opposite of itself read backwards. `place`: 0 or more."""
    begin = place - place % count
    return sorted({place, 2 * begin + count - 1 - place})


def counterbalanced(showing: Showing, miniature: bool) -> bool:
    """Whether all presentations are used equally often. `miniature`: whether a miniature is asked."""
    return showing == "counterbalanced" or (showing == "auto" and not miniature)


def action_labels(template: Template, game: StageGame, player: int) -> list[tuple[str, ...]]:
    """All assignments of labels to the actions of a game: one, and its reverse unless the labels are amounts.

    Two actions have the two labels of the template, and more actions have its letters. A contribution level is its
    amount.

    Parameters
    ----------
    template
        Source of labels and letters.
    game
        The game; its actions are not free amounts.
    player
        Index of the player, on which amounts may depend.

    Returns
    -------
    One or two tuples with the label of each action.

    Raises
    ------
    TemplateError
        If the template has too few letters, or two amounts would have the same label.
    """
    if isinstance(game, PublicGoods) and (game.n_actions != len(template.labels) or isinstance(game.endowment, tuple)):
        return [_distinct(game, amounts(game, player))]
    labels = template.labels
    if game.n_actions != len(labels):
        labels = tuple(template.say("letters", game)[: game.n_actions])
        if len(labels) < game.n_actions:
            raise TemplateError(
                f"'{game.name}': {game.n_actions} actions, but template '{template.name}' has {len(labels)} `letters`"
                " as labels; use a game with fewer actions, or a template of your own with more letters"
            )
    return [labels, labels[::-1]]


def signal_labels(template: Template, view: View) -> tuple[str, ...]:
    """Labels of signals: the template's word for silence, then numbers from 1."""
    return _distinct(view.game, [template.say("silence", view.game), *map(str, range(1, options_now(view)))])


def sanction_labels(template: Template, view: View) -> tuple[str, ...]:
    """Labels of the options of a phase of sanctions.

    Parameters
    ----------
    template
        Source of the word for no sanction.
    view
        View in a phase of sanctions.

    Returns
    -------
    For each option the points for the other player or, with more players, the numbers of the others, from 1, to whom
    points are assigned.

    Raises
    ------
    TemplateError
        If there are more than `MAX_LABELS` options.
    """
    options, others = options_now(view), view.game.n_players - 1
    if options > MAX_LABELS:
        raise TemplateError(
            f"'{view.game.name}': {options} ways to assign points to {others} others are too many for a question, which"
            f" can list {MAX_LABELS}; use fewer points or fewer players"
        )
    if others == 1:
        return tuple(map(str, range(options)))
    rules, most = rules_of_match(view), sanction_now(view).points
    each = [rules.sanctions(action, 0, most)[1:] for action in range(options)]
    named = [[_points(k, given, most) for k, given in enumerate(row, 1) if given] for row in each]
    return _distinct(view.game, [" and ".join(whom) or template.say("nobody", view.game) for whom in named])


def _points(other: int, given: int, most: int) -> str:
    return str(other) if most == 1 else f"{given} to {other}"


def _distinct(game: StageGame, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels; `TemplateError` if they cannot be told from each other."""
    if not all_different(labels):
        raise TemplateError(
            f"'{game.name}': the labels {', '.join(map(repr, labels))} cannot be told from each other in a reply; use"
            " other words in the template, or a game with fewer levels"
        )
    return tuple(labels)


def amounts(game: PublicGoods, player: int) -> list[str]:
    """The contribution of each action of a player, formatted."""
    return [tell_number(game.contribution(action, player)) for action in range(game.n_actions)]
