"""The lines of a prompt: actions, payoffs, rules, history and question. Each number is read from the game.

Each function fills in sentences of a `Template` and raises `TemplateError` if the template has none for the game.
"""

from collections.abc import Sequence
from itertools import product
from math import isclose
from typing import Any

from dilemmas.envs.data_files import json_text
from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.numbers import join_choices, tell_number
from dilemmas.envs.prompts.labels import Presentation, amounts
from dilemmas.envs.prompts.templates import Template, TemplateError
from dilemmas.envs.rules.choices import options_now, words_allowed
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.protocol import View
from dilemmas.envs.rules.stages import Sanction
from dilemmas.envs.theory.outcomes import is_symmetric


def payoff_lines(template: Template, view: View, shown: Presentation) -> list[str]:
    """The actions and their payoffs, from the perspective of the player of the view."""
    game = view.game
    if view.population is not None:
        return _population(template, game, view.population, view.player, shown)
    if isinstance(game, PublicGoods):
        return _public_goods(template, game, view.player, shown)
    if game.n_players == 2:
        return [_pair_rule(template, game, view.player, shown), *_pair_lines(template, game, view.player, shown)]
    return _group(template, game, shown)


def _pair_rule(template: Template, game: StageGame, player: int, shown: Presentation) -> str:
    mine, theirs = game.options[player], game.options[1 - player]
    if mine == theirs:
        return template.say("pair_rule", game, labels=shown.listed(mine))
    return template.say("unlike_rule", game, labels=shown.listed(mine), their_labels=shown.listed(theirs))


def _pair_lines(template: Template, game: StageGame, player: int, shown: Presentation) -> list[str]:
    lines: list[str] = []
    payoffs: list[float] = []
    for mine, theirs in product(shown.order, repeat=2):
        if mine >= game.options[player] or theirs >= game.options[1 - player]:
            continue
        paid = game.payoffs((mine, theirs) if player == 0 else (theirs, mine))
        payoffs += paid
        lines.append(
            template.say(
                "pair_line",
                game,
                mine=shown.labels[mine],
                theirs=shown.labels[theirs],
                my_payoff=tell_number(paid[player]),
                their_payoff=tell_number(paid[1 - player]),
            )
        )
    _check_told(game, payoffs)
    return lines


def _check_told(game: StageGame, payoffs: Sequence[float]) -> None:
    """`TemplateError` if two payoffs of a game differ and are told as the same number."""
    told: dict[str, float] = {}
    for payoff in payoffs:
        other = told.setdefault(tell_number(payoff), payoff)
        if not isclose(payoff, other, rel_tol=1e-14, abs_tol=1e-15):
            raise TemplateError(
                f"'{game.name}': the payoffs {payoff!r} and {other!r} would both be told as {tell_number(payoff)}; use"
                " payoffs with at most ten digits"
            )


def _group(template: Template, game: StageGame, shown: Presentation) -> list[str]:
    """The payoffs of a game in which they depend on own action and the number of others who cooperate."""
    others = game.n_players - 1
    if not _counts(game):
        raise TemplateError(
            f"'{game.name}': payoffs depend on more than own action and the number of others who cooperate, for which"
            f" template '{template.name}' has no sentence; use another game"
        )
    lines = [template.say("group_rule", game, labels=shown.listed(), players=game.n_players)]
    counts = range(others + 1)
    payoffs: list[float] = []
    for mine in shown.order:
        points = [game.payoffs((mine, *[0] * k, *[1] * (others - k)))[0] for k in counts]
        payoffs += points
        lines.append(
            template.say(
                "group_line",
                game,
                mine=shown.labels[mine],
                counts=join_choices([str(k) for k in counts]),
                cooperate=shown.labels[0],
                payoffs=join_choices([tell_number(value) for value in points]),
            )
        )
    _check_told(game, payoffs)
    return lines


def _counts(game: StageGame) -> bool:
    """Whether payoffs depend only on own action and the number of others who cooperate."""
    return isinstance(game, CountGame | PublicGoods) or (set(game.options) == {2} and is_symmetric(game))


def _public_goods(template: Template, game: PublicGoods, player: int, shown: Presentation) -> list[str]:
    if isinstance(game.endowment, tuple):
        return [*_unequal(template, game, player), *_provision(template, game)]
    if game.n_actions == len(template.labels):
        return _group(template, game, shown)
    rule = template.say(
        "levels_rule",
        game,
        endowment=tell_number(game.endowment),
        labels=_amounts_listed(template, game, player, shown),
        multiplier=tell_number(game.multiplier),
        players=game.n_players,
    )
    return [rule, *_provision(template, game)]


def _unequal(template: Template, game: PublicGoods, player: int) -> list[str]:
    """Endowment and possible contributions of each player, own first, then the others in order."""
    seats = [player, *(other for other in range(game.n_players) if other != player)]
    keys = ["unequal_own"] + ["unequal_other"] * (len(seats) - 1)
    lines = [
        template.say(
            key, game, endowment=tell_number(game.endowment_of(seat)), labels=_amounts_listed(template, game, seat)
        )
        for key, seat in zip(keys, seats, strict=True)
    ]
    pot = template.say("unequal_pot", game, multiplier=tell_number(game.multiplier), players=game.n_players)
    return [*lines, pot]


def _provision(template: Template, game: PublicGoods) -> list[str]:
    if not game.threshold:
        return []
    key = "threshold_refund" if game.refund else "threshold_lost"
    return [template.say(key, game, threshold=tell_number(game.threshold))]


def _amounts_listed(template: Template, game: PublicGoods, player: int, shown: Presentation | None = None) -> str:
    if not game.n_actions:
        return template.say("any_amount", game, endowment=tell_number(game.endowment_of(player)))
    return shown.listed() if shown else join_choices(amounts(game, player))


def _population(
    template: Template, game: StageGame, population: Population, player: int, shown: Presentation
) -> list[str]:
    pairs = _pair_lines(template, game, 0, shown)
    if population.edges is None:
        key = "partner_or_none" if population.size % 2 else "partner_rule"
        met = template.say(key, game, others=population.size - 1)
        return [met, _pair_rule(template, game, 0, shown), *pairs]
    count = len(population.neighbours[player])
    if count == 1:
        return [_pair_rule(template, game, 0, shown), *pairs]
    rule = template.say("neighbours_rule", game, count=count, labels=shown.listed())
    return [rule, *pairs, template.words(f"neighbours_{population.payoff}", game)]


def rule_lines(template: Template, view: View) -> list[str]:
    """The rules beyond the stage game: talk, sanctions, and the number of rounds if the players know it."""
    rules, lines = view.rules, []
    if rules is not None:
        if rules.talk:
            lines.append(template.words("talk_rule", view.game))
        for key, sanction in (("punish_rule", rules.punishment), ("reward_rule", rules.reward)):
            if sanction:
                lines.append(_sanction_rule(template, view.game, key, sanction))
    if view.rounds is not None:
        lines.append(template.say("clock", view.game, round=min(view.round + 1, view.rounds), rounds=view.rounds))
    return lines


def _sanction_rule(template: Template, game: StageGame, key: str, sanction: Sanction) -> str:
    cost, effect = tell_number(sanction.cost), tell_number(sanction.effect)
    return template.say(key, game, points=sanction.points, cost=cost, effect=effect)


def past_lines(template: Template, view: View, shown: Presentation) -> list[str]:
    """The observed history, oldest round first, and the events of the current round."""
    game, last, now = view.game, template.last_round, view.acted is not None
    past = view.history[:-1] if now else view.history  # the last one is the current round, which follows below
    lines = []
    for ago, joint in zip(range(len(past), 0, -1), past, strict=True):
        when = last if ago == 1 else template.say("rounds_ago", game, number=ago)
        lines.append(_done(template, view, joint, when, shown))
    if view.sanctioned is not None and not now:
        lines.append(_moved(template, view, last))
    if not (view.said or now):
        return lines
    when = template.words("this_round", game)
    lines += [_said(template, view, joint, when) for joint in view.said]
    if view.acted is not None:
        lines.append(_done(template, view, view.acted, when, shown, one_by_one=True))
    if now and view.sanctioned is not None and any(view.sanctioned):
        lines.append(_moved(template, view, when))
    return lines


def _done(
    template: Template, view: View, joint: Joint, when: str, shown: Presentation, one_by_one: bool = False
) -> str:
    """The joint action of a round; `one_by_one`: list the actions of the others even if only their number matters."""
    game, others = view.game, joint[1:]
    own, *theirs = _named(view, joint, shown)
    if not others:
        return template.say("alone_history", game, ago=when, mine=own)
    if len(others) == 1:
        return template.say("pair_history", game, ago=when, mine=own, theirs=theirs[0])
    if game.n_actions == 2 and not one_by_one and not _owns_amounts(game):
        count = others.count(0)
        return template.say("group_history", game, ago=when, mine=own, count=count, cooperate=shown.labels[0])
    return template.say("levels_history", game, ago=when, mine=own, theirs=", ".join(theirs))


def _owns_amounts(game: StageGame) -> bool:
    """Whether the contribution of an action depends on the player."""
    return isinstance(game, PublicGoods) and isinstance(game.endowment, tuple)


def _named(view: View, joint: Joint, shown: Presentation) -> list[str]:
    """The labels of a joint action, own first."""
    game = view.game
    if not isinstance(game, PublicGoods) or (shown.labels and not _owns_amounts(game)):
        return [shown.labels[action] for action in joint]
    seats = [view.player, *(seat for seat in range(game.n_players) if seat != view.player)]
    return [tell_number(game.contribution(action, seat)) for action, seat in zip(joint, seats, strict=True)]


def _said(template: Template, view: View, joint: Joint, when: str) -> str:
    mine, *theirs = [_signal(template, view, signal) for signal in joint]
    key = "said_pair" if len(theirs) == 1 else "said_group"
    return template.say(key, view.game, ago=when, mine=mine, theirs=", ".join(theirs))


def _signal(template: Template, view: View, signal: Any) -> str:
    """The label of a signal; a text is escaped and quoted on one line, so that it cannot imitate the prompt.

    Characters that are not visible are escaped too: line ends beyond ASCII, those that reverse the direction of text,
    and those without a width.
    """
    if isinstance(signal, str):
        return json_text(signal)
    return str(signal) if signal else template.words("silence", view.game)


def _moved(template: Template, view: View, when: str) -> str:
    """The points that sanctions gave to or took from each player."""
    mine, *theirs = [f"{'+' if points > 0 else ''}{tell_number(points)}" for points in view.sanctioned or ()]
    key = "sanctions_pair" if len(theirs) == 1 else "sanctions_group"
    return template.say(key, view.game, ago=when, mine=mine, theirs=", ".join(theirs))


def question_line(template: Template, view: View, shown: Presentation, words: bool) -> str:
    """The question of the current phase; `words`: whether it asks for a text if the rules allow one."""
    game, listed = view.game, shown.listed(options_now(view)) if shown.labels else ""
    if view.phase == "act":
        if listed:
            return template.say("question", game, labels=listed)
        return template.say("amount_question", game, endowment=tell_number(game.endowments[view.player]))
    if view.phase == "talk":
        if words and words_allowed(view):
            return template.words("words_question", game)
        return template.say("signal_question", game, labels=listed)
    how_many = "pair" if game.n_players == 2 else "group"
    return template.say(f"{view.phase}_{how_many}_question", game, labels=listed)
