"""`dilemmas evaluate`: how closely agents decide as a teacher does."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

import click
from rich.table import Column

from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.matches.record import MatchRecord
from dilemmas.agents.specifications import parse_spec
from dilemmas.agents.visible_text import visible
from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.contexts import context as context_named
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.group import ComputingCommand
from dilemmas.experiments.commands.options import (
    FramedBy,
    framing_options,
    game_option,
    json_option,
    print_json,
    seed_option,
    set_option,
)
from dilemmas.experiments.distilling.comparison import Closeness, compare_agents
from dilemmas.experiments.distilling.conduct import Conduct, conduct
from dilemmas.experiments.distilling.matches import MatchPlan, PlayedMatches, play_out
from dilemmas.experiments.distilling.sources import HISTORIES, QUESTIONS, Lessons, situations_on
from dilemmas.experiments.reporting.format import NONE, num, number_of, with_span
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.study.recipe import SETS
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.teachers import Teacher, teacher_of

if TYPE_CHECKING:
    from dilemmas.agents.models.language_model import LanguageModelAgent

ROUNDS = (1, 2, 3, 5, 10, 20, 50, 100)
"""Rounds whose cooperation the terminal shows; --json has all."""
MOST_STRATEGIES = 3
"""Strategies of an agent that the terminal shows; --json has all."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How closely agents decide as a teacher does."""

    alignment: tuple[Closeness, ...]
    """In situations of every kind, and agent by agent."""
    matches: tuple[PlayedMatches, ...]
    """How the matches of each ended; empty without opponents."""
    conduct: tuple[Conduct, ...]
    """How each played them, the teacher first; empty without opponents, or in games without two actions."""
    engines: dict[str, str]
    """What computes the probabilities of each language model, with the number format if it is known, by name."""


def _show(found: Evaluation, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
    else:
        _print(found.alignment, found.matches, found.conduct)
        for engine in dict.fromkeys(found.engines.values()):
            names = ", ".join(name for name, own in found.engines.items() if own == engine)
            echo(visible(f"probabilities of {names}: computed by {engine}"))


@click.command(cls=ComputingCommand, show=_show)
@click.argument("teacher")
@click.argument("agents", nargs=-1, required=True, metavar="AGENT...")
@click.option(
    "--on",
    multiple=True,
    metavar="WORD or FILE",
    show_default="the four sets of the recipe; none with --opponents",
    help=f"Situations in which they are compared: {', '.join(SETS)}, {QUESTIONS} (random games), {HISTORIES} (all of"
    " --game), or recorded play; repeatable.",
)
@click.option("--opponents", metavar="AGENT,...", help="Also compare in matches against each of these agents.")
@click.option(
    "--player", "players", multiple=True, help="Whose recorded histories are used: agent or seat; repeatable."
)
@click.option(
    "--recipe",
    "recipe_name",
    default="study",
    show_default=True,
    shell_complete=completion.recipes,
    help="Recipe with the sets of scenarios and the words.",
)
@game_option("prisoners_dilemma")
@set_option
@click.option("--memory", type=click.IntRange(0, 10), default=1, show_default=True, help="Rounds of histories.")
@click.option("--rounds", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Rounds of a match.")
@click.option(
    "--matches", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Matches against each opponent."
)
@click.option(
    "--questions", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Number of random games."
)
@framing_options("team", in_recipe=True)
@seed_option("random games and matches")
@json_option
def command(
    teacher: str,
    agents: tuple[str, ...],
    on: tuple[str, ...],
    opponents: str | None,
    players: tuple[str, ...],
    recipe_name: str,
    game: str,
    settings: dict[str, Any],
    memory: int,
    rounds: int,
    matches: int,
    questions: int,
    framing: FramedBy,
    seed: int,
) -> Evaluation:
    """Compare agents with a teacher: in scenarios, after recorded or all histories, and in matches in its place.

    All are given as in `dilemmas agents`. The gap closed is measured from the first AGENT, such as the untuned student.

    \b
    dilemmas evaluate miniature:teacher miniature:student miniature:student+runs/replicate/adapter
    dilemmas evaluate tit_for_tat miniature:student+runs/tft/adapter --opponents random,always_defect
    """
    named = {_name(spec): spec for spec in agents}
    if len(named) < len(agents):
        raise InputError(f"agents = {list(agents)}; needs each of them once, or with a name of its own, NAME=AGENT")
    recipe = load_recipe(recipe_name)
    recipe = replace(recipe, seed=seed, questions=replace(recipe.questions, number=questions))
    told = framing(recipe.prompting)
    rules = rules_of(game, **settings, rounds=rounds, memory=memory)
    social = context_named(told.context, told.words.contexts)
    lessons = Lessons((), (), recipe, told, (social,), rules.stage, memory, players)
    opened: dict[str, Teacher] = {spec: teacher_of(spec, told) for spec in (teacher, *agents)}
    students = {name: opened[spec] for name, spec in named.items()}
    rows: list[Closeness] = []
    for word in on or (() if opponents else SETS):
        situations = list(situations_on(word, lessons))
        rows += compare_agents(word, situations, opened[teacher], students, drawn=word != HISTORIES)
    played: list[PlayedMatches] = []
    ways: list[Conduct] = []
    if opponents:
        plan = MatchPlan(rules, social, tuple(listed(opponents)), matches, seed)
        others = {spec: opened.get(spec) or teacher_of(spec, told) for spec in plan.opponents}
        more, played, ways = _in_matches(plan, _name(teacher), opened[teacher], students, others)
        rows += more
    models = {
        spec: open_it(rules.stage, social) for spec, open_it in opened.items() if parse_spec(spec).kind == "model"
    }
    engines = {_name(spec): cast("LanguageModelAgent", agent).backend.engine for spec, agent in models.items()}
    return Evaluation(tuple(rows), tuple(played), tuple(ways), engines)


def _name(spec: str) -> str:
    parsed = parse_spec(spec)
    return parsed.own_name or parsed.text


def _in_matches(
    plan: MatchPlan, name: str, teacher: Teacher, students: dict[str, Teacher], others: dict[str, Teacher]
) -> tuple[list[Closeness], list[PlayedMatches], list[Conduct]]:
    """Alignment on the histories that the teacher's matches lead to, and on those of each student's own."""
    _check(plan.rules)
    rows: list[Closeness] = []
    kept = KeptMatches()
    results, situations = play_out(plan, name, teacher, others, kept.keep)
    first = kept.conduct(name, plan, None)
    ways = [first] if first else []
    rows += compare_agents("the teacher's matches", situations, teacher, students)
    for own_name, student in students.items():
        kept = KeptMatches()
        own, situations = play_out(plan, own_name, student, others, kept.keep)
        results += own
        ways += [way] if first and (way := kept.conduct(own_name, plan, first)) else []
        rows += compare_agents("its own matches", situations, teacher, {own_name: student})
    return rows, results, ways


class KeptMatches:
    """The matches of an agent by opponent, as `play_out` tells them."""

    def __init__(self) -> None:
        self._records: dict[str, Sequence[MatchRecord]] = {}
        self._tallies: list[Tally | None] = []

    def keep(self, opponent: str, records: Sequence[MatchRecord], tally: Tally | None) -> None:
        self._records[opponent] = records
        self._tallies.append(tally)

    def conduct(self, name: str, plan: MatchPlan, teacher: Conduct | None) -> Conduct | None:
        """How the agent played them; None in games without two actions."""
        return conduct(name, plan.rules, self._records, self._tallies, teacher, plan.seed)


def _check(rules: Repeated) -> None:
    if len(rules.phases) > 1:
        raise InputError("--opponents: matches are compared in games without talk and sanctions")


def _print(rows: Sequence[Closeness], played: Sequence[PlayedMatches], ways: Sequence[Conduct]) -> None:
    console = SafeConsole()
    for on, some in groupby(rows, lambda row: row.on):
        group = list(some)
        echo(f"{on}: {', '.join(dict.fromkeys(number_of(row.situations, 'decision') for row in group))}")
        columns = [_agent_column(), *map(number_column, ("divergence", "overlap", "same", "level", "r", "closed"))]
        console.print(terminal_table(columns, map(_cells, group)))
        echo("")
    echo("divergence: from the teacher's probabilities, in nats; same: probability that draws from both are the same")
    echo("action; level: mean cooperation minus the teacher's; r: correlation of cooperation with the teacher's;")
    echo("closed: share of the gap of the first agent")
    if played:
        columns = [
            _agent_column("agent", 8),
            _agent_column("opponent", 8),
            *map(number_column, ("cooperation", "payoff", "theirs")),
        ]
        echo("")
        console.print(terminal_table(columns, map(_match_cells, played)))
        if any(one.expected for one in played):
            echo("exact: computed for a Markov chain, without sampling error")
        shown = [n for n in ROUNDS if n <= max(len(one.by_round) for one in played)]
        columns = [_agent_column("agent", 8), _agent_column("opponent", 8), *(number_column(f"{n}") for n in shown)]
        echo("")
        echo("cooperation by round")
        console.print(terminal_table(columns, (_round_cells(one, shown) for one in played)))
    if ways:
        echo("")
        heads = [
            _agent_column("agent", 8),
            *map(number_column, (*ways[0].after, "distance")),
            _agent_column("like", 8),
        ]
        console.print(terminal_table(heads, map(_conduct_cells, ways)))
        echo("start, CC, CD, DC, DD: probability of cooperation at the start and after a round, own action first;")
        echo(
            "distance: mean difference from the teacher's; like: strategies that explain its matches best, with shares"
        )


def _match_cells(one: PlayedMatches) -> list[str]:
    if one.expected:
        exact = (one.expected.cooperation, one.expected.payoff, one.expected.opponent_payoff)
        return [one.agent, one.opponent, *(f"{num(value)} exact" for value in exact)]
    found = (one.cooperation, one.payoff, one.opponent_payoff)
    return [one.agent, one.opponent, *(with_span(value.value, value.interval) for value in found)]


def _round_cells(one: PlayedMatches, shown: Sequence[int]) -> list[str]:
    rates = (num(one.by_round[n - 1]) if n <= len(one.by_round) else NONE for n in shown)
    return [one.agent, one.opponent, *rates]


def _conduct_cells(way: Conduct) -> list[str]:
    like = ", ".join(f"{one.strategy} {num(one.share)}" for one in way.strategies[:MOST_STRATEGIES])
    return [way.agent, *map(num, way.after.values()), num(way.distance), like]


def _agent_column(title: str = "agent", width: int = 12) -> Column:
    column = word_column(title)
    column.min_width = width
    return column


def _cells(row: Closeness) -> list[str]:
    overlap = with_span(row.overlap.value, row.overlap.interval)
    found = (row.divergence, row.agreement, row.level, row.correlation, row.gap_closed)
    divergence, *others = map(num, found)
    return [row.agent, divergence, overlap, *others]
