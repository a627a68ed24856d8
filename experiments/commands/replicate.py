"""`dilemmas replicate`: the whole study in one command."""

from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from dilemmas.agents.models.servers.settings import is_served
from dilemmas.envs.data_files import json_text
from dilemmas.envs.prompts.labels import Showing
from dilemmas.envs.prompts.template_choices import TemplateChoice
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.group import ComputingCommand
from dilemmas.experiments.commands.options import (
    SEED,
    Location,
    calibrate_option,
    given_server_options,
    min_mass_option,
    presentation_option,
    print_json,
    server_settings,
    settings_of,
    wording_options,
)
from dilemmas.experiments.reporting.progress import MeasuredTask, progress_bar
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.run_folder import read_known_shares
from dilemmas.experiments.series.reuse import reuse_answers
from dilemmas.experiments.study.recipe import Recipe, RecipeError
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run

if TYPE_CHECKING:
    from dilemmas.experiments.study.conduct.procedure import TaskProgress

WAY_OUT = "take fewer --observations or a smaller model"


@dataclass(frozen=True, slots=True)
class Replication:
    """A finished study."""

    folder: Path
    """Its run folder."""
    results: dict[str, Any]
    """Content of results.json."""


def _show(found: Replication, as_json: bool) -> None:
    if as_json:
        print_json(found.results)
    else:
        from dilemmas.experiments.study.report import print_study_tables

        print_study_tables(SafeConsole(), found.results)
    echo(f"{found.folder / 'report.html'}", err=True)


@click.command(cls=ComputingCommand, show=_show)
@click.option(
    "--out",
    type=Location(file_okay=False),
    default="runs/replicate",
    show_default=True,
    help="Run folder.",
)
@click.option("--seed", type=SEED, show_default="from the recipe", help="Seed of the whole study.")
@click.option(
    "--observations",
    type=click.IntRange(1, 1_000_000),
    show_default="from the recipe",
    help="Number of answers per scenario and model.",
)
@click.option(
    "--teacher",
    shell_complete=completion.models,
    show_default="from the recipe",
    help="Language model: built-in name, directory, GGUF file, hub id, or openai:MODEL@URL behind a server.",
)
@click.option(
    "--student",
    shell_complete=completion.models,
    show_default="from the recipe",
    help="A smaller model of the same family.",
)
@click.option(
    "--recipe",
    "recipe_name",
    shell_complete=completion.recipes,
    show_default="miniatures; study with --teacher and --student",
    help="Built-in recipe, a .toml file, or the recipe.json of a run.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    callback=lambda ctx, parameter, values: settings_of(values),
    shell_complete=completion.recipe_settings,
    show_default="from the recipe",
    help="Any other setting of the recipe, such as lora.method=soft or questions.number=580; repeatable.",
)
@click.option(
    "--answers-from",
    type=Location(file_okay=False, exists=True),
    help="Run folder of another study: what its teacher and its untuned student answered is not asked again, if they"
    " were asked the same there.",
)
@wording_options(None)
@presentation_option(None)
@min_mass_option(None)
@calibrate_option
@click.option("--device", show_default="from the recipe", help="Device of language models: cpu, cuda, cuda:1 or auto.")
@given_server_options
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check the recipe and the models on this machine, print the resolved recipe and its cost, and exit.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the data as JSON, as in results.json.")
def command(
    out: Path,
    seed: int | None,
    observations: int | None,
    teacher: str | None,
    student: str | None,
    recipe_name: str | None,
    settings: dict[str, Any],
    answers_from: Path | None,
    wording: TemplateChoice,
    presentation: Showing | None,
    min_mass: float | None,
    calibrate: bool,
    device: str | None,
    in_flight: int | None,
    server: dict[str, Any],
    dry_run: bool,
) -> Replication | None:
    """Run the whole study: teach, distil, evaluate, report.

    The teacher is asked, its answers and motivations become teaching data, and the student is tuned on them with LoRA.
    Alignment is measured in known and new contexts and games, and in repeated matches. An interrupted study is resumed
    by repeating the command.
    """
    if recipe_name is None and (teacher is None) != (student is None):
        given, other = ("--teacher", "--student") if student is None else ("--student", "--teacher")
        raise RecipeError(f"{given} without {other}: give both models, or a --recipe that has the other one")
    if recipe_name is None:
        recipe_name = "miniatures" if teacher is None else "study"
    recipe = override(
        load_recipe(recipe_name, settings),
        wording,
        seed,
        observations,
        teacher,
        student,
        presentation,
        min_mass,
        calibrate,
        device,
    )
    recipe = replace(recipe, servers=server_settings(in_flight, server, recipe.servers))
    if dry_run:
        _show_plan(recipe)
        return None
    return Replication(out, replicate(Run(out, recipe), SafeConsole(stderr=True), answers_from))


def _show_plan(recipe: Recipe) -> None:
    """The resolved recipe and its cost, after checks of all that is on this machine."""
    from dilemmas.experiments.study.conduct.procedure import (
        check_models,
        check_teaching,
        check_tuned,
        check_without_loading,
        cost,
    )
    from dilemmas.experiments.study.conduct.trial import estimate

    unknown = check_models(recipe.models)
    for line in unknown:
        echo(f"not checked: {line}", err=True)
    if not unknown or is_served(recipe.models.teacher):
        check_teaching(recipe)
    if not check_without_loading(recipe.models.student):
        check_tuned(recipe)
    found = {role: asdict(one) for role, one in estimate(recipe).items()}
    echo(json_text(recipe.as_table() | {"cost": cost(recipe), "estimate": found}, indent=1))


def override(
    recipe: Recipe,
    wording: TemplateChoice,
    seed: int | None,
    observations: int | None,
    teacher: str | None,
    student: str | None,
    presentation: Showing | None,
    min_mass: float | None,
    calibrate: bool,
    device: str | None,
) -> Recipe:
    """The recipe with the values given on the command line."""
    named = (("teacher", teacher), ("student", student), ("device", device))
    models = {key: value for key, value in named if value is not None}
    prompting: dict[str, Any] = {"presentation": presentation, "min_mass": min_mass, "calibrate": calibrate or None}
    prompting["template"] = wording.of(recipe.prompting.template)
    prompting = {key: value for key, value in prompting.items() if value is not None}
    return replace(
        recipe,
        models=replace(recipe.models, **models),
        prompting=replace(recipe.prompting, **prompting),
        seed=recipe.seed if seed is None else seed,
        observations=observations or recipe.observations,
    )


def replicate(run: Run, console: Console, answers_from: Path | None = None) -> dict[str, Any]:
    """Carry out or resume a study and write its report; returns the content of results.json.

    `answers_from`: folder of a study whose answers are used as by `reuse_answers`.
    """
    from dilemmas.experiments.study.conduct.procedure import carry_out, finished_results
    from dilemmas.experiments.study.report import write_study_report

    with run.locked():
        results = finished_results(run)
        if results is None:
            if answers_from is not None:
                reuse_answers(run, answers_from)
            results = show_progress(carry_out(run), console)
            for line in read_known_shares(run.folder):
                console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            line = f"{run.folder} is complete; the report is written again from its results.json"
            console.print(line, highlight=False)
        write_study_report(run.folder, results)
    return results


def show_progress(steps: "Generator[TaskProgress, None, dict[str, Any]]", console: Console) -> dict[str, Any]:
    """Carry out the steps with a progress bar per task, and announce the duration of long ones; returns the results."""
    tasks: dict[str, MeasuredTask] = {}
    with progress_bar(console) as bar:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return dict(end.value)
            if step.task not in tasks:
                tasks[step.task] = MeasuredTask(bar, step.task, WAY_OUT)
            tasks[step.task].follow(step.done, step.total, step.note)
