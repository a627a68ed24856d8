"""`dilemmas report`: write the report of a finished study again."""

from pathlib import Path
from typing import Any

import click

from dilemmas.agents.matches.trajectory import check_recorded
from dilemmas.envs.seals import RESULTS, check_described
from dilemmas.experiments.commands.options import Location, json_option, print_json
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.run_folder import RunError
from dilemmas.experiments.study.evaluation import read_results
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.report import print_study_tables, write_study_report
from dilemmas.experiments.study.run import Run


@click.command()
@click.argument("run", type=Location(file_okay=False))
@json_option
def command(run: Path, as_json: bool) -> None:
    """Write report.md and report.html of a finished study again, from its results.json, and print the main tables."""
    recipe, results = finished_study(run)
    with Run(run, recipe).locked():
        write_study_report(run, results)
    if as_json:
        print_json(results)
    else:
        print_study_tables(SafeConsole(), results)
    echo(f"{run / 'report.html'}", err=True)


def finished_study(folder: Path) -> tuple[Recipe, dict[str, Any]]:
    """Recipe and results of a run folder; `RunError` if it holds no finished study, `SealError` if it is not whole."""
    check_described(folder)
    check_recorded(folder)
    if not (folder / "recipe.json").is_file():
        raise RunError(f"{folder} holds no study; name a run folder of dilemmas replicate")
    if not (folder / RESULTS).is_file():
        raise RunError(f"{folder} holds a study that is not finished; repeat the command that began it")
    recipe = load_recipe(str(folder / "recipe.json"))
    return recipe, read_results(folder / RESULTS, recipe)
