"""`dilemmas replicate`: the whole study in one command.

The teacher plays, its answers and motivations become teaching data, the student is tuned by LoRA, and alignment is
measured on known and new contexts and games, in repeated matches and on the teacher's own histories. Repeating the
command goes on.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import (
    Progress,
)

from dilemmas.experiments.reporting.progress import add_task, follow, progress_bar
from dilemmas.experiments.run_folder import RunError, read_json, write_json
from dilemmas.experiments.study.recipe import Recipe, load_recipe
from dilemmas.experiments.study.run import Run

if TYPE_CHECKING:
    from dilemmas.agents.models.backend import Backend
    from dilemmas.agents.models.open_model import LazyModel


SMALL = 100_000_000
"""Bytes of weights up to which models run on one thread: on small matrices a second one costs more than it brings, many
times more on a busy machine, and with one thread sums come out in the same order every time."""


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="runs/replicate",
    show_default=True,
    help="Run folder.",
)
@click.option("--seed", type=click.IntRange(0), help="One number seeds everything.  [default: the recipe's, 0]")
@click.option("--observations", type=click.IntRange(1), help="Answers per scenario and model.  [default: 300]")
@click.option("--teacher", help="Model directory, hub id or built-in name.")
@click.option("--student", help="A smaller model of the same family.")
@click.option(
    "--recipe",
    "recipe_name",
    help="Built-in recipe or a .toml file.  [default: miniatures; study with --teacher or --student]",
)
@click.option("--shuffle-labels", is_flag=True, help="Draw labels and their order from the seed; report the bias.")
@click.option("--device", help="cpu, cuda, cuda:1 or auto.")
@click.option("--dry-run", is_flag=True, help="Print the resolved recipe and what it costs, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print results.json on stdout instead of tables.")
def command(
    out: Path,
    seed: int | None,
    observations: int | None,
    teacher: str | None,
    student: str | None,
    recipe_name: str | None,
    shuffle_labels: bool,
    device: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run the whole study: teach, distil, evaluate, report. Repeating the command goes on where it was."""
    recipe = load_recipe(recipe_name or ("study" if teacher or student else "miniatures"))
    recipe = override(recipe, seed, observations, teacher, student, shuffle_labels, device)
    if dry_run:
        click.echo(json.dumps(recipe.as_table() | {"cost": cost(recipe)}, indent=1))
        return
    results = replicate(Run(out, recipe), Console(stderr=True))
    if as_json:
        click.echo(json.dumps(results, ensure_ascii=False))
    else:
        from dilemmas.experiments.study.report import print_tables

        print_tables(Console(), results)
    click.echo(f"{out / 'report.html'}", err=True)


def override(
    recipe: Recipe,
    seed: int | None,
    observations: int | None,
    teacher: str | None,
    student: str | None,
    shuffle_labels: bool,
    device: str | None,
) -> Recipe:
    """The recipe with what the command line says instead."""
    models = {key: value for key, value in (("teacher", teacher), ("student", student), ("device", device)) if value}
    shuffled = shuffle_labels or recipe.prompting.shuffle_labels
    return replace(
        recipe,
        models=replace(recipe.models, **models),
        prompting=replace(recipe.prompting, shuffle_labels=shuffled),
        seed=recipe.seed if seed is None else seed,
        observations=observations or recipe.observations,
    )


def cost(recipe: Recipe) -> dict[str, int]:
    """How many replies the models will write and how many examples the student will read."""
    from dilemmas.envs.prompts.scenarios import study_sets

    scenarios = {name: len(group) for name, group in study_sets().items()}
    examples = scenarios["within"] * recipe.observations
    return {
        "teacher_replies": sum(scenarios.values()) * recipe.observations,
        "student_replies": 2 * sum(scenarios.values()) * recipe.observations,
        "teaching_examples": examples,
        "training_steps": recipe.lora.epochs * examples // recipe.lora.batch,
    }


def replicate(run: Run, console: Console) -> dict[str, Any]:
    """All stages of the study; returns what results.json holds."""
    from dilemmas.experiments.study.report import VERSION, write_report

    finished = run.folder / "results.json"
    if finished.is_file():
        console.print(f"{run.folder} is complete; the report is made again from its results.json", highlight=False)
        measured: dict[str, Any] = read_json(finished)
        if measured.get("version") != VERSION:
            told = f"{finished} is of version {measured.get('version')}, not {VERSION}"
            raise RunError(f"{told}; delete it and repeat the command: only the measurements are made again")
    else:
        with progress_bar(console) as bar:
            measured = _compute(run, bar)
        write_json(finished, measured)
    write_report(run.folder, measured)
    return measured


def _compute(run: Run, bar: Progress) -> dict[str, Any]:
    from dilemmas.agents.models.open_model import open_model
    from dilemmas.experiments.populations import lattice
    from dilemmas.experiments.study import stages as study
    from dilemmas.experiments.study.evaluation import evaluate
    from dilemmas.experiments.study.report import results

    models = run.recipe.models
    find = partial(open_model, device=models.device, dtype=models.dtype)
    teacher, student = find(models.teacher), find(models.student)
    if max(teacher.size, student.size) < SMALL:
        import torch

        torch.set_num_threads(1)
    run.begin()
    with run.stage("teacher"):
        backends: dict[str, Backend] = {"teacher": _answers(run, bar, "teacher", teacher)}
        examples = study.teach(run)
    with run.stage("untuned student"):
        backends["untuned"] = _answers(run, bar, "untuned", student)
    with run.stage("distillation"):
        _distil(run, bar, student, examples)
    with run.stage("tuned student"):
        tuned = find(f"{models.student}+{run.path('adapter')}")
        backends["tuned"] = _answers(run, bar, "tuned", tuned)
    with run.stage("matches"):
        follow(bar, "the models play matches", study.play_matches(run, backends), len(study.pairings(run)))
    with run.stage("population"):
        asked = run.recipe.population
        curves = lattice.run_lattice(study.compile_tables(run, backends), asked.size, asked.steps, run.recipe.seed)
        lattice.write_lattice(curves, run.path("population"))
    with run.stage("evaluation"):
        measured = results(evaluate(run, backends))
    measured["seconds"] = round(sum(run.seconds().values()), 1)
    return measured


def _answers(run: Run, bar: Progress, role: str, model: "LazyModel") -> "Backend":
    """Ask a model everything, and let go of its weights before those of the next are loaded."""
    from dilemmas.agents.models.backend import Remembering
    from dilemmas.envs.prompts.scenarios import study_sets
    from dilemmas.experiments.study import stages as study
    from dilemmas.experiments.study.evaluation import ask_ahead

    names = {"teacher": "the teacher", "untuned": "the untuned student", "tuned": "the tuned student"}
    scenarios = sum(len(group) for group in study_sets().values())
    follow(bar, f"{names[role]} answers", study.question(run, role, model), scenarios)
    backend = Remembering(model)  # from here on, so that it is asked in the same batches after a stop
    ask_ahead(run, backend)
    model.let_go()
    return backend


def _distil(run: Run, bar: Progress, student: "LazyModel", examples: list[Any]) -> None:
    from dilemmas.agents.models.model_files import is_hub_id
    from dilemmas.training.distill import distil

    recipe = run.recipe
    hub_id = recipe.models.student if is_hub_id(recipe.models.student) else None
    steps = distil(*student.weights(), examples, recipe.lora, run.path("adapter"), recipe.seed, hub_id=hub_id)
    task = add_task(bar, "the student learns")
    for step in steps:
        bar.update(
            task, total=step.steps, completed=step.step, description=f"the student learns (loss {step.loss:.3f})"
        )
    bar.update(task, total=1, completed=1)
    student.let_go()  # of the weights that were tuned
