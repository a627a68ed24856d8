"""`dilemmas tournament strategies`: the list of built-in strategies, or the description of one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from dilemmas.agents.roster import sets
from dilemmas.agents.strategies.catalogue import (
    FAMILIES,
    GROUPS,
    SECTIONS,
    STRATEGIES,
    AnyEntry,
    Listed,
    key_of,
    listing,
    names_of,
    strategy,
)
from dilemmas.agents.strategies.entry import Family, GroupEntry, StrategyEntry
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import UnknownNameError, did_you_mean, lookup
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.options import game_option, json_option, print_json, set_option
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import fact_table
from dilemmas.experiments.reporting.terminal_text import echo

KINDS = {
    "automaton": "finite automaton",
    "counting": "computed from the whole history",
    "group": "finite automaton, for groups",
    "family": "finite automaton, with parameters",
}
"""Kinds of strategy in words."""


@dataclass(frozen=True, slots=True)
class Known:
    """A strategy with its place in the list."""

    section: str
    """Section of the list."""
    entry: AnyEntry
    row: Listed

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters in parentheses."""
        inside = self.row.name.partition("(")[2].removesuffix(")")
        return tuple(inside.split(",")) if inside else ()

    def as_data(self) -> dict[str, Any]:
        """JSON values, as printed by --json."""
        more = {"section": self.section, "description": self.entry.description, "parameters": self.parameters}
        return {**self.row._asdict(), **more}


@click.command(short_help="List the built-in strategies, or describe one.")
@click.argument("name", required=False, shell_complete=completion.strategies)
@game_option("prisoners_dilemma")
@set_option
@json_option
def command(name: str | None, game: str, settings: Mapping[str, Any], as_json: bool) -> None:
    """List the built-in strategies, or describe one in full.

    NAME is a strategy or one of its other names (tit_for_tat, TFT), with its parameters if it has any; a set
    (@first_tournament, @automata, @all, @groups); or part of a name or of a source, which lists the strategies that
    contain it. --game and --set give the payoffs from which some strategies are computed.
    """
    found, exact = chosen(name)
    if exact and name is not None:
        found = [with_vector(one, name, stage_game(game, **settings)) for one in found]
    if as_json:
        return print_json([one.as_data() for one in found])
    console = SafeConsole()
    for part in map(in_full, found) if exact else strategy_list(found):
        console.print(part)
    if not exact:
        echo(f"{len(found)} strategies; sets: {', '.join(sets())}", err=True)
        echo("describe one: dilemmas tournament strategies NAME", err=True)


@cache
def known() -> tuple[Known, ...]:
    """All strategies, in the order of the sections."""
    rows = dict(zip(map(id, (*STRATEGIES, *GROUPS, *FAMILIES)), listing(), strict=True))
    return tuple(Known(title, entry, rows[id(entry)]) for title, section in SECTIONS.items() for entry in section)


def chosen(name: str | None) -> tuple[list[Known], bool]:
    """The strategies that a name selects, and whether it is the exact name of one, which is then described in full."""
    if name is None:
        return list(known()), False
    if name.startswith("@"):
        members = lookup("set", name, sets())
        return [one for one in known() if one.row.name in members], False
    word = key_of(name.partition("(")[0])
    if exact := [one for one in known() if word in map(key_of, names_of(one.entry))]:
        return exact, True
    partial = [one for one in known() if name.lower() in f"{one.row.name} {one.row.aliases} {one.row.source}".lower()]
    if not partial:
        names = {spelling: None for one in known() for spelling in names_of(one.entry)}
        raise UnknownNameError(f"unknown strategy '{name}'{did_you_mean(name, names)}")
    return partial, False


def with_vector(one: Known, name: str, game: StageGame) -> Known:
    """A strategy with its probabilities in a game, if they are known: those of a family need its parameters."""
    if isinstance(one.entry, GroupEntry) or (isinstance(one.entry, Family) and "(" not in name):
        return one
    written = f"{one.entry.name}({name.partition('(')[2]}" if isinstance(one.entry, Family) else one.entry.name
    automaton: Automaton | None = strategy(written, game=game).traits.automaton
    return replace(one, row=one.row._replace(vector=None if automaton is None else automaton.vector))


def strategy_list(found: Iterable[Known]) -> Iterator[Table | Text]:
    """One line per strategy under the heading of its section, cut to the width of the terminal."""
    for section, members in groupby(found, key=lambda one: one.section):
        yield Text(section, "bold")
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for one in members:
            table.add_row(Text(f"  {one.row.name}"), Text(one.entry.description))
        yield table


def vector_text(vector: Sequence[float]) -> str:
    """The probabilities of cooperation of a strategy that depends on the last round only."""
    first, *after = (f"{chance:.6g}" for chance in vector)
    responses = zip(after, ("CC", "CD", "DC", "DD"), strict=True)
    return f"with probability {first} first, " + ", ".join(f"{chance} after {last}" for chance, last in responses)


def in_full(one: Known) -> Table:
    """The complete description of a strategy."""
    row, twins = one.row, one.entry.axelrod if isinstance(one.entry, StrategyEntry) else ()
    lines = {
        "strategy": row.name,
        "": one.entry.description,
        "section": one.section,
        "source": row.source,
        "reading": row.reading,
        "plays as": f"{', '.join(twins)} of Axelrod-Python 4.13" if twins else "",
        "other names": ", ".join(row.aliases),
        "parameters": ", ".join(one.parameters),
        "kind": KINDS[row.kind],
        "players": row.players,
        "states": "" if row.states is None else str(row.states),
        "looks back": "" if row.lookback is None else f"{row.lookback} round{'s' * (row.lookback != 1)}",
        "cooperates": "" if row.vector is None else vector_text(row.vector),
        "random": {None: "", True: "no", False: "yes"}[row.deterministic],
    }
    return fact_table({heading: text for heading, text in lines.items() if text})
