"""`dilemmas tournament export`: every match of a tournament as a table."""

from pathlib import Path

import click

from dilemmas.envs.seals import RESULTS
from dilemmas.experiments.commands.options import Location, check_overwrite, force_option
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.tournaments.match_table import write_matches
from dilemmas.experiments.tournaments.run_folder import ROWS, begun_settings, read_rows


@click.command(short_help="Write every match to a CSV or Parquet file.")
@click.argument("folder", type=Location(exists=True, file_okay=False))
@click.option("--out", required=True, type=Location(dir_okay=False), help="File to write: .csv or .parquet.")
@force_option("Overwrite the file.")
def command(folder: Path, out: Path, force: bool) -> None:
    """Write every match of the tournament in FOLDER to a table: one line per repetition and player."""
    check_overwrite(out, "--out", force)
    begun_settings(folder)
    if not (folder / RESULTS).is_file():
        echo(f"{folder} is not complete; these are the matches played so far", err=True)
    write_matches(read_rows(folder / ROWS), out)
