"""Prompts: descriptions of scenarios and matches from the perspective of one player."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.labels import Presentation, action_labels, sanction_labels, signal_labels
from dilemmas.envs.prompts.past_phrases import past_lines
from dilemmas.envs.prompts.phrases import payoff_lines, question_lines, rule_lines
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.protocol import View


def presentations(template: Template, game: StageGame, player: int = 0) -> list[Presentation]:
    """All presentations of the actions of a game; the first one has the labels and the order of the template.

    There are four: both assignments of the labels (outer loop) in both orders (inner loop). Contribution levels are
    their own labels, which leaves the two orders. A free amount has one presentation, without labels.

    Parameters
    ----------
    template
        Source of the labels.
    game
        The game.
    player
        Index of the player, on which amounts may depend.

    Raises
    ------
    TemplateError
        If the template has too few labels for the game.
    """
    if 0 in game.options:
        return [Presentation((), ())]
    order = tuple(range(game.n_actions))
    return [Presentation(*way) for way in product(action_labels(template, game, player), (order, order[::-1]))]


def choose_presentation(
    template: Template, game: StageGame, rng: np.random.Generator | None = None, player: int = 0
) -> Presentation:
    """Choose one of `presentations`.

    Parameters
    ----------
    template
        Source of the labels.
    game
        The game.
    rng
        Random generator of a uniform draw; None for the first presentation.
    player
        Index of the player, on which amounts may depend.

    Raises
    ------
    TemplateError
        If the template has too few labels for the game.
    """
    ways = presentations(template, game, player)
    return ways[0 if rng is None else int(rng.integers(len(ways)))]


def presentations_now(template: Template, view: View) -> list[Presentation]:
    """All presentations of the options in the current phase of a match, that of the template first.

    Actions have the presentations of `presentations`; signals and sanctions have their two orders.

    Parameters
    ----------
    template
        Source of the labels.
    view
        View of the player.

    Raises
    ------
    TemplateError
        If the template has too few labels for the options.
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
    """Describe a game in a context to its first player: opening, rules, payoffs and history, without a question.

    Parameters
    ----------
    template
        Source of the sentences.
    game
        The game.
    context
        The social framing.
    history
        Joint actions, own action first, oldest round first.
    shown
        Presentation of the actions; None for that of the template.

    Returns
    -------
    Text of several lines.

    Raises
    ------
    TemplateError
        If the template has no sentence for the game.
    """
    return describe_match(template, View(game, 0, len(history), tuple(history)), context, shown)


def describe_match(template: Template, view: View, context: Context, shown: Presentation | None = None) -> str:
    """Describe a match to one player: opening, rules, payoffs and history, without a question.

    Parameters
    ----------
    template
        Source of the sentences.
    view
        View of the player.
    context
        The social framing.
    shown
        Presentation of the actions of the game; None for that of the template.

    Returns
    -------
    Text of several lines.

    Raises
    ------
    TemplateError
        If the template has no sentence for the game or its rules.
    """
    shown = shown or choose_presentation(template, view.game, player=view.seat)
    opening = filter(None, (template.who, context.opening(_company(view))))
    rules = [*payoff_lines(template, view, shown), *rule_lines(template, view)]
    return "\n".join([*opening, *rules, *past_lines(template, view, shown)])


def action_question(template: Template, shown: Presentation) -> str:
    """The question for an action, with the request for the reason if the template has it."""
    question = template.question.format(labels=shown.listed(), unit=template.unit)
    return f"{question} {template.motivation}" if template.decision.way == "motivate" else question


def scenario_prompt(
    template: Template,
    game: StageGame,
    context: Context,
    history: Sequence[Joint] = (),
    shown: Presentation | None = None,
) -> str:
    """The complete prompt of a game in a context, for its first player: `describe_scenario` and the question.

    Parameters
    ----------
    template, game, context, history, shown
        As in `describe_scenario`.

    Raises
    ------
    TemplateError
        If the template has no sentence for the game.
    """
    return match_prompt(template, View(game, 0, len(history), tuple(history)), context, shown)


def match_prompt(
    template: Template,
    view: View,
    context: Context,
    shown: Presentation | None = None,
    words: bool = False,
) -> str:
    """The complete prompt of a match in its current phase: `describe_match` and the question of the phase.

    Parameters
    ----------
    template
        Source of the sentences.
    view
        View of the player.
    context
        The social framing.
    shown
        One of `presentations_now`; None for that of the template. It applies to the options of the current phase: in
        other phases than ``act``, the description shows actions as the template does.
    words
        Whether the question of a phase of talk asks for a text instead of a signal, if the rules allow texts.

    Raises
    ------
    TemplateError
        If the template has no sentence for the game, its rules or the phase.
    """
    shown = shown or presentations_now(template, view)[0]
    description = describe_match(template, view, context, shown if view.phase == "act" else None)
    return "\n".join([description, *question_lines(template, view, shown, words)])


def _company(view: View) -> int:
    """Number of players in the opening of the prompt: in a population, those who interact with the player."""
    return view.game.n_players if view.population is None else view.population.company(view.player)
