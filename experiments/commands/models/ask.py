"""`dilemmas ask`: what language models answer to the scenarios of the study, without a student."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

from dilemmas.agents.models.backend import Backend
from dilemmas.envs.errors import InputError
from dilemmas.envs.prompts.labels import Showing
from dilemmas.envs.prompts.template_choices import TemplateChoice
from dilemmas.experiments.asking.report import all_warnings, survey_sections
from dilemmas.experiments.asking.survey import (
    ReportedSet,
    Survey,
    answered,
    ask_all,
    ask_facts,
    check_survey,
    kept_model,
    model_folder,
    recipe_for,
    short_names,
)
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.group import ComputingCommand
from dilemmas.experiments.commands.options import (
    SEED,
    Location,
    calibrate_option,
    given_server_options,
    json_option,
    min_mass_option,
    presentation_option,
    print_json,
    server_settings,
    wording_options,
)
from dilemmas.experiments.reporting.page import print_sections
from dilemmas.experiments.reporting.progress import add_task, follow_steps, follow_task, progress_bar
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.run_folder import record_servers
from dilemmas.experiments.study.answers import Role
from dilemmas.experiments.study.recipe import SETS, TRAINING_SET, Recipe
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.stages import check_room

OBSERVATIONS = 50
"""Answers per scenario, unless another number is given."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What several models answered."""

    out: Path
    """Folder of the answers."""
    surveys: dict[str, Survey]
    """By the specification of the model."""


def _show(found: Answered, as_json: bool) -> None:
    if as_json:
        print_json({spec: reported(one) for spec, one in found.surveys.items()})
    else:
        short = short_names(list(found.surveys))
        named = {short[spec]: one for spec, one in found.surveys.items()}
        print_sections(SafeConsole(), survey_sections(named))
    for one in found.surveys.values():
        if one.hits:
            echo(one.hits, err=True)
    echo(f"{found.out}", err=True)


@click.command(cls=ComputingCommand, show=_show)
@click.argument("models", nargs=-1, required=True, shell_complete=completion.models)
@click.option("--out", type=Location(file_okay=False), default="runs/ask", show_default=True, help="Folder.")
@click.option(
    "--recipe",
    "recipe_name",
    default="study",
    show_default=True,
    shell_complete=completion.recipes,
    help="Recipe with the scenarios and how they are asked.",
)
@wording_options(None)
@click.option(
    "--sets",
    default=TRAINING_SET,
    show_default=True,
    help=f"Sets of scenarios, separated by commas: {TRAINING_SET}, and perhaps {', '.join(SETS[1:])}.",
)
@click.option("--exact", is_flag=True, help="Only the models' own probabilities; no answers are sampled.")
@click.option(
    "--observations", type=click.IntRange(1, 1_000_000), show_default=str(OBSERVATIONS), help="Answers per scenario."
)
@click.option(
    "--paraphrases", is_flag=True, help="Ask in all wordings of the template too, and show how far answers follow them."
)
@click.option(
    "--comprehension/--no-comprehension",
    default=True,
    show_default=True,
    help="Ask questions about the rules and payoffs too.",
)
@click.option("--motivation", is_flag=True, help="Ask for the reason too, as the study asks its teacher.")
@presentation_option(None)
@min_mass_option(None)
@calibrate_option
@click.option("--seed", type=SEED, show_default="from the recipe", help="Seed of the sampled answers.")
@click.option("--device", show_default="from the recipe", help="Device of the models: cpu, cuda, cuda:1 or auto.")
@given_server_options
@json_option
def command(
    models: tuple[str, ...],
    out: Path,
    recipe_name: str,
    wording: TemplateChoice,
    sets: str,
    exact: bool,
    observations: int | None,
    paraphrases: bool,
    comprehension: bool,
    motivation: bool,
    presentation: Showing | None,
    min_mass: float | None,
    calibrate: bool,
    seed: int | None,
    device: str | None,
    in_flight: int | None,
    server: dict[str, Any],
) -> Answered:
    """Ask language models about the scenarios of the study, without a student.

    Shows how much they cooperate, how much their answers follow the order and the labels of the options instead of the
    game and the context, how many of their replies are a choice at all, and how far two answers to the same scenario
    differ. A stopped command is resumed by repeating it. The keys of --json are those of "Answers of models" among the
    file formats of the documentation.

    \b
    MODELS: directories, GGUF files, hub ids, the built-in ones (miniature-teacher,
            miniature-student), or openai:MODEL@URL behind a server
    """
    from dilemmas.experiments.commands.replicate import override

    if exact and observations is not None:
        raise InputError(f"--observations {observations}: with --exact no answers are sampled; leave one of them out")
    usual = load_recipe(recipe_name)
    chosen = tuple(name.strip() for name in sets.split(","))
    usual = replace(usual, scenarios=replace(usual.scenarios, sets=chosen))
    recipe = override(
        usual, wording, seed, observations or OBSERVATIONS, None, None, presentation, min_mass, calibrate, device
    )
    recipe = replace(recipe, servers=server_settings(in_flight, server, recipe.servers))
    if paraphrases:
        number = len(recipe.prompting.template.paraphrases)
        recipe = replace(recipe, prompting=replace(recipe.prompting, paraphrases=number))
    role: Role = "teacher" if motivation else "untuned"
    check_survey(out, recipe, models)
    ready = {spec: ready_to_ask(out, recipe, spec, exact) for spec in models}  # all of them, before one is asked
    asked = {spec: ask_one(*one, role, exact, comprehension) for spec, one in ready.items()}
    return Answered(out, asked)


def ready_to_ask(out: Path, recipe: Recipe, spec: str, exact: bool) -> tuple[Run, Backend]:
    """The folder of a model, and the model, which can be asked so as far as is known without its weights."""
    from dilemmas.agents.models.open_model import open_model

    run = Run(model_folder(out, spec), recipe_for(recipe, spec))
    model = open_model(spec, device=recipe.models.device, dtype=recipe.models.dtype, servers=recipe.servers)
    check_answers(model, run.recipe, exact)
    return run, model


def ask_one(run: Run, model: Backend, role: Role, exact: bool, comprehension: bool) -> Survey:
    """Ask one model, with a progress bar; returns what it answered."""
    from dilemmas.agents.models.servers.server import ServerBackend

    check_room(run.recipe, role, model, exact)
    total = sum(map(len, run.recipe.sets().values())) * (1 if exact else run.recipe.observations)
    with run.locked(), progress_bar(SafeConsole(stderr=True)) as bar:
        run.begin()
        run.check_models({"model": model})
        if isinstance(model, ServerBackend):
            record_servers(run.seals, {"model": model.capabilities})
        run.log_system_turn(model)
        spec, done = run.recipe.models.teacher, 0
        task, kept = add_task(bar, spec), kept_model(run, role, model)

        def told(written: int) -> None:
            bar.update(task, description=f"{spec} ({written} texts)")
            follow_task(bar, task, done, total)

        for more in ask_all(run, role, kept, exact, told):
            done += more
            bar.update(task, description=spec)
            follow_task(bar, task, done, total)
        facts = follow_steps(bar, f"{spec}, rules and payoffs", ask_facts(run, kept)) if comprehension else []
        found = Survey(answered(run, role, exact), facts, kept.hits if exact else "")
        if found.hits:
            run.log(found.hits)
    model.unload()
    return found


def check_answers(model: Backend, recipe: Recipe, exact: bool) -> None:
    """`ModelError`, before the run begins, if a served model cannot be asked so; warns if answers are only sampled."""
    from dilemmas.agents.models.deciding.scored import require_scores, warn_if_sampled
    from dilemmas.agents.models.servers.server import ServerBackend

    if not isinstance(model, ServerBackend):
        return
    if exact or recipe.prompting.calibrate:
        model.loaded()
        require_scores(model, recipe.prompting.template)
    else:
        warn_if_sampled(model, recipe.prompting.template)


def reported(found: Survey) -> dict[str, Any]:
    """What a model answered, by set, as plain data."""
    return {
        name: asdict(
            ReportedSet(
                **{key.name: getattr(one, key.name) for key in fields(one)},
                comprehension=tuple(found.facts),
                warnings=tuple(all_warnings(found, one)),
            )
        )
        for name, one in found.sets.items()
    }
