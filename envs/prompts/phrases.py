"""The lines of a prompt on actions, payoffs and rules, and the question. Each number is read from the game.

Each function fills in sentences of a `Template` and raises `TemplateError` if the template has none for the game.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, product
from math import isclose
from operator import attrgetter, itemgetter

from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.numbers import join_choices, tell_number
from dilemmas.envs.prompts.labels import Presentation, amounts
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.prompts.wording import TemplateError
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
    payoffs: list[float] = []
    cases: list[dict[str, str]] = []
    for mine, theirs in product(shown.order, repeat=2):
        if mine >= game.options[player] or theirs >= game.options[1 - player]:
            continue
        paid = game.payoffs((mine, theirs) if player == 0 else (theirs, mine))
        payoffs += paid
        cases.append(
            {
                "mine": shown.labels[mine],
                "theirs": shown.labels[theirs],
                "my_payoff": tell_number(paid[player]),
                "their_payoff": tell_number(paid[1 - player]),
            }
        )
    _check_told(game, payoffs)
    return _told(
        template,
        _pair_words(template, game, cases),
        lambda: [template.say("table.pair", game), *(template.say("table.pair_row", game, **case) for case in cases)],
    )


def _pair_words(template: Template, game: StageGame, cases: Sequence[Mapping[str, str]]) -> list[str]:
    """A sentence for every joint action, or one for every own action if the template has it."""
    if not template.pair_action:
        return [template.say("pair_line", game, **case) for case in cases]
    return [
        template.say(
            "pair_action", game, mine=mine, cases=", ".join(template.say("pair_case", game, **case) for case in same)
        )
        for mine, same in groupby(cases, itemgetter("mine"))
    ]


def _told(template: Template, words: list[str], table: Callable[[], list[str]]) -> list[str]:
    """Payoffs in words, as a table, or both."""
    return [*(() if template.payoffs == "table" else words), *(() if template.payoffs == "words" else table())]


def _check_told(game: StageGame, numbers: Sequence[float]) -> None:
    """`TemplateError` if a number of a game is told as another one, or two that differ are told as the same."""
    told: dict[str, float] = {}
    error = 1e-14 * max(map(abs, numbers))  # of computing one of them from the others
    for number in numbers:
        text = tell_number(number)
        other = told.setdefault(text, number)
        if not isclose(number, other, rel_tol=1e-14, abs_tol=error):
            raise TemplateError(
                f"'{game.name}': {number!r} and {other!r} would both be told as {text}; use numbers with at most"
                " twelve digits"
            )
        if not isclose(number, float(text), rel_tol=1e-9, abs_tol=error):
            raise TemplateError(
                f"'{game.name}': {number!r} would be told as {text}; use numbers with at most twelve decimals"
            )


def _tell(game: StageGame, number: float) -> str:
    """Write one number of a game; `TemplateError` if it would be told as another one."""
    _check_told(game, [number])
    return tell_number(number)


def _group(template: Template, game: StageGame, shown: Presentation) -> list[str]:
    """The payoffs of a game in which they depend on own action and the number of others who cooperate."""
    others = game.n_players - 1
    if not _counts(game):
        raise TemplateError(
            f"'{game.name}': payoffs depend on more than own action and the number of others who cooperate, for which"
            f" template '{template.name}' has no sentence; use another game"
        )
    counts = range(others + 1)
    paid = {mine: [game.payoffs((mine, *[0] * k, *[1] * (others - k)))[0] for k in counts] for mine in shown.order}
    _check_told(game, [points for row in paid.values() for points in row])
    cooperate = shown.labels[0]
    words = [
        template.say(
            "group_line",
            game,
            mine=shown.labels[mine],
            counts=join_choices([str(k) for k in counts]),
            cooperate=cooperate,
            payoffs=join_choices([tell_number(points) for points in row]),
        )
        for mine, row in paid.items()
    ]

    def row(mine: int, count: int) -> str:
        payoff = tell_number(paid[mine][count])
        case = {"mine": shown.labels[mine], "count": count, "cooperate": cooperate, "payoff": payoff}
        return template.say("table.group_row", game, **case)

    def table() -> list[str]:
        rows = [row(mine, count) for mine in shown.order for count in counts]
        return [template.say("table.group", game, cooperate=cooperate), *rows]

    rule = template.say("group_rule", game, labels=shown.listed(), players=game.n_players)
    return [rule, *_told(template, words, table)]


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
        endowment=_tell(game, game.endowment),
        labels=_amounts_listed(template, game, player, shown),
        multiplier=_tell(game, game.multiplier),
        players=game.n_players,
    )
    return [rule, *_provision(template, game)]


def _unequal(template: Template, game: PublicGoods, player: int) -> list[str]:
    """Endowment and possible contributions of each player, own first, then the others in order."""
    seats = [player, *(other for other in range(game.n_players) if other != player)]
    keys = ["unequal_own"] + ["unequal_other"] * (len(seats) - 1)
    lines = [
        template.say(
            key, game, endowment=_tell(game, game.endowment_of(seat)), labels=_amounts_listed(template, game, seat)
        )
        for key, seat in zip(keys, seats, strict=True)
    ]
    pot = template.say("unequal_pot", game, multiplier=_tell(game, game.multiplier), players=game.n_players)
    return [*lines, pot]


def _provision(template: Template, game: PublicGoods) -> list[str]:
    if not game.threshold:
        return []
    key = "threshold_refund" if game.refund else "threshold_lost"
    return [template.say(key, game, threshold=_tell(game, game.threshold))]


def _amounts_listed(template: Template, game: PublicGoods, player: int, shown: Presentation | None = None) -> str:
    if not game.n_actions:
        return template.say("any_amount", game, endowment=_tell(game, game.endowment_of(player)))
    _check_told(game, [game.contribution(action, player) for action in range(game.n_actions)])
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
    return [rule, *pairs, template.say(f"neighbours_{population.payoff}", game)]


def rule_lines(template: Template, view: View) -> list[str]:
    """The rules beyond the stage game: talk, sanctions, and the number of rounds if the players know it."""
    rules, lines = view.rules, []
    if rules is not None:
        if rules.talk:
            lines.append(template.say("talk_rule", view.game))
        for key, sanction in (("punish_rule", rules.punishment), ("reward_rule", rules.reward)):
            if sanction:
                lines.append(_sanction_rule(template, view.game, key, sanction))
    if view.rounds is not None:
        lines.append(template.say("clock", view.game, round=min(view.round + 1, view.rounds), rounds=view.rounds))
    return lines


def _sanction_rule(template: Template, game: StageGame, key: str, sanction: Sanction) -> str:
    cost, effect = _tell(game, sanction.cost), _tell(game, sanction.effect)
    return template.say(key, game, points=sanction.points, cost=cost, effect=effect)


def question_lines(template: Template, view: View, shown: Presentation, words: bool) -> list[str]:
    """Examples of answers if the template has them, and the question of the current phase.

    Parameters
    ----------
    template, view, shown
        As in `match_prompt`.
    words
        Whether the question asks for a text message if the rules allow one.
    """
    free = words and words_allowed(view)
    question = _question(template, view, shown, free)
    if template.decision.way == "motivate" and not free:
        question += f" {template.motivation}"
    if free or not shown.labels:
        return [question]
    game, form = view.game, template.answer
    labels = [shown.labels[action] for action in shown.order if action < options_now(view)]
    key = _form_of_answer(template, view)
    if attrgetter(key)(template):
        question += (
            f" {template.say(key, game, labels=join_choices(labels), **_replies(template, view, shown, labels))}"
        )
    examples = [template.say("answer.examples", game, first=labels[0], last=labels[-1])] if form.examples else []
    return [*examples, question]


MOST_PREDICTED = 21
"""Largest number of values of which a prediction may be one: a question lists them all."""


def deliberates(template: Template, view: View) -> bool:
    """Whether a model writes something before it decides in the current phase: where it chooses a labelled action."""
    return template.deliberate and view.phase == "act" and bool(options_now(view))


def predicted_values(template: Template, view: View, shown: Presentation) -> tuple[str, tuple[str, ...]]:
    """What a template asks the player to predict: a sentence with ``{label}``, and the labels that may be there.

    Between two players, the action of the other player, by index. In a two-action game of more players, the number of
    others who cooperate, from 0; in a public goods game with more contribution levels, the mean contribution of the
    others, which is one of the levels.

    Raises
    ------
    TemplateError
        If the template has no sentence for the game, there are more than `MOST_PREDICTED` values, or the players are
        not alike or a population.
    """
    game, others, key = view.game, view.game.n_players - 1, "decision.prediction"
    labels = shown.labels[: game.options[1 - view.seat]] if others == 1 else shown.labels
    if others > 1:
        counted = game.n_actions == 2
        key = "decision.group_prediction" if counted else "decision.levels_prediction"
        labels = tuple(map(str, range(others + 1))) if counted else labels
    unlike = others > 1 and isinstance(game, PublicGoods) and isinstance(game.endowment, tuple)
    if unlike or view.population is not None or len(labels) > MOST_PREDICTED:
        raise TemplateError(
            f"'{game.name}': template '{template.name}' asks what the others will choose; needs players who are alike,"
            f" outside of a population, and at most {MOST_PREDICTED} values to predict, not {len(labels)}"
        )
    given = {"cooperate": shown.labels[0]} if key == "decision.group_prediction" else {}
    return template.say(key, game, label="{label}", **given), tuple(labels)


def _form_of_answer(template: Template, view: View) -> str:
    if deliberates(template, view):
        return "decision.request"
    return "answer.reasoned" if template.decision.way == "motivate" else "answer.alone"


def _replies(template: Template, view: View, shown: Presentation, labels: list[str]) -> dict[str, str]:
    """The possible replies and predictions, in the reverse of the order in which labels are named."""
    found = {"replies": labels}
    if template.answer.reply:
        found["replies"] = _quoted(template, view, "answer.reply", labels)
    if deliberates(template, view) and template.decision.way == "predict":
        sentence, values = predicted_values(template, view, shown)
        order = list(range(len(values))) if shown.order[0] < shown.order[-1] else list(range(len(values)))[::-1]
        found["predictions"] = [f'"{sentence.replace("{label}", values[place])}"' for place in order[::-1]]
    return {name: join_choices(texts) for name, texts in found.items()}


def _quoted(template: Template, view: View, key: str, labels: list[str]) -> list[str]:
    return [f'"{template.say(key, view.game, label=label)}"' for label in labels[::-1]]


def _question(template: Template, view: View, shown: Presentation, words: bool) -> str:
    game, listed = view.game, shown.listed(options_now(view)) if shown.labels else ""
    if view.phase == "act":
        if listed:
            return template.say("question", game, labels=listed)
        return template.say("amount_question", game, endowment=_tell(game, game.endowments[view.player]))
    if view.phase == "talk":
        return template.say("words_question", game) if words else template.say("signal_question", game, labels=listed)
    how_many = "pair" if game.n_players == 2 else "group"
    return template.say(f"{view.phase}_{how_many}_question", game, labels=listed)
