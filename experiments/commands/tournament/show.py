"""`dilemmas tournament show`: print the tables of a tournament again."""

from pathlib import Path
from typing import Any

import click

from dilemmas.envs.seals import RESULTS
from dilemmas.experiments.commands.options import Location, json_option, print_json
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.tournaments.report import print_tables
from dilemmas.experiments.tournaments.run_folder import kept_data


@click.command(short_help="Print the tables of a tournament again.")
@click.argument("folder", type=Location(exists=True, file_okay=False))
@json_option
def command(folder: Path, as_json: bool) -> None:
    """Print the tables of the tournament in FOLDER again; of an incomplete one, those of the matches played so far."""
    data = kept_data(folder)
    if not (folder / RESULTS).is_file():
        echo(f"{folder} is not complete; these are the matches played so far", err=True)
    print_results(data, as_json)


def print_results(data: dict[str, Any], as_json: bool) -> None:
    """Print the results of a tournament, as JSON or as tables."""
    if as_json:
        print_json(data)
    else:
        print_tables(SafeConsole(), data)
