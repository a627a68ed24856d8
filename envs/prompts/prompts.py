"""Prompts: a game, or a match from one player's seat, put into the words of a template."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import Presentation, action_labels, sanction_labels, signal_labels
from dilemmas.envs.prompts.phrases import past_lines, payoff_lines, question_line, rule_lines
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.choices import words_allowed
from dilemmas.envs.rules.protocol import View


def presentations(template: Template, game: StageGame, player: int = 0) -> list[Presentation]:
    """All ways to show a game's actions to a player, the template's own first.

    Two actions have four: both assignments of the labels (outer loop) in both orders (inner loop); so have more,
    which are labelled by letters. Amounts are their own labels, which leaves two: the most cooperative one named
    first, or last. An amount that is free has no labels and one way.
    """
    if 0 in game.options:
        return [Presentation((), ())]
    order = tuple(range(game.n_actions))
    return [Presentation(*way) for way in product(action_labels(template, game, player), (order, order[::-1]))]


def choose_presentation(
    template: Template, game: StageGame, rng: np.random.Generator | None = None, player: int = 0
) -> Presentation:
    """The template's own way to show a game's actions, or one of `presentations` drawn by `rng`, each as likely."""
    ways = presentations(template, game, player)
    return ways[0 if rng is None else int(rng.integers(len(ways)))]


def presentations_now(template: Template, view: View) -> list[Presentation]:
    """All ways to show what a player may do in the phase that a match is in, the template's own first.

    The actions are shown as by `presentations`; signals and sanctions in either order.
    """
    if view.phase == "act":
        return presentations(template, view.game, view.seat)
    labels = signal_labels(template, view) if view.phase == "talk" else sanction_labels(template, view)
    order = tuple(range(len(labels)))
    return [Presentation(labels, order), Presentation(labels, order[::-1])]


def describe_scenario(
    template: Template,
    game: StageGame,
    context: Context,
    history: Sequence[Joint] = (),
    shown: Presentation | None = None,
) -> str:
    """Everything but the question: opening, rules, payoffs and what happened so far.

    The game is told to its first player. `history`: joint actions as the player sees them (own action first),
    oldest round first.
    """
    return describe_match(template, View(game, 0, len(history), tuple(history)), context, shown)


def describe_match(template: Template, view: View, context: Context, shown: Presentation | None = None) -> str:
    """The same of any match, from the player's own seat. `shown`: the way to show the actions of the game.

    Raises `TemplateError` where the template has no words for it.
    """
    shown = shown or choose_presentation(template, view.game, player=view.seat)
    opening = context.opening(_company(view))
    rules = [*payoff_lines(template, view, shown), *rule_lines(template, view)]
    return "\n".join([opening, *rules, *past_lines(template, view, shown)])


def action_question(template: Template, shown: Presentation, motivation: bool = False) -> str:
    """The question for an action, and on request the wish for a motivation."""
    question = template.question.format(labels=shown.listed())
    return f"{question} {template.motivation}" if motivation else question


def scenario_prompt(
    template: Template,
    game: StageGame,
    context: Context,
    history: Sequence[Joint] = (),
    shown: Presentation | None = None,
    motivation: bool = False,
) -> str:
    """The whole text put to a model: `prompt_for` the first player of a game after a history."""
    return match_prompt(template, View(game, 0, len(history), tuple(history)), context, shown, motivation)


def match_prompt(
    template: Template,
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
    shown = shown or presentations_now(template, view)[0]
    told = describe_match(template, view, context, shown if view.phase == "act" else None)
    asked = question_line(template, view, shown, words)
    wish = f" {template.motivation}" if motivation and not (words and words_allowed(view)) else ""
    return f"{told}\n{asked}{wish}"


def _company(view: View) -> int:
    """Number of players that the context mentions: in a population, those who meet."""
    return view.game.n_players if view.population is None else view.population.company(view.player)
