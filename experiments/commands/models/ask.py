"""`dilemmas ask`: what language models answer to the scenarios of the study, without a student."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

from dilemmas.agents.agent import Source
from dilemmas.agents.models.backend import Backend
from dilemmas.envs.prompts.labels import Showing
from dilemmas.envs.prompts.template_choices import TemplateChoice
from dilemmas.experiments.asking.survey import (
    ReportedSet,
    SetAnswers,
    Survey,
    answered,
    ask_all,
    check_survey,
    facts_known,
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
from dilemmas.experiments.reporting.format import num
from dilemmas.experiments.reporting.page import Notice, Section, Table, print_sections
from dilemmas.experiments.reporting.progress import add_task, follow_task, progress_bar
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.reporting.variance import FACTORS
from dilemmas.experiments.run_folder import read_known_shares, record_servers
from dilemmas.experiments.study.answers import Role
from dilemmas.experiments.study.metrics.bias import LEVEL, more_by_order
from dilemmas.experiments.study.metrics.comprehension import misunderstood
from dilemmas.experiments.study.metrics.consistency import MAX_DISAGREEMENT
from dilemmas.experiments.study.metrics.label_mass import FEW
from dilemmas.experiments.study.recipe import SETS, TRAINING_SET, Recipe
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import Run
from dilemmas.experiments.study.stages import check_room
from dilemmas.experiments.study.titles import scenario_title, set_title

Found = dict[str, dict[str, SetAnswers]]
"""What was answered, by model and set."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What several models answered."""

    out: Path
    """Folder of the answers."""
    surveys: dict[str, Survey]
    """By the specification of the model."""
    folders: tuple[Path, ...]
    """Folder of each model."""


def _show(found: Answered, as_json: bool) -> None:
    if as_json:
        print_json({spec: reported(one) for spec, one in found.surveys.items()})
    else:
        short = short_names(list(found.surveys))
        named = {short[spec]: one for spec, one in found.surveys.items()}
        print_sections(SafeConsole(), [*_warned(named), *_tables({name: one.sets for name, one in named.items()})])
    for folder in found.folders:
        for line in read_known_shares(folder):
            echo(line, err=True)
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
    "--observations", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="Answers per scenario."
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
    observations: int,
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

    usual = load_recipe(recipe_name)
    chosen = tuple(name.strip() for name in sets.split(","))
    usual = replace(usual, scenarios=replace(usual.scenarios, sets=chosen))
    recipe = override(usual, wording, seed, observations, None, None, presentation, min_mass, calibrate, device)
    recipe = replace(recipe, servers=server_settings(in_flight, server, recipe.servers))
    if paraphrases:
        number = len(recipe.prompting.template.paraphrases)
        recipe = replace(recipe, prompting=replace(recipe.prompting, paraphrases=number))
    role: Role = "teacher" if motivation else "untuned"
    check_survey(out, recipe, models)
    ready = {spec: ready_to_ask(out, recipe, spec, exact) for spec in models}  # all of them, before one is asked
    asked = {spec: ask_one(*one, role, exact, comprehension) for spec, one in ready.items()}
    return Answered(out, asked, tuple(run.folder for run, _ in ready.values()))


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
        task = add_task(bar, spec)

        def told(written: int) -> None:
            bar.update(task, description=f"{spec} ({written} texts)")
            follow_task(bar, task, done, total)

        for more in ask_all(run, role, model, exact, told):
            done += more
            bar.update(task, description=spec)
            follow_task(bar, task, done, total)
        found = Survey(answered(run, role, exact), facts_known(run, role, model) if comprehension else [])
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
        name: asdict(ReportedSet(**{key.name: getattr(one, key.name) for key in fields(one)}, comprehension=facts))
        for facts in [tuple(found.facts)]
        for name, one in found.sets.items()
    }


def _warned(asked: Mapping[str, Survey]) -> list[Section]:
    notices = [Notice(f"{spec} {text}") for spec, one in asked.items() for text in misunderstood(one.facts)]
    notices += [
        Notice(f"{spec} ({set_title(name)}): {text}")
        for spec, survey in asked.items()
        for name, one in survey.sets.items()
        for text in _warnings(one)
    ]
    return [Section("Warnings", tuple(notices))] if notices else []


def _warnings(found: SetAnswers) -> list[str]:
    warnings = []
    if found.weight == 0:
        return ["no reply could be read: nothing was measured."]
    if found.errors:
        warnings.append(
            f"all rates are of sampled answers, about {found.weight} readable ones for each scenario; nothing is exact."
        )
    if found.margin:
        warnings.append(f"the rates are not exact: the server tells the probabilities within ±{found.margin:.2g} only.")
    several = len(found.cooperation) > 1
    if several and found.alike > LEVEL:
        exact = found.estimate is Source.EXACT
        drawn = f"if {found.weight} answers were drawn" if exact else f"with {found.weight} answers"
        warnings.append(
            f"all scenarios are answered alike: {drawn} for each, rates as far apart would be chance"
            f" (p = {found.alike:.2f}). {'They tell no scenario from another' if exact else 'It may all be noise'}."
        )
    if several and found.shares and (more := more_by_order(asdict(found.shares))):
        by_order, by_content = more
        warnings.append(
            f"the answers follow the order and the labels of the options ({by_order:.0%} of their variance) more than"
            f" the game and the context ({by_content:.0%})."
        )
    if found.label_mass is not None and found.label_mass < FEW:
        warnings.append(f"only {found.label_mass:.1%} of the replies begin with one of the labels.")
    if found.noisy:
        warnings.append(
            f"two answers to the same scenario differ with probability {num(found.disagreement)}, above"
            f" {MAX_DISAGREEMENT:.2f}."
        )
    return warnings


def _tables(found: Found) -> list[Section]:
    rows = [(spec, name, one) for spec, sets in found.items() for name, one in sets.items()]
    summary = Table(
        "What the models answer",
        ("model", "set", "mass", "place effect", *FACTORS, "wordings", "disagreement", "unreadable"),
        tuple(
            (
                spec,
                set_title(name),
                num(one.label_mass),
                num(one.place_effect),
                *(
                    num(getattr(one.shares, key)) if one.shares else num(None)
                    for key in ("place", "label", "context", "game")
                ),
                _span(one.wordings),
                num(one.disagreement),
                num(one.unreadable),
            )
            for spec, name, one in rows
        ),
        words=2,
        note="Mass: probability that a reply begins with one of the labels. Place effect: how much more probable the"
        " first action is where it is named first. Place, label, context, game: share of the variance of the answers"
        " that follows each. Wordings: lowest and highest mean cooperation of the template's wordings. Disagreement:"
        " probability that two answers to the same scenario differ.",
        missing="not known, not asked, or asked in one presentation only",
    )
    scenarios = [name for sets in next(iter(found.values())).values() for name in sets.cooperation]
    rates = {
        spec: {name: _rate(one, name) for one in sets.values() for name in one.cooperation}
        for spec, sets in found.items()
    }
    cooperation = Table(
        "Cooperation by scenario",
        ("scenario", *found),
        tuple((scenario_title(name), *(rates[spec][name] for spec in found)) for name in scenarios),
        words=1,
        note="By the models' own probabilities, or by sampled answers with the standard error after ±; the mean over"
        " all wordings and presentations. In brackets the lowest and the highest of the wordings, if there are"
        " several.",
    )
    return [Section(table.title, (table,)) for table in (summary, cooperation)]


def _span(rates: Sequence[float]) -> str:
    """The lowest and the highest of several rates."""
    return f"{num(min(rates))}–{num(max(rates))}" if len(rates) > 1 else num(None)


def _rate(found: SetAnswers, scenario: str) -> str:
    error = found.errors.get(scenario)
    rate = num(found.cooperation[scenario]) + ("" if error is None else f" ± {num(error)}")
    worded = [one for one in found.by_wording[scenario] if one is not None]
    return f"{rate} ({_span(worded)})" if len(worded) > 1 else rate
