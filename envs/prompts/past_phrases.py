"""The lines of a prompt on what happened: rounds, messages and sanctions.

Each function fills in sentences of a `Template` and raises `TemplateError` if the template has none for the game.
"""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from dilemmas.envs.data_files import json_text, printable
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.numbers import tell_number
from dilemmas.envs.prompts.labels import Presentation
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.protocol import View


def past_lines(template: Template, view: View, shown: Presentation) -> list[str]:
    """The observed history, oldest round first, and the events of the current round."""
    game, last, now = view.game, template.last_round, view.acted is not None
    whole = view.history[:-1] if now else view.history  # the last one is the current round, which follows below
    past = whole[-template.memory.rounds :] if template.memory.rounds else whole
    lines = _summary(template, view, whole[: len(whole) - len(past)], shown)
    for ago, joint in zip(range(len(past), 0, -1), past, strict=True):
        when = last if ago == 1 else template.say("rounds_ago", game, number=ago)
        lines.append(_done(template, view, joint, when, shown))
    if view.sanctioned is not None and not now:
        lines.append(_moved(template, view, last))
    if not (view.said or now):
        return lines
    when = template.say("this_round", game)
    lines += [line for joint in view.said for line in _said(template, view, joint, when)]
    if view.acted is not None:
        lines.append(_done(template, view, view.acted, when, shown, one_by_one=True))
    if now and view.sanctioned is not None and any(view.sanctioned):
        lines.append(_moved(template, view, when))
    return lines


def _summary(template: Template, view: View, past: Sequence[Joint], shown: Presentation) -> list[str]:
    """How often each action was chosen in the rounds that are not told one by one."""
    key = "memory.pair" if view.game.n_players == 2 else "memory.group"
    if not past or not attrgetter(key)(template):
        return []
    named = [_named(view, joint, shown) for joint in past]
    counts = Counter(own for own, *_ in named), Counter(other for _, *others in named for other in others)
    mine, theirs = (_counted(template, view, count, shown) for count in counts)
    return [template.say(key, view.game, rounds=len(past), mine=mine, theirs=theirs)]


def _counted(template: Template, view: View, count: Counter[str], shown: Presentation) -> str:
    labels = [label for label in (shown.labels[action] for action in shown.order) if label in count]
    labels += sorted(set(count) - set(labels), key=float)
    return ", ".join(template.say("memory.count", view.game, label=label, number=count[label]) for label in labels)


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


def _said(template: Template, view: View, joint: Joint, when: str) -> list[str]:
    """The signals of a turn of talk. What a player wrote cannot pose as a line of the prompt: it stands escaped on one
    line, or in a block of which every line begins with the template's prefix."""
    if template.quotation.prefix and any(isinstance(signal, str) for signal in joint):
        return _quoted(template, view, joint, when)
    mine, *theirs = [_signal(template, view, signal) for signal in joint]
    key = "said_pair" if len(theirs) == 1 else "said_group"
    return [template.say(key, view.game, ago=when, mine=mine, theirs=", ".join(theirs))]


def _quoted(template: Template, view: View, joint: Joint, when: str) -> list[str]:
    heads = [template.say("quotation.mine", view.game, ago=when)]
    if len(joint) == 2:
        heads.append(template.say("quotation.theirs", view.game, ago=when))
    else:
        heads += [template.say("quotation.other", view.game, ago=when, number=k) for k in range(1, len(joint))]
    lines = []
    for head, signal in zip(heads, joint, strict=True):
        text = signal if isinstance(signal, str) else _signal(template, view, signal)
        lines += [head, *(f"{template.quotation.prefix}{printable(line)}" for line in text.splitlines() or [""])]
    return lines


def _signal(template: Template, view: View, signal: Any) -> str:
    """The label of a signal; a text is escaped and quoted on one line.

    Characters that are not visible are escaped too: line ends beyond ASCII, those that reverse the direction of text,
    and those without a width.
    """
    if isinstance(signal, str):
        return json_text(signal)
    return str(signal) if signal else template.say("silence", view.game)


def _moved(template: Template, view: View, when: str) -> str:
    """The points that sanctions gave to or took from each player."""
    mine, *theirs = [f"{'+' if points > 0 else ''}{tell_number(points)}" for points in view.sanctioned or ()]
    key = "sanctions_pair" if len(theirs) == 1 else "sanctions_group"
    return template.say(key, view.game, ago=when, mine=mine, theirs=", ".join(theirs))
