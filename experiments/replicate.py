"""`understudy replicate`: the whole study in one command.

The teacher plays, its answers and motivations become teaching data, the student is tuned by LoRA, and alignment is
measured on known and new contexts and games, in repeated matches and on the teacher's own histories. Repeating the
command goes on.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from understudy.experiments.recipe import Recipe, load_recipe
from understudy.experiments.run import Run, provenance, write_json

if TYPE_CHECKING:
    from understudy.agents.backend import Backend


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
    device: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run the whole study: teach, distil, evaluate, report. Repeating the command goes on where it was."""
    recipe = load_recipe(recipe_name or ("study" if teacher or student else "miniatures"))
    recipe = override(recipe, seed, observations, teacher, student, device)
    if dry_run:
        click.echo(json.dumps(recipe.as_table() | {"cost": cost(recipe)}, indent=1))
        return
    results = replicate(Run(out, recipe), Console(stderr=True))
    if as_json:
        click.echo(json.dumps(results, ensure_ascii=False))
    else:
        from understudy.experiments.report import print_tables

        print_tables(Console(), results)
    click.echo(f"{out / 'report.html'}", err=True)


def override(
    recipe: Recipe,
    seed: int | None,
    observations: int | None,
    teacher: str | None,
    student: str | None,
    device: str | None,
) -> Recipe:
    """The recipe with what the command line says instead."""
    models = {key: value for key, value in (("teacher", teacher), ("student", student), ("device", device)) if value}
    return replace(
        recipe,
        models=replace(recipe.models, **models),
        seed=recipe.seed if seed is None else seed,
        observations=observations or recipe.observations,
    )


def cost(recipe: Recipe) -> dict[str, int]:
    """How many replies the models will write and how many examples the student will read."""
    from understudy.envs.scenarios import study_sets

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
    finished = run.folder / "results.json"
    if finished.is_file():
        console.print(f"{run.folder} is complete; the report is made again from its results.json", highlight=False)
        measured: dict[str, Any] = json.loads(finished.read_text(encoding="utf-8"))
    else:
        with progress_bar(console) as bar:
            measured = _compute(run, bar)
        write_json(finished, measured)
    from understudy.experiments.report import write_report

    write_report(run.folder, measured)
    return measured


def _compute(run: Run, bar: Progress) -> dict[str, Any]:
    from understudy.agents.backend import Remembering
    from understudy.agents.backend_local import load_backend
    from understudy.envs.scenarios import study_sets
    from understudy.experiments import study
    from understudy.experiments.evaluation import evaluate
    from understudy.experiments.report import results

    models = run.recipe.models
    write_json(run.path("provenance.json"), provenance())
    total = sum(len(group) for group in study_sets().values())
    with run.stage("teacher"):
        teacher = load_backend(models.teacher, device=models.device, dtype=models.dtype)
        follow(bar, "the teacher answers", study.question(run, "teacher", teacher), total)
        examples = study.teach(run)
    with run.stage("untuned student"):
        untuned = load_backend(models.student, device=models.device, dtype=models.dtype)
        follow(bar, "the untuned student answers", study.question(run, "untuned", untuned), total)
    with run.stage("distillation"):
        _distil(run, bar, examples)
    with run.stage("tuned student"):
        adapter = str(run.path("adapter"))
        tuned = load_backend(models.student, adapter=adapter, device=models.device, dtype=models.dtype)
        follow(bar, "the tuned student answers", study.question(run, "tuned", tuned), total)
    backends = {role: Remembering(b) for role, b in (("teacher", teacher), ("untuned", untuned), ("tuned", tuned))}
    with run.stage("matches"):
        follow(bar, "the models play matches", study.play_matches(run, backends), len(study.pairings(run)))
    with run.stage("population"):
        _population(run, backends)
    with run.stage("evaluation"):
        measured = results(evaluate(run, backends))
    measured["seconds"] = round(sum(run.seconds().values()), 1)
    return measured


def _distil(run: Run, bar: Progress, examples: list[Any]) -> None:
    from understudy.agents.backend_local import load_weights
    from understudy.agents.model_files import find_model
    from understudy.training.distill import distil

    models = run.recipe.models
    model, tokenizer = load_weights(find_model(models.student, None), models.device, models.dtype)
    steps = distil(model, tokenizer, examples, run.recipe.lora, run.path("adapter"), run.recipe.seed)
    task = bar.add_task("the student learns", total=None)
    for step in steps:
        bar.update(
            task, total=step.steps, completed=step.step, description=f"the student learns (loss {step.loss:.3f})"
        )
    bar.update(task, total=1, completed=1)


def _population(run: Run, backends: "Mapping[str, Backend]") -> None:
    from understudy.experiments import study
    from understudy.experiments.lattice import run_lattice, write_lattice

    tables = study.compile_tables(run, backends)
    asked = run.recipe.population
    curves = run_lattice(tables, asked.size, asked.steps, run.recipe.seed)
    write_lattice(curves, run.path("population"))


def follow(bar: Progress, label: str, steps: Iterable[str], total: int) -> None:
    """Work through the steps with a bar and the time left."""
    task = bar.add_task(label, total=total)
    for _ in steps:
        bar.advance(task)


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """A bar per stage on stderr; plain lines of a log where stderr is no terminal."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        yield bar
