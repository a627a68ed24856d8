"""`dilemmas watch`: step through recorded matches in the terminal, or print them."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from dilemmas.agents.matches.trajectory import find_trajectories
from dilemmas.experiments.commands.options import Location, json_option, print_json
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.viewer.episode_screen import LIST_HEADING, match_facts, match_line
from dilemmas.experiments.viewer.watch import Shelf, browse


@click.command()
@click.argument("run", type=Location())
@click.option("--match", type=click.IntRange(0, 10**9), help="First match to show, by its number in the list, from 0.")
@click.option("--step", type=click.IntRange(1, 10**9), help="First step to show, from 1; each phase is a step.")
@click.option("--plain", is_flag=True, help="Print to the terminal instead of opening the viewer.")
@json_option
def command(run: Path, match: int | None, step: int | None, plain: bool, as_json: bool) -> None:
    """Step through the matches of RUN, a run folder or a *.trajectory.jsonl file; press ? for the keys.

    Without a terminal, or with --plain or --json, one step (--match and --step), a whole match (--match) or the list
    of matches is printed.
    """
    shelf = Shelf(find_trajectories(run))
    here = shelf.at(match, step)
    if as_json:
        print_json(match_data(shelf, match, step))
    elif not plain and sys.stdin.isatty() and sys.stdout.isatty():
        browse(shelf, here if match is None or step else replace(here, step=1))
    elif match is None:
        echo(LIST_HEADING)
        for number in range(len(shelf)):
            echo(match_line(shelf.header(number), shelf.record(number), number, shelf.name(number)).plain)
        for note in shelf.notes:
            echo(note, err=True)
    else:
        SafeConsole().print(shelf.page(here))


def match_data(shelf: Shelf, match: int | None, step: int | None) -> Any:
    """The list of matches, a match, or the moves of a step, counted from 1, as plain data."""
    if match is None:
        return [match_facts(shelf.header(n), shelf.record(n), n, shelf.name(n)) for n in range(len(shelf))]
    record = asdict(shelf.record(match))
    return record if step is None else record["steps"][step - 1]
