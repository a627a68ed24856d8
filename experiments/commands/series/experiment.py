"""`dilemmas experiment`: a question that is answered by several runs of other commands, with several seeds."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from dilemmas.envs.errors import InputError
from dilemmas.envs.names import lookup
from dilemmas.experiments.commands import compile as compile_agents
from dilemmas.experiments.commands import completion, replicate
from dilemmas.experiments.commands.group import ComputingCommand
from dilemmas.experiments.commands.models import ask
from dilemmas.experiments.commands.options import Location, print_json
from dilemmas.experiments.commands.studies import distill, evaluate
from dilemmas.experiments.commands.tournament import run as tournament_run
from dilemmas.experiments.reporting.format import number_of
from dilemmas.experiments.reporting.page import print_sections
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.series.folder import Series
from dilemmas.experiments.series.measures import MeasuredNumber, of_evaluation, of_study, of_survey
from dilemmas.experiments.series.plan import (
    Experiment,
    ExperimentError,
    built_in_experiments,
    load_experiment,
    opening,
    words_of,
)
from dilemmas.experiments.series.report import terminal_report, write_series_report
from dilemmas.experiments.study.recipe_files import load_recipe

COMMANDS: Mapping[str, ComputingCommand] = {
    "replicate": replicate.command,
    "distill": distill.command,
    "evaluate": evaluate.command,
    "ask": ask.command,
    "compile": compile_agents.command,
    "tournament run": tournament_run.command,
}
"""Commands of which experiments consist."""


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """A finished experiment."""

    folder: Path
    """Its folder."""
    results: dict[str, Any]
    """Content of its results.json."""


def _show(found: SeriesReport, as_json: bool) -> None:
    if as_json:
        print_json(found.results)
    else:
        print_sections(SafeConsole(), terminal_report(found.results))
    echo(f"{found.folder / 'report.html'}", err=True)


@click.command(cls=ComputingCommand, show=_show)
@click.argument("experiment", required=False, shell_complete=completion.experiments)
@click.option("--list", "listed", is_flag=True, help="List the built-in experiments, with question and command.")
@click.option(
    "--out",
    type=Location(file_okay=False),
    show_default="runs/NAME",
    help="Folder of the experiment, with a folder for each run.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    show_default="from the experiment",
    help="Number of seeds, from 0 on; more can be added later.",
)
@click.option(
    "--variant", "chosen", multiple=True, help="Carry out this variant; repeatable.", show_default="all of them"
)
@click.option(
    "--teacher", shell_complete=completion.agent, show_default="from the experiment", help="Agent that teaches."
)
@click.option(
    "--student", shell_complete=completion.models, show_default="from the experiment", help="Model that is tuned."
)
@click.option(
    "--recipe",
    "recipe_name",
    shell_complete=completion.recipes,
    show_default="from the experiment",
    help="Recipe of its commands.",
)
@click.option("--dry-run", is_flag=True, help="Check all commands, print them, and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print the data as JSON, as in results.json.")
def command(
    experiment: str | None,
    listed: bool,
    out: Path | None,
    seeds: int | None,
    chosen: tuple[str, ...],
    dry_run: bool,
    **others: str | None,
) -> SeriesReport | None:
    """Answer a question by an experiment: variants of other commands, each with several seeds.

    EXPERIMENT is a built-in one, or a TOML file. The results are means over seeds with intervals, and what differs
    between the variants. Finished runs are kept; an interrupted experiment is resumed by repeating the command.

    \b
    dilemmas experiment motivation --seeds 5 --out runs/motivation
    """
    if listed or experiment is None:
        _list()
        return None
    plan = _with(load_experiment(experiment), **others)
    variants = list(dict.fromkeys(chosen)) or list(plan.variants)
    for name in variants:
        lookup("variant", name, plan.variants, "--variant")
    variants.sort(key=list(plan.variants).index)
    numbers = range(seeds or plan.seeds)
    folder = out or Path("runs") / plan.name
    parsed = {name: _contexts(plan, name, 0, folder / name / "seed-0") for name in plan.variants}
    if dry_run:
        _print_commands(plan, variants, numbers, folder)
        return None
    return SeriesReport(folder, _carry_out(Series(folder, plan, _recipes(parsed)), variants, numbers))


def _with(plan: Experiment, teacher: str | None, student: str | None, recipe_name: str | None) -> Experiment:
    """The experiment with what is given on the command line."""
    return replace(
        plan,
        teacher=plan.teacher if teacher is None else teacher,
        student=plan.student if student is None else student,
        recipe=plan.recipe if recipe_name is None else recipe_name,
    )


def _list() -> None:
    for number, (name, path) in enumerate(built_in_experiments().items()):
        if number:
            echo("")
        echo(name)
        for line in opening(path).splitlines():
            echo(f"  {line}")


def _lines(plan: Experiment, variant: str, seed: int, out: Path) -> Iterator[tuple[str, list[str]]]:
    """The commands of a variant, and the words after each, with ``--seed`` and ``--out``."""
    values = {
        "seed": str(seed),
        "out": str(out),
        **{key: getattr(plan, key) for key in ("teacher", "student", "recipe")},
    }
    for line in plan.variants[variant].run:
        name, words = words_of(line, values)
        for parameter in COMMANDS[name].params:
            key, is_file = parameter.name or "", getattr(parameter.type, "file_okay", False)
            if (
                key in ("out", "seed")
                and not is_file
                and not any(word.partition("=")[0] == f"--{key}" for word in words)
            ):
                words += [f"--{key}", values[key]]
        yield name, words


def _contexts(
    plan: Experiment, variant: str, seed: int, out: Path, more: Mapping[str, Sequence[str]] | None = None
) -> list[tuple[ComputingCommand, click.Context]]:
    """The commands of a variant, parsed; `more`: further words by command. `ExperimentError` if one cannot be used."""
    found = []
    for name, words in _lines(plan, variant, seed, out):
        one, line = COMMANDS[name], f"{name} {shlex.join(words)}"
        try:
            ctx = one.make_context(name, [*words, *(more or {}).get(name, ())])
        except (click.ClickException, InputError) as error:
            text = error.format_message() if isinstance(error, click.ClickException) else str(error)
            raise ExperimentError(f"variant '{variant}': '{line}': {text}") from None
        except click.exceptions.Exit:
            raise ExperimentError(f"variant '{variant}': '{line}': prints something and does nothing") from None
        if ctx.params.get("dry_run"):
            raise ExperimentError(f"variant '{variant}': '{line}': --dry-run does nothing")
        found.append((one, ctx))
    return found


def _recipes(parsed: Mapping[str, Sequence[tuple[ComputingCommand, click.Context]]]) -> dict[str, Any]:
    """The recipes that the commands name, resolved."""
    names = [ctx.params.get("recipe_name") for some in parsed.values() for _, ctx in some]
    return {name: load_recipe(name).as_table() for name in dict.fromkeys(names) if name}


def _print_commands(plan: Experiment, variants: Sequence[str], seeds: Sequence[int], folder: Path) -> None:
    for variant in variants:
        for name, words in _lines(plan, variant, seeds[0], folder / variant / f"seed-{seeds[0]}"):
            echo(f"{variant}: dilemmas {name} {shlex.join(words)}")
    runs = number_of(len(variants) * len(seeds), "run")
    echo(f"{number_of(len(variants), 'variant')}, {number_of(len(seeds), 'seed')} each: {runs}", err=True)


def _carry_out(series: Series, variants: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
    total = len(variants) * len(seeds)
    with series.locked():
        done = sum((variant, seed) in series.finished() for variant in variants for seed in seeds)
        if done:
            echo(f"finished and kept: {done} of {number_of(total, 'run')}", err=True)
        for number, (variant, seed) in enumerate(
            series.carry_out(variants, seeds, lambda *which: _run(series, *which)), start=done + 1
        ):
            echo(f"run {number} of {total}: {variant}, seed {seed}", err=True)
        results = series.results(variants, seeds)
        write_series_report(series.folder, results)
    return results


def _run(series: Series, variant: str, seed: int) -> list[MeasuredNumber]:
    """Carry out the commands of a variant with a seed; studies take the answers of earlier variants."""
    before = [series.place(one, seed) for one, which in series.finished() if which == seed]
    known = [path for path in before if (path / "recipe.json").is_file()]
    more = {"replicate": ["--answers-from", str(known[-1])] if known else []}
    measured: dict[tuple[str, str], MeasuredNumber] = {}
    for one, ctx in _contexts(series.plan, variant, seed, series.place(variant, seed), more):
        with ctx:
            found = one.compute(ctx)
        for number in _measured(found):
            if (number.where, number.what) in measured:
                raise ExperimentError(
                    f"variant '{variant}': two of its commands measure {number.what} of {number.where}; give the agents"
                    " different names, NAME=AGENT"
                )
            measured[number.where, number.what] = number
    return list(measured.values())


def _measured(found: Any) -> Iterator[MeasuredNumber]:
    """The numbers in what a command has computed."""
    if isinstance(found, replicate.Replication):
        yield from of_study(found.results)
    elif isinstance(found, evaluate.Evaluation):
        yield from of_evaluation(asdict(found))
    elif isinstance(found, ask.Answered):
        yield from of_survey({spec: ask.reported(one) for spec, one in found.surveys.items()})
