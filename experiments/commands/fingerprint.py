"""`dilemmas fingerprint`: how each player of recorded matches behaves, and which strategy is nearest."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path

import click
from rich.table import Table

from dilemmas.experiments.commands.options import Location, json_option, print_json, reading_options
from dilemmas.experiments.inference.fingerprint import cooperation_ratings
from dilemmas.experiments.inference.portraits import Portrait, portraits
from dilemmas.experiments.inference.recorded_play import Choice, read_play
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import one_line
from dilemmas.experiments.reporting.uncertainty.intervals import Estimate

WIDEST = 6
"""Maximum number of players in a match for which the fingerprint is printed; `--json` has it in any case."""
MEASURES = (
    ("cooperation", "initial_cooperation", "niceness", "good_partner"),
    ("provocability", "forgiveness", "vengeance", "echo"),
)
"""Fields of `Character`, by the table in which they are printed."""


@click.command()
@click.argument("path", type=Location())
@reading_options
@json_option
def command(path: Path, choices: Choice, one: str | None, cooperate: str | None, as_json: bool) -> None:
    """Describe each player of recorded matches: its response to the previous round, and the nearest strategy.

    PATH is a run folder (of a tournament only with --engine environment), a *.trajectory.jsonl file, or a .csv table as
    for `dilemmas infer`.
    """
    plays = read_play([path], choices, one, cooperate)
    described = portraits(plays)
    if as_json:
        return print_json({"players": [asdict(portrait) for portrait in described], **cooperation_ratings(plays)})
    console = SafeConsole()
    for players in sorted({portrait.players for portrait in described}):
        same = [portrait for portrait in described if portrait.players == players]
        tables = [player_habit_table(same), *(character_table(same, names) for names in MEASURES), nearest_table(same)]
        for table in tables:
            console.print(table)
            console.print()


def player_habit_table(described: Sequence[Portrait]) -> Table | str:
    """Probability of cooperation after each observation of the previous round."""
    if described[0].players > WIDEST:
        return f"{described[0].players} players: --json has the cooperation after each number of defectors"
    headings = ("P(cooperate) after", *(habit.after for habit in described[0].habits))
    rows = [[_name(one), *(_cell(habit.probability, habit.interval) for habit in one.habits)] for one in described]
    return terminal_table(list(map(word_column, headings)), rows)


def character_table(described: Sequence[Portrait], names: Sequence[str]) -> Table:
    """Some measures of each player; `names` are fields of `Character`."""
    rows = []
    for one in described:
        measures: list[Estimate | None] = [getattr(one.character, name) for name in names]
        rows.append([_name(one), *(_cell(*astuple(measure)) if measure else "-" for measure in measures)])
    return terminal_table([word_column("player"), *(word_column(name.replace("_", " ")) for name in names)], rows)


def nearest_table(described: Sequence[Portrait]) -> Table:
    """Numbers of matches and choices, and the nearest strategies of each player."""
    rows = []
    for one in described:
        best, left_out = one.nearest, f" (+{one.unreadable} unreadable)" if one.unreadable else ""
        cells = ("-", "-") if best is None else (f"{best.tremble:.3f}", ", ".join(best.strategies))
        rows.append([_name(one), str(one.matches), f"{one.choices}{left_out}", *cells])
    return terminal_table([*map(word_column, ("player", "matches", "choices", "tremble", "nearest strategies"))], rows)


def _name(one: Portrait) -> str:
    return one_line(one.player)


def _cell(value: float | None, interval: tuple[float, float] | None) -> str:
    """The value, and below it the interval, without the zero before the decimal point."""
    if value is None:
        return "-"
    span = "" if interval is None else "\n" + "-".join(f"{end:.2f}".removeprefix("0") for end in interval)
    return f"{value:.2f}{span}"
