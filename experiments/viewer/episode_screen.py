"""Recorded steps and lists of matches, rendered for a terminal of 60 columns or more.

Pure functions from records to rich renderables. Text of models is never interpreted as markup, and control characters
are replaced by visible ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import fsum
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dilemmas.agents.agent import Decision, Source, Unreadable
from dilemmas.agents.matches.record import MatchRecord, Move, Reason
from dilemmas.agents.matches.trajectory import Header
from dilemmas.agents.models.deciding.deliberation import standard_errors
from dilemmas.agents.visible_text import visible
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import whole
from dilemmas.envs.numbers import format_number
from dilemmas.envs.pettingzoo_api.parallel_env import PETTINGZOO_OPTIONS
from dilemmas.envs.rendering.frames import label, signal
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.protocol import Phase
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import one_line

BAR = 20
"""Width of the bar for probability 1, in columns."""

SOURCES = {
    Source.EXACT: "from the probabilities of the labels",
    Source.WITHIN: "from the probabilities of the labels, within a margin",
    Source.SAMPLED: "from a sampled reply",
    Source.REASONED: "from the probabilities of the labels after a reasoning",
    Source.STATED: "from the probabilities that a sampled reply states",
    Source.RULE: "from the rule of the strategy",
}
HANDLED = {
    Unreadable.ABORT: "so the match was aborted",
    Unreadable.DEFAULT: "so the default action was played",
    Unreadable.UNIFORM: "so an action was drawn uniformly",
}
REASONS = {Reason.TERMINATED: "green", Reason.TRUNCATED: "yellow", Reason.ABORTED: "red", Reason.FAILED: "red"}
"""Colour of each ending."""


def step_screen(header: Header, record: MatchRecord, step: int, name: str) -> RenderableType:
    """One step of a match, `step` counted from 1; `name`: the file of the match."""
    moves, rules = record.steps[step - 1], recorded_rules(header)
    parts: list[RenderableType] = [_title(header, rules, record, step, name), _joint(rules, record, step)]
    if step == len(record.steps):
        ending = f"{record.outcome.reason}, {record.outcome.detail}"
        parts.append(Text(f"The match ends: {visible(ending)}.", REASONS[record.outcome.reason]))
    names = agent_names(header, record)
    for player, move in enumerate(moves):
        parts += [Rule(Text(visible(f"{move.player}, {names[move.player]}")), align="left", style="dim")]
        word = action_words(rules, step, player)
        parts += _decision(_possible(move.decision, rules, step, player), word, _predicted_words(rules, word))
    return Group(*parts)


def match_screen(header: Header, record: MatchRecord, name: str) -> RenderableType:
    """All steps of a match, one below the other."""
    steps = [step_screen(header, record, step, name) for step in range(1, len(record.steps) + 1)]
    return Group(*(part for step in steps for part in (step, Text())))


def match_line(header: Header, record: MatchRecord, place: int, name: str) -> Text:
    """A match in one line of a list: number, rounds, ending, totals, file."""
    totals = " : ".join(format_number(total) for total in list(record.outcome.totals.values())[:4])
    more = " ..." if len(record.outcome.totals) > 4 else ""
    line = Text(f"{place:>5}  {_rounds(header, record):>6}  ")
    line.append(f"{record.outcome.reason:<10}", REASONS[record.outcome.reason])
    return line.append(f"  {totals}{more}  ").append(one_line(name), "dim")


def match_facts(header: Header, record: MatchRecord, place: int, name: str) -> dict[str, Any]:
    """The contents of `match_line` as plain data."""
    ending = {"ending": record.outcome.reason, "detail": record.outcome.detail}
    totals = dict(record.outcome.totals)
    return {"match": place, "rounds": _rounds(header, record), **ending, "totals": totals, "file": name}


def _rounds(header: Header, record: MatchRecord) -> int:
    """Number of rounds, of which the last may be incomplete."""
    rules = recorded_rules(header)
    return -(-record.outcome.rounds // (len(rules.phases) if rules else 1))


LIST_HEADING = "match  rounds  ending      totals, file"


def agent_names(header: Header, record: MatchRecord) -> dict[str, str]:
    """The name under which each player of a match took part; the first step has all players."""
    players = [move.player for move in record.steps[0]]
    return dict(zip(players, (agent.called for agent in header.agents), strict=False))


def recorded_rules(header: Header) -> Repeated | None:
    """The rules of the matches of a file; None if the environment is not one of dilemmas."""
    try:
        return rules_of(header.environment, **{k: v for k, v in header.options.items() if k not in PETTINGZOO_OPTIONS})
    except InputError:
        return None


def action_words(rules: Repeated | None, step: int, player: int = 0) -> Callable[[Any], str]:
    """Function from an action of a player in a step to text: C and D, contributions, signals or points; numbers in
    unknown games, and for actions of another phase."""
    if rules is None:
        return lambda action: visible(str(action))
    phase, game = _phase(rules, step), rules.stage
    if phase.name == "talk":
        word: Callable[[Any], str] = signal
    elif phase.name == "act":
        word = partial(label, game, player=player if rules.n_players == game.n_players else None)
    else:
        word = partial(_sanctions, rules, phase.name, player)
    options = phase.options[player]

    def called(action: Any) -> str:
        if action is None:
            return "none"
        action = _plain(action)
        if isinstance(action, str):
            known = phase.name == "talk"
        else:
            known = isinstance(action, int | float) and action >= 0 and (not options or whole(action, options))
        return visible(word(action) if known else str(action))

    return called


def _phase(rules: Repeated, step: int) -> Phase:
    """The phase of the round in a step."""
    return rules.phases[(step - 1) % len(rules.phases)]


def _possible(decision: Decision, rules: Repeated | None, step: int, player: int) -> Decision:
    """A decision without the probabilities of actions that belong to other steps."""
    options = _phase(rules, step).options[player] if rules else 0
    if not options or decision.probabilities is None:
        return decision
    return replace(decision, probabilities=decision.probabilities[:options])


def _sanctions(rules: Repeated, phase: str, player: int, action: int) -> str:
    """The points that a sanctioning action gives: ``1 to 0 and 2 to 3``, players by number."""
    sanction = rules.punishment if phase == "punish" else rules.reward
    if rules.n_players == 2 or sanction is None:
        return str(action)
    given = rules.sanctions(action, player, sanction.points)
    return " and ".join(f"{points} to {other}" for other, points in enumerate(given) if points) or "nobody"


def _plain(action: Any) -> Any:
    """An action as a number or text; records keep an amount as a list of one."""
    return action[0] if isinstance(action, list) and len(action) == 1 else action


def _title(header: Header, rules: Repeated | None, record: MatchRecord, step: int, name: str) -> Text:
    about = header.environment + (f", {header.context}" if header.context else "")
    where = f"round {step} of {len(record.steps)}"
    if rules and len(rules.phases) > 1:
        before = (step - 1) // len(rules.phases)
        where = f"step {step} of {len(record.steps)}: round {before + 1}, {_phase(rules, step).name}"
    return Text.assemble(
        (f"match {record.match}, {where}\n", "bold"),
        (visible(f"{about}\n{name}"), "dim"),
    )


def _joint(rules: Repeated | None, record: MatchRecord, step: int) -> Table:
    """The joint action, its payoffs, and the running totals."""
    rows: list[list[str | Text]] = []
    for player, move in enumerate(record.steps[step - 1]):
        payoff = "-" if move.reward is None else format_number(move.reward)
        total = format_number(_total(record, step, move.player))
        rows.append([move.player, _action(move, action_words(rules, step, player)), payoff, total])
    return terminal_table([word_column("player"), *map(number_column, ("action", "payoff", "total"))], rows)


def _action(move: Move, word: Callable[[Any], str]) -> Text:
    meant = _plain(move.decision.action)
    if move.played is None or move.played == meant:
        return Text(word(meant), "bold")
    return Text.assemble((word(move.played), "bold"), (f" (meant {word(meant)})", "yellow"))


def _total(record: MatchRecord, step: int, player: str) -> float:
    return fsum(move.reward or 0.0 for moves in record.steps[:step] for move in moves if move.player == player)


def _predicted_words(rules: Repeated | None, word: Callable[[Any], str]) -> Callable[[Any], str]:
    """Function from the index of what a model predicts to text: actions, levels, or numbers of others who cooperate."""
    counts = rules is not None and rules.stage.n_players > 2 and rules.stage.n_actions == 2
    return (lambda number: f"{number} of the others {word(0)}") if counts else word


def _decision(decision: Decision, word: Callable[[Any], str], predicted: Callable[[Any], str]) -> list[RenderableType]:
    if decision.error is not None:
        return [Text(visible(decision.error), "bold red")]
    parts: list[RenderableType] = []
    if decision.probabilities is not None:
        parts.append(_bars(decision.probabilities, word))
    share = "" if decision.mass is None else f", label mass {decision.mass:.1%}"
    parts.append(Text(SOURCES[decision.source] + share, "dim"))
    if decision.unreadable is not None:
        times = "1 reply" if decision.attempts == 1 else f"{decision.attempts} replies"
        why = f"unreadable: no action in {times}" if decision.attempts else "the prompt is too long for the model"
        parts.append(Text(f"{why}, {HANDLED[Unreadable(decision.unreadable)]}", "bold red"))
    elif decision.attempts > 1:
        parts.append(Text(f"readable at attempt {decision.attempts}", "yellow"))
    named = {label: word(action) for action, label in enumerate(decision.labels or ())}
    if any(label != action for label, action in named.items()):
        stands = ", ".join(f"{label} stands for {action}" for label, action in named.items())
        parts.append(Text(visible(f"in the prompt {stands}"), "yellow"))
    for heading in ("prompt", "thoughts", "reply", "motivation"):
        text = getattr(decision, heading)
        if text is not None:
            parts += _titled(heading, text)
    return parts + _deliberations(decision, word, predicted)


def _titled(heading: str, text: str) -> list[RenderableType]:
    shown = Text(visible(text)) if text else Text("(nothing)", "dim")
    return [Text(heading, "bold"), Padding(shown, (0, 0, 0, 2))]


def _deliberations(
    decision: Decision, word: Callable[[Any], str], predicted: Callable[[Any], str]
) -> list[RenderableType]:
    """What the model wrote before its action was decided, and what followed from it."""
    found = decision.deliberations or ()
    parts: list[RenderableType] = []
    if decision.prediction is not None:
        parts += [Text("prediction of what others choose", "bold"), _bars(decision.prediction, predicted)]
    for number, one in enumerate(found, 1):
        parts += _titled("thoughts", one.thoughts) if one.thoughts else []
        parts += _titled(f"written before the decision{f', {number} of {len(found)}' * (len(found) > 1)}", one.text)
        parts.append(Text("unreadable", "bold red") if one.probabilities is None else _bars(one.probabilities, word))
    errors = standard_errors(found) if decision.prediction is None else None
    if errors is not None:
        parts.append(Text(f"standard error of the mean: {max(errors):.3f}", "dim"))
    return parts


def _bars(probabilities: Sequence[float], word: Callable[[Any], str]) -> Text:
    words = [word(action) for action in range(len(probabilities))]
    width = max(map(len, words), default=0)
    text = Text()
    for action, probability in zip(words, probabilities, strict=True):
        full = round(probability * BAR)
        text.append(f"{action:>{width}} ").append("█" * full, "cyan").append("░" * (BAR - full), "dim")
        text.append(f" {probability:.3f}\n")
    text.rstrip()
    return text
